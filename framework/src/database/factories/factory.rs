use std::future::Future;

use super::{Batch, Faker};
use crate::database::{Db, DbError, InsertRows, Seed};

/// How a row of a table is made up. See the [module](super) for an example.
///
/// Its own fields are what all its rows share: a password's hash, say, which is too costly to be made for each.
pub trait Factory: Send + Sync + Sized + 'static {
    /// What its rows are called: the table's name. Factories of the same name count their rows together, so that what is
    /// made of [`Faker::number`] is unique in the table.
    const NAME: &'static str;
    /// The type of the application's connections.
    type Conn: InsertRows<Self::Table, Self::Row>;
    /// The table.
    type Table: 'static;
    /// The row, for which diesel's `Insertable` is derived.
    type Row: Clone + Send + Sync + 'static;

    /// A row. It must come from the faker and the factory's fields alone, or else the same seed gives other rows.
    fn definition(&self, faker: &mut Faker) -> Self::Row;

    /// So many rows.
    fn count(self, count: u64) -> Batch<Self> {
        Batch::new(self).count(count)
    }

    /// One row, changed like this: see [`Batch::state`].
    fn state(self, state: impl Fn(&mut Self::Row, &mut Faker) + Send + Sync + 'static) -> Batch<Self> {
        Batch::new(self).state(state)
    }

    /// One row that belongs to this one: see [`Batch::for_`].
    fn for_<P>(self, parent: &P) -> Batch<Self>
    where
        Self: BelongsTo<P>,
        P: Clone + Send + Sync + 'static,
    {
        Batch::new(self).for_(parent)
    }

    /// One row that belongs to one of these: see [`Batch::recycle`].
    fn recycle<P>(self, parents: &[P]) -> Batch<Self>
    where
        Self: BelongsTo<P>,
        P: Clone + Send + Sync + 'static,
    {
        Batch::new(self).recycle(parents)
    }

    /// One row to which those belong: see [`Batch::has`].
    fn has<G>(self, children: impl Into<Batch<G>>) -> Batch<Self>
    where
        G: Factory<Conn = Self::Conn> + BelongsTo<Self::Row>,
    {
        Batch::new(self).has(children)
    }

    /// One row, which is in no database.
    fn make_one(self, seed: &Seed) -> Self::Row {
        Batch::new(self).make_one(seed)
    }

    /// One row, inserted.
    ///
    /// # Errors
    /// The database's; nothing was inserted then.
    fn create_one(self, seed: &Seed, db: &Db<Self::Conn>) -> impl Future<Output = Result<Self::Row, DbError>> + Send {
        Batch::new(self).create_one(seed, db)
    }
}

/// A [`Factory`] whose rows belong to rows `P`: they have their key.
#[diagnostic::on_unimplemented(
    message = "the rows of `{Self}` do not belong to `{P}`",
    note = "implement `paravel::database::factories::BelongsTo<{P}>` for the factory: it sets the key"
)]
pub trait BelongsTo<P>: Factory {
    /// Makes the row belong to this parent.
    fn belongs_to(row: &mut Self::Row, parent: &P);
}
