use super::{Cursor, CursorError, CursorPage, CursorRequest, CursorValue};

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    /// The smallest, or the oldest, first.
    #[default]
    Ascending,
    /// The greatest, or the newest, first.
    Descending,
}

/// A page by cursor on its way through a query: where to seek, how many rows to load, and what page they make.
///
/// [`repository!`](crate::repository) makes functions that do all of it. By hand, next to any query of diesel's:
///
/// ```
/// use diesel::prelude::*;
/// use diesel_async::RunQueryDsl;
/// # #[cfg(feature = "sqlite")] {
/// use paravel::database::{CursorPage, CursorRequest, DbError, SortOrder, Seek, SqliteConn};
///
/// diesel::table! {
///     ships (id) { id -> BigInt, name -> Text }
/// }
///
/// async fn by_name(c: &mut SqliteConn, request: &CursorRequest) -> Result<CursorPage<(i64, String)>, DbError> {
///     let seek: Seek<(String, i64)> = Seek::new(request, "name", SortOrder::Ascending)?;
///     let mut query = ships::table.into_boxed();
///     if let Some((name, id)) = seek.position() {
///         // The first half lets an index be used; the second tells apart ships of one name.
///         query = if seek.ascending() {
///             query.filter(ships::name.ge(name.clone()).and(ships::name.gt(name).or(ships::id.gt(id))))
///         } else {
///             query.filter(ships::name.le(name.clone()).and(ships::name.lt(name).or(ships::id.lt(id))))
///         };
///     }
///     query = if seek.ascending() {
///         query.order((ships::name.asc(), ships::id.asc()))
///     } else {
///         query.order((ships::name.desc(), ships::id.desc()))
///     };
///     let rows: Vec<(i64, String)> = query.limit(seek.limit()).load(c).await?;
///     Ok(seek.page(rows, |(id, name)| (name.clone(), *id)))
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Seek<V> {
    order: String,
    ascending: bool,
    forward: bool,
    position: Option<V>,
    per_page: u32,
}

impl<V: CursorValue> Seek<V> {
    /// What `request` asks of the list that is sorted by `sort`, a name for the order that stands in its cursors.
    ///
    /// # Errors
    /// [`CursorError::Order`] where the cursor is one of another order, [`CursorError::Malformed`] where what it carries is
    /// not a `V`.
    pub fn new(request: &CursorRequest, sort: &str, order: SortOrder) -> Result<Self, CursorError> {
        let descending = order == SortOrder::Descending;
        let order = if descending { format!("-{sort}") } else { sort.to_owned() };
        let (forward, position) = match request.cursor() {
            Some(cursor) => cursor.read(&order).map(|(forward, position)| (forward, Some(position)))?,
            None => (true, None),
        };
        // What comes before a row is read back from it, and turned round.
        Ok(Self { order, ascending: forward != descending, forward, position, per_page: request.per_page() })
    }

    /// The position to seek from, which is in no page; nothing on the first.
    pub fn position(&self) -> Option<V> {
        self.position.clone()
    }

    /// Whether the query is to go from small to great: its order by, and what it compares the position with.
    pub fn ascending(&self) -> bool {
        self.ascending
    }

    /// How many rows the query is to load: one more than the page has, which tells whether there are more.
    pub fn limit(&self) -> i64 {
        i64::from(self.per_page) + 1
    }

    /// The page that the query's rows make; `position` tells where in the order a row is.
    pub fn page<R>(self, mut rows: Vec<R>, position: impl Fn(&R) -> V) -> CursorPage<R> {
        let kept = usize::try_from(self.per_page).unwrap_or(usize::MAX);
        let more = rows.len() > kept;
        rows.truncate(kept);
        if !self.forward {
            rows.reverse();
        }
        // Behind a cursor is the row it was made from.
        let (after, before) = if self.forward { (more, self.position.is_some()) } else { (true, more) };
        let cursor = |there, row: Option<&R>, forward| {
            row.filter(|_| there).map(|row| Cursor::new(&self.order, forward, &position(row)))
        };
        let next = cursor(after, rows.last(), true);
        let prev = cursor(before, rows.first(), false);
        CursorPage { next, prev, items: rows, per_page: self.per_page }
    }
}
