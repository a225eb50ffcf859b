use super::{IntoHandler, Router};

type Add = Box<dyn FnOnce(&mut Router, &str, &str)>;

/// The handlers of a resource, for [`Router::resource`]. Those left out have no route.
#[derive(Default)]
pub struct Resource {
    add: Vec<Add>,
}

macro_rules! actions {
    ($($(#[$docs:meta])* $action:ident: $verb:ident $suffix:literal;)+) => {$(
        $(#[$docs])*
        #[must_use]
        pub fn $action(mut self, handler: impl IntoHandler + 'static) -> Self {
            self.add.push(Box::new(move |router, path, name| {
                let name = format!("{name}.{}", stringify!($action));
                router.$verb(&format!("{path}{}", $suffix), handler).name(&name);
            }));
            self
        }
    )+};
}

impl Resource {
    /// No handlers.
    pub fn new() -> Self {
        Self::default()
    }

    actions! {
        /// `GET /users`
        index: get "";
        /// `POST /users`
        store: post "";
        /// `GET /users/{id}`
        show: get "/{id}";
        /// `PATCH /users/{id}`
        update: patch "/{id}";
        /// `DELETE /users/{id}`
        destroy: delete "/{id}";
    }

    pub(super) fn add_to(self, router: &mut Router, path: &str) {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        for add in self.add {
            add(router, path, name);
        }
    }
}
