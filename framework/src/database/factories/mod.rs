//! Factories: made-up rows for tests and demonstrations, the same ones each time.
//!
//! A [`Factory`] says how a row of one table is made up. Its builder, [`Batch`], says how many there are to be and how
//! they differ from that, and what belongs to them:
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use diesel::prelude::*;
//! use paravel::{
//!     database::{
//!         Db, DbError, Seed, SqliteConn,
//!         factories::{BelongsTo, Factory, Faker},
//!     },
//!     fake::faker::{company::en::CompanyName, name::en::FirstName},
//! };
//!
//! diesel::table! {
//!     fleets (id) { id -> BigInt, owner -> Text }
//! }
//!
//! diesel::table! {
//!     ships (id) { id -> BigInt, fleet -> BigInt, name -> Text, afloat -> Bool }
//! }
//!
//! #[derive(Debug, Clone, PartialEq, Insertable)]
//! struct Fleet {
//!     id: i64,
//!     owner: String,
//! }
//!
//! #[derive(Debug, Clone, PartialEq, Insertable)]
//! struct Ship {
//!     id: i64,
//!     fleet: i64,
//!     name: String,
//!     afloat: bool,
//! }
//!
//! struct FleetFactory;
//!
//! impl Factory for FleetFactory {
//!     const NAME: &'static str = "fleets";
//!     type Conn = SqliteConn;
//!     type Table = fleets::table;
//!     type Row = Fleet;
//!
//!     fn definition(&self, faker: &mut Faker) -> Fleet {
//!         Fleet { id: faker.serial(), owner: faker.fake(CompanyName()) }
//!     }
//! }
//!
//! struct ShipFactory;
//!
//! impl ShipFactory {
//!     /// One that has gone down.
//!     fn sunk(ship: &mut Ship, _: &mut Faker) {
//!         ship.afloat = false;
//!     }
//! }
//!
//! impl Factory for ShipFactory {
//!     const NAME: &'static str = "ships";
//!     type Conn = SqliteConn;
//!     type Table = ships::table;
//!     type Row = Ship;
//!
//!     fn definition(&self, faker: &mut Faker) -> Ship {
//!         Ship { id: faker.serial(), fleet: 0, name: faker.fake(FirstName()), afloat: true }
//!     }
//! }
//!
//! impl BelongsTo<Fleet> for ShipFactory {
//!     fn belongs_to(ship: &mut Ship, fleet: &Fleet) {
//!         ship.fleet = fleet.id;
//!     }
//! }
//!
//! // Without a database: two ships, of which the second has sunk.
//! let seed = Seed::default();
//! let ships = ShipFactory.count(2).sequence([true, false], |ship, afloat| ship.afloat = *afloat).make(&seed);
//! assert_eq!((ships[0].afloat, ships[1].afloat), (true, false));
//! assert_eq!(ships[0], ShipFactory.make_one(&Seed::default()), "the same seed gives the same rows");
//!
//! // With one: three fleets of ten ships, and a wreck that belongs to the first.
//! async fn fill(db: &Db<SqliteConn>, seed: &Seed) -> Result<(), DbError> {
//!     let fleets = FleetFactory.count(3).has(ShipFactory.count(10)).create(seed, db).await?;
//!     ShipFactory.state(ShipFactory::sunk).for_(&fleets[0]).create(seed, db).await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! What is random in a row comes from the [`Seed`](crate::database::Seed)'s number, the factory's name and the row's own
//! number, and from nothing else. So a row is the same however many are made with it, and in chunks of whatever size.

mod batch;
mod factory;
mod faker;
mod plan;

pub use batch::Batch;
pub use factory::{BelongsTo, Factory};
pub use faker::Faker;
