//! What an expansion asks of types that it knows only by name: whether they have a trait, without demanding it. Of two traits
//! with the same method the compiler takes the one that is reached with fewer references, and the other where that one's
//! bounds do not hold.

use std::{
    any::type_name,
    convert::Infallible,
    fmt::{self, Debug, Display},
    marker::PhantomData,
};

use serde::Serialize;

use super::{Failure, Outcome, ServiceError, State, Transient, audit_json};

/// Something whose traits are asked for.
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// Shown by its `Debug`.
pub trait ShownArgument {
    /// Writes it.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: Debug + ?Sized> ShownArgument for Shown<'_, T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Not shown.
pub trait OpaqueArgument {
    /// Writes that there is one.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: ?Sized> OpaqueArgument for &Shown<'_, T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

/// An error that has a text.
pub trait FailureText {
    /// The text.
    fn text(&self) -> String;
}

impl<T: Display> FailureText for Shown<'_, T> {
    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// An error that has none.
pub trait FailureWithoutText {
    /// The name of its type.
    fn text(&self) -> String;
}

impl<T> FailureWithoutText for &Shown<'_, T> {
    fn text(&self) -> String {
        type_name::<T>().to_owned()
    }
}

/// An error that knows whether it is transient.
pub trait KnowsTransient {
    /// Whether it is.
    fn transient(&self) -> bool;
}

impl<T: Transient> KnowsTransient for Shown<'_, T> {
    fn transient(&self) -> bool {
        self.0.is_transient()
    }
}

/// An error that does not.
pub trait NotTransient {
    /// Nothing is known, so it is not.
    fn transient(&self) -> bool;
}

impl<T> NotTransient for &Shown<'_, T> {
    fn transient(&self) -> bool {
        false
    }
}

/// What a method returned.
pub struct FailureOf<'a, R>(pub &'a R);

/// A `Result`.
pub trait ErrorOf<E> {
    /// Its error.
    fn error(&self) -> Option<&E>;
}

impl<T, E> ErrorOf<E> for FailureOf<'_, Result<T, E>> {
    fn error(&self) -> Option<&E> {
        self.0.as_ref().err()
    }
}

/// Something else.
pub trait NoError {
    /// None.
    fn error(&self) -> Option<&Infallible>;
}

impl<R> NoError for &FailureOf<'_, R> {
    fn error(&self) -> Option<&Infallible> {
        None
    }
}

impl Transient for Infallible {
    fn is_transient(&self) -> bool {
        match *self {}
    }
}

impl Outcome {
    /// What came of a call, from the parts that the expansion found out.
    #[doc(hidden)]
    pub fn of(error: Option<(String, bool)>) -> Self {
        error.map_or(Self::Done, |(text, transient)| Self::Failed(Failure { text, transient }))
    }
}

/// The type that a method returns.
pub struct Returned<R>(pub PhantomData<fn() -> R>);

/// A `Result` whose error can say that a call was refused.
pub trait Refusable<R> {
    /// Makes that error.
    fn refusal(&self) -> Option<fn(ServiceError) -> R>;
}

impl<T, E: From<ServiceError>> Refusable<Result<T, E>> for Returned<Result<T, E>> {
    fn refusal(&self) -> Option<fn(ServiceError) -> Result<T, E>> {
        Some(|error| Err(E::from(error)))
    }
}

/// Something that cannot say so.
pub trait NotRefusable<R> {
    /// None.
    fn refusal(&self) -> Option<fn(ServiceError) -> R>;
}

impl<R> NotRefusable<R> for &Returned<R> {
    fn refusal(&self) -> Option<fn(ServiceError) -> R> {
        None
    }
}

/// A `Result` whose error knows whether it is transient.
pub trait Classified {
    /// It does.
    fn classified(&self) -> bool;
}

impl<T, E: Transient> Classified for Returned<Result<T, E>> {
    fn classified(&self) -> bool {
        true
    }
}

/// Something that does not know.
pub trait NotClassified {
    /// It does not.
    fn classified(&self) -> bool;
}

impl<R> NotClassified for &Returned<R> {
    fn classified(&self) -> bool {
        false
    }
}

/// A value that may be none.
pub trait MaybeNone {
    /// Whether it is.
    fn is_none(&self) -> bool;
}

impl<T> MaybeNone for Shown<'_, Option<T>> {
    fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

/// A value that is always one.
pub trait NeverNone {
    /// It is not.
    fn is_none(&self) -> bool;
}

impl<T> NeverNone for &Shown<'_, T> {
    fn is_none(&self) -> bool {
        false
    }
}

// Of these the compiler takes the first whose bounds hold, for `(&&Shown(value)).state()`: there are three, and so one more
// reference.

/// A `Result` whose value can be kept in the audit log.
pub trait KnownState {
    /// It as JSON.
    fn state(&self) -> Option<String>;
}

impl<T: Serialize, E> KnownState for &Shown<'_, Result<T, E>> {
    fn state(&self) -> Option<String> {
        State::state(self.0)
    }
}

/// Something else that can be kept.
pub trait PlainState {
    /// It as JSON.
    fn state(&self) -> Option<String>;
}

impl<T: Serialize> PlainState for &&Shown<'_, T> {
    fn state(&self) -> Option<String> {
        audit_json(self.0)
    }
}

/// What cannot be kept.
pub trait UnknownState {
    /// Nothing is.
    fn state(&self) -> Option<String>;
}

impl<T> UnknownState for Shown<'_, T> {
    fn state(&self) -> Option<String> {
        None
    }
}
