use std::sync::Arc;

use paravel::{
    Inject,
    auth::{HashError, Hasher, TokenHash},
    container::ContainerError,
    database::{DbError, Page, PageRequest},
    service,
    support::{Clock, Patch, Secret, nearest},
};

use crate::{
    models::{User, UserEdit, UserId, UserWithRoles},
    repositories::{Guarded, ListRequest, RoleRepository, UserRepository, UserSort},
};

/// The role of somebody who is given no other.
const DEFAULT_ROLE: &str = "member";

/// The users.
#[service(facade = Users)]
pub trait UserService {
    /// One page of users with their roles.
    async fn list(&self, page: PageRequest, sort: UserSort, search: &str) -> Result<Page<UserWithRoles>, UserError>;

    /// The user of this key, with their roles.
    async fn find(&self, id: UserId) -> Result<UserWithRoles, UserError>;

    /// The user of this e-mail address.
    async fn find_by_email(&self, email: &str) -> Result<Option<User>, UserError>;

    /// Adds a user and says so by [`UserRegistered`](crate::events::UserRegistered).
    #[audited("user.created")]
    async fn create(&self, user: NewUser) -> Result<UserWithRoles, UserError>;

    /// Changes a user. A new password revokes their tokens, but for `current`.
    #[audited("user.updated", before = find(id))]
    async fn update(
        &self,
        id: UserId,
        change: UserChange,
        current: Option<TokenHash>,
    ) -> Result<UserWithRoles, UserError>;

    /// Deletes a user with their tokens; never the last who can manage users and roles.
    #[audited("user.deleted", before = find(id))]
    async fn delete(&self, id: UserId) -> Result<(), UserError>;

    /// Replaces a user's roles; never those of the last who can manage users and roles by ones that do not.
    #[audited("user.roles_assigned", before = find(id))]
    async fn assign_roles(&self, id: UserId, roles: Vec<String>) -> Result<UserWithRoles, UserError>;
}

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What to call them.
    pub name: String,
    /// Their e-mail address, in any case.
    pub email: String,
    /// Their password.
    pub password: Secret<String>,
    /// The names of their roles; none makes them a member.
    pub roles: Vec<String>,
}

/// What is to be changed of a user.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What to call them.
    pub name: Patch<String>,
    /// Their e-mail address, in any case.
    pub email: Patch<String>,
    /// Their password.
    pub password: Patch<Secret<String>>,
}

/// A user could not be had or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// Somebody else has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// A role that does not exist.
    #[error("there is no role `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownRole {
        /// The name.
        name: String,
        /// A role's name that it may have been meant for.
        nearest: Option<String>,
    },
    /// The role of everybody who is given no other does not exist.
    #[error(
        "the role `{DEFAULT_ROLE}`, which every new user gets, does not exist: run `cargo artisan db:seed --class roles`"
    )]
    NoDefaultRole,
    /// Nobody would be left to give anybody their rights back.
    #[error("nobody else can manage both users and roles: give somebody a role with these permissions first")]
    LastManager,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// There is no application here.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// [`UserService`] on the repositories.
#[derive(Inject)]
#[inject(as = dyn UserService)]
pub struct AppUsers {
    users: Arc<dyn UserRepository>,
    roles: Arc<dyn RoleRepository>,
    hasher: Arc<dyn Hasher>,
    clock: Arc<dyn Clock>,
}

/// The only unique value besides the key is the e-mail address.
fn taken(error: DbError) -> UserError {
    if error.is_unique_violation() { UserError::EmailTaken } else { error.into() }
}

fn each_once(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

impl AppUsers {
    /// Which of these roles does not exist.
    async fn unknown_role(&self, names: &[String]) -> Result<Option<UserError>, DbError> {
        let known = self.roles.names().await?;
        let Some(name) = names.iter().find(|name| !known.contains(name)) else { return Ok(None) };
        let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Ok(Some(UserError::UnknownRole { name: name.clone(), nearest }))
    }
}

fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

#[service]
impl UserService for AppUsers {
    async fn list(&self, page: PageRequest, sort: UserSort, search: &str) -> Result<Page<UserWithRoles>, UserError> {
        Ok(self.users.page(ListRequest { page, sort, search }).await?)
    }

    async fn find(&self, id: UserId) -> Result<UserWithRoles, UserError> {
        self.users.find(id).await?.ok_or(UserError::NotFound)
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<User>, UserError> {
        Ok(self.users.find_by_email(&normal(email)).await?)
    }

    async fn create(&self, new: NewUser) -> Result<UserWithRoles, UserError> {
        let email = normal(&new.email);
        // Before the costly hash; the unique index has the last word.
        if self.users.find_by_email(&email).await?.is_some() {
            return Err(UserError::EmailTaken);
        }
        let roles = match new.roles.is_empty() {
            true => vec![DEFAULT_ROLE.to_owned()],
            false => each_once(new.roles.clone()),
        };
        if let Some(unknown) = self.unknown_role(&roles).await? {
            return Err(if new.roles.is_empty() { UserError::NoDefaultRole } else { unknown });
        }
        let now = self.clock.now();
        let user = User {
            id: UserId::new(),
            name: new.name.trim().to_owned(),
            email,
            password_hash: self.hasher.make(new.password).await?,
            created_at: now,
            updated_at: now,
        };
        let id = user.id;
        if !self.users.create(user, roles.clone()).await.map_err(taken)? {
            // A role that went away meanwhile.
            return Err(self.unknown_role(&roles).await?.unwrap_or(UserError::NoDefaultRole));
        }
        self.find(id).await
    }

    async fn update(
        &self,
        id: UserId,
        change: UserChange,
        current: Option<TokenHash>,
    ) -> Result<UserWithRoles, UserError> {
        // Nothing to change is no change.
        if matches!((&change.name, &change.email, &change.password), (Patch::Absent, Patch::Absent, Patch::Absent)) {
            return self.find(id).await;
        }
        let edit = UserEdit {
            name: change.name.value().map(|name| name.trim().to_owned()),
            email: change.email.value().map(|email| normal(&email)),
            password_hash: match change.password {
                Patch::Value(password) => Some(self.hasher.make(password).await?),
                Patch::Absent => None,
            },
            updated_at: self.clock.now(),
        };
        if !self.users.update(id, edit, current).await.map_err(taken)? {
            return Err(UserError::NotFound);
        }
        self.find(id).await
    }

    async fn delete(&self, id: UserId) -> Result<(), UserError> {
        match self.users.delete(id).await? {
            Guarded::Done => Ok(()),
            Guarded::NotFound => Err(UserError::NotFound),
            Guarded::LastManager => Err(UserError::LastManager),
        }
    }

    async fn assign_roles(&self, id: UserId, roles: Vec<String>) -> Result<UserWithRoles, UserError> {
        let roles = each_once(roles);
        let before = self.find(id).await?;
        match self.users.set_roles(before.user.id, roles.clone(), self.clock.now()).await? {
            Guarded::Done => self.find(id).await,
            Guarded::NotFound => Err(self.unknown_role(&roles).await?.unwrap_or(UserError::NotFound)),
            Guarded::LastManager => Err(UserError::LastManager),
        }
    }
}
