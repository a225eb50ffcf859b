use std::sync::Arc;

use crate::{
    auth::{self, Actor, AuthError},
    service::facade,
};

/// What whoever acts may do.
#[derive(Debug, Clone, Copy)]
pub struct Gate;

impl Gate {
    /// [`Gate::actor`](auth::Gate::actor).
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn actor() -> Result<Arc<Actor>, AuthError> {
        facade::<auth::Gate>()?.actor()
    }

    /// [`Gate::allows`](auth::Gate::allows).
    pub fn allows(permission: &str) -> bool {
        facade::<auth::Gate>().is_ok_and(|gate| gate.allows(permission))
    }

    /// [`Gate::authorize`](auth::Gate::authorize).
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn authorize(permission: &str) -> Result<Arc<Actor>, AuthError> {
        facade::<auth::Gate>()?.authorize(permission)
    }
}
