//! The service container and the ambient scope.
//!
//! Providers fill a [`ContainerBuilder`]; [`ContainerBuilder::freeze`] verifies the whole graph and gives the
//! [`Container`] that services are made from. A factory's arguments are its dependencies and its return type
//! is its key, so the graph is known without running one.
//!
//! ```
//! use std::sync::Arc;
//! use paravel::container::ContainerBuilder;
//!
//! trait Greeter: Send + Sync {
//!     fn greet(&self) -> String;
//! }
//! struct Polite(Arc<String>);
//! impl Greeter for Polite {
//!     fn greet(&self) -> String {
//!         format!("Good day, {}", self.0)
//!     }
//! }
//!
//! let mut app = ContainerBuilder::new();
//! app.instance(Arc::new("Ada".to_owned()));
//! app.singleton(|name: Arc<String>| -> Arc<dyn Greeter> { Arc::new(Polite(name)) });
//! let container = app.freeze()?;
//! assert_eq!(container.make::<dyn Greeter>()?.greet(), "Good day, Ada");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ambient;
mod arity;
mod binding;
mod builder;
mod dependency;
mod error;
mod factory;
mod frozen_map;
mod graph;
mod inject;
mod provider;
mod resolve;
mod scope;
mod spawn;

pub(crate) use ambient::in_scope;
pub use ambient::{Ambient, current, enter, enter_sync, set_global, with_current};
pub(crate) use arity::up_to_eight;
pub use binding::{Key, Lifetime};
pub use builder::{ContainerBuilder, Gives, Needs, When};
pub use dependency::{Dependencies, Dependency, DependencyInfo, Resolver, Shape};
pub use error::{ContainerError, NoApplication};
pub use factory::{Extender, Factory, FactoryOutput};
pub use graph::{GraphFault, GraphFaults, Root};
pub use inject::{Inject, Injectable};
pub use provider::{DynProvider, Provider};
pub(crate) use resolve::panic_message;
pub use resolve::{BindingInfo, Container};
pub use scope::Scope;
pub(crate) use spawn::outlive;
pub use spawn::{spawn, spawn_blocking};
