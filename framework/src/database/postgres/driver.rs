use std::{error::Error, pin::pin};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::{StreamExt, stream};
use tokio_postgres::{
    Config, NoTls, Socket,
    config::{Host, SslMode},
    error::SqlState,
    tls::MakeTlsConnect,
};

use super::PgConn;
use crate::{
    config::DatabaseUrl,
    database::{
        Connection, DbError, Heard, Isolation, TlsFault,
        server::{
            Role, Server, is_here,
            tls::{Address, Connector},
        },
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
        match error {
            DieselError::DatabaseError(ClosedConnection | UnableToSendCommand, _) => true,
            // Its last words, after which the end of the connection may take a while to be seen.
            DieselError::DatabaseError(_, info) => info.message().starts_with("terminating connection "),
            _ => false,
        }
    }

    type Target = Target;

    fn target(url: &DatabaseUrl) -> Result<Target, DbError> {
        let name = url.to_string();
        let of_tls = |fault| DbError::Tls { name: name.clone(), fault };
        let address = Address::of(url.rest()).map_err(of_tls)?;
        let tls = Connector::of(&address).map_err(of_tls)?;
        let options = format!("postgres://{}", address.rest).parse::<Config>();
        let mut options = options.map_err(|error| DbError::Open { name: name.clone(), reason: with_causes(&error) })?;
        options.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Target { name, options, tls })
    }

    fn unencrypted(target: &Target) -> Option<String> {
        let mut hosts = target.options.get_hosts().iter().filter_map(|host| match host {
            Host::Tcp(host) => Some(host),
            #[cfg(unix)]
            Host::Unix(_) => None,
        });
        hosts.find(|host| target.tls.is_none() && !is_here(host)).cloned()
    }

    fn begin(isolation: Option<Isolation>) -> String {
        isolation.map_or_else(|| "BEGIN".to_owned(), |level| format!("BEGIN ISOLATION LEVEL {}", level.sql()))
    }

    async fn listen(target: &Target, channel: &str) -> Result<Option<Heard>, DbError> {
        let mut session = Self::connect(target, Role::Reader).await?;
        session.batch_execute(&format!("listen {}", Self::quoted(channel))).await?;
        let heard = stream::unfold(session, |mut session| async move {
            let word = pin!(session.notifications_stream()).next().await;
            matches!(word, Some(Ok(_))).then_some(((), session))
        });
        Ok(Some(heard.boxed()))
    }

    async fn connect(target: &Target, role: Role) -> Result<Self, DbError> {
        let mut session = match &target.tls {
            Some(tls) => establish(target, tls.clone()).await?,
            None => establish(target, NoTls).await?,
        };
        if role == Role::Reader {
            session.batch_execute("set default_transaction_read_only = on").await?;
        }
        Ok(session)
    }
}

/// A server, and how it is reached.
pub struct Target {
    name: String,
    options: Config,
    tls: Option<Connector>,
}

async fn establish<T>(target: &Target, tls: T) -> Result<PgConn, DbError>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let (client, connection) = target.options.connect(tls).await.map_err(|error| target.failed(&error))?;
    let session = AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    // The server has let it in by now, and went away while the session was set up.
    session.map_err(|error| DbError::Unreachable { name: target.name.clone(), reason: with_causes(&error) })
}

impl Target {
    fn failed(&self, error: &tokio_postgres::Error) -> DbError {
        let (name, reason) = (self.name.clone(), with_causes(error));
        if let Some(fault) = TlsFault::among(error) {
            return DbError::Tls { name, fault };
        }
        // The driver has no other word for it.
        if reason.contains("server does not support TLS") {
            return DbError::Tls { name, fault: TlsFault::NotOffered };
        }
        let states = [
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::TOO_MANY_CONNECTIONS,
        ];
        match error.code() {
            Some(state) if !states.contains(state) => DbError::Open { name, reason },
            _ => DbError::Unreachable { name, reason },
        }
    }
}

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
