//! HTTP by hand, for what no client would send.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What hangs is found by it.
const DEADLINE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body of an answer that has to be good.
    pub fn json(&self) -> anyhow::Result<Value> {
        ensure!(self.status < 300, "{self:?}");
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Sends a request as a client would: with a token, where it is not empty, and with JSON, where there is any.
pub async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    if !token.is_empty() {
        request.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    let answer = exchange(address, format!("{request}\r\n{body}").as_bytes()).await;
    answer.with_context(|| format!("{method} {path}"))
}

/// Sends these bytes as they stand, and reads until the server closes: ask it to by `Connection: close`.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    // A server may answer, and close, before it has read all.
    let sent = timeout(DEADLINE, stream.write_all(bytes)).await.context("the server does not read")?;
    let answer = read_answer(&mut stream).await;
    answer.with_context(|| format!("sent: {sent:?}"))
}

/// Reads what is left until the server closes.
pub async fn read_answer(stream: &mut TcpStream) -> anyhow::Result<Answer> {
    let mut bytes = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.context("the server does not close")??;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no head: {text:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("no status: {head:?}"))?;
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}
