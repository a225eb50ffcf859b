use std::{collections::BTreeSet, sync::Arc};

use paravel::{
    Inject,
    cache::Cache,
    container::ContainerError,
    database::{DbError, Page, PageRequest},
    service,
    service::prefetch,
    support::{Clock, Patch},
};

use super::each_once;
use crate::{
    models::{Role, RoleEdit, RoleId, RoleWithPermissions},
    repositories::{ListRequest, RoleRepository, RoleSort, Undone},
};

/// The roles. All that is cached of them, and of whom they are given to, goes with any change: there are few, and it is rare.
#[service(facade = Roles)]
pub trait RoleService {
    /// One page of roles with their permissions.
    async fn list(
        &self,
        page: PageRequest,
        sort: RoleSort,
        search: &str,
    ) -> Result<Page<RoleWithPermissions>, RoleError>;

    /// The role of this key, with its permissions.
    #[cached(key = "roles:{id}", ttl = "5m", tags("roles"))]
    async fn find(&self, id: RoleId) -> Result<RoleWithPermissions, RoleError>;

    /// Every permission that the roles of these names give.
    #[cached(key = "roles:permissions:{names:?}", ttl = "1m", tags("roles"))]
    async fn permissions_of(&self, names: &[String]) -> Result<BTreeSet<String>, RoleError>;

    /// Puts these roles into the cache, where they are not in it: two queries, however many roles. How many there are.
    async fn prefetch(&self, ids: &[RoleId]) -> Result<usize, RoleError>;

    /// Adds a role.
    #[audited("role.created")]
    #[invalidates(tags("roles"))]
    async fn create(&self, role: NewRole) -> Result<RoleWithPermissions, RoleError>;

    /// Changes a role; never so that nobody is left who can manage users and roles.
    #[audited("role.updated", before = find(id))]
    #[invalidates(tags("roles"))]
    async fn update(&self, id: RoleId, change: RoleChange) -> Result<RoleWithPermissions, RoleError>;

    /// Deletes a role, and users lose it; never so that nobody is left who can manage users and roles.
    #[audited("role.deleted", before = find(id))]
    #[invalidates(tags("roles"))]
    async fn delete(&self, id: RoleId) -> Result<(), RoleError>;

    /// Makes sure that these permissions and this role exist; one that does is left as it is.
    #[audited("role.ensured")]
    #[invalidates(tags("roles"))]
    async fn ensure(&self, role: NewRole) -> Result<(), RoleError>;
}

/// A role to be added.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The names of its permissions.
    pub permissions: Vec<String>,
}

/// What is to be changed of a role.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// Its name.
    pub name: Patch<String>,
    /// What it is for.
    pub description: Patch<Option<String>>,
    /// The names of its permissions.
    pub permissions: Patch<Vec<String>>,
}

/// A role could not be had or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// There is no such role.
    #[error("there is no such role")]
    NotFound,
    /// Another role has the name.
    #[error("the name is taken")]
    NameTaken,
    /// A permission that does not exist.
    #[error("one of the permissions does not exist")]
    UnknownPermission,
    /// Nobody would be left to give anybody their rights back.
    #[error(
        "nobody would be left who can manage both users and roles: give somebody another role with these permissions first"
    )]
    LastManager,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// There is no application here.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// [`RoleService`] on the repositories.
#[derive(Inject)]
#[inject(as = dyn RoleService)]
pub struct AppRoles {
    roles: Arc<dyn RoleRepository>,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
}

impl From<Undone> for RoleError {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::NotFound => Self::NotFound,
            Undone::UnknownName => Self::UnknownPermission,
            Undone::LastManager => Self::LastManager,
            // The only unique value besides the key is the name.
            Undone::Database(error) if error.is_unique_violation() => Self::NameTaken,
            Undone::Database(error) => error.into(),
        }
    }
}

impl AppRoles {
    async fn by_key(&self, ids: Vec<RoleId>) -> Result<Vec<(RoleId, RoleWithPermissions)>, DbError> {
        Ok(self.roles.many(&ids).await?.into_iter().map(|found| (found.role.id, found)).collect())
    }
}

#[service]
impl RoleService for AppRoles {
    async fn list(
        &self,
        page: PageRequest,
        sort: RoleSort,
        search: &str,
    ) -> Result<Page<RoleWithPermissions>, RoleError> {
        Ok(self.roles.page(ListRequest { page, sort, search }).await?)
    }

    async fn find(&self, id: RoleId) -> Result<RoleWithPermissions, RoleError> {
        self.roles.find(id).await?.ok_or(RoleError::NotFound)
    }

    async fn permissions_of(&self, names: &[String]) -> Result<BTreeSet<String>, RoleError> {
        Ok(self.roles.named(names).await?.into_iter().flat_map(|role| role.permissions).collect())
    }

    async fn prefetch(&self, ids: &[RoleId]) -> Result<usize, RoleError> {
        let slot = |id: &RoleId| <dyn RoleService>::cached_find(*id);
        Ok(prefetch(&self.cache, ids.iter().copied(), slot, |ids| self.by_key(ids)).await?)
    }

    async fn create(&self, new: NewRole) -> Result<RoleWithPermissions, RoleError> {
        let now = self.clock.now();
        let id = RoleId::new();
        let name = new.name.trim().to_owned();
        let role = Role { id, name, description: new.description, created_at: now, updated_at: now };
        self.roles.create(role, each_once(new.permissions)).await?;
        self.find(id).await
    }

    async fn update(&self, id: RoleId, change: RoleChange) -> Result<RoleWithPermissions, RoleError> {
        // Nothing to change is no change.
        if matches!(
            (&change.name, &change.description, &change.permissions),
            (Patch::Absent, Patch::Absent, Patch::Absent)
        ) {
            return self.find(id).await;
        }
        let edit = RoleEdit {
            name: change.name.value().map(|name| name.trim().to_owned()),
            description: change.description.value(),
            updated_at: self.clock.now(),
        };
        let permissions = change.permissions.value().map(each_once);
        self.roles.update(id, edit, permissions).await?;
        self.find(id).await
    }

    async fn delete(&self, id: RoleId) -> Result<(), RoleError> {
        Ok(self.roles.delete(id).await?)
    }

    async fn ensure(&self, role: NewRole) -> Result<(), RoleError> {
        self.roles.add_permissions(role.permissions.clone()).await?;
        match self.create(role).await {
            Ok(_) | Err(RoleError::NameTaken) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
