//! What all TLS to servers has in common: the authorities that are trusted, and what may be wrong.

#[cfg(any(feature = "redis", feature = "smtp"))]
mod connector;
mod fault;
mod roots;

use std::net::IpAddr;

#[cfg(any(feature = "redis", feature = "smtp"))]
pub(crate) use connector::connector;
pub use fault::TlsFault;
pub(crate) use roots::trusted;

/// Whether a host is this machine, by its name or address; a path is that of a socket on it.
pub(crate) fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.starts_with('/') || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
