//! The JSON API, version 1.

use paravel::http::{Authenticate, Resource, Router};

use crate::http::controllers::{auth, me, roles, users};

/// Adds the API.
pub fn routes(routes: &mut Router) {
    routes.prefix("/api/v1").group(|routes| {
        routes.post("/auth/register", auth::register).name("auth.register");
        routes.post("/auth/login", auth::login).name("auth.login");

        routes.middleware(Authenticate).group(|routes| {
            routes.post("/auth/logout", auth::logout).name("auth.logout");
            routes.get("/me", me::show).name("me");

            routes.resource(
                "/users",
                Resource::new()
                    .index(users::index)
                    .store(users::store)
                    .show(users::show)
                    .update(users::update)
                    .destroy(users::destroy),
            );
            routes.put("/users/{id}/roles", users::assign_roles).name("users.roles");

            routes.resource(
                "/roles",
                Resource::new()
                    .index(roles::index)
                    .store(roles::store)
                    .show(roles::show)
                    .update(roles::update)
                    .destroy(roles::destroy),
            );
        });
    });
}
