//! Watching queries: how many ran in a request, job or command, how long they took, and which were repeated.

mod fingerprint;
mod policy;
mod queries;
mod slow_query;
mod source;
mod sticky;
mod watcher;

pub use fingerprint::Fingerprint;
pub use policy::WatchPolicy;
pub use queries::{QueryWatch, WatchedQuery};
pub use slow_query::SlowQuery;
pub use source::Source;
pub(crate) use sticky::FromPrimary;
pub use sticky::{StickyReads, from_primary};
pub(super) use watcher::Watcher;
