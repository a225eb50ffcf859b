//! The application's commands.

mod role_assign;
mod tokens_prune;
mod user_create;
mod user_list;
