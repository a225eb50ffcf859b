//! The few words that are said in plain before TLS. They are said here and not by the client library, which keeps what came
//! with the last of them, and would take it for what the server says by TLS; whoever stands in between could put it there.

use std::io;

use lettre::transport::smtp::extension::ClientId;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::conversation::Conversation;
use crate::mail::MailError;

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

struct Answer {
    code: u16,
    lines: Vec<String>,
}

/// Asks for TLS, and gives the stream back on which it is to begin.
pub(super) async fn ask(stream: TcpStream, hello: &ClientId, talk: &Conversation<'_>) -> Result<TcpStream, MailError> {
    let mut stream = BufReader::new(stream);
    said(&mut stream, None, "the greeting", talk).await?;
    let offered = said(&mut stream, Some(&format!("EHLO {hello}\r\n")), "EHLO", talk).await?;
    if !offered.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(talk.not_encrypted());
    }
    said(&mut stream, Some("STARTTLS\r\n"), "STARTTLS", talk).await?;
    match stream.buffer() {
        [] => Ok(stream.into_inner()),
        _ => Err(talk.lost("STARTTLS", "something came in plain after the answer: somebody stands in between")),
    }
}

/// Says something, if anything is to be said, and gives the lines of the answer.
async fn said(
    stream: &mut BufReader<TcpStream>,
    line: Option<&str>,
    stage: &'static str,
    talk: &Conversation<'_>,
) -> Result<Vec<String>, MailError> {
    let answer = talk.in_time(stage, async {
        let answered = async {
            if let Some(line) = line {
                stream.write_all(line.as_bytes()).await?;
            }
            read(stream).await
        };
        answered.await.map_err(|error: io::Error| talk.lost(stage, &error.to_string()))
    });
    let answer = answer.await?;
    match answer.code {
        200..300 => Ok(answer.lines),
        code => Err(talk.refused(stage, code, &answer.lines.join(" "))),
    }
}

/// An answer of several lines, each with the code and a `-`, in the last one a space (RFC 5321, 4.2).
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut stream = stream.take(LONGEST);
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await?;
        let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(b"")).trim_end().to_owned();
        let code = line.get(..3).and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code));
        let code = code.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what came is no answer of SMTP"))?;
        lines.push(line.get(4..).unwrap_or_default().to_owned());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(Answer { code, lines });
        }
    }
}
