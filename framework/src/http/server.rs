use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use poem::{
    Addr, Endpoint, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::net::{TcpListener, TcpStream};

use super::idle::{Activity, Answering};
use crate::config::HttpConfig;

/// Streams that one HTTP/2 connection may have open.
const STREAMS: u32 = 200;

/// How long to wait after an accept that failed for want of file descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The server could not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: String,
    source: io::Error,
}

/// Listens on a host and a port; port 0 takes a free one.
///
/// # Errors
/// [`BindError`], naming the address: it is busy, not of this machine, or not allowed.
pub async fn bind(host: &str, port: u16) -> Result<TcpListener, BindError> {
    let listening = TcpListener::bind((host, port)).await;
    listening.map_err(|source| BindError { address: format!("{host}:{port}"), source })
}

/// Answers requests until `stop` is ready; then takes no more connections, and lets open requests go on for
/// [`HttpConfig::shutdown_timeout`]. Returns whether all of them ended in that time.
pub async fn serve<E>(listener: TcpListener, endpoint: E, config: &HttpConfig, stop: impl Future<Output = ()>) -> bool
where
    E: Endpoint<Output = Response> + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    let server = Server {
        builder,
        endpoint: Arc::new(endpoint),
        graceful: GracefulShutdown::new(),
        patience: config.header_timeout,
    };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => server.connection(stream, remote),
                // The connection was gone before it was taken.
                Err(error) if is_about_the_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(BACK_OFF).await;
                }
            },
        }
    }
    drop(listener);
    tokio::time::timeout(config.shutdown_timeout, server.graceful.shutdown()).await.is_ok()
}

fn is_about_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Server<E> {
    builder: Builder<TokioExecutor>,
    endpoint: Arc<E>,
    graceful: GracefulShutdown,
    patience: Duration,
}

impl<E: Endpoint<Output = Response> + 'static> Server<E> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a connection belongs to no request; each request enters its own scope"
    )]
    fn connection(&self, stream: TcpStream, remote: SocketAddr) {
        // Answers are small and wanted at once. Where it cannot be set, they are only later.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return };
        let endpoint = Arc::clone(&self.endpoint);
        let activity = Activity::begin();
        let requests = activity.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let endpoint = Arc::clone(&endpoint);
            let (local, remote) = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(remote)));
            let open = requests.request();
            async move {
                let response = endpoint.get_response((request, local, remote, Scheme::HTTP).into()).await;
                let response = hyper::Response::<_>::from(response).map(|body| Answering { body, _open: open });
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = self.graceful.watch(connection);
        let patience = self.patience;
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                },
                () = activity.idle_for(patience) => tracing::debug!("a connection was of no use and is closed"),
            }
        });
    }
}
