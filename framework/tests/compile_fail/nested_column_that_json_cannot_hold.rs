use diesel::{prelude::*, sqlite::Sqlite};
use paravel::database::JsonColumns;

diesel::table! {
    ships (id) { id -> BigInt, built -> Date }
}

fn assert_nested<T: Selectable<Sqlite, SelectExpression: JsonColumns>>() {}

#[derive(Selectable)]
#[diesel(table_name = ships)]
struct Ship {
    id: i64,
    built: i64,
}

fn main() {
    assert_nested::<Ship>();
}
