use std::sync::Arc;

use paravel::{
    Inject,
    auth::{Gate, HashError, Hasher, TokenHash},
    cache::Cache,
    container::ContainerError,
    database::{DbError, Page, PageRequest},
    service,
    service::prefetch,
    support::{Clock, Patch, Secret, did_you_mean, nearest},
};

use super::each_once;
use crate::{
    models::{Email, User, UserEdit, UserId, UserRow, UserWithRoles},
    repositories::{ListRequest, RoleRepository, Undone, UserRepository, UserSort},
};

/// The role of somebody who is given no other.
const DEFAULT_ROLE: &str = "member";

/// The users. What is cached of one is so for five minutes, because a cache in this process does not hear of what another one
/// changes.
#[service(facade = Users)]
pub trait UserService {
    /// One page of users with their roles.
    async fn list(&self, page: PageRequest, sort: UserSort, search: &str) -> Result<Page<UserWithRoles>, UserError>;

    /// The user of this key, with their roles.
    #[cached(key = "users:{id}", ttl = "5m", tags("users:{id}", "roles"))]
    async fn find(&self, id: UserId) -> Result<UserWithRoles, UserError>;

    /// The user of this e-mail address. What is cached goes with the transaction that changes their row: it knows the old address.
    #[cached(key = "users:email:{email}", ttl = "5m", tags("users:email:{email}"))]
    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, UserError>;

    /// Puts these users into the cache, where they are not in it, by their keys and by their e-mail addresses: a few queries,
    /// however many users. How many there are.
    async fn prefetch(&self, users: &[(UserId, Email)]) -> Result<usize, UserError>;

    /// Adds a user and says so by [`UserRegistered`](crate::events::UserRegistered), of which the audit log hears.
    async fn create(&self, user: NewUser) -> Result<UserWithRoles, UserError>;

    /// Changes a user. A new password revokes their tokens, but for `current`.
    #[audited("user.updated", before = find(id))]
    #[invalidates(tags("users:{id}"))]
    async fn update(
        &self,
        id: UserId,
        change: UserChange,
        current: Option<TokenHash>,
    ) -> Result<UserWithRoles, UserError>;

    /// Deletes a user with their tokens; never the last who can manage users and roles.
    #[audited("user.deleted", before = find(id))]
    #[invalidates(tags("users:{id}"))]
    async fn delete(&self, id: UserId) -> Result<(), UserError>;

    /// Replaces a user's roles; never those of the last who can manage users and roles by ones that do not.
    #[audited("user.roles_assigned", before = find(id))]
    #[invalidates(tags("users:{id}"))]
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
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// Somebody else has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// A role that does not exist.
    #[error("there is no role `{name}`{}", did_you_mean(nearest.as_deref()))]
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
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
}

impl AppUsers {
    /// Why a user was not changed, or given these roles.
    async fn refused(&self, undone: Undone, roles: &[String]) -> UserError {
        match undone {
            Undone::NotFound => UserError::NotFound,
            Undone::UnknownName => self.unknown_role(roles).await.unwrap_or_else(UserError::from),
            Undone::LastManager => UserError::LastManager,
            // The only unique value besides the key is the e-mail address.
            Undone::Database(error) if error.is_unique_violation() => UserError::EmailTaken,
            Undone::Database(error) => error.into(),
        }
    }

    /// Which of these roles does not exist.
    async fn unknown_role(&self, names: &[String]) -> Result<UserError, DbError> {
        let known = self.roles.names().await?;
        // Where all are there by now, any was the one.
        let name = names.iter().find(|name| !known.contains(name)).or(names.first()).cloned().unwrap_or_default();
        let nearest = nearest(&name, known.iter().map(String::as_str)).map(str::to_owned);
        Ok(UserError::UnknownRole { name, nearest })
    }

    async fn by_key(&self, ids: Vec<UserId>) -> Result<Vec<(UserId, UserWithRoles)>, DbError> {
        Ok(self.users.many(&ids).await?.into_iter().map(|found| (found.user.id, found)).collect())
    }

    async fn by_email(&self, users: Vec<(UserId, Email)>) -> Result<Vec<((UserId, Email), Option<User>)>, DbError> {
        let ids: Vec<_> = users.iter().map(|(id, _)| *id).collect();
        let found = self.users.many(&ids).await?.into_iter().map(|found| found.user);
        // By the address that they have now.
        Ok(found.map(|user| ((user.id, Email::new(&user.email)), Some(user))).collect())
    }
}

#[service]
impl UserService for AppUsers {
    async fn list(&self, page: PageRequest, sort: UserSort, search: &str) -> Result<Page<UserWithRoles>, UserError> {
        Ok(self.users.page(ListRequest { page, sort, search }).await?)
    }

    async fn find(&self, id: UserId) -> Result<UserWithRoles, UserError> {
        self.users.find(id).await?.ok_or(UserError::NotFound)
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, UserError> {
        Ok(self.users.find_by_email(email).await?)
    }

    async fn prefetch(&self, users: &[(UserId, Email)]) -> Result<usize, UserError> {
        let ids = users.iter().map(|(id, _)| *id);
        let found =
            prefetch(&self.cache, ids, |id| <dyn UserService>::cached_find(*id), |ids| self.by_key(ids)).await?;
        let slot = |(_, email): &(UserId, Email)| <dyn UserService>::cached_find_by_email(email);
        prefetch(&self.cache, users.iter().cloned(), slot, |users| self.by_email(users)).await?;
        Ok(found)
    }

    async fn create(&self, new: NewUser) -> Result<UserWithRoles, UserError> {
        let email = Email::new(&new.email);
        // Before the costly hash; the unique index has the last word.
        if self.users.find_by_email(&email).await?.is_some() {
            return Err(UserError::EmailTaken);
        }
        let roles = match new.roles.is_empty() {
            true => vec![DEFAULT_ROLE.to_owned()],
            false => each_once(new.roles.clone()),
        };
        let now = self.clock.now();
        let user = User {
            id: UserId::new(),
            name: new.name.trim().to_owned(),
            email: email.into(),
            created_at: now,
            updated_at: now,
        };
        let row = UserRow { user: user.clone(), password_hash: self.hasher.make(new.password).await? };
        let by = self.gate.actor().ok().map(|actor| UserId::from_uuid(actor.id));
        match self.users.create(row, roles.clone(), by).await {
            Ok(roles) => Ok(UserWithRoles { user, roles }),
            Err(Undone::UnknownName) if new.roles.is_empty() => Err(UserError::NoDefaultRole),
            Err(undone) => Err(self.refused(undone, &roles).await),
        }
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
            email: change.email.value().map(|email| Email::new(&email).into()),
            password_hash: match change.password {
                Patch::Value(password) => Some(self.hasher.make(password).await?),
                Patch::Absent => None,
            },
            updated_at: self.clock.now(),
        };
        match self.users.update(id, edit, current).await {
            Ok(()) => self.find(id).await,
            Err(undone) => Err(self.refused(undone, &[]).await),
        }
    }

    async fn delete(&self, id: UserId) -> Result<(), UserError> {
        match self.users.delete(id).await {
            Ok(()) => Ok(()),
            Err(undone) => Err(self.refused(undone, &[]).await),
        }
    }

    async fn assign_roles(&self, id: UserId, roles: Vec<String>) -> Result<UserWithRoles, UserError> {
        let roles = each_once(roles);
        match self.users.set_roles(id, roles.clone(), self.clock.now()).await {
            Ok(()) => self.find(id).await,
            Err(undone) => Err(self.refused(undone, &roles).await),
        }
    }
}
