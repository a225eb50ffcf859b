//! Rows inside a row: every type comes back as it would from a query of its own.

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use paravel::{
    container::ContainerBuilder,
    database::{DbError, QueryWatch, nested},
    support::{Id, Timestamp},
};

use crate::database::{TestDb, empty};

diesel::table! {
    orders (id) {
        id -> Binary,
        number -> Integer,
    }
}

diesel::table! {
    items (id) {
        id -> Binary,
        order_id -> Binary,
        name -> Text,
        note -> Nullable<Text>,
        small -> SmallInt,
        big -> BigInt,
        price -> Double,
        ratio -> Nullable<Float>,
        sold -> Bool,
        checked -> Nullable<Bool>,
        seal -> Binary,
        stamp -> Nullable<Binary>,
        at -> Timestamp,
        until -> Nullable<Timestamp>,
        replaced_by -> Nullable<Binary>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(orders, items);

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders)]
struct Order {
    id: Id<Order>,
    number: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = items)]
struct Item {
    id: Id<Item>,
    order_id: Id<Order>,
    name: String,
    note: Option<String>,
    small: i16,
    big: i64,
    price: f64,
    ratio: Option<f32>,
    sold: bool,
    checked: Option<bool>,
    seal: Vec<u8>,
    stamp: Option<Vec<u8>>,
    at: Timestamp,
    until: Option<Timestamp>,
    replaced_by: Option<Id<Item>>,
}

const SCHEMA: &str = "create table orders (id blob not null primary key, number integer not null);
    create table items (id blob not null primary key, order_id blob not null, name text not null, note text,
        small integer not null, big integer not null, price double not null, ratio float, sold boolean not null,
        checked boolean, seal blob not null, stamp blob, at timestamp not null, until timestamp, replaced_by blob);";

fn plain(order: &Order, name: &str) -> Item {
    Item {
        id: Id::new(),
        order_id: order.id,
        name: name.to_owned(),
        note: None,
        small: 0,
        big: 0,
        price: 0.0,
        ratio: None,
        sold: false,
        checked: None,
        seal: Vec::new(),
        stamp: None,
        at: "1999-12-31T23:59:59Z".parse().unwrap(),
        until: None,
        replaced_by: None,
    }
}

