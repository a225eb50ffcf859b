use std::{collections::BTreeSet, sync::Arc};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    Inject,
    auth::TokenHash,
    database::DbError,
    serde::{Deserialize, Serialize},
    service,
    support::Timestamp,
};

use crate::{
    database::{
        Conn, Database,
        schema::{permissions, personal_access_tokens, role_permissions, user_roles, users},
    },
    models::{Credentials, Email, PersonalAccessToken, TokenId, UserId},
};

/// How many tokens are deleted in one transaction, so that none is long.
const BATCH: usize = 500;

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOwner {
    /// The token's key.
    pub token: TokenId,
    /// When it stops being valid.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whose it is.
    pub user: UserId,
}

/// The personal access tokens' queries, and what else a login and its use ask for. Every request asks whose its token is: that
/// is cached, for a minute, because a cache in this process does not hear of what another one changes.
#[service]
pub trait TokenRepository {
    /// Adds a token to a user whose password still has the hash `proof`, which `renewed` takes the place of; whether
    /// it has. Nothing is added where not.
    async fn create(&self, token: PersonalAccessToken, proof: String, renewed: Option<String>)
    -> Result<bool, DbError>;

    /// What the password of the user with this e-mail address is checked against. Never cached.
    async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, DbError>;

    /// The owner of the token with this hash, unless it is revoked; it may have expired.
    #[cached(key = "tokens:{hash:x}", ttl = "1m", tags("tokens:{hash:x}"))]
    async fn owner(&self, hash: &TokenHash) -> Result<Option<TokenOwner>, DbError>;

    /// The names of the permissions that a user's roles give; nothing where there is no such user.
    #[cached(key = "users:{user}:permissions", ttl = "1m", tags("users:{user}", "roles"))]
    async fn permissions(&self, user: UserId) -> Result<Option<BTreeSet<String>>, DbError>;

    /// Notes that the token with this hash was used.
    #[invalidates(tags("tokens:{hash:x}"))]
    async fn touch(&self, hash: &TokenHash, now: Timestamp) -> Result<(), DbError>;

    /// Revokes the token with this hash; whether there was one to revoke.
    #[invalidates(tags("tokens:{hash:x}"))]
    async fn revoke(&self, hash: &TokenHash, now: Timestamp) -> Result<bool, DbError>;

    /// Deletes the tokens that expired or were revoked before then; how many. What is cached of them is of no use to anybody.
    async fn prune(&self, before: Timestamp) -> Result<usize, DbError>;
}

/// [`TokenRepository`] on the application's database.
#[derive(Inject)]
#[inject(as = dyn TokenRepository)]
pub struct DieselTokens {
    db: Arc<Database>,
}

/// Revokes all of a user's tokens, but for the one with this hash, and says which; joins the caller's transaction, in which the
/// user is locked.
pub(super) async fn revoke_all(
    c: &mut Conn,
    user: UserId,
    but: Option<TokenHash>,
    now: Timestamp,
) -> Result<Vec<TokenHash>, DbError> {
    // No token has an empty hash, so without an exception all are meant.
    let but = but.map(|hash| hash.bytes().to_vec()).unwrap_or_default();
    let tokens = personal_access_tokens::table
        .filter(personal_access_tokens::user_id.eq(user))
        .filter(personal_access_tokens::token_hash.ne(but))
        .filter(personal_access_tokens::revoked_at.is_null());
    let hashes: Vec<Vec<u8>> = tokens.clone().select(personal_access_tokens::token_hash).load(c).await?;
    diesel::update(tokens).set(personal_access_tokens::revoked_at.eq(now)).execute(c).await?;
    let whole = hashes.into_iter().filter_map(|hash| <[u8; 32]>::try_from(hash).ok());
    Ok(whole.map(TokenHash::from).collect())
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

    async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, DbError> {
        self.db
            .read(async |c| {
                let user = users::table.filter(users::email.eq(email.as_str())).select(Credentials::as_select());
                Ok(user.first(c).await.optional()?)
            })
            .await
    }

    async fn owner(&self, hash: &TokenHash) -> Result<Option<TokenOwner>, DbError> {
        self.db
            .read(async |c| {
                let found: Option<(TokenId, Timestamp, Option<Timestamp>, UserId)> = personal_access_tokens::table
                    .filter(personal_access_tokens::token_hash.eq(hash.bytes().as_slice()))
                    .filter(personal_access_tokens::revoked_at.is_null())
                    .select((
                        personal_access_tokens::id,
                        personal_access_tokens::expires_at,
                        personal_access_tokens::last_used_at,
                        personal_access_tokens::user_id,
                    ))
                    .first(c)
                    .await
                    .optional()?;
                let owner =
                    |(token, expires_at, last_used_at, user)| TokenOwner { token, expires_at, last_used_at, user };
                Ok(found.map(owner))
            })
            .await
    }

    async fn permissions(&self, user: UserId) -> Result<Option<BTreeSet<String>>, DbError> {
        self.db
            .read(async |c| {
                // A row for each permission of each role; one without any, where they have none.
                let names: Vec<Option<String>> = users::table
                    .find(user)
                    .left_join(
                        user_roles::table.inner_join(
                            role_permissions::table
                                .on(role_permissions::role_id.eq(user_roles::role_id))
                                .inner_join(permissions::table),
                        ),
                    )
                    .select(permissions::name.nullable())
                    .distinct()
                    .load(c)
                    .await?;
                Ok((!names.is_empty()).then(|| names.into_iter().flatten().collect()))
            })
            .await
    }

    async fn touch(&self, hash: &TokenHash, now: Timestamp) -> Result<(), DbError> {
        let hash = hash.clone();
        self.db
            .write(async move |c| {
                let token = personal_access_tokens::token_hash.eq(hash.bytes().as_slice());
                diesel::update(personal_access_tokens::table.filter(token))
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

    async fn prune(&self, before: Timestamp) -> Result<usize, DbError> {
        let mut pruned = 0;
        loop {
            let deleted = self.db.write(async move |c| delete_some(c, before).await).await?;
            pruned += deleted;
            if deleted < BATCH {
                return Ok(pruned);
            }
        }
    }
}

/// Deletes a batch of the tokens that ended before then; how many.
async fn delete_some(c: &mut Conn, before: Timestamp) -> Result<usize, DbError> {
    let over = personal_access_tokens::expires_at.lt(before).or(personal_access_tokens::revoked_at.lt(before));
    let ids: Vec<TokenId> = personal_access_tokens::table
        .filter(over)
        .select(personal_access_tokens::id)
        .limit(i64::try_from(BATCH).unwrap_or(i64::MAX))
        .load(c)
        .await?;
    let tokens = personal_access_tokens::table.filter(personal_access_tokens::id.eq_any(&ids));
    Ok(diesel::delete(tokens).execute(c).await?)
}
