use std::fmt;

use diesel::{Insertable, Queryable, Selectable};
use paravel::support::{Id, Timestamp};

use super::UserId;
use crate::database::schema::personal_access_tokens;

/// The key of a [`PersonalAccessToken`].
pub type TokenId = Id<PersonalAccessToken>;

/// A bearer token's row. The token itself is nowhere: only its hash is kept.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = personal_access_tokens)]
pub struct PersonalAccessToken {
    /// Its key.
    pub id: TokenId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it was made for.
    pub name: String,
    /// The SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// When it stops being valid.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

// Without the token's hash, which is nobody's business.
impl fmt::Debug for PersonalAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PersonalAccessToken");
        shown.field("id", &self.id).field("user_id", &self.user_id).field("name", &self.name).finish_non_exhaustive()
    }
}
