//! What the application answers requests with.

pub mod controllers;
mod problems;
pub mod requests;
pub mod resources;
