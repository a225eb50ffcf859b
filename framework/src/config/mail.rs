use std::time::Duration;

use serde::Serialize;

use super::shown;
use crate::support::{Env, EnvFault, EnvValue, Secret, is_email_address};

/// Mail.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MailConfig {
    /// `MAIL_MAILER`: how mail is sent: `log` writes of it to the log and sends nothing, `smtp` hands it to a server (the
    /// toolkit's feature `smtp`). Default `log`.
    pub mailer: MailTransport,
    /// `MAIL_HOST`: the server's name, which its certificate has to be for, or its address. Default `127.0.0.1`.
    pub host: String,
    /// `MAIL_PORT`: the server's port. Default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    pub port: u16,
    /// `MAIL_USERNAME`: whom to log in as. None by default: nobody logs in.
    pub username: Option<String>,
    /// `MAIL_PASSWORD`: that user's password.
    pub password: Option<Secret<String>>,
    /// `MAIL_ENCRYPTION`: `starttls` begins in plain and goes on by TLS or not at all, `tls` begins by it, `none` is for a
    /// server on this machine. Default `starttls`.
    pub encryption: MailEncryption,
    /// `MAIL_ROOT_CERT`: a file of the authorities, as PEM, that are trusted in place of the platform's. None by default.
    pub root_cert: Option<String>,
    /// `MAIL_FROM_ADDRESS`: whom mail is from that does not say. Required by `smtp`.
    pub from_address: Option<String>,
    /// `MAIL_FROM_NAME`: the name that goes with it. Default: `APP_NAME`.
    pub from_name: String,
    /// `MAIL_TIMEOUT`: how long it may take to hand over a mail, from `1ms` to `1h`. Default `30s`.
    #[serde(serialize_with = "shown::duration")]
    pub timeout: Duration,
}

/// How mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MailTransport {
    /// Not at all: the log says that it would have been.
    Log,
    /// To a server.
    Smtp,
}

/// How the way to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MailEncryption {
    /// Not at all.
    None,
    /// By TLS, after a few words in plain.
    Starttls,
    /// By TLS from the beginning.
    Tls,
}

impl MailEncryption {
    /// The port that servers listen on for it (RFC 8314).
    const fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::Starttls => 587,
            Self::Tls => 465,
        }
    }
}

impl EnvValue for MailTransport {
    const EXPECTED: &'static str = "log or smtp";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "log" => Some(Self::Log),
            "smtp" => Some(Self::Smtp),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl EnvValue for MailEncryption {
    const EXPECTED: &'static str = "none, starttls or tls";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "starttls" => Some(Self::Starttls),
            "tls" => Some(Self::Tls),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl MailConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let encryption = env
            .var("MAIL_ENCRYPTION", "How the way to the mail server is kept from others")
            .or::<MailEncryption>(MailEncryption::Starttls);
        let name = Name(env.text("APP_NAME").unwrap_or("Paravel").to_owned());
        let config = Self {
            mailer: env.var("MAIL_MAILER", "How mail is sent").or(MailTransport::Log),
            host: env.var("MAIL_HOST", "The mail server").or::<Host>(Host("127.0.0.1".to_owned())).0,
            port: env.var("MAIL_PORT", "The mail server's port").between(1..=u16::MAX, encryption.port()),
            username: env.var("MAIL_USERNAME", "Whom to log in to the mail server as").optional(),
            password: env.var("MAIL_PASSWORD", "The password for the mail server").optional(),
            encryption,
            root_cert: env
                .var("MAIL_ROOT_CERT", "A file of the authorities that are trusted to name the mail server")
                .optional(),
            from_address: env
                .var("MAIL_FROM_ADDRESS", "Whom mail is from that does not say")
                .optional()
                .map(|Address(address)| address),
            from_name: env.var("MAIL_FROM_NAME", "The name that mail is from").or::<Name>(name).0,
            timeout: env
                .var("MAIL_TIMEOUT", "How long it may take to hand over a mail")
                .between(Duration::from_millis(1)..=Duration::from_secs(3600), Duration::from_secs(30)),
        };
        config.check(env);
        config
    }

    /// What is missing. A value of the wrong form has been noted already.
    fn check(&self, env: &Env) {
        let missing = |name, expected: &str| env.fault(EnvFault::Missing { name, expected: expected.to_owned() });
        match (env.is_set("MAIL_USERNAME"), env.is_set("MAIL_PASSWORD")) {
            (true, false) => missing("MAIL_PASSWORD", "the password of MAIL_USERNAME"),
            (false, true) => missing("MAIL_USERNAME", "the user whose password is MAIL_PASSWORD"),
            _ => {}
        }
        if self.mailer == MailTransport::Smtp && !env.is_set("MAIL_FROM_ADDRESS") {
            missing("MAIL_FROM_ADDRESS", Address::EXPECTED);
        }
    }
}

struct Host(String);

impl EnvValue for Host {
    const EXPECTED: &'static str = "a host's name or address, without a port";

    fn parse(text: &str) -> Option<Self> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        let is_host = text.parse::<std::net::IpAddr>().is_ok() || text.chars().all(plain);
        is_host.then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

struct Address(String);

impl EnvValue for Address {
    const EXPECTED: &'static str = "an e-mail address such as hello@example.com";

    fn parse(text: &str) -> Option<Self> {
        is_email_address(text).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

struct Name(String);

impl EnvValue for Name {
    const EXPECTED: &'static str = "a name in one line";

    fn parse(text: &str) -> Option<Self> {
        (!text.contains(char::is_control)).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
