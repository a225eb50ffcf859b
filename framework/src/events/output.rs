use crate::support::BoxError;

/// Whether the listeners after this one are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They are.
    #[default]
    Continue,
    /// They are not.
    Stop,
}

impl From<()> for Propagation {
    fn from((): ()) -> Self {
        Self::Continue
    }
}

/// What a listener may return: `()`, [`Propagation`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "a listener cannot return `{Self}`",
    note = "return `()`, `Propagation`, `Result<(), E>` or `Result<Propagation, E>`, where `E` is an error"
)]
pub trait ListenerOutput {
    /// The result, whatever the form.
    ///
    /// # Errors
    /// The listener's own.
    fn into_result(self) -> Result<Propagation, BoxError>;
}

impl ListenerOutput for () {
    fn into_result(self) -> Result<Propagation, BoxError> {
        Ok(Propagation::Continue)
    }
}

impl ListenerOutput for Propagation {
    fn into_result(self) -> Result<Propagation, BoxError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Into<Propagation>, E: Into<BoxError>> ListenerOutput for Result<T, E> {
    fn into_result(self) -> Result<Propagation, BoxError> {
        self.map(Into::into).map_err(Into::into)
    }
}
