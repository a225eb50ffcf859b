use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Request, Response, Result,
    endpoint::BoxEndpoint,
    http::{
        HeaderValue, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
};

use crate::{
    auth::{Actor, AuthError, TokenGuard, TokenHash},
    container::{self, ContainerError, DependencyInfo},
    http::{Problem, RouteMiddleware},
};

/// Lets a request through only with a valid bearer token, and leaves its
/// [`Actor`] in the scope.
#[derive(Debug, Clone, Copy)]
pub struct Authenticate;

struct Authenticated<E>(E);

impl RouteMiddleware for Authenticate {
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    fn dependencies(&self) -> Vec<DependencyInfo> {
        vec![DependencyInfo::one::<dyn TokenGuard>()]
    }

    fn wrap(&self, endpoint: BoxEndpoint<'static, Response>) -> BoxEndpoint<'static, Response> {
        Authenticated(endpoint).boxed()
    }
}

impl<E: Endpoint> Endpoint for Authenticated<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        authenticate(&request).await?;
        self.0.call(request).await
    }
}

/// RFC 6750, 3.1: a token that was given and is not good.
fn invalid_token() -> Problem {
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    Problem::new(StatusCode::UNAUTHORIZED, "the token is unknown, revoked or expired")
        .with_header(WWW_AUTHENTICATE, challenge)
}

async fn authenticate(request: &Request) -> Result<(), Problem> {
    let app = container::current().map_err(ContainerError::from)?;
    // Somebody acts already: a test has said who.
    if app.current_scope().is_some_and(|scope| scope.get::<Actor>().is_some()) {
        return Ok(());
    }
    let token = bearer(request).ok_or(AuthError::Unauthenticated)?;
    let guard: Arc<dyn TokenGuard> = app.make()?;
    let actor = guard.actor(&TokenHash::of(token)).await.map_err(Problem::of)?;
    let actor = actor.ok_or_else(invalid_token)?;
    if let Some(scope) = app.current_scope() {
        scope.set(actor);
    }
    Ok(())
}

/// RFC 6750: the scheme's case does not matter.
fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim())
}
