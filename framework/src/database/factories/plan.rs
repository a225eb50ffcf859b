use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Batch, BelongsTo, Factory, Faker, batch::State};
use crate::{
    console::Progress,
    database::{DbError, InsertRows, Seed},
};

/// The rows of a batch, with those of its children: their numbers are taken from the seed for all of them beforehand, so
/// that they do not depend on the chunks in which they are made.
pub(super) struct Plan<F: Factory> {
    factory: Arc<F>,
    states: Vec<State<F::Row>>,
    related: Vec<Box<dyn Planned<F::Conn, F::Row>>>,
    chunk: usize,
    key: [u8; 32],
    first: u64,
    // Rows for each parent; of a batch without any, rows in all.
    each: u64,
    total: u64,
    made: u64,
    progress: Option<Progress>,
}

/// Which rows are to be returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    All,
    None,
}

impl<F: Factory> Plan<F> {
    /// Of a batch for each of so many parents; for one where it has none.
    pub(super) fn new(batch: &Batch<F>, seed: &Seed, parents: u64) -> Self {
        let total = batch.count.saturating_mul(parents);
        let (key, first) = seed.take(F::NAME, total);
        Self {
            factory: Arc::clone(&batch.factory),
            states: batch.states.clone(),
            related: batch.related.iter().map(|related| related.plan(seed, total)).collect(),
            chunk: batch.chunk,
            key,
            first,
            each: batch.count,
            total,
            made: 0,
            progress: None,
        }
    }

    /// The same, whose progress is told.
    pub(super) fn telling(self, progress: Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// The row at this place, from 0.
    pub(super) fn row(&self, at: u64) -> F::Row {
        let index = at.checked_rem(self.each).unwrap_or_default();
        let mut faker = Faker::new(self.key, self.first.saturating_add(at), index);
        let mut row = self.factory.definition(&mut faker);
        for state in &self.states {
            state(&mut row, &mut faker);
        }
        row
    }

    /// The row after the last one that was made.
    fn next(&mut self) -> Option<F::Row> {
        let at = self.made;
        (at < self.total).then(|| {
            self.made += 1;
            self.row(at)
        })
    }

    /// Inserts all rows: those that are to be kept, and how many there were.
    pub(super) async fn insert(&mut self, c: &mut F::Conn, kept: Kept) -> Result<(Vec<F::Row>, u64), DbError> {
        let (mut all, mut count, chunk) = (Vec::new(), 0, self.chunk);
        loop {
            let rows: Vec<_> = std::iter::from_fn(|| self.next()).take(chunk).collect();
            if rows.is_empty() {
                return Ok((all, count));
            }
            count += rows.len() as u64;
            let rows = self.insert_chunk(c, rows, kept).await?;
            all.extend(rows);
        }
    }

    /// Inserts the first row alone.
    pub(super) async fn insert_one(&mut self, c: &mut F::Conn) -> Result<F::Row, DbError> {
        let row = self.row(0);
        self.insert_chunk(c, vec![row.clone()], Kept::None).await?;
        Ok(row)
    }

    /// Inserts these rows and then their children; returns the rows where somebody wants them.
    async fn insert_chunk(&mut self, c: &mut F::Conn, rows: Vec<F::Row>, kept: Kept) -> Result<Vec<F::Row>, DbError> {
        let count = rows.len() as u64;
        if kept == Kept::None && self.related.is_empty() {
            c.insert_rows(rows).await?;
            self.tell(count);
            return Ok(Vec::new());
        }
        c.insert_rows(rows.clone()).await?;
        for related in &mut self.related {
            related.insert(c, &rows).await?;
        }
        self.tell(count);
        Ok(if kept == Kept::All { rows } else { Vec::new() })
    }

    fn tell(&self, rows: u64) {
        if let Some(progress) = &self.progress {
            progress.advance(rows);
        }
    }
}

/// Rows that come with rows `P`.
pub(super) trait Related<C, P>: Send + Sync {
    /// Takes the places of those of so many parents.
    fn plan(&self, seed: &Seed, parents: u64) -> Box<dyn Planned<C, P>>;
}

/// What is left of the rows that come with rows `P`.
pub(super) trait Planned<C, P>: Send {
    /// Inserts those of the next parents.
    fn insert<'a>(&'a mut self, c: &'a mut C, parents: &'a [P]) -> BoxFuture<'a, Result<(), DbError>>;
}

/// A batch for each parent.
pub(super) struct Children<F: Factory>(pub(super) Batch<F>);

impl<F, P> Related<F::Conn, P> for Children<F>
where
    F: BelongsTo<P>,
    P: Sync,
{
    fn plan(&self, seed: &Seed, parents: u64) -> Box<dyn Planned<F::Conn, P>> {
        Box::new(Plan::new(&self.0, seed, parents))
    }
}

impl<F, P> Planned<F::Conn, P> for Plan<F>
where
    F: BelongsTo<P>,
    P: Sync,
{
    fn insert<'a>(&'a mut self, c: &'a mut F::Conn, parents: &'a [P]) -> BoxFuture<'a, Result<(), DbError>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            for parent in parents {
                for _ in 0..self.each {
                    let Some(mut row) = self.next() else { break };
                    F::belongs_to(&mut row, parent);
                    rows.push(row);
                    if rows.len() == self.chunk {
                        self.insert_chunk(c, std::mem::take(&mut rows), Kept::None).await?;
                    }
                }
            }
            if !rows.is_empty() {
                self.insert_chunk(c, rows, Kept::None).await?;
            }
            Ok(())
        })
    }
}
