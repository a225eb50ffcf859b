use serde::Serialize;

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The page, from 1.
    pub page: u32,
    /// Rows on a page.
    pub per_page: u32,
}

impl PageRequest {
    /// How many rows come before the page.
    pub fn offset(self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.per_page)
    }

    /// How many rows the page has at most.
    pub fn limit(self) -> i64 {
        i64::from(self.per_page)
    }
}

/// One page of a list, and how long the whole list is.
///
/// ```
/// use paravel::database::{Page, PageRequest};
///
/// let page = Page::new(vec!["k", "l"], PageRequest { page: 6, per_page: 2 }, 12);
/// assert_eq!(page.last_page(), 6);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The page, from 1.
    pub page: u32,
    /// Rows on a page.
    pub per_page: u32,
    /// Rows in the whole list.
    pub total: u64,
}

impl<T> Page<T> {
    /// A page with these rows of a list of `total`.
    pub fn new(items: Vec<T>, request: PageRequest, total: u64) -> Self {
        Self { items, page: request.page, per_page: request.per_page, total }
    }

    /// The number of the last page; 1 for an empty list.
    pub fn last_page(&self) -> u64 {
        self.total.div_ceil(u64::from(self.per_page.max(1))).max(1)
    }

    /// The page with each row made into something else.
    pub fn map<U>(self, map: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(map).collect(),
            page: self.page,
            per_page: self.per_page,
            total: self.total,
        }
    }
}
