use garde::Validate;
use paravel::{auth::acceptable_password, serde::Deserialize, support::Secret};

use super::not_blank;
use crate::services::NewUser;

/// `POST /api/v1/auth/register`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// What to call them.
    #[garde(length(chars, max = 100), custom(not_blank))]
    pub name: String,
    /// Their e-mail address.
    #[garde(email, length(max = 254))]
    pub email: String,
    /// Their password.
    #[garde(custom(acceptable_password))]
    pub password: String,
}

impl From<&Register> for NewUser {
    fn from(request: &Register) -> Self {
        Self {
            name: request.name.clone(),
            email: request.email.clone(),
            password: Secret::new(request.password.clone()),
        }
    }
}

/// `POST /api/v1/auth/login`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Their e-mail address.
    #[garde(length(min = 1, max = 254))]
    pub email: String,
    /// Their password: any that could have been registered.
    #[garde(length(chars, min = 1, max = 128))]
    pub password: String,
}
