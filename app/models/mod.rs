//! What the tables' rows are in the application.

mod credentials;
mod email;
mod permission;
mod role;
mod token;
mod user;

pub use credentials::{Credentials, UserEdit, UserRow};
pub use email::Email;
pub use permission::{
    ALL as ALL_PERMISSIONS, PermissionId, ROLES_MANAGE, RolesManage, USERS_MANAGE, USERS_VIEW, UsersManage, UsersView,
};
pub use role::{Role, RoleEdit, RoleId, RoleWithPermissions};
pub use token::{PersonalAccessToken, TokenId};
pub use user::{User, UserId, UserWithRoles};
