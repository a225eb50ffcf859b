use std::error::Error;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tokio_postgres::{Config, NoTls, config::SslMode};

use super::PgConn;
use crate::{
    config::DatabaseConfig,
    database::{
        DbError,
        server::{Role, Server},
    },
};

impl Server for PgConn {
    // After a statement that failed, PostgreSQL answers a COMMIT with success and rolls back. The empty query before it
    // fails then, in the same round trip.
    const COMMIT: &'static str = "select; commit";

    // Answers come to whoever asked, or to nobody.
    const LOSES_STEP: bool = false;
    // It ends a savepoint, where there is one, and the transaction is known to have failed otherwise.
    const CONFLICT_ENDS_ALL: bool = false;

    const FACTS: &'static [(&'static str, &'static str)] = &[
        ("version", "select current_setting('server_version') as value"),
        ("schema", "select current_schema()::text as value"),
        ("synchronous_commit", "select current_setting('synchronous_commit') as value"),
        ("isolation", "select current_setting('default_transaction_isolation') as value"),
        ("max_connections", "select current_setting('max_connections') as value"),
    ];

    fn is_conflict(error: &DieselError) -> bool {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
            // diesel-async gives it no kind of its own.
            DieselError::DatabaseError(_, info) => info.message() == "deadlock detected",
            _ => false,
        }
    }

    fn is_gone(error: &DieselError) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        matches!(error, DieselError::DatabaseError(ClosedConnection | UnableToSendCommand, _))
    }

    async fn connect(config: &DatabaseConfig, role: Role) -> Result<Self, DbError> {
        let open = |reason: String| DbError::Open { name: config.url.to_string(), reason };
        let options: Config = config.url.expose().parse().map_err(|error| open(with_causes(&error)))?;
        if options.get_ssl_mode() == SslMode::Require {
            return Err(open(NO_TLS.to_owned()));
        }
        let (client, connection) = options.connect(NoTls).await.map_err(|error| open(with_causes(&error)))?;
        let mut session = AsyncPgConnection::try_from_client_and_connection(client, connection)
            .await
            .map_err(|error| open(with_causes(&error)))?;
        if role == Role::Reader {
            session.batch_execute("set default_transaction_read_only = on").await?;
        }
        Ok(session)
    }
}

const NO_TLS: &str = "sslmode=require needs TLS, which this build does not have";

/// The driver's errors keep the reason in their sources.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