async fn with_rows(orders: &[Order], items: &[Item]) -> TestDb {
    let db = empty(&[]);
    let (orders, items) = (orders.to_vec(), items.to_vec());
    db.write(async move |c| {
        c.batch_execute(SCHEMA).await?;
        for order in orders {
            diesel::insert_into(orders::table).values(order).execute(c).await?;
        }
        for item in items {
            diesel::insert_into(items::table).values(item).execute(c).await?;
        }
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    db
}

async fn orders_with_items(db: &TestDb) -> Result<Vec<(Order, Vec<Item>)>, DbError> {
    db.read(async |c| {
        let theirs = items::table.filter(items::order_id.eq(orders::id));
        let order = (items::name.desc(), items::id.asc());
        let query = orders::table.order(orders::number);
        Ok(query.select((Order::as_select(), nested::<Item, _, _>(theirs, order))).load(c).await?)
    })
    .await
}

#[tokio::test]
async fn rows_come_inside_the_one_that_they_belong_to_in_one_query() {
    let orders: Vec<_> = (0..3).map(|number| Order { id: Id::new(), number }).collect();
    let items = [plain(&orders[0], "a"), plain(&orders[2], "x"), plain(&orders[0], "c"), plain(&orders[0], "b")];
    let db = with_rows(&orders, &items).await;
    let app = ContainerBuilder::new().freeze().unwrap().scope();
    let found = app.run(orders_with_items(&db)).await.unwrap();
    let watch = app.current_scope().unwrap().get::<QueryWatch>().unwrap();
    assert_eq!(watch.count(), 1);
    let expected = [
        (orders[0].clone(), vec![items[2].clone(), items[3].clone(), items[0].clone()]),
        (orders[1].clone(), vec![]),
        (orders[2].clone(), vec![items[1].clone()]),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_type_comes_back_as_from_a_query_of_its_own() {
    let order = Order { id: Id::new(), number: 1 };
    let full = Item {
        note: Some(String::new()),
        small: i16::MIN,
        big: i64::MAX,
        price: 0.1 + 0.2,
        ratio: Some(0.1),
        sold: true,
        checked: Some(false),
        seal: vec![0, 255, 10],
        stamp: Some(Vec::new()),
        at: "2026-01-31T09:30:00.123456Z".parse().unwrap(),
        until: Some("9999-12-31T23:59:59.999999Z".parse().unwrap()),
        replaced_by: Some(Id::new()),
        ..plain(&order, "\"quoted\", \\ back, \u{1}\n, 'single', zoë 😀, null")
    };
    let mut items = vec![plain(&order, ""), full.clone(), Item { big: i64::MIN, ..plain(&order, "least") }];
    let numbers = [f64::MAX, f64::MIN_POSITIVE, -0.0, 1.0, 1e21, 123_456_789.123_456_78, 5e-324];
    items.extend(numbers.map(|price| Item { price, ..plain(&order, "number") }));
    items.push(Item { ratio: Some(f32::MAX), stamp: Some(vec![1]), checked: Some(true), ..plain(&order, "more") });
    let db = with_rows(std::slice::from_ref(&order), &items).await;
    let found = orders_with_items(&db).await.unwrap().remove(0).1;
    let by_itself: Vec<Item> = db
        .read(async |c| {
            let query = items::table.order((items::name.desc(), items::id.asc())).select(Item::as_select());
            Ok::<_, DbError>(query.load(c).await?)
        })
        .await
        .unwrap();
    assert_eq!(by_itself.len(), items.len());
    assert_eq!(found, by_itself);
    assert!(found.contains(&full));
}

/// An error and all that it was caused by.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_row_that_is_not_what_its_column_says_fails_the_query_with_the_reason() {
    let order = Order { id: Id::new(), number: 1 };
    for (wrong, reason) in [
        ("at = 'yesterday'", "expected a timestamp"),
        ("id = x'00'", "expected the 16 bytes of an id"),
        ("small = 70000", "expected i16"),
        ("price = 9e999", "number out of range"),
        ("name = x'00'", "expected a string"),
    ] {
        let db = with_rows(std::slice::from_ref(&order), &[plain(&order, "x")]).await;
        let wrong = format!("update items set {wrong}");
        db.write(async move |c| Ok::<_, DbError>(c.batch_execute(&wrong).await?)).await.unwrap();
        let error = orders_with_items(&db).await.unwrap_err();
        let all = chain(&error);
        assert!(all.contains(reason), "{all}");
    }
}

#[tokio::test]
async fn a_query_around_may_be_filtered_and_the_one_inside_may_bind() {
    let orders: Vec<_> = (0..3).map(|number| Order { id: Id::new(), number }).collect();
    let items = [plain(&orders[1], "a"), plain(&orders[1], "b"), plain(&orders[2], "a")];
    let db = with_rows(&orders, &items).await;
    for (name, expected) in [("a", vec![1, 1]), ("b", vec![1, 0]), ("c", vec![0, 0])] {
        let found: Vec<(i32, Vec<Item>)> = db
            .read(async |c| {
                let theirs = items::table.filter(items::order_id.eq(orders::id)).filter(items::name.eq(name));
                let query = orders::table.filter(orders::number.gt(0)).order(orders::number);
                Ok::<_, DbError>(query.select((orders::number, nested::<Item, _, _>(theirs, items::id))).load(c).await?)
            })
            .await
            .unwrap();
        assert_eq!(found.iter().map(|(_, items)| items.len()).collect::<Vec<_>>(), expected);
    }
}
