use std::ops::Deref;

use garde::Validate;
use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;

use super::{Json, Query};
use crate::http::Problem;

/// Another extractor whose value has passed its garde rules: `Valid<Json<CreateUser>>`. What breaks them is answered
/// 422 with each field's path.
///
/// It dereferences to the value.
#[derive(Debug, Clone, Copy)]
pub struct Valid<E>(pub E);

/// An extractor with a value that garde can check.
#[diagnostic::on_unimplemented(
    message = "`Valid<{Self}>` cannot check anything",
    note = "use `Valid<Json<T>>` or `Valid<Query<T>>` with a `T` that derives `garde::Validate`"
)]
pub trait Validated {
    /// The value's type.
    type Value: Validate<Context = ()>;

    /// The value.
    fn value(&self) -> &Self::Value;
}

impl<T: Validate<Context = ()>> Validated for Json<T> {
    type Value = T;

    fn value(&self) -> &T {
        &self.0
    }
}

impl<T: Validate<Context = ()>> Validated for Query<T> {
    type Value = T;

    fn value(&self) -> &T {
        &self.0
    }
}

impl<E: Validated> Deref for Valid<E> {
    type Target = E::Value;

    fn deref(&self) -> &E::Value {
        self.0.value()
    }
}

// One for each extractor: for a generic one the compiler cannot see that the handler's future is `Send`
// (rust-lang/rust#100013).
impl<'a, T: DeserializeOwned + Validate<Context = ()> + Send> FromRequest<'a> for Valid<Json<T>> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        check(Json::from_request(request, body).await?)
    }
}

impl<'a, T: DeserializeOwned + Validate<Context = ()> + Send> FromRequest<'a> for Valid<Query<T>> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        check(Query::from_request(request, body).await?)
    }
}

fn check<E: Validated>(extracted: E) -> poem::Result<Valid<E>> {
    let Err(report) = extracted.value().validate() else { return Ok(Valid(extracted)) };
    let mut problem = Problem::unprocessable("the request has wrong fields");
    for (path, error) in report.iter() {
        problem = problem.field(path.to_string(), error.message());
    }
    Err(problem.into())
}
