//! How config structs show what serde would show in a form that no variable takes.

use std::{fmt, time::Duration};

use serde::Serializer;

use crate::support::show_duration;

/// An address without who it logs in as, and without its query, which may carry a password, too.
pub(super) fn address(scheme: &str, rest: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (address, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    match address.rsplit_once('@') {
        // Perhaps a password with a question mark, of which what stands before it would be a part.
        _ if query.contains('@') => write!(f, "{scheme}://[redacted]"),
        Some((_, host)) => write!(f, "{scheme}://[redacted]@{host}"),
        None => write!(f, "{scheme}://{address}"),
    }
}

pub(super) fn duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_duration(*duration))
}
