use serde::Serialize;

use super::{Cursor, CursorError};

/// The most rows that a page by cursor has.
pub const PER_PAGE_MAX: u32 = 100;

/// Which rows are asked for: so many, after or before a cursor, or the first.
///
/// ```
/// use paravel::database::{CursorError, CursorRequest};
///
/// let first = CursorRequest::new(None, 20)?;
/// assert_eq!(first.per_page(), 20);
/// assert_eq!(CursorRequest::new(None, 101), Err(CursorError::PerPage { found: 101 }));
/// # Ok::<(), CursorError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CursorRequest {
    cursor: Option<Cursor>,
    per_page: u32,
}

impl CursorRequest {
    /// A page of at most `per_page` rows where `cursor` leads; the first page without one.
    ///
    /// # Errors
    /// [`CursorError::PerPage`] where `per_page` is not from 1 to [`PER_PAGE_MAX`].
    pub fn new(cursor: Option<Cursor>, per_page: u32) -> Result<Self, CursorError> {
        if (1..=PER_PAGE_MAX).contains(&per_page) {
            Ok(Self { cursor, per_page })
        } else {
            Err(CursorError::PerPage { found: per_page })
        }
    }

    /// Where the page is.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Rows on the page, at most.
    pub fn per_page(&self) -> u32 {
        self.per_page
    }
}

/// One page of a list, and where the pages beside it are. How long the whole list is, nobody counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The rows, in the list's order whichever way the cursor led.
    pub items: Vec<T>,
    /// Rows on a page, at most.
    pub per_page: u32,
    /// Where the rows after these are; nothing where there were none.
    pub next: Option<Cursor>,
    /// Where the rows before these are; nothing where there were none.
    pub prev: Option<Cursor>,
}

impl<T> CursorPage<T> {
    /// The page with each row made into something else.
    pub fn map<U>(self, map: impl FnMut(T) -> U) -> CursorPage<U> {
        CursorPage {
            items: self.items.into_iter().map(map).collect(),
            per_page: self.per_page,
            next: self.next,
            prev: self.prev,
        }
    }

    /// The page with other rows in place of these, such as these with what belongs to them.
    pub fn with<U>(self, items: Vec<U>) -> CursorPage<U> {
        CursorPage { items, per_page: self.per_page, next: self.next, prev: self.prev }
    }
}
