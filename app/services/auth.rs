use std::sync::Arc;

use paravel::{
    Inject,
    auth::{HashError, Hasher, Token, TokenHash},
    config::AuthConfig,
    container::ContainerError,
    database::DbError,
    service,
    support::{BoxError, Clock, Secret, Timestamp},
};

use super::{NewUser, UserError, UserService};
use crate::{
    models::{Credentials, Email, PersonalAccessToken, TokenId, UserId, UserWithRoles},
    repositories::TokenRepository,
};

/// Registering, logging in and out.
#[service(facade = Auth)]
pub trait AuthService {
    /// Adds a user and logs them in.
    async fn register(&self, user: NewUser) -> Result<Login, LoginError>;

    /// Logs a user in. Whether there is such a user can be told neither from the answer nor from the time it takes.
    async fn login(&self, email: &str, password: Secret<String>) -> Result<Login, LoginError>;

    /// Revokes a token; one that is revoked already is left as it is.
    async fn logout(&self, token: &TokenHash) -> Result<(), LoginError>;
}

/// A new login.
#[derive(Debug)]
pub struct Login {
    /// The token, which is shown once.
    pub token: Token,
    /// When it stops being valid.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub user: UserWithRoles,
}

/// Nobody could be logged in or out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// No such user, or another password.
    #[error("the e-mail address or the password is wrong")]
    BadCredentials,
    /// The user could not be had or added.
    #[error(transparent)]
    User(#[from] UserError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// No token could be made.
    #[error("no token could be made: {0}")]
    Random(BoxError),
    /// There is no application here.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// [`AuthService`] on the repositories.
#[derive(Inject)]
#[inject(as = dyn AuthService)]
pub struct AppAuth {
    users: Arc<dyn UserService>,
    tokens: Arc<dyn TokenRepository>,
    hasher: Arc<dyn Hasher>,
    clock: Arc<dyn Clock>,
    config: Arc<AuthConfig>,
}

impl AppAuth {
    /// Makes a token for a user whose password was found right against this hash, which a stronger one takes the place of.
    async fn issue(
        &self,
        user: UserId,
        proof: String,
        renewed: Option<String>,
    ) -> Result<(Token, Timestamp), LoginError> {
        let token = Token::generate().map_err(|error| LoginError::Random(error.into()))?;
        let now = self.clock.now();
        let expires_at = now.plus(self.config.token_ttl);
        let row = PersonalAccessToken {
            id: TokenId::new(),
            user_id: user,
            name: "login".to_owned(),
            token_hash: token.hash().bytes().to_vec(),
            expires_at,
            last_used_at: None,
            revoked_at: None,
            created_at: now,
        };
        if !self.tokens.create(row, proof, renewed).await? {
            // They have another password by now, or are gone.
            return Err(LoginError::BadCredentials);
        }
        Ok((token, expires_at))
    }
}

#[service]
impl AuthService for AppAuth {
    async fn register(&self, user: NewUser) -> Result<Login, LoginError> {
        let user = self.users.create(user).await?;
        let own = self.tokens.credentials(&Email::new(&user.user.email)).await?.filter(|own| own.id == user.user.id);
        let Some(Credentials { id, password_hash }) = own else { return Err(LoginError::BadCredentials) };
        let (token, expires_at) = self.issue(id, password_hash, None).await?;
        Ok(Login { token, expires_at, user })
    }

    async fn login(&self, email: &str, password: Secret<String>) -> Result<Login, LoginError> {
        let known = self.tokens.credentials(&Email::new(email)).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let right = self.hasher.check(password.clone(), hash).await?;
        let Some(Credentials { id, password_hash }) = known.filter(|_| right) else {
            return Err(LoginError::BadCredentials);
        };
        // The one moment at which the password is at hand: where hashes are to be stronger by now, its own is made anew.
        let renewed = match self.hasher.needs_rehash(&password_hash) {
            true => Some(self.hasher.make(password).await?),
            false => None,
        };
        let (token, expires_at) = self.issue(id, password_hash, renewed).await?;
        Ok(Login { token, expires_at, user: self.users.find(id).await? })
    }

    async fn logout(&self, token: &TokenHash) -> Result<(), LoginError> {
        self.tokens.revoke(token, self.clock.now()).await?;
        Ok(())
    }
}
