use std::fmt;

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use paravel::support::Timestamp;

use super::{User, UserId};
use crate::database::schema::users;

/// What a password is checked against. It is read anew each time, and kept by no cache.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Credentials {
    /// Whose they are.
    pub id: UserId,
    /// The argon2id hash of their password.
    pub password_hash: String,
}

/// A user's whole row, as it is added.
#[derive(Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    /// The user.
    #[diesel(embed)]
    pub user: User,
    /// The argon2id hash of their password.
    pub password_hash: String,
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

// Without the password's hash, which is nobody's business.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRow").field("user", &self.user).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserEdit").field("name", &self.name).field("email", &self.email).finish_non_exhaustive()
    }
}
