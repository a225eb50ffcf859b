//! An application toolkit for Rust with the shape of Laravel: facades, a service container, an event bus and an
//! artisan-like console, on poem, tokio and diesel.
//!
//! An application is described once, by an [`ApplicationBuilder`](foundation::ApplicationBuilder) that every binary and
//! test starts from:
//!
//! ```
//! use paravel::foundation::{Application, ApplicationBuilder};
//! use paravel::http::{Json, Result, Router, endpoint};
//!
//! /// Greets the world.
//! #[endpoint]
//! async fn hello() -> Result<Json<&'static str>> {
//!     Ok(Json("hello"))
//! }
//!
//! fn routes(routes: &mut Router) {
//!     routes.get("/", hello).name("hello");
//! }
//!
//! pub fn application() -> ApplicationBuilder {
//!     Application::builder().routes(routes)
//! }
//! # application().env(paravel::support::Env::default()).build()?;
//! # Ok::<(), paravel::foundation::StartError>(())
//! ```
//!
//! The modules stand in layers; each uses only those before it: [`support`], [`config`], [`container`], [`console`],
//! [`crypt`], [`database`], `redis`, [`cache`], [`queue`], [`mail`], [`events`], [`mod@service`], [`auth`], [`http`],
//! [`schedule`], [`foundation`], [`facades`] and `testing`.
#![warn(missing_docs)]

// So that the attributes, which name `::paravel`, work in this crate's own examples and tests.
extern crate self as paravel;

pub mod auth;
pub mod cache;
pub mod config;
pub mod console;
pub mod container;
pub mod crypt;
pub mod database;
pub mod events;
pub mod facades;
pub mod foundation;
pub mod http;
pub mod mail;
pub mod queue;
#[cfg(feature = "redis")]
pub mod redis;
pub mod schedule;
pub mod service;
pub mod support;
#[cfg(feature = "testing")]
pub mod testing;

pub use anyhow;
pub use async_trait::async_trait;
pub use clap;
pub use container::{spawn, spawn_blocking};
pub use diesel;
pub use diesel_async;
#[cfg(feature = "factories")]
pub use fake;
pub use garde;
pub use paravel_macros::{Inject, endpoint, job, listener, migrations, service};
pub use poem;
pub use serde;
pub use serde_json;
pub use thiserror;
pub use tokio;
pub use tracing;

/// What the macros expand to calls of. Not for direct use; it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use async_trait;
    pub use inventory;
    pub use poem;

    pub use crate::{
        database::repository,
        http::{DescribeExtractor, DescribeOther, Probe},
        service::{Answer, Audit, Invalidation, KeyPart, cached, decorated, facade, kept, refuse, state_of},
    };

    /// The traits by which an expansion asks types what they can do.
    pub use crate::service::probe;

    /// The response of a handler's return value.
    ///
    /// # Errors
    /// The handler's own.
    pub fn respond<T: poem::IntoResponse, R: poem::error::IntoResult<T>>(returned: R) -> poem::Result<poem::Response> {
        returned.into_result().map(poem::IntoResponse::into_response)
    }
}
