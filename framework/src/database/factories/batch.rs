use std::sync::Arc;

use super::{
    BelongsTo, Factory, Faker,
    plan::{Children, Kept, Plan, Related},
};
use crate::{
    console::Progress,
    database::{Db, DbError, Seed},
};

/// Rows that are made and inserted at a time where nothing else is said: what a statement takes.
const CHUNK: usize = 500;

pub(super) type State<R> = Arc<dyn Fn(&mut R, &mut Faker) + Send + Sync>;

/// So many rows of a [`Factory`], and how they differ from its definition. One row, unless [`count`](Self::count) says
/// more.
///
/// States, sequences and parents are set in the order in which they are given here, so that the last one has its way.
#[must_use = "nothing is made until `make`, `create` or `insert` is called"]
pub struct Batch<F: Factory> {
    pub(super) factory: Arc<F>,
    pub(super) count: u64,
    pub(super) chunk: usize,
    pub(super) states: Vec<State<F::Row>>,
    pub(super) related: Vec<Arc<dyn Related<F::Conn, F::Row>>>,
    progress: Option<Progress>,
}

impl<F: Factory> Batch<F> {
    /// One row.
    pub fn new(factory: F) -> Self {
        let factory = Arc::new(factory);
        Self { factory, count: 1, chunk: CHUNK, states: Vec::new(), related: Vec::new(), progress: None }
    }

    /// So many rows; of children, so many for each parent.
    pub fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Changes each row. What is random must come from the faker.
    pub fn state(mut self, state: impl Fn(&mut F::Row, &mut Faker) + Send + Sync + 'static) -> Self {
        self.states.push(Arc::new(state));
        self
    }

    /// Sets these values in turn: the first row has the first, and after the last comes the first again. Nothing is set
    /// where there are none.
    pub fn sequence<V>(
        self,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(&mut F::Row, &V) + Send + Sync + 'static,
    ) -> Self
    where
        V: Send + Sync + 'static,
    {
        let values: Vec<V> = values.into_iter().collect();
        self.state(move |row, faker| {
            let turn = faker.index().checked_rem(values.len() as u64).and_then(|turn| usize::try_from(turn).ok());
            if let Some(value) = turn.and_then(|turn| values.get(turn)) {
                set(row, value);
            }
        })
    }

    /// Makes every row belong to this one, which is in the database already.
    pub fn for_<P>(self, parent: &P) -> Self
    where
        F: BelongsTo<P>,
        P: Clone + Send + Sync + 'static,
    {
        let parent = parent.clone();
        self.state(move |row, _| F::belongs_to(row, &parent))
    }

    /// Makes every row belong to one of these, picked at random. Nothing is set where there are none.
    pub fn recycle<P>(self, parents: &[P]) -> Self
    where
        F: BelongsTo<P>,
        P: Clone + Send + Sync + 'static,
    {
        let parents: Arc<[P]> = parents.into();
        self.state(move |row, faker| {
            if let Some(parent) = faker.pick(&parents) {
                F::belongs_to(row, parent);
            }
        })
    }

    /// Gives each row those children, which are inserted after it. [`make`](Self::make) makes none.
    pub fn has<G>(mut self, children: impl Into<Batch<G>>) -> Self
    where
        G: Factory<Conn = F::Conn> + BelongsTo<F::Row>,
    {
        self.related.push(Arc::new(Children(children.into())));
        self
    }

    /// How many rows are made and inserted at a time; 500 by default, and at least 1. It changes nothing in them.
    pub fn chunk(mut self, rows: usize) -> Self {
        self.chunk = rows.max(1);
        self
    }

    /// Tells this of every row that was inserted, without children.
    pub fn progress(mut self, progress: &Progress) -> Self {
        self.progress = Some(progress.clone());
        self
    }

    /// The rows, which are in no database.
    pub fn make(mut self, seed: &Seed) -> Vec<F::Row> {
        // Those that are not made take no numbers.
        self.related.clear();
        let plan = Plan::new(&self, seed, 1);
        (0..self.count).map(|at| plan.row(at)).collect()
    }

    /// The first of the rows, which is in no database; one alone is made, whatever the count.
    pub fn make_one(mut self, seed: &Seed) -> F::Row {
        self.related.clear();
        Plan::new(&self.count(1), seed, 1).row(0)
    }

    /// Inserts the rows with their children in one transaction, and returns the rows.
    ///
    /// # Errors
    /// The database's; nothing was inserted then.
    pub async fn create(self, seed: &Seed, db: &Db<F::Conn>) -> Result<Vec<F::Row>, DbError> {
        let mut plan = self.plan(seed);
        db.write(async move |c| Ok(plan.insert(c, Kept::All).await?.0)).await
    }

    /// [`create`](Self::create) inside a transaction of yours.
    ///
    /// # Errors
    /// The database's; the transaction is to be rolled back then.
    pub async fn create_on(self, seed: &Seed, c: &mut F::Conn) -> Result<Vec<F::Row>, DbError> {
        Ok(self.plan(seed).insert(c, Kept::All).await?.0)
    }

    /// Inserts the first of the rows with its children in one transaction; one alone is made, whatever the count.
    ///
    /// # Errors
    /// The database's; nothing was inserted then.
    pub async fn create_one(self, seed: &Seed, db: &Db<F::Conn>) -> Result<F::Row, DbError> {
        let mut plan = self.count(1).plan(seed);
        db.write(async move |c| plan.insert_one(c).await).await
    }

    /// [`create`](Self::create) for many rows: it keeps none in memory, and returns how many there are.
    ///
    /// # Errors
    /// The database's; nothing was inserted then.
    pub async fn insert(self, seed: &Seed, db: &Db<F::Conn>) -> Result<u64, DbError> {
        let mut plan = self.plan(seed);
        db.write(async move |c| Ok(plan.insert(c, Kept::None).await?.1)).await
    }

    /// [`insert`](Self::insert) inside a transaction of yours.
    ///
    /// # Errors
    /// The database's; the transaction is to be rolled back then.
    pub async fn insert_on(self, seed: &Seed, c: &mut F::Conn) -> Result<u64, DbError> {
        Ok(self.plan(seed).insert(c, Kept::None).await?.1)
    }

    fn plan(self, seed: &Seed) -> Plan<F> {
        let plan = Plan::new(&self, seed, 1);
        match self.progress {
            Some(progress) => plan.telling(progress),
            None => plan,
        }
    }
}

impl<F: Factory> From<F> for Batch<F> {
    fn from(factory: F) -> Self {
        Self::new(factory)
    }
}
