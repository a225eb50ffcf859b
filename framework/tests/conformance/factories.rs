//! Rows that factories make, in each database.

use std::marker::PhantomData;

use diesel::Insertable;
use paravel::{
    database::{
        Connection, DbError, InsertRows, Seed, Statement,
        factories::{BelongsTo, Factory, Faker},
    },
    fake::faker::{boolean::en::Boolean, lorem::en::Word, name::en::Name},
};

use super::{Own, empty};

diesel::table! {
    fleets (id) { id -> BigInt, name -> Text, motto -> Nullable<Text> }
}

diesel::table! {
    ships (id) { id -> BigInt, fleet -> BigInt, name -> Text }
}

diesel::table! {
    sailors (id) { id -> BigInt, ship -> BigInt, name -> Text }
}

#[derive(Debug, Clone, PartialEq, Insertable)]
pub struct Fleet {
    id: i64,
    name: String,
    motto: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Insertable)]
pub struct Ship {
    id: i64,
    fleet: i64,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Insertable)]
pub struct Sailor {
    id: i64,
    ship: i64,
    name: String,
}

const SCHEMA: &str = "create table fleets (id bigint not null primary key, name varchar(100) not null unique, \
                      motto varchar(100) default 'none');
    create table ships (id bigint not null primary key, fleet bigint not null, name varchar(100) not null, \
                      foreign key (fleet) references fleets (id));
    create table sailors (id bigint not null primary key, ship bigint not null, name varchar(100) not null, \
                      foreign key (ship) references ships (id))";

/// A connection to a database of these tables.
pub trait Sea:
    InsertRows<fleets::table, Fleet> + InsertRows<ships::table, Ship> + InsertRows<sailors::table, Sailor>
{
}

impl<C> Sea for C where
    C: InsertRows<fleets::table, Fleet> + InsertRows<ships::table, Ship> + InsertRows<sailors::table, Sailor>
{
}

struct Fleets<C>(PhantomData<fn() -> C>);
struct Ships<C>(PhantomData<fn() -> C>);
struct Sailors<C>(PhantomData<fn() -> C>);

impl<C: Sea> Factory for Fleets<C> {
    const NAME: &'static str = "fleets";
    type Conn = C;
    type Table = fleets::table;
    type Row = Fleet;

    fn definition(&self, faker: &mut Faker) -> Fleet {
        let motto = faker.fake::<bool, _>(Boolean(50)).then(|| faker.fake(Word()));
        Fleet { id: faker.serial(), name: format!("{}{}", faker.fake::<String, _>(Name()), faker.number()), motto }
    }
}

impl<C: Sea> Factory for Ships<C> {
    const NAME: &'static str = "ships";
    type Conn = C;
    type Table = ships::table;
    type Row = Ship;

    fn definition(&self, faker: &mut Faker) -> Ship {
        Ship { id: faker.serial(), fleet: 0, name: faker.fake(Name()) }
    }
}

impl<C: Sea> Factory for Sailors<C> {
    const NAME: &'static str = "sailors";
    type Conn = C;
    type Table = sailors::table;
    type Row = Sailor;

    fn definition(&self, faker: &mut Faker) -> Sailor {
        Sailor { id: faker.serial(), ship: 0, name: faker.fake(Name()) }
    }
}

impl<C: Sea> BelongsTo<Fleet> for Ships<C> {
    fn belongs_to(ship: &mut Ship, fleet: &Fleet) {
        ship.fleet = fleet.id;
    }
}

impl<C: Sea> BelongsTo<Ship> for Sailors<C> {
    fn belongs_to(sailor: &mut Sailor, ship: &Ship) {
        sailor.ship = ship.id;
    }
}

async fn sea<C: Connection>() -> Option<Own<C>> {
    let own = empty::<C>(&[]).await?;
    own.db.write(async |c| Ok::<_, DbError>(c.batch_execute(SCHEMA).await?)).await.unwrap();
    Some(own)
}

async fn rows<C: Connection>(db: &Own<C>, sql: &str) -> Vec<String> {
    let query = Statement::new(sql);
    let rows = db.read(async |c| Ok::<_, DbError>(c.fetch(&query).await?)).await.unwrap();
    let cells = |row: &paravel::database::Row| row.columns().map(|(_, value)| value.to_string()).collect::<Vec<_>>();
    rows.iter().map(|row| cells(row).join(" ")).collect()
}

/// All there is.
async fn all<C: Connection>(db: &Own<C>) -> [Vec<String>; 3] {
    [
        rows(db, "select id, name, motto from fleets order by id").await,
        rows(db, "select id, fleet, name from ships order by id").await,
        rows(db, "select id, ship, name from sailors order by id").await,
    ]
}

/// How many fleets, ships and sailors there are.
async fn counts<C: Connection>(db: &Own<C>) -> [usize; 3] {
    all(db).await.map(|rows| rows.len())
}

fn fleets<C>() -> Fleets<C> {
    Fleets(PhantomData)
}

fn ships<C>() -> Ships<C> {
    Ships(PhantomData)
}

fn sailors<C>() -> Sailors<C> {
    Sailors(PhantomData)
}

