//! What 50 orders with 10 items each cost, by a query for each order, by one query a relation, and by one in all.
//!
//! `cargo bench -p paravel --bench nested`
//!
//! The budget is missed: SQLite runs in the process, so that 51 queries have no round trips to save, and making the JSON of
//! 500 rows takes SQLite a sixth of what those queries take in all, before any of it is read.
//!
//! All read the same file, check that they found the same, and take turns within one run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use paravel::{
    config::DatabaseConfig,
    database::{Db, DbError, SqliteConn, nested, with_many},
    support::{Env, Id, Timestamp},
};

/// The budget: one query with JSON against a query for each order.
const BUDGET: f64 = 10.0;
const ORDERS: i32 = 50;
const ITEMS: i32 = 10;
/// Turns of each; the best counts, which is the one least disturbed.
const TURNS: usize = 15;
/// Lists in a turn.
const LISTS: u32 = 40;

diesel::table! {
    orders (id) {
        id -> Binary,
        number -> Integer,
        placed_at -> Timestamp,
    }
}

diesel::table! {
    items (id) {
        id -> Binary,
        order_id -> Binary,
        position -> Integer,
        name -> Text,
        price -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(orders, items);

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders)]
struct Order {
    id: Id<Order>,
    number: i32,
    placed_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = items)]
struct Item {
    id: Id<Item>,
    order_id: Id<Order>,
    position: i32,
    name: String,
    price: i64,
}

type List = Vec<(Order, Vec<Item>)>;

const SCHEMA: &str =
    "create table orders (id blob not null primary key, number integer not null, placed_at timestamp not null);
    create table items (id blob not null primary key, order_id blob not null references orders (id),
        position integer not null, name text not null, price integer not null);
    create unique index items_order_index on items (order_id, position);";

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("nested.sqlite").display());
    let db = Db::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(compare(&db))
}

async fn fill(db: &Db<SqliteConn>) -> Result<(), DbError> {
    db.write(async |c| {
        c.batch_execute(SCHEMA).await?;
        for number in 0..ORDERS {
            let order = Order { id: Id::new(), number, placed_at: Timestamp::now() };
            diesel::insert_into(orders::table).values(&order).execute(c).await?;
            for position in 0..ITEMS {
                let name = format!("item {position} of order {number}");
                let item = Item { id: Id::new(), order_id: order.id, position, name, price: 1999 };
                diesel::insert_into(items::table).values(item).execute(c).await?;
            }
        }
        Ok(())
    })
    .await
}

/// A read for the orders, and one for each of them.
async fn one_by_one(db: &Db<SqliteConn>) -> Result<List, DbError> {
    let query = orders::table.order(orders::number).select(Order::as_select());
    let orders: Vec<Order> = db.read(async |c| Ok::<_, DbError>(query.load(c).await?)).await?;
    let mut list = Vec::with_capacity(orders.len());
    for order in orders {
        let query = items::table.filter(items::order_id.eq(order.id)).order(items::position).select(Item::as_select());
        let items = db.read(async |c| Ok::<_, DbError>(query.load(c).await?)).await?;
        list.push((order, items));
    }
    Ok(list)
}

/// One query for the orders, and one for their items.
async fn eager(db: &Db<SqliteConn>) -> Result<List, DbError> {
    db.read(async |c| {
        let orders = orders::table.order(orders::number).select(Order::as_select()).load(c).await?;
        let items_of = |orders| {
            let query = items::table.filter(items::order_id.eq_any(orders)).order((items::order_id, items::position));
            query.select((items::order_id, Item::as_select()))
        };
        with_many(c, orders, |order| order.id, items_of).await
    })
    .await
}

/// One query in all.
async fn in_json(db: &Db<SqliteConn>) -> Result<List, DbError> {
    db.read(async |c| {
        let theirs = nested::<Item, _, _>(items::table.filter(items::order_id.eq(orders::id)), items::position);
        Ok(orders::table.order(orders::number).select((Order::as_select(), theirs)).load(c).await?)
    })
    .await
}

/// SQLite's part of the last: the same query without diesel, its JSON not read.
fn sqlite_alone(raw: &rusqlite::Connection) -> Result<usize, rusqlite::Error> {
    let mut statement = raw.prepare_cached(
        "select id, number, placed_at, (select json_group_array(json_array(hex(id), hex(order_id), position, name, price) \
         order by position) from items where order_id = orders.id limit 1) from orders order by number",
    )?;
    let mut rows = statement.query([])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(3)?.as_str()?.len();
    }
    Ok(bytes)
}

async fn compare(db: &Db<SqliteConn>) -> Result<(), Box<dyn Error>> {
    fill(db).await?;
    let expected = one_by_one(db).await?;
    assert_eq!((expected.len(), expected[49].1.len()), (50, 10));
    assert_eq!(eager(db).await?, expected);
    assert_eq!(in_json(db).await?, expected);
    let raw = rusqlite::Connection::open(db.config().url.rest())?;
    let mut best = [Duration::MAX; 4];
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..LISTS {
            std::hint::black_box(one_by_one(db).await?);
        }
        best[0] = best[0].min(start.elapsed());
        let start = Instant::now();
        for _ in 0..LISTS {
            std::hint::black_box(eager(db).await?);
        }
        best[1] = best[1].min(start.elapsed());
        let start = Instant::now();
        for _ in 0..LISTS {
            std::hint::black_box(in_json(db).await?);
        }
        best[2] = best[2].min(start.elapsed());
        let start = Instant::now();
        for _ in 0..LISTS {
            std::hint::black_box(sqlite_alone(&raw)?);
        }
        best[3] = best[3].min(start.elapsed());
    }
    let [one_by_one, eager, in_json, sqlite] = best.map(|time| time.as_secs_f64() * 1e6 / f64::from(LISTS));
    println!("50 orders with 10 items each, in microseconds");
    println!("  a read for each order     {one_by_one:8.0}");
    println!("  one query a relation      {eager:8.0}   {:.1} times as fast", one_by_one / eager);
    let ratio = one_by_one / in_json;
    println!("  one query, by JSON        {in_json:8.0}   {ratio:.1} times as fast; budget {BUDGET}");
    println!("  of that SQLite, by itself {sqlite:8.0}   at most {:.1} times as fast", one_by_one / sqlite);
    Ok(())
}
