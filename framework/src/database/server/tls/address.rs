use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::support::TlsFault;

/// Whether a connection is encrypted, and what of the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::database) enum Mode {
    /// Nothing is.
    Plain,
    /// That an authority that is trusted made it; the name in it does not matter.
    Authority,
    /// That, and that it is for the host of the address.
    Full,
}

/// An address of a server, and what it says of TLS: each driver knows other words for it, or none.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::database) struct Address {
    /// What stands after `://`, without what it says of TLS.
    pub(in crate::database) rest: String,
    pub(in crate::database) mode: Mode,
    /// The file of the authorities that are trusted in place of the platform's.
    pub(in crate::database) authorities: Option<PathBuf>,
}

impl Address {
    /// Reads what stands after `://`. PostgreSQL's and MySQL's words are understood on both.
    ///
    /// # Errors
    /// [`TlsFault::Mode`] for what is no mode, or one that would not keep what it promises.
    pub(in crate::database) fn of(rest: &str) -> Result<Self, TlsFault> {
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut mode = None;
        let mut authorities = None;
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            let said = match &*name.to_ascii_lowercase().replace('-', "_") {
                "sslmode" | "ssl_mode" => by_name(&value),
                "require_ssl" => by_flag(&value),
                // What is verified is verified already, and cannot be turned off by halves.
                "verify_ca" | "verify_identity" if value == "true" => continue,
                "verify_ca" | "verify_identity" => None,
                "sslrootcert" | "ssl_ca" => {
                    // libpq's word for the platform's authorities.
                    authorities = (value != "system").then(|| PathBuf::from(&*value));
                    mode = mode.or(Some(Mode::Full));
                    continue;
                }
                _ => {
                    others.push(pair);
                    continue;
                }
            };
            let Some(said) = said else {
                return Err(TlsFault::Mode { parameter: name.to_owned(), value: value.into_owned() });
            };
            mode = Some(said);
        }
        let rest = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        Ok(Self { rest, mode: mode.unwrap_or(Mode::Plain), authorities })
    }
}

/// PostgreSQL's names, and MySQL's.
fn by_name(value: &str) -> Option<Mode> {
    match &*value.to_ascii_lowercase().replace('_', "-") {
        "disable" | "disabled" => Some(Mode::Plain),
        "verify-ca" => Some(Mode::Authority),
        // Without a look at the certificate, TLS with anybody would be as good.
        "require" | "required" | "verify-full" | "verify-identity" => Some(Mode::Full),
        _ => None,
    }
}

fn by_flag(value: &str) -> Option<Mode> {
    match value {
        "true" => Some(Mode::Full),
        "false" => Some(Mode::Plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Address {
        Address::of(&format!("u@h/db?{query}")).unwrap()
    }

    #[test]
    fn each_word_for_a_mode_is_understood() {
        assert_eq!(Address::of("u@h/db").unwrap().mode, Mode::Plain);
        for plain in ["sslmode=disable", "ssl-mode=DISABLED", "require_ssl=false"] {
            assert_eq!(of(plain).mode, Mode::Plain, "{plain}");
        }
        for full in ["sslmode=require", "sslmode=verify-full", "ssl-mode=VERIFY_IDENTITY", "require_ssl=true"] {
            assert_eq!(of(full).mode, Mode::Full, "{full}");
        }
        assert_eq!(of("ssl-mode=VERIFY_CA").mode, Mode::Authority);
        assert_eq!(of("require_ssl=true&verify_ca=true").mode, Mode::Full);
    }

    #[test]
    fn what_promises_less_than_it_says_is_refused() {
        for query in ["sslmode=prefer", "sslmode=allow", "ssl-mode=PREFERRED", "sslmode=", "sslmode", "require_ssl=1"] {
            assert!(matches!(Address::of(&format!("h?{query}")), Err(TlsFault::Mode { .. })), "{query}");
        }
        let halved = Address::of("h?require_ssl=true&verify_identity=false").unwrap_err();
        assert!(halved.to_string().contains("verify_identity=false"), "{halved}");
    }

    #[test]
    fn a_file_of_authorities_means_tls_and_other_parameters_stay() {
        let address = of("options=-csearch_path%3Dx&sslrootcert=/a%20b/ca.pem&connect_timeout=3");
        assert_eq!(address.rest, "u@h/db?options=-csearch_path%3Dx&connect_timeout=3");
        assert_eq!((address.mode, address.authorities), (Mode::Full, Some("/a b/ca.pem".into())));
        assert_eq!(of("sslmode=disable&ssl-ca=/ca.pem").mode, Mode::Plain);
        let system = of("sslrootcert=system");
        assert_eq!((system.mode, system.authorities, system.rest), (Mode::Full, None, "u@h/db".to_owned()));
    }
}
