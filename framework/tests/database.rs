//! The database: reading, writing, what each refuses, and how values are kept.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use paravel::{
    config::DatabaseConfig,
    container::ContainerBuilder,
    database::{DatabaseAdmin, Db, DbError, Page, PageRequest, QueryWatch, SqliteConn, Statement, StickyReads, Value},
    support::{Env, Id, Timestamp},
};
use tempfile::TempDir;

diesel::table! {
    ships (id) {
        id -> Binary,
        name -> Text,
        built_at -> Timestamp,
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
pub struct Ship {
    pub id: Id<Ship>,
    pub name: String,
    pub built_at: Timestamp,
}

impl Ship {
    pub fn named(name: &str) -> Self {
        Self { id: Id::new(), name: name.to_owned(), built_at: Timestamp::now() }
    }
}

const SCHEMA: &str =
    "create table ships (id blob not null primary key, name text not null unique, built_at timestamp not null);
     create table crew (ship blob not null references ships (id) deferrable initially deferred);";

/// A database of a test's own, deleted with it.
pub struct TestDb {
    pub db: Arc<Db<SqliteConn>>,
    pub folder: TempDir,
}

impl std::ops::Deref for TestDb {
    type Target = Db<SqliteConn>;

    fn deref(&self) -> &Db<SqliteConn> {
        &self.db
    }
}

pub fn config(url: &str, more: &[(&str, &str)]) -> DatabaseConfig {
    let mut env = Env::from_pairs(more.iter().copied());
    env.set("DATABASE_URL", url);
    let config = DatabaseConfig::from_env(&env);
    env.check().unwrap();
    config
}

pub fn empty(more: &[(&str, &str)]) -> TestDb {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
    TestDb { db: Arc::new(Db::new(config(&url, more)).unwrap()), folder }
}

pub async fn with_ships(more: &[(&str, &str)]) -> TestDb {
    let db = empty(more);
    db.write(async |c| Ok::<_, DbError>(c.batch_execute(SCHEMA).await?)).await.unwrap();
    db
}

pub async fn insert(c: &mut SqliteConn, name: &str) -> Result<(), DbError> {
    diesel::insert_into(ships::table).values(Ship::named(name)).execute(c).await?;
    Ok(())
}

pub async fn add(db: &Db<SqliteConn>, name: String) -> Result<(), DbError> {
    db.write(async move |c| insert(c, &name).await).await
}

pub async fn names(db: &Db<SqliteConn>) -> Vec<String> {
    let query = ships::table.select(ships::name).order(ships::name);
    db.read(async |c| Ok::<_, DbError>(query.load(c).await?)).await.unwrap()
}

#[tokio::test]
async fn what_was_written_is_read() {
    let db = with_ships(&[]).await;
    db.write(async move |c| insert(c, "Dawn Treader").await).await.unwrap();
    assert_eq!(names(&db).await, ["Dawn Treader"]);
}

#[tokio::test]
async fn ids_and_timestamps_come_back_as_they_went() {
    let db = with_ships(&[]).await;
    let (ship, stored) = (Ship::named("Splendour Hyaline"), Ship::named("Swanwhite"));
    let (one, two) = (ship.clone(), stored.clone());
    db.write(async move |c| {
        diesel::insert_into(ships::table).values(one).execute(c).await?;
        diesel::insert_into(ships::table).values(two).execute(c).await?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    let found: Ship = db
        .read(async |c| Ok::<_, DbError>(ships::table.find(ship.id).select(Ship::as_select()).first(c).await?))
        .await
        .unwrap();
    assert_eq!(found, ship);
    let built: Vec<Id<Ship>> = db
        .read(async |c| {
            let query = ships::table.filter(ships::built_at.ge(ship.built_at)).order(ships::id).select(ships::id);
            Ok::<_, DbError>(query.load(c).await?)
        })
        .await
        .unwrap();
    assert_eq!(built, [ship.id, stored.id], "both sort by time");
    let raw = Statement::new("select length(id) as length, built_at from ships where id = ?");
    let rows = db.fetch(raw.bind(ship.id.uuid().as_bytes().to_vec())).await.unwrap();
    assert_eq!(rows[0].integer("length"), 16);
    assert_eq!(format!("{}Z", rows[0].text("built_at").replace(' ', "T")), ship.built_at.to_string());
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let db = with_ships(&[]).await;
    let error = db.read(async |c| insert(c, "x").await).await.unwrap_err();
    assert_eq!(error.to_string(), "attempt to write a readonly database");
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn a_read_may_borrow_what_is_around_it() {
    let db = with_ships(&[]).await;
    let (wanted, mut seen) = ("nothing".to_owned(), 0);
    let found: i64 = db
        .read(async |c| {
            seen += 1;
            Ok::<_, DbError>(ships::table.filter(ships::name.eq(&wanted)).count().get_result(c).await?)
        })
        .await
        .unwrap();
    assert_eq!((found, seen), (0, 1));
}

#[tokio::test]
async fn violations_are_told_apart() {
    let db = with_ships(&[]).await;
    db.write(async |c| insert(c, "x").await).await.unwrap();
    let unique = db.write(async |c| insert(c, "x").await).await.unwrap_err();
    assert!(unique.is_unique_violation() && !unique.is_foreign_key_violation() && !unique.is_transient());
    let orphan = Statement::new("insert into crew (ship) values (?)").bind(vec![0_u8; 16]);
    let foreign = db.apply(Some(orphan), String::new()).await.unwrap_err();
    assert!(foreign.is_foreign_key_violation(), "a deferred key fails at the commit: {foreign:?}");
    assert!(db.fetch(Statement::new("select * from crew")).await.unwrap().is_empty());
    db.write(async |c| insert(c, "y").await).await.unwrap();
}

#[tokio::test]
async fn a_closure_may_fail_with_diesels_own_error_and_nothing_is_lost_of_ours() {
    let db = with_ships(&[]).await;
    let found: Result<Ship, diesel::result::Error> =
        db.read(async |c| ships::table.select(Ship::as_select()).first(c).await).await;
    assert_eq!(found.unwrap_err(), diesel::result::Error::NotFound);
    let panicked: Result<(), diesel::result::Error> = db.write(async |_| panic!("overboard")).await;
    assert!(matches!(DbError::from(panicked.unwrap_err()), DbError::Panicked { message } if message == "overboard"));
}

#[tokio::test]
async fn raw_values_come_back_as_they_were_bound() {
    let db = empty(&[]);
    let query = Statement::new("select ? as n, ? as t, ? as b, null as empty, 1.5 as r")
        .bind(-7)
        .bind("it's")
        .bind(vec![0_u8, 255]);
    let row = db.fetch(query).await.unwrap().remove(0);
    assert_eq!((row.integer("n"), row.text("t")), (-7, "it's"));
    assert_eq!((row.get("b"), row.get("r")), (&Value::Bytes(vec![0, 255]), &Value::Real(1.5)));
    assert_eq!((row.get("empty"), row.get("no such column")), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn the_queries_of_a_scope_are_counted_in_it_whoever_runs_them() {
    let db = with_ships(&[]).await;
    let app = ContainerBuilder::new().freeze().unwrap();
    let (one, other) = (app.scope(), app.scope());
    let count = |app: &paravel::container::Container| {
        app.current_scope().unwrap().get::<QueryWatch>().map_or(0, |watch| watch.count())
    };
    one.run(async {
        db.write(async |c| insert(c, "x").await).await.unwrap();
        assert_eq!(count(&one), 1, "a write's queries, and not its begin and commit");
        db.read(async |c| {
            ships::table.count().get_result::<i64>(c).await?;
            Ok::<_, DbError>(ships::table.count().get_result::<i64>(c).await?)
        })
        .await
        .unwrap();
    })
    .await;
    names(&db).await;
    assert_eq!((count(&one), count(&other)), (3, 0));
}

#[tokio::test]
async fn reads_stick_to_the_primary_after_a_write_in_the_same_scope() {
    let db = with_ships(&[]).await;
    let app = ContainerBuilder::new().freeze().unwrap();
    app.scope()
        .run(async {
            names(&db).await;
            assert!(!StickyReads::in_force(), "a read is no reason");
            let failed = db.write(async |_| Err::<(), _>(DbError::Closed)).await;
            assert!(failed.is_err() && !StickyReads::in_force(), "nor is a write that was rolled back");
            db.write(async |c| insert(c, "x").await).await.unwrap();
            assert!(StickyReads::in_force());
        })
        .await;
    app.scope().run(async { assert!(!StickyReads::in_force()) }).await;
    assert!(!StickyReads::in_force());
}

#[test]
fn a_page_knows_its_offset_and_the_last_page() {
    let request = PageRequest { page: 3, per_page: 20 };
    assert_eq!((request.offset(), request.limit()), (40, 20));
    assert_eq!(PageRequest { page: 0, per_page: 20 }.offset(), 0);
    let page = Page::new(vec![1, 2], request, 42).map(|n| n * 2);
    assert_eq!((page.items.as_slice(), page.last_page()), (&[2, 4][..], 3));
    assert_eq!(Page::<u8>::new(Vec::new(), request, 0).last_page(), 1);
}
