use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{Inject, auth::TokenHash, database::DbError, service, support::Timestamp};

use crate::{
    database::{
        Conn, Database,
        schema::{permissions, personal_access_tokens, role_permissions, user_roles, users},
    },
    models::{PersonalAccessToken, TokenId, UserId},
};

/// Whose a valid token is, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    /// The token's key.
    pub token: TokenId,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whose it is.
    pub user: UserId,
    /// The names of the permissions their roles give.
    pub permissions: Vec<String>,
}

/// The personal access tokens' queries.
#[service]
pub trait TokenRepository {
    /// Adds a token to a user whose password still has the hash `proof`, which `renewed` takes the place of; whether
    /// it has. Nothing is added where not.
    async fn create(&self, token: PersonalAccessToken, proof: String, renewed: Option<String>)
    -> Result<bool, DbError>;

    /// The owner of the token with this hash, where it is valid now.
    async fn owner(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenOwner>, DbError>;

    /// Notes that a token was used.
    async fn touch(&self, token: TokenId, now: Timestamp) -> Result<(), DbError>;

    /// Revokes the token with this hash; whether there was one to revoke.
    async fn revoke(&self, hash: &TokenHash, now: Timestamp) -> Result<bool, DbError>;
}

/// [`TokenRepository`] on the application's database.
#[derive(Inject)]
#[inject(as = dyn TokenRepository)]
pub struct DieselTokens {
    db: Arc<Database>,
}

/// Revokes all of a user's tokens, but for the one with this hash; joins the caller's transaction.
pub(super) async fn revoke_all(
    c: &mut Conn,
    user: UserId,
    but: Option<TokenHash>,
    now: Timestamp,
) -> Result<(), DbError> {
    // No token has an empty hash, so without an exception all are meant.
    let but = but.map(|hash| hash.bytes().to_vec()).unwrap_or_default();
    let tokens = personal_access_tokens::table
        .filter(personal_access_tokens::user_id.eq(user))
        .filter(personal_access_tokens::token_hash.ne(but))
        .filter(personal_access_tokens::revoked_at.is_null());
    diesel::update(tokens).set(personal_access_tokens::revoked_at.eq(now)).execute(c).await?;
    Ok(())
}

#[service]
impl TokenRepository for DieselTokens {
    async fn create(
        &self,
        token: PersonalAccessToken,
        proof: String,
        renewed: Option<String>,
    ) -> Result<bool, DbError> {
        self.db
            .write(async move |c| {
                let user = users::table.find(token.user_id);
                let hash = renewed.unwrap_or_else(|| proof.clone());
                // It locks the user, on a server too: a change of the password is either over and seen here, or waits and
                // then finds this token among those to be revoked.
                let held = user.filter(users::password_hash.eq(proof));
                diesel::update(held).set(users::password_hash.eq(&hash)).execute(c).await?;
                // Not by how many rows were changed: not every backend counts one that stays as it was.
                let held: i64 = user.filter(users::password_hash.eq(hash)).count().get_result(c).await?;
                if held == 0 {
                    return Ok(false);
                }
                diesel::insert_into(personal_access_tokens::table).values(&token).execute(c).await?;
                Ok(true)
            })
            .await
    }

    async fn owner(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenOwner>, DbError> {
        self.db
            .read(async |c| {
                let found: Option<(TokenId, Option<Timestamp>, UserId)> = personal_access_tokens::table
                    .filter(personal_access_tokens::token_hash.eq(hash.bytes().as_slice()))
                    .filter(personal_access_tokens::revoked_at.is_null())
                    .filter(personal_access_tokens::expires_at.gt(now))
                    .select((
                        personal_access_tokens::id,
                        personal_access_tokens::last_used_at,
                        personal_access_tokens::user_id,
                    ))
                    .first(c)
                    .await
                    .optional()?;
                let Some((token, last_used_at, user)) = found else { return Ok(None) };
                let permissions = user_roles::table
                    .inner_join(role_permissions::table.on(role_permissions::role_id.eq(user_roles::role_id)))
                    .inner_join(permissions::table.on(permissions::id.eq(role_permissions::permission_id)))
                    .filter(user_roles::user_id.eq(user))
                    .select(permissions::name)
                    .distinct()
                    .load(c)
                    .await?;
                Ok(Some(TokenOwner { token, last_used_at, user, permissions }))
            })
            .await
    }

    async fn touch(&self, token: TokenId, now: Timestamp) -> Result<(), DbError> {
        self.db
            .write(async move |c| {
                diesel::update(personal_access_tokens::table.find(token))
                    .set(personal_access_tokens::last_used_at.eq(now))
                    .execute(c)
                    .await?;
                Ok(())
            })
            .await
    }

    async fn revoke(&self, hash: &TokenHash, now: Timestamp) -> Result<bool, DbError> {
        let hash = hash.clone();
        self.db
            .write(async move |c| {
                let token = personal_access_tokens::table
                    .filter(personal_access_tokens::token_hash.eq(hash.bytes().as_slice()))
                    .filter(personal_access_tokens::revoked_at.is_null());
                let revoked = diesel::update(token).set(personal_access_tokens::revoked_at.eq(now)).execute(c).await?;
                Ok(revoked == 1)
            })
            .await
    }
}
