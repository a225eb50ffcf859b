use std::sync::Arc;

use paravel::{listener, support::BoxError};

use crate::{
    events::{RoleAssigned, UserUpdated},
    models::UserId,
    services::{UserError, UserService},
};

/// Has a user in the cache again whose data have changed.
#[listener(name = "user-warming", queue)]
pub async fn warm_user(event: &UserUpdated, users: Arc<dyn UserService>) -> Result<(), BoxError> {
    warm(event.user, &*users).await
}

/// Has a user in the cache again whose roles have changed.
#[listener(name = "user-roles-warming", queue)]
pub async fn warm_user_with_roles(event: &RoleAssigned, users: Arc<dyn UserService>) -> Result<(), BoxError> {
    warm(event.user, &*users).await
}

/// Whoever is gone by now is nothing to be kept.
async fn warm(user: UserId, users: &dyn UserService) -> Result<(), BoxError> {
    match users.find(user).await {
        Ok(_) | Err(UserError::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
