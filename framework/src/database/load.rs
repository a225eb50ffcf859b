use serde::Serialize;

/// How much a database has to do at this moment: what `db:monitor` shows and metrics read, by
/// [`Db::load`](super::Db::load).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DatabaseLoad {
    /// The backend; empty only in a default value.
    pub backend: &'static str,
    /// The address, without a password.
    pub url: String,
    /// Connections that read, on the primary.
    pub readers: PoolLoad,
    /// Connections that read on the replica, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<PoolLoad>,
    /// Connections that write. Those that wait for one are writes.
    pub writers: PoolLoad,
    /// Writes that may wait before the next is refused as overload.
    pub write_queue: usize,
    /// SQLite's file, in bytes. Where it is a server's affair, there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// SQLite's write-ahead log, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_bytes: Option<u64>,
}

/// The connections of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PoolLoad {
    /// How many there may be.
    pub most: usize,
    /// How many are open.
    pub open: usize,
    /// How many of those are in use.
    pub in_use: usize,
    /// How many of those are free.
    pub idle: usize,
    /// How many callers wait for one.
    pub waiting: usize,
}
