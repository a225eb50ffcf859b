//! A small SMTP server that keeps what it is sent.

use std::{collections::HashMap, sync::Arc};

use base64ct::{Base64, Encoding};
use parking_lot::Mutex;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Issued;

/// How it answers.
#[derive(Clone, Default)]
pub struct Rules {
    tls: Option<TlsAcceptor>,
    wrapped: bool,
    login: Option<(&'static str, String)>,
    answers: HashMap<&'static str, &'static str>,
    silent: Option<&'static str>,
    hangs_up: Option<&'static str>,
}

impl Rules {
    /// Offers STARTTLS, with this certificate.
    pub fn starttls(mut self, issued: &Issued) -> Self {
        let certificates = CertificateDer::pem_slice_iter(issued.certificate.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
        self.tls = Some(TlsAcceptor::from(Arc::new(config)));
        self
    }

    /// Begins by TLS, with this certificate.
    pub fn wrapped(mut self, issued: &Issued) -> Self {
        self.wrapped = true;
        self.starttls(issued)
    }

    /// Lets this user in, by this mechanism.
    pub fn login(mut self, mechanism: &'static str, user: &str, password: &str) -> Self {
        self.login = Some((mechanism, format!("{user} {password}")));
        self
    }

    /// Answers a command by this. `CONNECT` stands for the greeting, and `END` for the mail's end.
    pub fn answer(mut self, command: &'static str, answer: &'static str) -> Self {
        self.answers.insert(command, answer);
        self
    }

    /// Does not answer a command.
    pub fn silent(mut self, command: &'static str) -> Self {
        self.silent = Some(command);
        self
    }

    /// Hangs up in place of answering a command.
    pub fn hangs_up(mut self, command: &'static str) -> Self {
        self.hangs_up = Some(command);
        self
    }
}

/// What a connection brought.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Every line but the mail's, each with a `+` before it that came by TLS.
    pub lines: Vec<String>,
    /// The mail, without the dots that are added on the way.
    pub mail: Option<String>,
}

pub struct Sink {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    fell_silent: Arc<Notify>,
    _connections: JoinSet<()>,
}

impl Sink {
    pub async fn new(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (received, fell_silent) = (Arc::<Mutex<Vec<Received>>>::default(), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        let session = Session { rules, received: Arc::clone(&received), fell_silent: Arc::clone(&fell_silent), at: 0 };
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut session = session.clone();
                let mut received = session.received.lock();
                session.at = received.len();
                received.push(Received::default());
                drop(received);
                connections.spawn(async move { session.run(stream).await });
            }
        });
        Self { port, received, fell_silent, _connections: tasks }
    }

    /// What each connection brought.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().clone()
    }

    /// What the one connection brought that there was.
    pub fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }

    /// Waits until it does not answer.
    pub async fn fell_silent(&self) {
        self.fell_silent.notified().await;
    }
}

#[derive(Clone)]
struct Session {
    rules: Rules,
    received: Arc<Mutex<Vec<Received>>>,
    fell_silent: Arc<Notify>,
    at: usize,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Session {
    async fn run(self, stream: TcpStream) -> Option<()> {
        let mut stream: Box<dyn Stream> = Box::new(stream);
        let mut encrypted = self.rules.wrapped;
        if encrypted {
            stream = self.shake_hands(stream).await?;
        }
        let mut stream = BufReader::new(stream);
        self.say(&mut stream, "CONNECT", "220 sink").await?;
        loop {
            let line = read_line(&mut stream).await?;
            let mark = if encrypted { "+" } else { "" };
            self.received.lock()[self.at].lines.push(format!("{mark}{line}"));
            let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match command.as_str() {
                "EHLO" => self.say(&mut stream, "EHLO", &self.offered(encrypted)).await?,
                "STARTTLS" => {
                    self.say(&mut stream, "STARTTLS", "220 go on").await?;
                    stream = BufReader::new(self.shake_hands(stream.into_inner()).await?);
                    encrypted = true;
                }
                "AUTH" => self.log_in(&mut stream, &line).await?,
                "MAIL" => self.say(&mut stream, "MAIL", "250 ok").await?,
                "RCPT" => self.say(&mut stream, "RCPT", "250 ok").await?,
                "DATA" => {
                    self.say(&mut stream, "DATA", "354 go on").await?;
                    if !self.rules.answers.contains_key("DATA") {
                        let mail = read_mail(&mut stream).await?;
                        self.received.lock()[self.at].mail = Some(mail);
                        self.say(&mut stream, "END", "250 taken").await?;
                    }
                }
                "QUIT" => return self.say(&mut stream, "QUIT", "221 farewell").await,
                _ => self.say(&mut stream, "ELSE", "502 what?").await?,
            }
        }
    }

    fn offered(&self, encrypted: bool) -> String {
        let starttls = if self.rules.tls.is_some() && !encrypted { "250-STARTTLS\r\n" } else { "" };
        let auth = self.rules.login.as_ref().map(|(mechanism, _)| format!("250-AUTH {mechanism}\r\n"));
        format!("250-sink\r\n{starttls}{}250 8BITMIME", auth.unwrap_or_default())
    }

    async fn shake_hands(&self, stream: Box<dyn Stream>) -> Option<Box<dyn Stream>> {
        if self.rules.silent == Some("TLS") {
            self.fall_silent().await;
        }
        Some(Box::new(self.rules.tls.as_ref()?.accept(stream).await.ok()?))
    }

    async fn log_in(&self, stream: &mut BufReader<Box<dyn Stream>>, line: &str) -> Option<()> {
        let text = |text: &str| String::from_utf8(Base64::decode_vec(text).unwrap()).unwrap();
        let said = match line.strip_prefix("AUTH PLAIN ") {
            Some(both) => text(both).trim_start_matches('\0').replace('\0', " "),
            None => {
                write(stream, "334 VXNlcm5hbWU6").await?;
                let user = text(&read_line(stream).await?);
                write(stream, "334 UGFzc3dvcmQ6").await?;
                format!("{user} {}", text(&read_line(stream).await?))
            }
        };
        let is_right = self.rules.login.as_ref().is_some_and(|(_, right)| *right == said);
        self.say(stream, "AUTH", if is_right { "235 welcome" } else { "535 who are you?" }).await
    }

    /// Answers as the rules say, or else by this.
    async fn say(&self, stream: &mut BufReader<Box<dyn Stream>>, command: &str, usual: &str) -> Option<()> {
        if self.rules.silent == Some(command) {
            self.fall_silent().await;
        }
        if self.rules.hangs_up == Some(command) {
            return None;
        }
        write(stream, self.rules.answers.get(command).unwrap_or(&usual)).await
    }

    async fn fall_silent(&self) {
        self.fell_silent.notify_one();
        std::future::pending().await
    }
}

async fn write(stream: &mut BufReader<Box<dyn Stream>>, answer: &str) -> Option<()> {
    stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

async fn read_mail(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut mail = String::new();
    loop {
        let line = read_line(stream).await?;
        if line == "." {
            return Some(mail);
        }
        mail += line.strip_prefix('.').unwrap_or(&line);
        mail += "\r\n";
    }
}
