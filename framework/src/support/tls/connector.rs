use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_rustls::TlsConnector;

use super::{TlsFault, trusted};

/// What connects to servers whose certificates these [`trusted`] authorities vouch for, and which are called as they say.
///
/// # Errors
/// [`TlsFault::Authorities`] where there is none to trust.
pub(crate) fn connector(authorities: Option<&Path>) -> Result<TlsConnector, TlsFault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted(authorities)?);
    // Named, because a process whose libraries bring several providers has no default one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::from(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
