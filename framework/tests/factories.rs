//! What factories make, without a database. With one: conformance/factories.rs.
#![cfg(feature = "sqlite")]

use std::{collections::HashSet, time::Duration};

use diesel::Insertable;
use paravel::{
    database::{
        Seed, SqliteConn,
        factories::{Batch, Factory, Faker},
    },
    fake::{faker::name::en::Name, rand::RngExt},
    support::{Id, Timestamp},
};

diesel::table! {
    sailors (id) { id -> Binary, name -> Text, rank -> Text, pay -> Integer, since -> Timestamp }
}

#[derive(Debug, Clone, PartialEq, Insertable)]
struct Sailor {
    id: Id<Sailor>,
    name: String,
    rank: String,
    pay: i32,
    since: Timestamp,
}

struct Sailors;

impl Sailors {
    fn promoted(sailor: &mut Sailor, faker: &mut Faker) {
        sailor.rank = "mate".to_owned();
        sailor.pay += faker.random_range(1..=10);
    }
}

impl Factory for Sailors {
    const NAME: &'static str = "sailors";
    type Conn = SqliteConn;
    type Table = sailors::table;
    type Row = Sailor;

    fn definition(&self, faker: &mut Faker) -> Sailor {
        Sailor {
            id: faker.id(),
            name: faker.fake(Name()),
            rank: "sailor".to_owned(),
            pay: faker.fake(100..200),
            since: faker.past(Duration::from_hours(24)),
        }
    }
}

/// Another factory of the same definition.
struct Passengers;

impl Factory for Passengers {
    const NAME: &'static str = "passengers";
    type Conn = SqliteConn;
    type Table = sailors::table;
    type Row = Sailor;

    fn definition(&self, faker: &mut Faker) -> Sailor {
        Sailors.definition(faker)
    }
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let crew = || Sailors.count(50).make(&Seed::new(7));
    assert_eq!(crew(), crew());
    assert_ne!(crew(), Sailors.count(50).make(&Seed::new(8)));
    assert_eq!(crew()[..10], Sailors.count(10).make(&Seed::new(7)), "however many are made");
    assert_ne!(crew()[0].id, Passengers.make_one(&Seed::new(7)).id, "another factory's differ");
    let seed = Seed::new(7);
    assert_eq!([Sailors.count(20).make(&seed), Sailors.count(30).make(&seed)].concat(), crew());
    seed.restart(7);
    assert_eq!(Sailors.make_one(&seed), crew()[0]);
    seed.restart(8);
    assert_eq!((seed.number(), Sailors.count(50).make(&seed)), (8, Sailors.count(50).make(&Seed::new(8))));
}

#[test]
fn a_row_is_what_it_was_in_earlier_releases() {
    // A change of this is a change of everybody's made-up rows: say so in CHANGELOG.md.
    let sailor = Sailors.make_one(&Seed::default());
    insta::assert_debug_snapshot!(sailor);
}

#[test]
fn ids_are_unique_and_sort_as_they_were_made() {
    let ids: Vec<_> = Sailors.count(5000).make(&Seed::default()).iter().map(|sailor| sailor.id).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 5000);
    assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
    assert!(ids.iter().all(|id| *id < Id::new()), "before what is made by people");
}

#[test]
fn values_stay_in_their_ranges() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let yesterday: Timestamp = "2025-12-31T00:00:00Z".parse().unwrap();
    for sailor in Sailors.count(2000).make(&Seed::default()) {
        assert!((100..200).contains(&sailor.pay), "{sailor:?}");
        assert!((yesterday..=now).contains(&sailor.since), "{sailor:?}");
    }
    let ages = Sailors.state(|sailor, faker| sailor.since = faker.past(Duration::MAX));
    assert!(ages.make_one(&Seed::default()).since <= now);
}

#[test]
fn states_are_set_in_their_order_and_change_nothing_else() {
    let plain = Sailors.count(9).make(&Seed::default());
    let promoted = Sailors.count(9).state(Sailors::promoted).make(&Seed::default());
    for (plain, promoted) in plain.iter().zip(&promoted) {
        assert_eq!((&plain.id, &plain.name, plain.since), (&promoted.id, &promoted.name, promoted.since));
        assert!(promoted.rank == "mate" && promoted.pay > plain.pay);
    }
    let captain = Sailors.state(Sailors::promoted).state(|sailor, _| sailor.rank = "captain".to_owned());
    assert_eq!(captain.make_one(&Seed::default()).rank, "captain");
}

#[test]
fn a_sequence_begins_again_at_its_end_and_with_each_batch() {
    let ranks = |batch: Batch<Sailors>, seed: &Seed| -> String {
        let ranked = batch.sequence(["mate", "cook"], |sailor, rank| sailor.rank = (*rank).to_owned());
        ranked.make(seed).iter().map(|sailor| &sailor.rank[..1]).collect()
    };
    let seed = Seed::default();
    assert_eq!(ranks(Sailors.count(5), &seed), "mcmcm");
    assert_eq!(ranks(Sailors.count(2), &seed), "mc");
    let none: [&str; 0] = [];
    assert_eq!(Sailors.count(1).sequence(none, |sailor, _| sailor.pay = 0).make(&seed)[0].rank, "sailor");
}

#[test]
fn one_is_made_whatever_the_count_and_none_of_none() {
    let seed = Seed::default();
    assert_eq!(Sailors.count(0).make(&seed), []);
    assert_eq!(Sailors.count(3).make_one(&seed), Sailors.make_one(&Seed::default()));
    assert_eq!(Batch::new(Sailors).make(&seed).len(), 1);
}
