//! How the services' errors are shown to clients.

use paravel::http::Problem;

use crate::services::{LoginError, RoleError, UserError};

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NotFound => Self::not_found(error.to_string()),
            UserError::EmailTaken => Self::conflict(error.to_string()).field("email", "is taken"),
            UserError::UnknownRole { .. } => {
                Self::unprocessable(error.to_string()).field("roles", "names a role that does not exist")
            }
            UserError::LastManager => Self::conflict(error.to_string()),
            UserError::NoDefaultRole => Self::internal(error),
            UserError::Database(error) => error.into(),
            UserError::Hash(error) => error.into(),
            UserError::Container(error) => error.into(),
        }
    }
}

impl From<RoleError> for Problem {
    fn from(error: RoleError) -> Self {
        match error {
            RoleError::NotFound => Self::not_found(error.to_string()),
            RoleError::NameTaken => Self::conflict(error.to_string()).field("name", "is taken"),
            RoleError::UnknownPermission => {
                Self::unprocessable(error.to_string()).field("permissions", "names a permission that does not exist")
            }
            RoleError::LastManager => Self::conflict(error.to_string()),
            RoleError::Database(error) => error.into(),
            RoleError::Container(error) => error.into(),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::BadCredentials => Self::unauthenticated(error.to_string()),
            LoginError::User(error) => error.into(),
            LoginError::Database(error) => error.into(),
            LoginError::Hash(error) => error.into(),
            LoginError::Random(error) => Self::internal(error),
            LoginError::Container(error) => error.into(),
        }
    }
}
