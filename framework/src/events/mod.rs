//! The event bus: typed events, and listeners that are async and may fail.
//!
//! An event is a plain serde struct. A listener is a function, a type ([`Listener`]) or one of several methods of a type
//! ([`Subscriber`]), registered by [`listener`](crate::listener) or explicitly; it hears one type of event or, by
//! [`AnyEvent`], all of them. All are collected once at start and run in the order of priority, then name.
//!
//! ```
//! use paravel::events::{EventBus, ListenerEntry};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct ShipSailed {
//!     name: String,
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let farewell = ListenerEntry::of_fn(async |event: &ShipSailed| println!("farewell, {}", event.name));
//! let bus = std::sync::Arc::new(EventBus::collect([farewell]));
//! let app = paravel::container::ContainerBuilder::new().freeze()?.scope();
//! app.run(bus.dispatch(ShipSailed { name: "Dawn Treader".to_owned() })).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bus;
mod commands;
mod error;
mod event;
#[cfg(feature = "testing")]
mod fake;
mod function;
mod listener;
mod monitor;
mod output;
mod pattern;
mod queued;
mod signals;
mod subscriber;
mod under_way;

pub use bus::EventBus;
pub use error::{EventError, Failure};
pub use event::{AnyEvent, Event, Heard};
#[cfg(feature = "testing")]
pub use fake::EventFake;
pub use function::{ListenerFn, ListenerMethod};
pub use listener::{Listener, ListenerEntry, ListenerSource};
pub use monitor::Monitor;
pub use output::{ListenerOutput, Propagation};
pub use subscriber::{Subscriber, Subscription, Subscriptions, subscriptions};
