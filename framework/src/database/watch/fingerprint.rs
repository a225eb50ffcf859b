use std::fmt;

use diesel::connection::DebugQuery;
use sha2::{Digest, Sha256};

/// What diesel writes between a query and the values bound to it.
const BEFORE_VALUES: &str = " -- binds: ";

/// The name of a query in logs: the start of the SHA-256 of its SQL. Values are bound and so are no part of the SQL; the
/// same query has the same fingerprint in every process and every release that has it.
///
/// ```
/// use paravel::database::Fingerprint;
///
/// let fingerprint = Fingerprint::of("select name from ships where id = ?");
/// assert_eq!(fingerprint.to_string(), "cd643c5980bb0698");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of a query's SQL.
    pub fn of(sql: &str) -> Self {
        let mut start = [0; 8];
        start.copy_from_slice(&Sha256::digest(sql)[..8]);
        Self(start)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Writes a query's SQL, without the values bound to it, over what `sql` holds.
pub(super) fn write_sql(query: &dyn DebugQuery, sql: &mut String) {
    sql.clear();
    // It fails where the values would follow, and then the SQL is whole.
    let _ = fmt::write(&mut UpToValues(sql), format_args!("{query}"));
}

/// Takes what is written, and refuses the rest once the values are about to come: they are secrets, often, and to write
/// them costs.
struct UpToValues<'a>(&'a mut String);

impl fmt::Write for UpToValues<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text == BEFORE_VALUES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}
