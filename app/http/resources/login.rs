use paravel::{serde::Serialize, support::Timestamp};

use super::UserResource;
use crate::services::Login;

/// A new login: the one place where a token is sent.
#[derive(Serialize)]
pub struct LoginResource {
    token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    user: UserResource,
}

impl From<Login> for LoginResource {
    fn from(login: Login) -> Self {
        Self {
            token: login.token.text().expose().clone(),
            token_type: "Bearer",
            expires_at: login.expires_at,
            user: login.user.into(),
        }
    }
}
