use std::{io, net::IpAddr};

use lettre::transport::smtp::{client::AsyncSmtpConnection, extension::ClientId};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{SmtpTransport, conversation::Conversation, starttls, wire::Wire};
use crate::{
    config::MailEncryption,
    mail::MailError,
    support::{TlsFault, connector},
};

/// What this process calls itself: the host of the application's address, where that has a name or an address that is one.
pub(super) fn hello(url: &str) -> ClientId {
    let authority = url.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
    match host.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) if !host.is_empty() && host.chars().all(plain) => ClientId::Domain(host.to_owned()),
        Err(_) => ClientId::default(),
    }
}

impl SmtpTransport {
    /// Connects, by TLS where that was asked for, and exchanges greetings.
    pub(super) async fn connect(&self, talk: &Conversation<'_>) -> Result<AsyncSmtpConnection, MailError> {
        let connected = async {
            let stream = TcpStream::connect((&*self.config.host, self.config.port)).await?;
            stream.set_nodelay(true)?;
            Ok((stream.peer_addr()?, stream))
        };
        let connected = async { connected.await.map_err(|error: io::Error| talk.unreachable(&error)) };
        let (peer, stream) = talk.in_time("connecting", connected).await?;
        let wire = match self.config.encryption {
            MailEncryption::None => Wire::new(stream, peer),
            MailEncryption::Tls => Wire::new(self.encrypted(stream, talk).await?, peer),
            MailEncryption::Starttls => {
                let stream = starttls::ask(stream, &self.hello, talk).await?;
                Wire::greeted(self.encrypted(stream, talk).await?, peer)
            }
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &self.hello);
        talk.ask("EHLO", greeted).await
    }

    async fn encrypted(&self, stream: TcpStream, talk: &Conversation<'_>) -> Result<TlsStream<TcpStream>, MailError> {
        let connector = self.connector().map_err(|fault| talk.tls(fault))?;
        let name = ServerName::try_from(self.config.host.clone())
            .map_err(|error| talk.tls(TlsFault::WrongName { reason: error.to_string() }))?;
        let shaken = async {
            connector.connect(name, stream).await.map_err(|error| match TlsFault::among(&error) {
                Some(fault) => talk.tls(fault),
                None => talk.lost("the TLS handshake", &error.to_string()),
            })
        };
        talk.in_time("the TLS handshake", shaken).await
    }

    /// The authorities are read once, when they are first needed.
    fn connector(&self) -> Result<&TlsConnector, TlsFault> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector);
        }
        let connector = connector(self.config.root_cert.as_deref().map(AsRef::as_ref))?;
        Ok(self.tls.get_or_init(|| connector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_called_by_the_host_of_its_address() {
        for (url, expected) in [
            ("https://ships.example.com", "ships.example.com"),
            ("http://ships.example.com:8000/a?b=c:d", "ships.example.com"),
            ("http://127.0.0.1:8000", "[127.0.0.1]"),
            ("http://[::1]:8000/", "[IPv6:::1]"),
            ("https://ships.example.com\r\nQUIT", "[127.0.0.1]"),
            ("http://船.example", "[127.0.0.1]"),
            ("http://:8000", "[127.0.0.1]"),
            ("", "[127.0.0.1]"),
        ] {
            assert_eq!(hello(url).to_string(), expected, "{url}");
        }
    }
}
