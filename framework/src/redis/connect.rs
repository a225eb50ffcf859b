use std::{io, sync::OnceLock, time::Duration};

use ::redis::{
    AsyncConnectionConfig, ErrorKind, RedisError as DriverError,
    aio::{MultiplexedConnection, PubSub},
    cmd,
    io::tcp::socket2::{SockRef, TcpKeepalive},
};
use futures_util::future::select_ok;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream, lookup_host},
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use super::{
    RedisError,
    address::{Address, Place},
};
use crate::{
    config::RedisConfig,
    support::{TlsFault, connector},
};

/// Commands that may wait to be written, before their callers wait.
const QUEUE: usize = 1024;

/// After how long a connection on which nothing comes is looked after, and how often until it is given up.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

/// The server, and how long it may take.
pub(super) struct Server {
    pub(super) address: Address,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    tls: OnceLock<TlsConnector>,
}

/// A connection, and the task that carries its bytes: it ends where the connection is lost, and the connection with it.
pub(super) struct Session {
    pub(super) connection: MultiplexedConnection,
    pub(super) carrier: JoinSet<()>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Server {
    pub(super) fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        Ok(Self {
            address: Address::of(&config.url)?,
            timeout: config.timeout,
            connect_timeout: config.connect_timeout,
            tls: OnceLock::new(),
        })
    }

    /// Connects, logs in, and sees that the server answers. `timeout` is that of each command.
    pub(super) async fn open(&self, timeout: Option<Duration>) -> Result<Session, RedisError> {
        self.in_time(async {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(timeout)
                .set_pipeline_buffer_size(QUEUE);
            let stream = self.stream().await?;
            let opened = MultiplexedConnection::new_with_config(&self.address.login, stream, config).await;
            let (connection, carry) = opened.map_err(|error| self.refused(error))?;
            let mut carrier = JoinSet::new();
            carrier.spawn(carry);
            let mut asked = connection.clone();
            asked.set_response_timeout(self.connect_timeout);
            match cmd("PING").exec_async(&mut asked).await {
                // A user who may not ask has been answered.
                Err(error) if error.code() != Some("NOPERM") => Err(self.refused(error)),
                _ => Ok(Session { connection, carrier }),
            }
        })
        .await
    }

    /// A connection of messages, which listens to this channel.
    pub(super) async fn listen(&self, channel: &str) -> Result<PubSub, RedisError> {
        self.in_time(async {
            let stream = self.stream().await?;
            let opened = PubSub::new(&self.address.login, stream).await;
            let mut connection = opened.map_err(|error| self.refused(error))?;
            connection.subscribe(channel).await.map_err(|error| self.refused(error))?;
            Ok(connection)
        })
        .await
    }

    /// What became of a command, by its error. `waited` is how long it may have taken.
    pub(super) fn failed(&self, error: DriverError, command: String, waited: Option<Duration>) -> RedisError {
        let address = self.address.shown.clone();
        match waited {
            Some(waited) if error.is_timeout() => RedisError::TimedOut { address, command, waited },
            _ if error.is_io_error() => RedisError::Lost { address, command, source: error },
            _ if is_login(&error) => self.refused(error),
            _ => RedisError::Command { command, source: error },
        }
    }

    async fn in_time<T>(&self, opening: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
        let opened = tokio::time::timeout(self.connect_timeout, opening).await;
        opened.unwrap_or_else(|_| {
            // Redis waits for a line to end, which a handshake has none of.
            let perhaps = if self.address.is_encrypted() { ", as of a server that offers no TLS" } else { "" };
            Err(self.unavailable(format!("no answer within {:?}{perhaps}", self.connect_timeout)))
        })
    }

    pub(super) fn unavailable(&self, reason: impl Into<String>) -> RedisError {
        RedisError::Unavailable { address: self.address.shown.clone(), reason: reason.into(), source: None }
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, RedisError> {
        Ok(match &self.address.place {
            Place::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(|error| self.unreachable(error))?),
            Place::Tcp { host, port } => Box::new(self.tcp(host, *port).await?),
            Place::Tls { host, port, .. } => {
                let fault = |fault| RedisError::Tls { address: self.address.shown.clone(), fault };
                let connector = self.connector().map_err(fault)?;
                let name = ServerName::try_from(host.clone())
                    .map_err(|error| fault(TlsFault::WrongName { reason: error.to_string() }))?;
                let stream = self.tcp(host, *port).await?;
                let stream = connector.connect(name, stream).await;
                Box::new(stream.map_err(|error| match TlsFault::among(&error) {
                    Some(found) => fault(found),
                    None => self.unreachable(error),
                })?)
            }
        })
    }

    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, RedisError> {
        let connected = async {
            // All at once, so that an address family that leads nowhere does not take all the time.
            let addresses: Vec<_> =
                lookup_host((host, port)).await?.map(|to| Box::pin(TcpStream::connect(to))).collect();
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
            }
            let (stream, _) = select_ok(addresses).await?;
            stream.set_nodelay(true)?;
            let (idle, interval, tries) = KEEPALIVE;
            let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(tries);
            let socket = SockRef::from(&stream);
            socket.set_tcp_keepalive(&keepalive)?;
            // What was sent and never received is not asked after by the above.
            #[cfg(target_os = "linux")]
            socket.set_tcp_user_timeout(Some(idle + interval * tries))?;
            Ok(stream)
        };
        connected.await.map_err(|error| self.unreachable(error))
    }

    /// The authorities are read once, when they are first needed.
    fn connector(&self) -> Result<&TlsConnector, TlsFault> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector);
        }
        let Place::Tls { authorities, .. } = &self.address.place else { return Err(TlsFault::NotOffered) };
        let connector = connector(authorities.as_deref())?;
        Ok(self.tls.get_or_init(|| connector))
    }

    fn unreachable(&self, error: io::Error) -> RedisError {
        self.refused(error.into())
    }

    /// What was said to who connects.
    fn refused(&self, error: DriverError) -> RedisError {
        let address = self.address.shown.clone();
        if is_login(&error) {
            let reason = error.detail().map_or_else(|| error.to_string(), str::to_owned);
            return RedisError::Authentication { address, reason };
        }
        RedisError::Unavailable { address, reason: error.to_string(), source: Some(error) }
    }
}

fn is_login(error: &DriverError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}
