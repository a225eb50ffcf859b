//! TLS to databases: what an address asks for. The certificates that are trusted, and what may be wrong, are
//! [`support`](crate::support)'s.
//!
//! Where an address asks for TLS there is TLS or an error, never a plain connection, and the server's certificate is
//! verified. `prefer`, which whoever stands in between can turn off, is refused.

mod address;
#[cfg(feature = "postgres")]
mod client;

pub(in crate::database) use address::{Address, Mode};
#[cfg(feature = "postgres")]
pub(in crate::database) use client::Connector;
