use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use paravel::{
    serde::{Deserialize, Serialize},
    support::{Id, Timestamp},
};

use crate::database::schema::roles;

/// The key of a [`Role`].
pub type RoleId = Id<Role>;

/// A set of permissions with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = roles)]
pub struct Role {
    /// Its key.
    pub id: RoleId,
    /// Its name; unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something of this was last changed.
    pub updated_at: Timestamp,
}

/// What is stored anew of a [`Role`]. What is `None` stays as it is in the table, where somebody else may have changed it
/// meanwhile.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = roles)]
pub struct RoleEdit {
    /// Its name.
    pub name: Option<String>,
    /// What it is for; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// When it is changed.
    pub updated_at: Timestamp,
}

/// A role and the permissions it gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleWithPermissions {
    /// The role.
    pub role: Role,
    /// The names of its permissions, in order.
    pub permissions: Vec<String>,
}
