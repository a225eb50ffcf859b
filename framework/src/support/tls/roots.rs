use std::path::Path;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::TlsFault;

/// The certificates of the authorities that are trusted: those of a file of PEM, or the platform's.
///
/// # Errors
/// [`TlsFault::Authorities`] where there is none.
pub(crate) fn trusted(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let place = file.map_or_else(|| "the platform's store".to_owned(), |file| file.display().to_string());
    let none = |reason: String| TlsFault::Authorities { place: place.clone(), reason };
    let certificates = match file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| none(error.to_string()))?,
        None => {
            let found = rustls_native_certs::load_native_certs();
            if let (true, Some(error)) = (found.certs.is_empty(), found.errors.first()) {
                return Err(none(error.to_string()));
            }
            // Platforms keep a few that are too old to be read.
            found.certs.into_iter().filter(is_readable).collect()
        }
    };
    if certificates.is_empty() {
        return Err(none("it has no certificate".to_owned()));
    }
    match certificates.iter().find(|certificate| !is_readable(certificate)) {
        Some(_) => Err(none("it has a certificate that cannot be read".to_owned())),
        None => Ok(certificates),
    }
}

fn is_readable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}
