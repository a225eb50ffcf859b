use std::{error::Error, io};

use rustls::{CertificateError, Error as RustlsError};

/// Why there is no TLS with a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The address asks for something that is none of the modes.
    #[error(
        "`{parameter}={value}` is no way to use TLS here: say `require` (verified, with the host's name), `verify-ca` \
         (PostgreSQL; without the name) or `disable`"
    )]
    Mode {
        /// The address's parameter.
        parameter: String,
        /// Its value.
        value: String,
    },
    /// The driver cannot leave the host's name out.
    #[error(
        "`verify-ca` is not to be had on MySQL, whose driver always compares the host's name: say `VERIFY_IDENTITY`, with \
         a name that the certificate is for"
    )]
    NameAlwaysVerified,
    /// No certificates of authorities could be had.
    #[error(
        "no authority to trust is in {place}: {reason}; name a file of PEM by `sslrootcert`, `ssl-ca` or MAIL_ROOT_CERT"
    )]
    Authorities {
        /// The file.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The server speaks no TLS.
    #[error("the server offers no TLS: turn it on there, or say `sslmode=disable` where nobody can listen in between")]
    NotOffered,
    /// None of the authorities that are trusted made the server's certificate.
    #[error(
        "the server's certificate is not trusted ({reason}): name the file of the authority that made it by \
         `sslrootcert`, `ssl-ca` or MAIL_ROOT_CERT"
    )]
    NotTrusted {
        /// What the verification said.
        reason: String,
    },
    /// The server's certificate is for another host.
    #[error(
        "the server's certificate is not for the host of the address ({reason}): use a name that it is for, or have one \
         made for this host"
    )]
    WrongName {
        /// The names that it is for, as the verification said.
        reason: String,
    },
    /// The server's certificate is not valid at this time.
    #[error("the server's certificate is not valid at this time ({reason}): renew it, or set the clock")]
    Expired {
        /// What the verification said.
        reason: String,
    },
    /// Something else went wrong.
    #[error("the TLS handshake failed: {reason}")]
    Handshake {
        /// What the library said.
        reason: String,
    },
}

impl TlsFault {
    /// The fault that is among an error's causes, where one is.
    pub(crate) fn among(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(error) = cause.downcast_ref::<RustlsError>() {
                return Some(error.into());
            }
            // An I/O error's `source` is that of what it wraps, which would be passed over.
            next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => cause.source(),
            };
        }
        None
    }
}

impl From<&RustlsError> for TlsFault {
    fn from(error: &RustlsError) -> Self {
        use CertificateError as Certificate;
        let RustlsError::InvalidCertificate(certificate) = error else {
            return Self::Handshake { reason: error.to_string() };
        };
        let reason = certificate.to_string();
        match certificate {
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::WrongName { reason },
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. } => Self::Expired { reason },
            _ => Self::NotTrusted { reason },
        }
    }
}
