//! The handlers, one file a resource.

pub mod auth;
pub mod me;
pub mod roles;
mod self_or;
pub mod users;
pub mod welcome;

use std::collections::BTreeSet;

use paravel::{
    auth::{Actor, AuthError},
    http::Result,
};

/// Refuses whoever would give away, or reach, more than they have themselves: else managing users would be a way
/// to every permission.
fn within_reach<'a>(actor: &Actor, permissions: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let beyond: BTreeSet<_> = permissions.into_iter().filter(|permission| !actor.can(permission)).collect();
    match beyond.first() {
        None => Ok(()),
        Some(permission) => Err(AuthError::Forbidden { permission: (*permission).clone() }.into()),
    }
}
