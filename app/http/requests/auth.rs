use garde::Validate;
use paravel::serde::Deserialize;

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
