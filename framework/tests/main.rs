//! The toolkit's tests: one binary, a module for each part.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod ambient;
mod cancellation;
mod commit_hooks;
mod config;
mod console;
mod container;
mod database;
mod env;
mod events;
mod facades;
mod graph;
mod layers;
mod lifetimes;
mod macros;
mod migrations;
mod overload;
mod seeders;
mod service;
mod sqlite;
mod transactions;
