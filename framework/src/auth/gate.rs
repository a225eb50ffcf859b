use std::sync::Arc;

use super::Actor;
use crate::{
    container::{ContainerError, NoApplication, in_scope},
    service::WhoActs,
};

/// Whoever acts may not do this.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody has been authenticated.
    #[error("this needs a valid bearer token")]
    Unauthenticated,
    /// They lack a permission.
    #[error("this needs the permission `{permission}`")]
    Forbidden {
        /// The permission.
        permission: String,
    },
    /// There is no application here.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// Answers what whoever acts here may do. Bound as a singleton; the `Gate` facade asks it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Gate;

impl WhoActs for Gate {
    fn who_acts(&self) -> Option<String> {
        self.actor().ok().map(|actor| actor.id.to_string())
    }
}

impl Gate {
    /// Who acts in the scope that is in force here.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] where it is nobody.
    pub fn actor(&self) -> Result<Arc<Actor>, AuthError> {
        in_scope::<Actor>()
            .map_err(|NoApplication| ContainerError::from(NoApplication))?
            .ok_or(AuthError::Unauthenticated)
    }

    /// Whether whoever acts has this permission.
    pub fn allows(&self, permission: &str) -> bool {
        self.actor().is_ok_and(|actor| actor.can(permission))
    }

    /// Who acts, where they have this permission.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] or [`AuthError::Forbidden`].
    pub fn authorize(&self, permission: &str) -> Result<Arc<Actor>, AuthError> {
        let actor = self.actor()?;
        if actor.can(permission) {
            return Ok(actor);
        }
        Err(AuthError::Forbidden { permission: permission.to_owned() })
    }
}
