use std::future::Future;

/// An async closure whose future can be bounded.
///
/// `AsyncFnOnce` alone cannot say that its future is `Send`, and a plain `FnOnce` that returns a future cannot
/// borrow its argument. This names the future, so that both can be asked for; closures implement it by
/// themselves, and nobody else needs to.
#[diagnostic::on_unimplemented(
    message = "this is not an async closure over a database connection",
    note = "write `async |c| {{ .. }}` for `read`, and `async move |c| {{ .. }}` for `write` and `transaction`"
)]
pub trait AsyncFunc<Argument, Output>:
    AsyncFnOnce(Argument) -> Output + FnOnce(Argument) -> <Self as AsyncFunc<Argument, Output>>::Future
{
    /// The closure's future.
    type Future: Future<Output = Output>;
}

impl<Function, Argument, Fut, Output> AsyncFunc<Argument, Output> for Function
where
    Function: AsyncFnOnce(Argument) -> Output + FnOnce(Argument) -> Fut,
    Fut: Future<Output = Output>,
{
    type Future = Fut;
}
