//! Facades: the application's services by name, from anywhere in it. For application code alone; the toolkit and
//! services take what they need as arguments.
//!
//! Outside any application a facade returns [`NoApplication`](crate::container::NoApplication), wrapped in the error of
//! its service.

mod cache;
mod config;
mod crypt;
mod db;
mod event;
mod gate;
mod hash;
mod log;
mod mail;
mod queue;
#[cfg(feature = "redis")]
mod redis;
mod route;
mod schedule;

pub use cache::Cache;
pub use config::Config;
pub use crypt::Crypt;
pub use db::Db;
pub use event::Event;
pub use gate::Gate;
pub use hash::Hash;
pub use log::Log;
pub use mail::Mail;
pub use queue::Queue;
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use route::Route;
pub use schedule::Schedule;
