//! The application's commands.

mod role_assign;
mod user_create;
mod user_list;
