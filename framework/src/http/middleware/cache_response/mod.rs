//! Responses that are kept, and given to others.

mod blob;
mod endpoint;
mod kept;
mod key;

use std::{sync::Arc, time::Duration};

use poem::{
    EndpointExt, Response,
    endpoint::BoxEndpoint,
    http::{HeaderName, HeaderValue},
};

use super::whole_body::LONGEST;
use crate::{cache::Cache, container::DependencyInfo, http::RouteMiddleware, support::Clock};
use blob::Blob;
use endpoint::CacheResponseEndpoint;
use kept::Kept;
use key::key;

/// Keeps responses in the application's cache, as the bytes that were sent. Who asks for the same gets them without the
/// handler being run; who has them already, as `If-None-Match` says, gets a 304. Of all who ask at once for what is not
/// there, one runs the handler.
///
/// ```
/// use std::time::Duration;
/// use paravel::http::{CacheResponse, Json, Result, Router, endpoint};
///
/// /// All ships, the same for everybody.
/// #[endpoint]
/// async fn ships() -> Result<Json<Vec<String>>> {
///     Ok(Json(vec!["Dawn Treader".to_owned()]))
/// }
///
/// fn routes(routes: &mut Router) {
///     let hour = Duration::from_secs(3600);
///     // Where ships change: `Cache::invalidate(["ships"]).await?`
///     routes.get("/ships", ships).middleware(CacheResponse::with_ttl(hour).tags(["ships"]));
/// }
/// ```
///
/// # What is kept
///
/// The answers to `GET` and `HEAD` with the status 200 and a body of known length, up to [`max_bytes`](Self::max_bytes),
/// by host, path and query, whatever the order of its parameters. Nothing else is, and errors never.
///
/// A request with `Authorization` or `Cookie`, or behind which somebody is logged in, is neither answered from the cache nor
/// is its answer kept, unless [`per_actor`](Self::per_actor) says how these differ. Nor is an answer that sets a
/// cookie, that says `no-store`, `no-cache`, `private` or a shorter life in its `Cache-Control`, that has `Expires` or
/// `Content-Encoding`, or that says in `Vary` that it differs by what the key does not have
/// ([`varying_by`](Self::varying_by)).
///
/// What a handler reads from a request beside these, such as a header without saying so in `Vary`, must make no difference.
/// Neither must rights be checked inside: what stands around the handler inside this middleware is not run for a hit, so
/// [`Authenticate`](crate::http::Authenticate) belongs outside.
///
/// # What is sent
///
/// The handler's headers; the request's id, the security headers and the server's timing are those of the request that is
/// answered. `ETag` is the handler's, or made of the body. `Age` says how old a hit is. `Cache-Control` is the handler's,
/// or else `no-cache`, by which browsers ask each time whether what they have is still true: nothing that is invalidated
/// here is invalidated there. [`max_age`](Self::max_age) says otherwise.
#[derive(Debug, Clone)]
pub struct CacheResponse {
    ttl: Duration,
    tags: Vec<String>,
    varying: Vec<HeaderName>,
    longest: usize,
    max_age: Option<Duration>,
    per_actor: bool,
    reloadable: bool,
}

impl CacheResponse {
    /// Keeps responses for so long.
    pub fn with_ttl(ttl: Duration) -> Self {
        Self {
            ttl,
            tags: Vec::new(),
            varying: Vec::new(),
            longest: LONGEST,
            max_age: None,
            per_actor: false,
            reloadable: false,
        }
    }

    /// The same with more tags, by which [`Cache::invalidate`](crate::cache::Cache::invalidate) drops what is kept.
    /// Where there are tags, the handler reads from the primary database when its answer is to be kept: a replica may
    /// not have yet what they were invalidated for.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Keeps an answer for each actor, by their id and permissions, instead of passing over requests with credentials. It
    /// has to stand inside of what finds out who asks. Requests without credentials share theirs; those whose actor is
    /// not known are passed over still. What depends on more, such as the token that somebody came with, is not to be kept.
    #[must_use]
    pub fn per_actor(mut self) -> Self {
        self.per_actor = true;
        self
    }

    /// Keeps an answer for each value of these request headers, such as `Accept`, and says so in `Vary`.
    #[must_use]
    pub fn varying_by(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.varying.extend(names);
        self
    }

    /// Keeps bodies of up to so many bytes. Default 1048576 (1 MiB).
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// Lets clients keep an answer for so long after it was made without asking again, at most for as long as it is
    /// kept here. What is invalidated meanwhile they go on to show. With [`per_actor`](Self::per_actor) only browsers
    /// may, without it proxies, too.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Lets a request with `Cache-Control: no-cache`, as of a browser's reload, have the answer made anew. Without this it
    /// is ignored: anybody could keep the handler busy by it.
    #[must_use]
    pub fn reloadable(mut self) -> Self {
        self.reloadable = true;
        self
    }

    /// What clients are told, where the handler tells them nothing.
    fn cache_control(&self) -> HeaderValue {
        let told = match (self.max_age, self.per_actor) {
            (None, false) => "no-cache".to_owned(),
            (None, true) => "private, no-cache".to_owned(),
            (Some(age), false) => format!("public, max-age={}", age.min(self.ttl).as_secs()),
            (Some(age), true) => format!("private, max-age={}", age.min(self.ttl).as_secs()),
        };
        HeaderValue::try_from(told).unwrap_or(HeaderValue::from_static("no-cache"))
    }

    /// What answers differ by: a proxy must not give what was made for nobody to somebody.
    fn vary(&self) -> HeaderValue {
        let names = ["authorization", "cookie"].into_iter().chain(self.varying.iter().map(HeaderName::as_str));
        let names: Vec<_> = names.collect();
        HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("*"))
    }
}

impl RouteMiddleware for CacheResponse {
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    fn dependencies(&self) -> Vec<DependencyInfo> {
        vec![DependencyInfo::one::<Cache>(), DependencyInfo::one::<dyn Clock>()]
    }

    fn wrap(&self, endpoint: BoxEndpoint<'static, Response>) -> BoxEndpoint<'static, Response> {
        CacheResponseEndpoint::new(Arc::new(self.clone()), endpoint).boxed()
    }
}
