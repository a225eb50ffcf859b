use paravel::{
    container::Inject,
    endpoint,
    http::{Can, Created, Json, Listing, NoContent, Path, Query, Result, Valid},
    poem::http::Uri,
    support::Patch,
};

use super::within_reach;
use crate::{
    http::{
        requests::{CreateRole, ListRoles, UpdateRole},
        resources::{One, RoleResource},
    },
    models::{RoleId, RolesManage},
    services::{NewRole, RoleChange, RoleService},
};

/// Lists the roles, with their permissions.
#[endpoint]
pub async fn index(
    _: Can<RolesManage>,
    query: Valid<Query<ListRoles>>,
    uri: &Uri,
    roles: Inject<dyn RoleService>,
) -> Result<Json<Listing<RoleResource>>> {
    let page = roles.list(query.page(), query.sort, &query.search).await?;
    Ok(Json(Listing::new(page.map(RoleResource::from), uri)))
}

/// Adds a role.
#[endpoint]
pub async fn store(
    actor: Can<RolesManage>,
    body: Valid<Json<CreateRole>>,
    roles: Inject<dyn RoleService>,
) -> Result<Created<One<RoleResource>>> {
    let role = NewRole::from(&*body);
    within_reach(&actor, known(&role.permissions))?;
    Ok(Created(One::of(roles.create(role).await?)))
}

/// Shows one role.
#[endpoint]
pub async fn show(
    Path(id): Path<RoleId>,
    _: Can<RolesManage>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<RoleResource>>> {
    Ok(Json(One::of(roles.find(id).await?)))
}

/// Changes one role.
#[endpoint]
pub async fn update(
    Path(id): Path<RoleId>,
    actor: Can<RolesManage>,
    body: Valid<Json<UpdateRole>>,
    roles: Inject<dyn RoleService>,
) -> Result<Json<One<RoleResource>>> {
    let change = RoleChange::from(&*body);
    within_reach(&actor, &roles.find(id).await?.permissions)?;
    if let Patch::Value(permissions) = &change.permissions {
        within_reach(&actor, known(permissions))?;
    }
    Ok(Json(One::of(roles.update(id, change).await?)))
}

/// Deletes one role; users lose it.
#[endpoint]
pub async fn destroy(
    Path(id): Path<RoleId>,
    actor: Can<RolesManage>,
    roles: Inject<dyn RoleService>,
) -> Result<NoContent> {
    within_reach(&actor, &roles.find(id).await?.permissions)?;
    roles.delete(id).await?;
    Ok(NoContent)
}

/// Those that the application has; others are the service's to refuse.
fn known(permissions: &[String]) -> impl Iterator<Item = &String> {
    permissions.iter().filter(|name| crate::models::ALL_PERMISSIONS.contains(&name.as_str()))
}
