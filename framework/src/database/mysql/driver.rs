use diesel::result::Error as DieselError;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};

use super::MysqlConn;
use crate::{
    config::DatabaseConfig,
    database::{
        DbError,
        server::{Role, Server},
    },
};

/// What is too long or no date is refused, however the server is set up.
const STRICT: &str = "set session sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')";

const READ_ONLY: &str = "set session transaction read only";

/// After a deadlock the server has rolled back on its own. A statement after it, of a closure that took no notice, begins
/// another transaction then, instead of being kept at once.
const ONLY_BY_COMMIT: &str = "set session autocommit = 0";

impl Server for MysqlConn {
    const COMMIT: &'static str = "commit";

    const LOSES_STEP: bool = true;
    const CONFLICT_ENDS_ALL: bool = true;

    const FACTS: &'static [(&'static str, &'static str)] = &[
        ("version", "select version() as value"),
        ("database", "select database() as value"),
        ("flush_log_at_commit", "select @@innodb_flush_log_at_trx_commit as value"),
        ("sql_mode", "select @@sql_mode as value"),
        ("max_connections", "select @@max_connections as value"),
    ];

    fn is_conflict(error: &DieselError) -> bool {
        // A deadlock, a lock that did not come in time, and a row that has changed since this transaction's snapshot.
        // diesel-async gives them no kind of their own.
        let messages = ["try restarting transaction", "Record has changed since last read"];
        match error {
            DieselError::DatabaseError(_, info) => messages.iter().any(|text| info.message().contains(text)),
            _ => false,
        }
    }

    fn is_gone(error: &DieselError) -> bool {
        // What the driver says for itself; the server's errors come as they are.
        let messages = ["Input/output error: ", "Driver error: "];
        match error {
            DieselError::DatabaseError(_, info) => messages.iter().any(|text| info.message().starts_with(text)),
            _ => false,
        }
    }

    async fn connect(config: &DatabaseConfig, role: Role) -> Result<Self, DbError> {
        let open = |reason: String| DbError::Open { name: config.url.to_string(), reason };
        if asks_for_tls(config.url.rest()) {
            return Err(open("the address asks for TLS, which this build does not have".to_owned()));
        }
        let url = format!("mysql://{}", config.url.rest());
        let mut session = Self::establish(&url).await.map_err(|error| open(error.to_string()))?;
        let role = match role {
            Role::Reader => READ_ONLY,
            Role::Writer => ONLY_BY_COMMIT,
        };
        session.batch_execute(&format!("{STRICT}; {role}")).await?;
        Ok(session)
    }
}

/// The driver would take no notice of it.
fn asks_for_tls(address: &str) -> bool {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| match pair.split_once('=') {
        Some(("require_ssl" | "verify_ca" | "verify_identity", value)) => value != "false",
        Some((name, value)) => matches!(name, "sslmode" | "ssl-mode") && !value.to_lowercase().starts_with("dis"),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::asks_for_tls;

    #[test]
    fn an_address_that_asks_for_tls_is_seen() {
        for address in ["h/db?require_ssl=true", "h/db?a=b&ssl-mode=REQUIRED", "h/db?verify_ca=true"] {
            assert!(asks_for_tls(address), "{address}");
        }
        for address in ["h/db", "h/db?require_ssl=false", "h/db?ssl-mode=DISABLED", "h/db?tcp_nodelay=true"] {
            assert!(!asks_for_tls(address), "{address}");
        }
    }
}
