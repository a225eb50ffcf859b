use std::fmt;

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use paravel::{
    serde::Serialize,
    support::{Id, Timestamp},
};

use super::Role;
use crate::database::schema::users;

/// The key of a [`User`].
pub type UserId = Id<User>;

/// Somebody who can log in.
#[derive(Clone, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub struct User {
    /// Its key.
    pub id: UserId,
    /// What to call them.
    pub name: String,
    /// Their e-mail address, in lower case; unique.
    pub email: String,
    /// The argon2id hash of their password, which stays out of JSON.
    #[serde(skip)]
    pub password_hash: String,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When something of this was last changed.
    pub updated_at: Timestamp,
}

// Without the password's hash, which is nobody's business.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("User");
        shown.field("id", &self.id).field("name", &self.name).field("email", &self.email).finish_non_exhaustive()
    }
}

/// What is stored anew of a [`User`]. What is `None` stays as it is in the table, where somebody else may have changed it
/// meanwhile.
#[derive(Clone, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserEdit {
    /// What to call them.
    pub name: Option<String>,
    /// Their e-mail address, in lower case.
    pub email: Option<String>,
    /// The argon2id hash of their password.
    pub password_hash: Option<String>,
    /// When it is changed.
    pub updated_at: Timestamp,
}

impl fmt::Debug for UserEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserEdit").field("name", &self.name).field("email", &self.email).finish_non_exhaustive()
    }
}

/// A user and the roles they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserWithRoles {
    /// The user.
    pub user: User,
    /// Their roles, by name.
    pub roles: Vec<Role>,
}
