use paravel::{auth, support::Id};

/// A permission's row; everywhere else it goes by its name.
#[derive(Debug, Clone, Copy)]
pub enum Permission {}

/// The key of a permission.
pub type PermissionId = Id<Permission>;

/// See other users.
pub const USERS_VIEW: &str = "users.view";
/// Create, change and delete other users, and give them roles.
pub const USERS_MANAGE: &str = "users.manage";
/// Create, change and delete roles.
pub const ROLES_MANAGE: &str = "roles.manage";

/// Every permission there is.
pub const ALL: [&str; 3] = [USERS_VIEW, USERS_MANAGE, ROLES_MANAGE];

/// [`USERS_VIEW`], for a handler's signature.
#[derive(Debug, Clone, Copy)]
pub enum UsersView {}

impl auth::Permission for UsersView {
    const NAME: &'static str = USERS_VIEW;
}

/// [`USERS_MANAGE`], for a handler's signature.
#[derive(Debug, Clone, Copy)]
pub enum UsersManage {}

impl auth::Permission for UsersManage {
    const NAME: &'static str = USERS_MANAGE;
}

/// [`ROLES_MANAGE`], for a handler's signature.
#[derive(Debug, Clone, Copy)]
pub enum RolesManage {}

impl auth::Permission for RolesManage {
    const NAME: &'static str = ROLES_MANAGE;
}
