use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use poem::{
    Endpoint, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
};
use serde::Serialize;
use tokio::net::TcpStream;

use super::TestResponse;
use crate::{auth::Actor, container::Scope, database::QueryWatch};

/// How a test's request travels.
#[derive(Clone)]
pub(super) enum Transport {
    Process(Arc<BoxEndpoint<'static, Response>>),
    Socket(SocketAddr),
}

/// A request of a test, in process or over a socket.
#[must_use = "a request is sent by `send`"]
pub struct TestRequest {
    transport: Transport,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    scope: Arc<Scope>,
}

impl TestRequest {
    pub(super) fn new(transport: Transport, method: Method, path: &str) -> Self {
        Self {
            transport,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            scope: Arc::new(Scope::new()),
        }
    }

    /// Sets a header.
    ///
    /// # Panics
    /// Where the name or the value cannot be sent.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let value: HeaderValue = value.parse().unwrap_or_else(|error| panic!("{value}: {error}"));
        self.headers.insert(name, value);
        self
    }

    /// Sends this bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Acts as somebody without a token; in process only.
    pub fn acting_as(self, actor: Actor) -> Self {
        self.scope.set(actor);
        self
    }

    /// Sends this value as JSON.
    ///
    /// # Panics
    /// Where it cannot be serialized.
    pub fn json(self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).unwrap_or_else(|error| panic!("the test's body: {error}"));
        self.header("content-type", "application/json").body(bytes)
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole response.
    ///
    /// # Panics
    /// Where the path is none, or the server cannot be reached.
    pub async fn send(self) -> TestResponse {
        let label = format!("{} {}", self.method, self.path);
        match self.transport.clone() {
            Transport::Process(endpoint) => self.send_in_process(&label, &endpoint).await,
            Transport::Socket(address) => match self.send_over_socket(address).await {
                Ok((parts, body)) => TestResponse::new(label, parts.status, parts.headers, body, None),
                Err(error) => panic!("{label} over {address}: {error}"),
            },
        }
    }

    async fn send_in_process(self, label: &str, endpoint: &BoxEndpoint<'static, Response>) -> TestResponse {
        let uri: Uri = self.path.parse().unwrap_or_else(|error| panic!("{label}: {error}"));
        let scope = Arc::clone(&self.scope);
        let mut request = Request::builder().method(self.method).uri(uri).extension(self.scope).finish();
        if !self.body.is_empty() {
            request.headers_mut().insert(header::CONTENT_LENGTH, self.body.len().into());
        }
        request.headers_mut().extend(self.headers);
        request.set_body(self.body);
        let response = endpoint.get_response(request).await;
        let (parts, body) = response.into_parts();
        let body = body.into_bytes().await.unwrap_or_else(|error| panic!("{label}: {error}"));
        let watch = scope.get::<QueryWatch>().unwrap_or_default();
        TestResponse::new(label.to_owned(), parts.status, parts.headers, body, Some(watch))
    }

    async fn send_over_socket(
        self,
        address: SocketAddr,
    ) -> Result<(poem::http::response::Parts, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let mut request = hyper::Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(header::HOST, address.to_string())
            .body(Full::new(self.body))?;
        request.headers_mut().extend(self.headers);
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            drop(sender);
            Ok::<_, hyper::Error>((parts, body))
        };
        let (connection, exchange) = futures_util::future::join(connection, exchange).await;
        // A server that closes after its answer may break the connection; the answer is what counts.
        drop(connection);
        Ok(exchange?)
    }
}
