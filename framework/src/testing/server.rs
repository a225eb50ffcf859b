use std::{io, net::SocketAddr, sync::Arc};

use poem::{Endpoint, Request, Response, endpoint::BoxEndpoint, http::Method};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{TestRequest, request::Transport};
use crate::{config::HttpConfig, container::Container, http};

/// A test's application on a real socket. It stops when dropped, or by [`stop`](Self::stop).
pub struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<bool>,
}

struct Shared(Arc<BoxEndpoint<'static, Response>>);

impl Endpoint for Shared {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        self.0.call(request).await
    }
}

impl TestServer {
    #[expect(clippy::disallowed_methods, reason = "a server belongs to no request; each request enters its own scope")]
    pub(super) async fn start(container: Container, endpoint: Arc<BoxEndpoint<'static, Response>>) -> io::Result<Self> {
        let config: Arc<HttpConfig> = container.make().map_err(io::Error::other)?;
        let listener = http::bind("127.0.0.1", 0).await.map_err(io::Error::other)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stop = async {
                // Asked to, or dropped.
                let _ = stopped.await;
            };
            http::serve(listener, Shared(endpoint), &config, stop).await
        });
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to stop and waits; returns whether all open requests ended in time.
    pub async fn stop(mut self) -> bool {
        drop(self.stop.take());
        self.task.await.unwrap_or(false)
    }

    /// A request over the socket.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest::new(Transport::Socket(self.address), method, path)
    }

    /// `GET` over the socket.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// `POST` over the socket.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    /// `PUT` over the socket.
    pub fn put(&self, path: &str) -> TestRequest {
        self.request(Method::PUT, path)
    }

    /// `PATCH` over the socket.
    pub fn patch(&self, path: &str) -> TestRequest {
        self.request(Method::PATCH, path)
    }

    /// `DELETE` over the socket.
    pub fn delete(&self, path: &str) -> TestRequest {
        self.request(Method::DELETE, path)
    }
}
