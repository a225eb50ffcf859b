use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::database::DbError;

use super::Undone;
use crate::{
    database::{
        Conn,
        schema::{permissions, role_permissions, user_roles},
    },
    models::{ROLES_MANAGE, USERS_MANAGE, UserId},
};

/// Undoes the transaction where there were managers before and are none now.
pub(super) async fn still_there(c: &mut Conn, before: bool) -> Result<(), Undone> {
    if before && !are_there(c).await? { Err(Undone::LastManager) } else { Ok(()) }
}

/// Whether there is somebody who can manage both users and roles, and so give anybody back what they lost. Asked before a
/// change that could take it from the last, it keeps others from making such a change until the transaction has ended.
pub(super) async fn are_there(c: &mut Conn) -> Result<bool, DbError> {
    // On a server two could each take it from the other: this row is locked by whoever looks. Before the first SELECT,
    // because what that sees may count for the whole transaction.
    let lock = permissions::table.filter(permissions::name.eq(ROLES_MANAGE));
    diesel::update(lock).set(permissions::name.eq(ROLES_MANAGE)).execute(c).await?;
    let holders: Vec<(UserId, String)> = user_roles::table
        .inner_join(role_permissions::table.on(role_permissions::role_id.eq(user_roles::role_id)))
        .inner_join(permissions::table.on(permissions::id.eq(role_permissions::permission_id)))
        .filter(permissions::name.eq_any([USERS_MANAGE, ROLES_MANAGE]))
        .select((user_roles::user_id, permissions::name))
        .distinct()
        .load(c)
        .await?;
    let mut seen = HashSet::new();
    Ok(holders.iter().any(|(user, _)| !seen.insert(*user)))
}
