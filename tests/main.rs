//! The application's tests: over the API, over real sockets, and through the real console. Each has an application and
//! a database of its own, and all run at once.
#![allow(clippy::print_stdout, reason = "a test that is left out says why")]

mod audit;
mod bad_bodies;
mod bad_http;
mod bad_queries;
mod cache_commands;
mod caching;
mod commands;
mod console;
mod dropped_rows;
mod environment;
mod events;
mod facades;
mod factories;
mod full_disk;
mod house;
mod http_flow;
mod lists;
mod mail;
mod migrations;
mod migrators;
mod panics;
mod privileges;
mod queries;
mod queue_commands;
mod races;
mod responses;
mod roles;
mod schedule;
mod server;
mod serving_jobs;
mod support;
mod timeouts;
mod tokens;
#[cfg(feature = "redis")]
mod two_servers;
mod users;
mod welcome;
