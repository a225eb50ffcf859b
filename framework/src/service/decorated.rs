use std::{fmt, marker::PhantomData};

use futures_util::future::{BoxFuture, FutureExt};

use super::{Call, Decorator, MethodInfo, Outcome, ServiceError, call::Run};

struct Runner<'f, A, R, Show, Again, Inner, Judge> {
    method: &'static MethodInfo,
    arguments: Option<A>,
    result: Option<R>,
    // What `inner` returns outlives the call.
    future: PhantomData<fn() -> BoxFuture<'f, R>>,
    show: Show,
    again: Again,
    inner: Inner,
    judge: Judge,
}

impl<'f, A, R, Show, Again, Inner, Judge> Run for Runner<'f, A, R, Show, Again, Inner, Judge>
where
    A: Send,
    R: Send,
    Show: Fn(&A, &mut fmt::Formatter<'_>) -> fmt::Result + Send,
    Again: Fn(&A) -> Option<A> + Send,
    Inner: FnMut(A) -> BoxFuture<'f, R> + Send,
    Judge: Fn(&R) -> Outcome + Send,
{
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arguments.as_ref().map_or(Ok(()), |arguments| (self.show)(arguments, f))
    }

    fn proceed(&mut self) -> BoxFuture<'_, Result<Outcome, ServiceError>> {
        let Some(arguments) = self.arguments.take() else {
            let MethodInfo { service, name, .. } = *self.method;
            return std::future::ready(Err(ServiceError::NotIdempotent { service, method: name })).boxed();
        };
        self.arguments = (self.again)(&arguments);
        // Of an earlier run; whoever runs again does not want it.
        self.result = None;
        let run = (self.inner)(arguments);
        async move {
            let result = run.await;
            let outcome = (self.judge)(&result);
            self.result = Some(result);
            Ok(outcome)
        }
        .boxed()
    }
}

/// One call of a decorated service's method: with `arguments`, of which `again` makes a copy where the method is idempotent,
/// through `decorator` to `inner`.
///
/// # Panics
/// Where a decorator that says it refuses nothing left a call without a result, of a method whose error cannot say so.
#[expect(
    clippy::too_many_arguments,
    reason = "closures get their types from a function's bounds, not from a struct's fields"
)]
pub async fn decorated<'f, A, R, Inner, Show, Again, Judge>(
    decorator: &dyn Decorator,
    method: &'static MethodInfo,
    refuse: Option<fn(ServiceError) -> R>,
    arguments: A,
    inner: Inner,
    show: Show,
    again: Again,
    judge: Judge,
) -> R
where
    A: Send,
    R: Send,
    Inner: FnMut(A) -> BoxFuture<'f, R> + Send,
    Show: Fn(&A, &mut fmt::Formatter<'_>) -> fmt::Result + Send,
    Again: Fn(&A) -> Option<A> + Send,
    Judge: Fn(&R) -> Outcome + Send,
{
    let mut runner =
        Runner { method, arguments: Some(arguments), result: None, future: PhantomData, show, again, inner, judge };
    let answer = decorator.around(&mut Call::new(method, &mut runner)).await;
    let MethodInfo { service, name, .. } = *method;
    let refused = match (answer, runner.result) {
        (Ok(()), Some(result)) => return result,
        (Err(error), None) => error,
        // A result that nobody can be told the loss of is not lost.
        (Err(error), Some(result)) => match refuse {
            Some(_) => error,
            None => return result,
        },
        (Ok(()), None) => ServiceError::NotRun { service, method: name, decorator: decorator.describe() },
    };
    match refuse {
        Some(refuse) => refuse(refused),
        None => panic!(
            "the decorator `{}` says that it refuses nothing, and left `{service}::{name}` without a result: {refused}",
            decorator.describe()
        ),
    }
}
