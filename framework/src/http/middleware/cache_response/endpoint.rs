use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{
        HeaderValue, Method,
        header::{
            AGE, CACHE_CONTROL, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, VARY,
        },
    },
    web::headers::IfNoneMatch,
};

use super::{CacheResponse, Kept, kept::listed, key};
use crate::{
    auth::Actor,
    cache::Cache,
    container::{self, Container, ContainerError},
    database::StickyReads,
    http::{Problem, middleware::etag},
    support::{Clock, Timestamp},
};

/// [`CacheResponse`] around an endpoint.
pub struct CacheResponseEndpoint<E> {
    policy: Arc<CacheResponse>,
    cache_control: HeaderValue,
    vary: HeaderValue,
    inner: E,
}

/// How far a request has come.
#[expect(clippy::large_enum_variant, reason = "there is one a request, and nothing holds many")]
enum Turn {
    /// It has not run the handler.
    Waiting(Request),
    /// It has, and the answer is for it alone.
    Passed(Result<Response>),
    /// It has, and the answer is kept.
    Made,
}

/// What was made is for one request alone. Whoever waited for it runs the handler, too.
#[derive(Debug, Clone, Copy)]
struct Unkept;

impl<E: Endpoint> CacheResponseEndpoint<E> {
    pub(super) fn new(policy: Arc<CacheResponse>, inner: E) -> Self {
        Self { cache_control: policy.cache_control(), vary: policy.vary(), policy, inner }
    }

    async fn pass(&self, request: Request) -> Result<Response> {
        let mut response = self.inner.call(request).await?.into_response();
        response.headers_mut().append(VARY, self.vary.clone());
        Ok(response)
    }

    /// Runs the handler, for all who wait.
    async fn load(&self, app: &Container, now: Timestamp, turn: &mut Turn) -> Result<Kept, Unkept> {
        let Turn::Waiting(mut request) = std::mem::replace(turn, Turn::Made) else { return Err(Unkept) };
        // What is kept is the whole, whatever the one who asks first has already or wants of it.
        for name in [RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
            request.headers_mut().remove(name);
        }
        if !self.policy.tags.is_empty() {
            StickyReads::mark();
        }
        let (method, actor) = (request.method().clone(), actor(app));
        let made = match self.inner.call(request).await {
            Ok(output) => {
                let mut response = output.into_response();
                // Somebody who has logged in meanwhile got it for themselves.
                let kept = if self::actor(app) == actor {
                    Kept::of(&mut response, &method, &self.policy, now).await
                } else {
                    Ok(None)
                };
                match kept {
                    Ok(Some(kept)) => return Ok(kept),
                    Ok(None) => {
                        response.headers_mut().append(VARY, self.vary.clone());
                        Ok(response)
                    }
                    Err(problem) => Err(problem.into()),
                }
            }
            Err(error) => Err(error),
        };
        *turn = Turn::Passed(made);
        Err(Unkept)
    }

    /// The answer of what is kept; `hit` is the present moment, where it was made for another request.
    fn answer(&self, kept: &Kept, asked: Option<&IfNoneMatch>, hit: Option<Timestamp>) -> Response {
        let mut headers = kept.headers.clone();
        headers.append(VARY, self.vary.clone());
        headers.entry(CACHE_CONTROL).or_insert_with(|| self.cache_control.clone());
        if let Some(now) = hit {
            // A clock may have been set back.
            headers.insert(AGE, (now.utc() - kept.made_at.utc()).num_seconds().max(0).into());
        }
        etag::unchanged(asked, &headers).unwrap_or_else(|| {
            let mut response = Response::builder().body(kept.body.clone());
            *response.headers_mut() = headers;
            response
        })
    }
}

impl<E: Endpoint> Endpoint for CacheResponseEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let app = container::current().map_err(ContainerError::from).map_err(Problem::from)?;
        let Some(key) = key(&self.policy, &request, actor(&app).as_deref()) else { return self.pass(request).await };
        let cache = app.make::<Cache>().map_err(Problem::from)?.tags(&self.policy.tags);
        let now = app.make::<dyn Clock>().map_err(Problem::from)?.now();
        let reload = |directive: &str| directive.eq_ignore_ascii_case("no-cache");
        if self.policy.reloadable
            && listed(request.headers(), &CACHE_CONTROL).any(reload)
            && let Err(error) = cache.forget(&key).await
        {
            tracing::warn!(%error, "a kept response could not be dropped, and is sent again");
        }
        let asked = etag::asked(request.headers());
        let mut turn = Turn::Waiting(request);
        let kept = cache.remember(&key, self.policy.ttl, || self.load(&app, now, &mut turn)).await;
        match (kept, turn) {
            (Ok(kept), Turn::Made) => Ok(self.answer(&kept, asked.as_ref(), None)),
            (Ok(kept), _) => Ok(self.answer(&kept, asked.as_ref(), Some(now))),
            (Err(Unkept), Turn::Waiting(request)) => self.pass(request).await,
            (Err(Unkept), Turn::Passed(made)) => made,
            (Err(Unkept), Turn::Made) => Err(Problem::internal("what was made is not there").into()),
        }
    }
}

/// Who acts, as far as is known.
fn actor(app: &Container) -> Option<Arc<Actor>> {
    app.current_scope()?.get()
}
