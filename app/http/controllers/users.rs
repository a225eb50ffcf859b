use std::sync::Arc;

use paravel::{
    auth::Actor,
    container::Inject,
    endpoint,
    facades::Gate,
    http::{Created, Json, Listing, NoContent, Path, Query, Result, Valid},
    poem::http::Uri,
};

use super::within_reach;
use crate::{
    http::{
        requests::{AssignRoles, CreateUser, ListUsers, UpdateUser},
        resources::{One, UserResource},
    },
    models::{USERS_MANAGE, USERS_VIEW, UserId, UserWithRoles},
    services::{NewUser, RoleService, UserChange, UserService},
};

/// Lists the users, with their roles.
#[endpoint]
pub async fn index(
    query: Valid<Query<ListUsers>>,
    uri: &Uri,
    users: Inject<dyn UserService>,
) -> Result<Json<Listing<UserResource>>> {
    Gate::authorize(USERS_VIEW)?;
    let page = users.list(query.page(), query.sort, &query.search).await?;
    Ok(Json(Listing::new(page.map(UserResource::from), uri)))
}

/// Adds a user.
#[endpoint]
pub async fn store(
    body: Valid<Json<CreateUser>>,
    users: Inject<dyn UserService>,
) -> Result<Created<One<UserResource>>> {
    Gate::authorize(USERS_MANAGE)?;
    Ok(Created(One::of(users.create(NewUser::from(&*body)).await?)))
}

/// Shows one user; oneself always.
#[endpoint]
pub async fn show(Path(id): Path<UserId>, users: Inject<dyn UserService>) -> Result<Json<One<UserResource>>> {
    self_or(id, USERS_VIEW)?;
    Ok(Json(One::of(users.find(id).await?)))
}

/// Changes one user; oneself always. A new password ends their other logins.
#[endpoint]
pub async fn update(
    Path(id): Path<UserId>,
    body: Valid<Json<UpdateUser>>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<UserResource>>> {
    let actor = self_or(id, USERS_MANAGE)?;
    reach(&actor, id, &users, &roles).await?;
    let user = users.update(id, UserChange::from(&*body), actor.token.clone()).await?;
    Ok(Json(One::of(user)))
}

/// Deletes one user, with their tokens.
#[endpoint]
pub async fn destroy(
    Path(id): Path<UserId>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<NoContent> {
    let actor = Gate::authorize(USERS_MANAGE)?;
    reach(&actor, id, &users, &roles).await?;
    users.delete(id).await?;
    Ok(NoContent)
}

/// Replaces one user's roles.
#[endpoint]
pub async fn assign_roles(
    Path(id): Path<UserId>,
    body: Valid<Json<AssignRoles>>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<UserResource>>> {
    let actor = Gate::authorize(USERS_MANAGE)?;
    reach(&actor, id, &users, &roles).await?;
    within_reach(&actor, &roles.permissions_of(&body.roles).await?)?;
    let user = users.assign_roles(id, body.roles.clone()).await?;
    Ok(Json(One::of(user)))
}

/// Who asks, where it is about themselves or they have the permission.
fn self_or(id: UserId, permission: &str) -> Result<Arc<Actor>> {
    let actor = Gate::actor()?;
    if actor.id == id.uuid() {
        return Ok(actor);
    }
    Ok(Gate::authorize(permission)?)
}

/// Refuses whoever would change somebody that has more permissions than they.
async fn reach(
    actor: &Actor,
    id: UserId,
    users: &Inject<dyn UserService>,
    roles: &Inject<dyn RoleService>,
) -> Result<()> {
    if actor.id == id.uuid() {
        return Ok(());
    }
    let UserWithRoles { roles: theirs, .. } = users.find(id).await?;
    let names: Vec<_> = theirs.into_iter().map(|role| role.name).collect();
    within_reach(actor, &roles.permissions_of(&names).await?)
}
