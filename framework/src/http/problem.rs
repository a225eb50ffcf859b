use std::{error::Error, fmt};

use poem::{
    Response,
    error::ResponseError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;

#[cfg(feature = "redis")]
use crate::redis::RedisError;
use crate::{
    auth::{AuthError, HashError},
    container::ContainerError,
    crypt::CryptError,
    database::{CursorError, DbError, advice},
    events::EventError,
    mail::MailError,
    support::{BoxError, with_causes},
};

/// An error as the client sees it: RFC 9457's `application/problem+json`.
///
/// Modules have errors of their own; a handler's `?` turns them into this. What a server error was caused by is kept
/// for the log and never sent.
///
/// ```
/// use paravel::http::{Problem, StatusCode};
///
/// let problem = Problem::unprocessable("the request has wrong fields").field("email", "is taken");
/// assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
/// ```
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<BoxError>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path of the field, such as `roles[0]`; empty for the whole.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of this status and a sentence about this occurrence of it.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), source: None }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: the request needs valid credentials, sent as a bearer token.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: whoever asks may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: it is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: it collides with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 413: the body is longer than it may be.
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes"))
    }

    /// 422: it can be read, and is wrong.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 503: the server has too much to do, or no room to do it in.
    pub fn overloaded(source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "") }
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500: something failed that is none of the client's business. It is logged, and the client gets the request id.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "") }
    }

    /// The problem of an error whose type is not known. One of the database's, Redis' or the application's own is what it is
    /// elsewhere; any other is a 500.
    pub fn of(error: BoxError) -> Self {
        let known = error.downcast::<Self>().map(|problem| *problem);
        let known = known.or_else(|error| error.downcast::<DbError>().map(|error| (*error).into()));
        #[cfg(feature = "redis")]
        let known = known.or_else(|error| error.downcast::<RedisError>().map(|error| (*error).into()));
        known.unwrap_or_else(Self::internal)
    }

    /// The same with one more wrong field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError { field: field.into(), detail: detail.into() });
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What it was caused by, for the log.
    pub(crate) fn cause(&self) -> String {
        match &self.source {
            Some(source) => {
                let text = with_causes(&**source);
                match advice(&text) {
                    Some(advice) => format!("{text} ({advice})"),
                    None => text,
                }
            }
            None => self.detail.clone(),
        }
    }

    /// The response; a server error shows the request id and nothing else.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Response {
        let server_error = self.status.is_server_error();
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: if server_error { "" } else { &self.detail },
            request_id: request_id.filter(|_| server_error),
            errors: if server_error { &[] } else { &self.errors },
        };
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::builder().status(self.status).content_type("application/problem+json").body(bytes);
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.cause())
    }
}

impl Error for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.render(None)
    }
}

impl From<ContainerError> for Problem {
    fn from(error: ContainerError) -> Self {
        Self::internal(error)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        if let DbError::Cursor(error) = error {
            return error.into();
        }
        if error.is_transient() || error.is_full() { Self::overloaded(error) } else { Self::internal(error) }
    }
}

#[cfg(feature = "redis")]
impl From<RedisError> for Problem {
    fn from(error: RedisError) -> Self {
        if error.is_transient() || error.is_uncertain() { Self::overloaded(error) } else { Self::internal(error) }
    }
}

impl From<CursorError> for Problem {
    fn from(error: CursorError) -> Self {
        Self::unprocessable("the query has a wrong parameter").field(error.field(), error.to_string())
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { .. } => Self::overloaded(error),
            _ => Self::internal(error),
        }
    }
}

impl From<MailError> for Problem {
    fn from(error: MailError) -> Self {
        if error.is_transient() { Self::overloaded(error) } else { Self::internal(error) }
    }
}

impl From<CryptError> for Problem {
    fn from(error: CryptError) -> Self {
        Self::internal(error)
    }
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        Self::internal(error)
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthenticated => Self::unauthenticated(error.to_string()),
            AuthError::Forbidden { .. } => Self::forbidden(error.to_string()),
            AuthError::Container(error) => Self::internal(error),
        }
    }
}
