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

/// What [`Db::read`](super::Db::read), [`write`](super::Db::write) and [`transaction`](super::Db::transaction) take: an
/// async closure that is given a connection, and whose future is `Send`. Closures are one by themselves.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use paravel::database::{Db, DbClosure, DbError, SqliteConn};
///
/// /// A read that is logged: what it adds to [`Db::read`] is its own name.
/// async fn logged<R, F>(db: &Db<SqliteConn>, name: &str, read: F) -> Result<R, DbError>
/// where
///     F: DbClosure<SqliteConn, R, DbError>,
///     R: Send,
/// {
///     paravel::tracing::info!(name, "reading");
///     db.read(read).await
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "this is not an async closure over a database connection",
    note = "write `async |c| {{ .. }}` for `read`, and `async move |c| {{ .. }}` for `write` and `transaction`",
    note = "what it holds over an `.await` has to be `Send`"
)]
pub trait DbClosure<C: 'static, R, E>:
    for<'c> AsyncFnOnce(&'c mut C) -> Result<R, E> + for<'c> AsyncFunc<&'c mut C, Result<R, E>, Future: Send> + Send
{
}

impl<Function, C: 'static, R, E> DbClosure<C, R, E> for Function where
    Function: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, E>
        + for<'c> AsyncFunc<&'c mut C, Result<R, E>, Future: Send>
        + Send
{
}
