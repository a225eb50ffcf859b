use std::path::PathBuf;

use ::redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use percent_encoding::percent_decode_str;

use super::RedisError;
use crate::config::RedisUrl;

/// What an address says.
#[derive(Clone)]
pub(super) struct Address {
    /// How it is shown, without a password.
    pub(super) shown: String,
    pub(super) place: Place,
    /// The database's number, the user and the password.
    pub(super) login: RedisConnectionInfo,
}

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16, authorities: Option<PathBuf> },
    Unix(PathBuf),
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// [`RedisError::Address`] for what is none, and for what it asks for that there is not: it would be passed over.
    pub(super) fn of(url: &RedisUrl) -> Result<Self, RedisError> {
        let shown = url.to_string();
        let wrong = |reason: String| RedisError::Address { address: shown.clone(), reason };
        let (scheme, rest) = url.expose().split_once("://").unwrap_or_default();
        if rest.contains('#') {
            return Err(wrong(
                "has a fragment, as `#insecure`: leave it out, certificates are always verified".to_owned(),
            ));
        }
        let tls = matches!(scheme, "rediss" | "valkeys");
        let socket = matches!(scheme, "redis+unix" | "valkey+unix" | "unix");
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut authorities = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslrootcert" | "ssl-ca" if tls => {
                    authorities = Some(PathBuf::from(&*percent_decode_str(value).decode_utf8_lossy()));
                }
                "sslrootcert" | "ssl-ca" => {
                    return Err(wrong(format!("has `{name}` and asks for no TLS: say `rediss://`")));
                }
                "db" | "user" | "pass" if socket => {}
                // What stands there may be half of a password.
                _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) => {
                    return Err(wrong("has a `?` that begins no parameters: write it as %3F in a password".to_owned()));
                }
                _ => return Err(wrong(format!("has the parameter `{name}`, which is none: leave it out"))),
            }
        }
        // TLS is ours, so the driver need not know of it.
        let plain = match socket {
            true => format!("redis+unix://{rest}"),
            false => format!("redis://{place}"),
        };
        let info = plain.into_connection_info().map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) if tls => Place::Tls { host: host.clone(), port: *port, authorities },
            ConnectionAddr::Tcp(host, port) => Place::Tcp { host: host.clone(), port: *port },
            ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
            _ => return Err(wrong("is of a kind that there is not: say `redis://` or `rediss://`".to_owned())),
        };
        let login = info.redis_settings().clone().set_lib_name("paravel", env!("CARGO_PKG_VERSION"));
        Ok(Self { shown, place, login })
    }

    /// Whether it asks for TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.place, Place::Tls { .. })
    }

    /// The host, where it is reached by a network without TLS.
    pub(super) fn unencrypted(&self) -> Option<&str> {
        match &self.place {
            Place::Tcp { host, .. } => Some(host),
            Place::Tls { .. } | Place::Unix(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::EnvValue;

    fn of(url: &str) -> Result<Address, String> {
        Address::of(&RedisUrl::parse(url).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_names_the_place_and_the_login() {
        let address = of("redis://ada:p%40ss@db.example.com/3").unwrap();
        assert_eq!(address.place, Place::Tcp { host: "db.example.com".to_owned(), port: 6379 });
        assert_eq!(address.shown, "redis://[redacted]@db.example.com/3");
        let login = address.login;
        assert_eq!((login.username(), login.password(), login.db()), (Some("ada"), Some("p@ss"), 3));
        let address = of("valkeys://[::1]:7000?sslrootcert=/a%20b/ca.pem").unwrap();
        let authorities = Some("/a b/ca.pem".into());
        assert_eq!(address.place, Place::Tls { host: "::1".to_owned(), port: 7000, authorities });
        let address = of("redis+unix:///run/redis.sock?db=2&pass=hunter22").unwrap();
        assert_eq!((address.place, address.login.db()), (Place::Unix("/run/redis.sock".into()), 2));
        assert_eq!(address.shown, "redis+unix:///run/redis.sock");
    }

    #[test]
    fn what_cannot_be_kept_is_refused_without_showing_the_password() {
        for (rest, said) in [
            ("rediss://:hunter22@h/#insecure", "always verified"),
            ("redis://:hunter22@h/?sslrootcert=/ca.pem", "say `rediss://`"),
            ("redis://:hunter22@h/?protocol=resp3", "`protocol`"),
            ("redis://:hunter22@h/zero", "database number"),
            ("redis://:hunter22@h:port", "cannot be read"),
            ("redis://:hunter22@/0", "cannot be read"),
            ("redis://:pass?hunter22@h/0", "%3F"),
        ] {
            let refused = of(rest).map(|address| address.shown).unwrap_err();
            assert!(refused.contains(said) && !refused.contains("hunter"), "{refused}");
        }
    }
}
