use paravel::{
    auth::Actor,
    container::Inject,
    endpoint,
    http::{Can, Created, Json, Listing, NoContent, Path, Query, Result, Valid},
    poem::http::Uri,
};

use super::{self_or::SelfOr, within_reach};
use crate::{
    http::{
        requests::{AssignRoles, CreateUser, ListUsers, UpdateUser},
        resources::{One, UserResource},
    },
    models::{UserId, UserWithRoles, UsersManage, UsersView},
    services::{NewUser, RoleService, UserChange, UserService},
};

/// Lists the users, with their roles.
#[endpoint]
pub async fn index(
    _: Can<UsersView>,
    query: Valid<Query<ListUsers>>,
    uri: &Uri,
    users: Inject<dyn UserService>,
) -> Result<Json<Listing<UserResource>>> {
    let page = users.list(query.page(), query.sort, &query.search).await?;
    Ok(Json(Listing::new(page.map(UserResource::from), uri)))
}

/// Adds a user.
#[endpoint]
pub async fn store(
    _: Can<UsersManage>,
    body: Valid<Json<CreateUser>>,
    users: Inject<dyn UserService>,
) -> Result<Created<One<UserResource>>> {
    Ok(Created(One::of(users.create(NewUser::from(&*body)).await?)))
}

/// Shows one user; oneself always.
#[endpoint]
pub async fn show(asked: SelfOr<UsersView>, users: Inject<dyn UserService>) -> Result<Json<One<UserResource>>> {
    Ok(Json(One::of(users.find(asked.id).await?)))
}

/// Changes one user; oneself always. A new password ends their other logins.
#[endpoint]
pub async fn update(
    SelfOr { actor, id, .. }: SelfOr<UsersManage>,
    body: Valid<Json<UpdateUser>>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<UserResource>>> {
    reach(&actor, id, &users, &roles).await?;
    let user = users.update(id, UserChange::from(&*body), actor.token.clone()).await?;
    Ok(Json(One::of(user)))
}

/// Deletes one user, with their tokens.
#[endpoint]
pub async fn destroy(
    Path(id): Path<UserId>,
    actor: Can<UsersManage>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<NoContent> {
    reach(&actor, id, &users, &roles).await?;
    users.delete(id).await?;
    Ok(NoContent)
}

/// Replaces one user's roles.
#[endpoint]
pub async fn assign_roles(
    Path(id): Path<UserId>,
    actor: Can<UsersManage>,
    body: Valid<Json<AssignRoles>>,
    users: Inject<dyn UserService>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<UserResource>>> {
    reach(&actor, id, &users, &roles).await?;
    within_reach(&actor, &roles.permissions_of(&body.roles).await?)?;
    let user = users.assign_roles(id, body.roles.clone()).await?;
    Ok(Json(One::of(user)))
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
