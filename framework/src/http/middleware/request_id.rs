use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderName, HeaderValue},
};
use uuid::Uuid;

use crate::{container::with_current, support::TraceId};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const LONGEST: usize = 64;

/// Gives each request an id, in its scope and in the response's `X-Request-Id`. One that the client sent is kept
/// where it is short and plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The middleware.
    pub const fn middleware() -> RequestIds {
        RequestIds
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn of(request: &Request) -> Self {
        let sent = request.headers().get(&HEADER);
        if let Some(sent) = sent.filter(|sent| is_plain(sent.as_bytes())) {
            return Self(sent.clone());
        }
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown")))
    }
}

/// An id that cannot do harm in a log.
fn is_plain(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The middleware that gives out [`RequestId`]s.
#[derive(Debug, Clone, Copy)]
pub struct RequestIds;

/// [`RequestIds`] around an endpoint.
pub struct RequestIdEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for RequestIds {
    type Output = RequestIdEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RequestIdEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for RequestIdEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = RequestId::of(&request);
        let header = id.0.clone();
        // Outside the application there is no scope to keep it in; the header is sent all the same.
        let _ = with_current(|app| {
            app.current_scope().map(|scope| {
                scope.set(TraceId::new(id.as_str()));
                scope.set(id)
            })
        });
        let mut response = self.0.call(request).await?.into_response();
        response.headers_mut().insert(HEADER, header);
        Ok(response)
    }
}
