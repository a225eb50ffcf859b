//! The toolkit's tests: one binary, a module for each part.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is left out says why")]

mod alerts;
mod ambient;
mod authenticate;
mod cache;
mod cached_responses;
mod cancellation;
mod carried;
#[cfg(any(all(unix, any(feature = "postgres", feature = "mysql", feature = "redis")), feature = "smtp"))]
mod certificates;
mod clock;
mod commit_hooks;
mod config;
mod conformance;
mod console;
mod container;
mod crypt;
mod cursors;
mod database;
mod derived_data;
mod documents;
mod env;
mod event_fake;
mod events;
mod facades;
mod factories;
mod graph;
mod inbox;
mod json_schema;
mod last_words;
mod layers;
mod lifetimes;
mod listeners;
mod macros;
mod mail;
mod migrations;
mod migrator;
mod no_database;
mod overload;
#[cfg(all(unix, any(feature = "postgres", feature = "mysql")))]
mod own_server;
mod queue;
mod queued_listeners;
mod read_cache;
#[cfg(all(unix, feature = "redis"))]
mod redis;
mod router;
mod schedule;
mod seeders;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod servers;
mod services;
mod slow_queries;
mod sqlite;
#[cfg(unix)]
mod test_command;
mod transactions;
mod verify;
mod watch;
mod watched_requests;
