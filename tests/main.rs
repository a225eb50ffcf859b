//! The application's tests: over the API, over real sockets, and through the real console. Each has an application and
//! a database of its own, and all run at once.

mod bad_bodies;
mod bad_http;
mod bad_queries;
mod commands;
mod console;
mod environment;
mod events;
mod house;
mod http_flow;
mod lists;
mod migrations;
mod privileges;
mod races;
mod responses;
mod roles;
mod server;
mod support;
mod tokens;
mod users;
