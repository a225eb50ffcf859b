//! Pages that go on from a row, not from a number: whatever is added or deleted meanwhile, no row comes twice and none is
//! passed over.

mod error;
mod page;
mod seek;
mod token;
mod value;

pub use error::CursorError;
pub use page::{CursorPage, CursorRequest, PER_PAGE_MAX};
pub use seek::{Seek, SortOrder};
pub use token::Cursor;
pub use value::CursorValue;
