//! How config structs show what serde would show in a form that no variable takes.

use std::time::Duration;

use serde::Serializer;

use crate::support::show_duration;

pub(super) fn duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_duration(*duration))
}