pub async fn the_same_seed_gives_the_same_rows_in_chunks_of_any_size<C: Sea>() {
    let mut first = None;
    for chunk in [500, 1, 7, usize::MAX] {
        let Some(db) = sea::<C>().await else { return };
        let seed = Seed::new(42);
        // Two kinds of children in one table: their numbers must not depend on which chunk comes when.
        let crewed = ships().count(3).chunk(chunk).has(sailors().count(2).chunk(chunk));
        let made =
            fleets().count(20).chunk(chunk).has(crewed).has(ships().count(1).chunk(chunk)).create(&seed, &db).await;
        assert_eq!(made.unwrap().len(), 20);
        fleets().count(2).chunk(chunk).create(&seed, &db).await.unwrap();
        let all = all(&db).await;
        assert_eq!(all.each_ref().map(Vec::len), [22, 80, 120]);
        assert_eq!(*first.get_or_insert(all.clone()), all, "chunks of {chunk}");
    }
    let Some(db) = sea::<C>().await else { return };
    fleets().count(20).create(&Seed::new(43), &db).await.unwrap();
    assert_ne!(first.unwrap()[0][..20], all(&db).await[0], "another seed, other rows");
}

pub async fn children_belong_to_their_parents<C: Sea>() {
    let Some(db) = sea::<C>().await else { return };
    let seed = Seed::default();
    let made = fleets().count(3).has(ships().count(2).has(sailors())).create(&seed, &db).await.unwrap();
    assert_eq!(rows(&db, "select fleet from ships order by id").await, ["1", "1", "2", "2", "3", "3"]);
    assert_eq!(rows(&db, "select ship from sailors order by id").await, ["1", "2", "3", "4", "5", "6"]);
    let one = fleets().has(ships()).create_one(&Seed::new(9), &db).await;
    assert!(one.is_err_and(|error| error.is_unique_violation()), "its id is there");
    ships().count(2).for_(&made[1]).create(&seed, &db).await.unwrap();
    assert_eq!(rows(&db, "select fleet from ships where id > 6").await, ["2", "2"]);
    ships().count(40).recycle(&made).insert(&seed, &db).await.unwrap();
    let recycled = rows(&db, "select distinct fleet from ships where id > 8 order by fleet").await;
    assert_eq!(recycled, ["1", "2", "3"], "each of them is picked once in so many");
}

pub async fn what_was_made_is_what_is_in_the_database<C: Sea>() {
    let Some(db) = sea::<C>().await else { return };
    let made = fleets().count(30).create(&Seed::default(), &db).await.unwrap();
    assert_eq!(made, fleets::<C>().count(30).make(&Seed::default()));
    let expected = made.iter().map(|fleet| {
        // diesel leaves out what is `None`, and the column has its default.
        format!("{} {} {}", fleet.id, fleet.motto.as_deref().unwrap_or("none"), fleet.name)
    });
    assert_eq!(all(&db).await[0], expected.collect::<Vec<_>>());
    assert!(made.iter().any(|fleet| fleet.motto.is_none()) && made.iter().any(|fleet| fleet.motto.is_some()));
}

pub async fn a_row_that_fails_leaves_nothing_of_its_batch<C: Sea>() {
    let Some(db) = sea::<C>().await else { return };
    let seed = Seed::default();
    let twice = |fleet: &mut Fleet, faker: &mut Faker| {
        if faker.index().is_multiple_of(1100) {
            fleet.name = "twice".to_owned();
        }
    };
    let failed = fleets().count(1200).state(twice).has(ships()).create(&seed, &db).await;
    assert!(failed.is_err_and(|error| error.is_unique_violation()));
    let failed = fleets().count(1200).state(twice).chunk(100).insert(&seed, &db).await;
    assert!(failed.is_err_and(|error| error.is_unique_violation()));
    let orphans = ships().count(3).sequence([1, 1, 9], |ship, fleet| ship.fleet = *fleet);
    let failed = fleets().has(orphans.for_(&Fleet { id: 99, name: String::new(), motto: None })).create(&seed, &db);
    assert!(failed.await.is_ok(), "a child's parent has the last word");
    let lost = ships().state(|ship, _| ship.fleet = 99).create(&seed, &db).await;
    assert!(lost.is_err_and(|error| error.is_foreign_key_violation()));
    assert_eq!(counts(&db).await, [1, 3, 0]);
}

pub async fn a_batch_joins_a_transaction<C: Sea>() {
    let Some(db) = sea::<C>().await else { return };
    let undone: Result<(), DbError> = db
        .write(async |c| {
            fleets().count(3).has(ships()).create_on(&Seed::default(), c).await?;
            assert_eq!(fleets().count(2).insert_on(&Seed::new(7), c).await.err().map(|_| ()), Some(()), "the same ids");
            Err(DbError::Closed)
        })
        .await;
    assert!(undone.is_err());
    assert_eq!(counts(&db).await, [0, 0, 0]);
}

pub async fn more_rows_than_a_statement_may_have_values<C: Sea>() {
    let Some(db) = sea::<C>().await else { return };
    // Three values each, where the most that any statement may bind is 65535.
    let all_set = fleets().count(22_000).state(|fleet, _| fleet.motto = Some("on".to_owned()));
    let count = all_set.chunk(usize::MAX).insert(&Seed::default(), &db).await.unwrap();
    assert_eq!(count, 22_000);
    assert_eq!(rows(&db, "select count(*) as n from fleets").await, ["22000"]);
    assert_eq!(fleets().count(0).insert(&Seed::default(), &db).await.unwrap(), 0);
}
