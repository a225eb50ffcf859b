use std::path::{Path, PathBuf};

use diesel::{SqliteConnection, connection::SimpleConnection};

use super::{SqliteConn, driver::BUSY, group::at_once};

/// The length, in bytes, past which the write-ahead log is begun anew by force, and to which SQLite cuts its file.
pub(super) const LONGEST_LOG: u64 = 64 << 20;

/// How much longer it gets before that is tried again.
const STEP: u64 = LONGEST_LOG / 4;

/// Keeps the write-ahead log from growing without end.
///
/// SQLite copies the log into the file as it commits, every 1000 pages. Only the writer commits, so it is the one that
/// does. But SQLite begins the log anew only at a moment when nobody reads from it, and where reads always overlap that
/// does not come by itself: the writer then waits for it, for a short time, and new reads find what they need in the file.
pub(super) struct Checkpoints {
    log: PathBuf,
    next: u64,
}

impl Checkpoints {
    /// Those of the database in this file.
    pub(super) fn new(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), next: LONGEST_LOG }
    }

    /// Looks at the log after a commit.
    pub(super) fn after_commit(&mut self, connection: &mut SqliteConn) {
        if self.length() < self.next {
            return;
        }
        let begun = at_once(connection, |c: &mut SqliteConnection| {
            c.batch_execute(&format!("pragma busy_timeout = {}", BUSY.as_millis() / 100))?;
            let begun = c.batch_execute("pragma wal_checkpoint(truncate)");
            c.batch_execute(&format!("pragma busy_timeout = {}", BUSY.as_millis()))?;
            begun
        });
        let length = self.length();
        self.next = LONGEST_LOG.max(length + STEP);
        match begun {
            Ok(()) if length < LONGEST_LOG => {}
            Ok(()) => tracing::warn!(bytes = length, "reads keep the write-ahead log from being begun anew"),
            Err(error) => tracing::warn!(bytes = length, %error, "the write-ahead log could not be copied"),
        }
    }

    fn length(&self) -> u64 {
        // There is none before the first write.
        std::fs::metadata(&self.log).map_or(0, |file| file.len())
    }
}
