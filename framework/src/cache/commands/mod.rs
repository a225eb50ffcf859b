//! The console's `cache:` commands.

mod warm;
