use std::sync::Arc;

use crate::container::{Container, ContainerError, with_current};

/// What a method behind a facade may return: a `Result` whose error can say that there is no service to ask.
#[diagnostic::on_unimplemented(
    message = "a method behind a facade cannot return `{Self}`",
    label = "the error of this `Result` must be `From<ContainerError>`",
    note = "a facade may be called where there is no application: return `Result<T, E>` and implement \
            `From<paravel::container::ContainerError>` for `E`"
)]
pub trait FacadeReturn {
    /// The value that says so.
    fn refused(error: ContainerError) -> Self;
}

// Else the compiler tells of the missing `From` alone, and not why it is wanted.
#[diagnostic::do_not_recommend]
impl<T, E: From<ContainerError>> FacadeReturn for Result<T, E> {
    fn refused(error: ContainerError) -> Self {
        Err(error.into())
    }
}

/// The service that a facade stands for.
///
/// # Errors
/// [`ContainerError`] where there is no application, or the service cannot be made.
#[inline]
pub fn facade<T: ?Sized + Send + Sync + 'static>() -> Result<Arc<T>, ContainerError> {
    match with_current(Container::made) {
        Ok(Some(made)) => Ok(made),
        _ => make(),
    }
}

#[cold]
fn make<T: ?Sized + Send + Sync + 'static>() -> Result<Arc<T>, ContainerError> {
    with_current(Container::make)?
}

/// What a facade's method returns where [`facade`] failed.
pub fn refuse<R: FacadeReturn>(error: ContainerError) -> R {
    R::refused(error)
}
