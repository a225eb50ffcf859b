use super::PER_PAGE_MAX;

/// A list cannot be gone on with from there. The messages are for whoever sent the [`Cursor`](super::Cursor): over HTTP
/// each is a 422 that names [`field`](Self::field).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// It was not made here, or did not come as it was sent.
    #[error("is no cursor of this list: send one as it was received, or none for the first page")]
    Malformed,
    /// It was made by a release that wrote them in another way.
    #[error("is a cursor of version {found}, and this server's are of version {expected}: start from the first page")]
    Version {
        /// The cursor's.
        found: u8,
        /// The one that is read.
        expected: u8,
    },
    /// It was made for another order than the one asked for.
    #[error("belongs to the order `{found}`, and the list was asked for in the order `{expected}`")]
    Order {
        /// The cursor's: a name, after a minus sign where it is descending.
        found: String,
        /// The one asked for.
        expected: String,
    },
    /// More rows on a page than there may be, or none.
    #[error("must be from 1 to {PER_PAGE_MAX}, and is {found}")]
    PerPage {
        /// How many were asked for.
        found: u32,
    },
}

impl CursorError {
    /// The parameter that is wrong: `cursor` or `per_page`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::PerPage { .. } => "per_page",
            _ => "cursor",
        }
    }
}
