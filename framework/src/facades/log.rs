use std::fmt::Display;

use crate::{
    container::ContainerError,
    service::facade,
    support::{Level, LogSink},
};

/// The application's log. A message is constant; what varies are fields: `Log::info("registered", &[("user", &id)])?`.
#[derive(Debug, Clone, Copy)]
pub struct Log;

macro_rules! levels {
    ($($(#[$docs:meta])* $name:ident: $level:ident;)+) => {$(
        $(#[$docs])*
        ///
        /// # Errors
        /// [`ContainerError`]: there is no application here.
        pub fn $name(message: &str, fields: &[(&str, &dyn Display)]) -> Result<(), ContainerError> {
            facade::<dyn LogSink>()?.write(Level::$level, message, fields);
            Ok(())
        }
    )+};
}

impl Log {
    levels! {
        /// An entry of use to the developer only.
        debug: Debug;
        /// An entry for something expected.
        info: Info;
        /// An entry for something unexpected that was dealt with.
        warn: Warn;
        /// An entry for something that failed.
        error: Error;
    }
}
