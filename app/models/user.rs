use diesel::{Insertable, Queryable, Selectable};
use paravel::{
    serde::{Deserialize, Serialize},
    support::{Id, Timestamp},
};

use super::Role;
use crate::database::schema::users;

/// The key of a [`User`].
pub type UserId = Id<User>;

/// Somebody who can log in. Their password's hash is not in here but in their [`Credentials`](super::Credentials), so that it
/// goes nowhere with them: into no cache, and into no log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub struct User {
    /// Their key.
    pub id: UserId,
    /// What to call them.
    pub name: String,
    /// Their e-mail address, in lower case; unique.
    pub email: String,
    /// When they were registered.
    pub created_at: Timestamp,
    /// When something of this was last changed.
    pub updated_at: Timestamp,
}

/// A user and the roles they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserWithRoles {
    /// The user.
    pub user: User,
    /// Their roles, by name.
    pub roles: Vec<Role>,
}
