//! TLS to servers: what an address asks for, the certificates that are trusted, and what may be wrong.
//!
//! Where an address asks for TLS there is TLS or an error, never a plain connection, and the server's certificate is
//! verified. `prefer`, which whoever stands in between can turn off, is refused.

mod address;
#[cfg(feature = "postgres")]
mod client;
mod fault;
mod roots;

pub(in crate::database) use address::{Address, Mode};
#[cfg(feature = "postgres")]
pub(in crate::database) use client::Connector;
pub use fault::TlsFault;
#[cfg(feature = "mysql")]
pub(in crate::database) use roots::trusted;
