//! The event bus: typed events, and listeners that are async and may fail.
//!
//! An event is a plain serde struct. A listener is registered by [`listener`](crate::listener), or explicitly; all
//! are collected once at start and run in the order of priority, then name.
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
//! let farewell = ListenerEntry::new::<ShipSailed>("farewell", 0, Vec::new, |_event, _app| {
//!     Box::pin(async { Ok(()) })
//! });
//! let bus = std::sync::Arc::new(EventBus::collect([farewell]));
//! let app = paravel::container::ContainerBuilder::new().freeze()?.scope();
//! app.run(bus.dispatch(ShipSailed { name: "Dawn Treader".to_owned() })).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bus;
mod listener;
mod monitor;
mod signals;

pub use bus::{EventBus, EventError, Failure};
pub use listener::{Event, ListenerEntry, downcast};
pub use monitor::Monitor;
