use paravel::database::{
    SqliteConn,
    factories::{Batch, Factory, Faker},
};
use paravel::diesel::{self, Insertable};

diesel::table! {
    ships (id) { id -> BigInt }
}

#[derive(Clone, Insertable)]
struct Ship {
    id: i64,
}

struct ShipFactory;

impl Factory for ShipFactory {
    const NAME: &'static str = "ships";
    type Conn = SqliteConn;
    type Table = ships::table;
    type Row = Ship;

    fn definition(&self, faker: &mut Faker) -> Ship {
        Ship { id: faker.serial() }
    }
}

fn fleet() -> Batch<ShipFactory> {
    ShipFactory.has(ShipFactory.count(2))
}

fn main() {
    fleet();
}
