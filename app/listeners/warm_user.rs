use std::sync::Arc;

use paravel::{listener, support::BoxError};

use crate::{
    events::{RoleAssigned, UserUpdated},
    services::UserService,
};

/// Has a user in the cache again whose data have changed.
#[listener(name = "user-warming", queue)]
pub async fn warm_user(event: &UserUpdated, users: Arc<dyn UserService>) -> Result<(), BoxError> {
    users.find(event.user).await?;
    Ok(())
}

/// Has a user in the cache again whose roles have changed.
#[listener(name = "user-roles-warming", queue)]
pub async fn warm_user_with_roles(event: &RoleAssigned, users: Arc<dyn UserService>) -> Result<(), BoxError> {
    users.find(event.user).await?;
    Ok(())
}
