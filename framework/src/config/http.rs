use std::time::Duration;

use serde::Serialize;

use crate::support::Env;

/// The web server.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HttpConfig {
    /// `HTTP_HOST`: the address to listen on; `serve --host` wins. Default `127.0.0.1`.
    pub host: String,
    /// `HTTP_PORT`: the port to listen on; `serve --port` wins. Default 8000.
    pub port: u16,
    /// `HTTP_BODY_LIMIT`: the longest request body, in bytes, from 1 to 1073741824 (1 GiB). Default 2097152 (2 MiB).
    pub body_limit: usize,
    /// `HTTP_HEADER_TIMEOUT`: how long a client may take to send its headers, and how long a connection is kept on
    /// which there is no request, from `1ms` to `1h`. Default `10s`.
    #[serde(serialize_with = "super::shown::duration")]
    pub header_timeout: Duration,
    /// `HTTP_SHUTDOWN_TIMEOUT`: how long open requests may go on after a stop was asked for, up to `1d`. Default
    /// `10s`.
    #[serde(serialize_with = "super::shown::duration")]
    pub shutdown_timeout: Duration,
}

impl HttpConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            host: env.var("HTTP_HOST", "The address to listen on").or("127.0.0.1"),
            port: env.var("HTTP_PORT", "The port to listen on").or(8000_u16),
            body_limit: env
                .var("HTTP_BODY_LIMIT", "The longest request body, in bytes")
                .between(1..=1_073_741_824, 2_097_152_usize),
            header_timeout: env
                .var("HTTP_HEADER_TIMEOUT", "How long a client may take to send its headers")
                .between(Duration::from_millis(1)..=Duration::from_secs(3600), Duration::from_secs(10)),
            shutdown_timeout: env
                .var("HTTP_SHUTDOWN_TIMEOUT", "How long open requests may go on after a stop")
                .between(Duration::ZERO..=Duration::from_secs(86_400), Duration::from_secs(10)),
        }
    }
}
