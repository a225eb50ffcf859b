//! HTTP by hand, for what no client would send.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
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
