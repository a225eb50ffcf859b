use std::panic::AssertUnwindSafe;

use futures_util::future::FutureExt;
use poem::{Endpoint, Middleware, Request, Result};

use crate::{container::panic_message, http::Problem};

/// Makes a handler's panic a 500 of that request alone.
#[derive(Debug, Clone, Copy)]
pub struct CatchPanic;

/// [`CatchPanic`] around an endpoint.
pub struct CatchPanicEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for CatchPanic {
    type Output = CatchPanicEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        CatchPanicEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for CatchPanicEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        match AssertUnwindSafe(self.0.call(request)).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(Problem::internal(format!("the handler panicked: {}", panic_message(&*panic))).into()),
        }
    }
}
