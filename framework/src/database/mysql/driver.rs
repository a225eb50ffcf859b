use diesel::result::Error as DieselError;
use diesel_async::SimpleAsyncConnection;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder, SslOpts};

use super::MysqlConn;
use crate::{
    config::DatabaseUrl,
    database::{
        DbError, Isolation, TlsFault,
        server::{
            Role, Server, is_here,
            tls::{Address, Mode},
        },
    },
    support::trusted,
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

    type Target = Target;

    fn target(url: &DatabaseUrl) -> Result<Target, DbError> {
        let name = url.to_string();
        let of_tls = |fault| DbError::Tls { name: name.clone(), fault };
        let address = Address::of(url.rest()).map_err(of_tls)?;
        let options = Opts::from_url(&format!("mysql://{}", address.rest));
        let options = options.map_err(|error| DbError::Open { name: name.clone(), reason: error.to_string() })?;
        let options = OptsBuilder::from_opts(options)
            // What diesel expects of a session: rows that were found are counted, and its own cache keeps statements.
            .client_found_rows(true)
            .stmt_cache_size(0);
        let options = match tls(&address).map_err(of_tls)? {
            // The driver would go on over the server's socket, where it is on this machine.
            Some(tls) => options.ssl_opts(tls).prefer_socket(false),
            None => options.ssl_opts(None),
        };
        Ok(Target { name, options: options.into() })
    }

    fn unencrypted(target: &Target) -> Option<String> {
        let host = target.options.ip_or_hostname();
        let plain = target.options.ssl_opts().is_none() && target.options.socket().is_none() && !is_here(host);
        plain.then(|| host.to_owned())
    }

    fn begin(isolation: Option<Isolation>) -> String {
        // Of the next transaction alone.
        let set = |level: Isolation| format!("set transaction isolation level {}; BEGIN", level.sql());
        isolation.map_or_else(|| "BEGIN".to_owned(), set)
    }

    async fn connect(target: &Target, role: Role) -> Result<Self, DbError> {
        let connection = Conn::new(target.options.clone()).await.map_err(|error| target.failed(&error))?;
        let session = Self::try_from(connection).await;
        // The server has let it in by now, and went away while the session was set up.
        let gone = |error: diesel::ConnectionError| DbError::Unreachable {
            name: target.name.clone(),
            reason: error.to_string(),
        };
        let mut session = session.map_err(gone)?;
        let role = match role {
            Role::Reader => READ_ONLY,
            Role::Writer => ONLY_BY_COMMIT,
        };
        session.batch_execute(&format!("{STRICT}; {role}")).await?;
        Ok(session)
    }
}

/// A server, and how it is reached.
pub struct Target {
    name: String,
    options: Opts,
}

impl Target {
    fn failed(&self, error: &Error) -> DbError {
        let (name, reason) = (self.name.clone(), error.to_string());
        if let Some(fault) = TlsFault::among(error) {
            return DbError::Tls { name, fault };
        }
        match error {
            Error::Driver(DriverError::NoClientSslFlagFromServer) => DbError::Tls { name, fault: TlsFault::NotOffered },
            Error::Io(IoError::Tls(fault)) => {
                DbError::Tls { name, fault: TlsFault::Handshake { reason: fault.to_string() } }
            }
            Error::Io(_) | Error::Driver(DriverError::ConnectionClosed) => DbError::Unreachable { name, reason },
            Error::Server(server) if PASSING.contains(&server.code) => DbError::Unreachable { name, reason },
            _ => DbError::Open { name, reason },
        }
    }
}

/// Too many connections, of all and of one user, and a server that is being shut down.
const PASSING: [u16; 3] = [1040, 1203, 1053];

/// What the address asks for, in the driver's words.
fn tls(address: &Address) -> Result<Option<SslOpts>, TlsFault> {
    match address.mode {
        Mode::Plain => return Ok(None),
        Mode::Authority => return Err(TlsFault::NameAlwaysVerified),
        Mode::Full => {}
    }
    // The driver asks for that of the process, and would panic where several are built in and none is named. One that
    // is named already stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots = trusted(address.authorities.as_deref())?;
    let roots = roots.into_iter().map(|root| root.to_vec().into());
    Ok(Some(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots.collect())))
}
