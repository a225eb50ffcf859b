use paravel::{
    container::Inject,
    endpoint,
    facades::Gate,
    http::{Json, Result},
};

use crate::{
    http::resources::{One, UserResource},
    models::UserId,
    services::UserService,
};

/// Shows who asks.
#[endpoint]
pub async fn show(users: Inject<dyn UserService>) -> Result<Json<One<UserResource>>> {
    let id = UserId::from_uuid(Gate::actor()?.id);
    Ok(Json(One::of(users.find(id).await?)))
}
