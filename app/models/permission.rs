use paravel::support::Id;

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
