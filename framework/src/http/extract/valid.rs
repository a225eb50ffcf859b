use std::ops::Deref;

use garde::Validate;
use poem::{FromRequest, Request, RequestBody};

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

impl<'a, E: FromRequest<'a> + Validated + Send> FromRequest<'a> for Valid<E> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let extracted = E::from_request(request, body).await?;
        match extracted.value().validate() {
            Ok(()) => Ok(Self(extracted)),
            Err(report) => {
                let mut problem = Problem::unprocessable("the request has wrong fields");
                for (path, error) in report.iter() {
                    problem = problem.field(path.to_string(), error.message());
                }
                Err(problem.into())
            }
        }
    }
}
