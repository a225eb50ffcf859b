use poem::http::Uri;
use serde::Serialize;

use crate::database::Page;

/// One page of a list as JSON: `{data, meta, links}`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Listing<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where they stand in the list.
    pub meta: Meta,
    /// The way to other pages.
    pub links: Links,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Meta {
    /// The page, from 1.
    pub page: u32,
    /// Rows on a page.
    pub per_page: u32,
    /// Rows in the whole list.
    pub total: u64,
    /// The number of the last page; 1 for an empty list.
    pub last_page: u64,
}

/// The addresses of other pages, relative to the server, with the query's other parameters kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Links {
    /// The first page.
    pub first: String,
    /// The page before, where there is one.
    pub prev: Option<String>,
    /// The page after, where there is one.
    pub next: Option<String>,
    /// The last page.
    pub last: String,
}

impl<T> Listing<T> {
    /// The page as it is sent in answer to a request for `uri`.
    ///
    /// ```
    /// use paravel::database::{Page, PageRequest};
    /// use paravel::http::Listing;
    ///
    /// let page = Page::new(vec![3, 4], PageRequest { page: 2, per_page: 2 }, 5);
    /// let listing = Listing::new(page, &"/ships?sort=name&page=2".parse()?);
    /// assert_eq!(listing.links.next.as_deref(), Some("/ships?sort=name&page=3"));
    /// # Ok::<(), paravel::poem::http::uri::InvalidUri>(())
    /// ```
    pub fn new(page: Page<T>, uri: &Uri) -> Self {
        let last_page = page.last_page();
        let number = u64::from(page.page);
        let link = |number: u64| link(uri, number);
        let links = Links {
            first: link(1),
            prev: (number > 1).then(|| link((number - 1).min(last_page))),
            next: (number < last_page).then(|| link(number + 1)),
            last: link(last_page),
        };
        let meta = Meta { page: page.page, per_page: page.per_page, total: page.total, last_page };
        Self { data: page.items, meta, links }
    }
}

fn link(uri: &Uri, page: u64) -> String {
    let others = uri.query().unwrap_or_default().split('&');
    // By their decoded names, as they were read: `%70age` is the page, too.
    let is_page = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "page");
    let others = others.filter(|pair| !pair.is_empty() && !is_page(pair));
    let query: Vec<_> = others.map(str::to_owned).chain([format!("page={page}")]).collect();
    format!("{}?{}", uri.path(), query.join("&"))
}
