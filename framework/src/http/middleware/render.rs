use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, http::StatusCode};

use super::RequestId;
use crate::{container::in_scope, http::Problem};

/// Makes every error a `problem+json` response: the one place where that happens. A server error is logged here,
/// once, with what caused it.
#[derive(Debug, Clone, Copy)]
pub struct Render;

/// [`Render`] around an endpoint.
pub struct RenderEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for Render {
    type Output = RenderEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RenderEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for RenderEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match self.0.call(request).await {
            Ok(output) => Ok(output.into_response()),
            Err(error) => Ok(render(error)),
        }
    }
}

fn render(error: poem::Error) -> Response {
    let problem = match error.downcast::<Problem>() {
        Ok(problem) => problem,
        // A middleware's own response, such as a redirect, is no error to us.
        Err(error) if error.is_from_response() => return error.into_response(),
        Err(error) => foreign(&error),
    };
    if problem.status().is_server_error() {
        tracing::error!(status = problem.status().as_u16(), cause = %problem.cause(), "the request failed");
    }
    problem.render(in_scope::<RequestId>().ok().flatten().as_ref().map(|id| id.as_str()))
}

/// An error of poem or of somebody's own type.
fn foreign(error: &poem::Error) -> Problem {
    match error.status() {
        StatusCode::NOT_FOUND => Problem::not_found("there is nothing at this address"),
        status if status.is_server_error() => Problem::internal(error.to_string()),
        status => Problem::new(status, error.to_string()),
    }
}
