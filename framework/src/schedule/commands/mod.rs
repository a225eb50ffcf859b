//! The console's `schedule:` commands.

mod list;
mod run;
mod test;
mod work;
