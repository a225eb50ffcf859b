//! What `cache:warm` fills the cache with.

mod roles;
mod users;
