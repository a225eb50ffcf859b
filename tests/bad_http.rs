//! What is wrong before it is a request: bytes that no client would send, over a real socket.

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{PASSWORD, app, count, exchange, read_answer};

const LOGIN: &str = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_the_connection_closed() -> anyhow::Result<()> {
    let app = app().await?;
    let server = app.serve().await?;
    for fault in [
        format!("{LOGIN}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
        format!("{LOGIN}Content-Length: -1\r\n\r\n{{}}"),
        format!("{LOGIN}Content-Length: +2\r\n\r\n{{}}"),
        format!("{LOGIN}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
        "GET /up HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(),
        "GET /up HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n".to_owned(),
        "GET /up HTTP/1.1\r\nHost: x\r\nX-A: b\rc\r\n\r\n".to_owned(),
        "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let answer = exchange(server.address(), fault.as_bytes()).await?;
        assert_eq!(answer.status, 400, "{fault:?}: {answer:?}");
        assert!(!answer.body.contains("HTTP/1.1"), "one answer to {fault:?}: {answer:?}");
    }
    // Of two lengths the chunks count, and nothing after them is taken for a second request.
    let both = format!(
        "{LOGIN}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\nGET /up HTTP/1.1\r\nHost: x\r\n\r\n"
    );
    let answer = exchange(server.address(), both.as_bytes()).await?;
    assert!(answer.status == 422 && !answer.body.contains("HTTP/1.1"), "{answer:?}");
    server.get("/up").send().await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_refused() -> anyhow::Result<()> {
    let app = app().await?;
    let server = app.serve().await?;
    let large = format!("X-A: {}\r\n", "a".repeat(1_000_000));
    let many: String = (0..10_000).map(|number| format!("X-{number}: a\r\n")).collect();
    for headers in [large, many] {
        let request = format!("GET /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        assert_eq!(exchange(server.address(), request.as_bytes()).await?.status, 431);
    }
    Ok(())
}

#[tokio::test]
async fn of_a_body_that_breaks_off_nothing_is_stored() -> anyhow::Result<()> {
    let app = app().await?;
    let server = app.serve().await?;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD}).to_string();
    let head =
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
    for length in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let chunk = if length.starts_with('T') { format!("{:x}\r\n", body.len()) } else { String::new() };
        let mut stream = TcpStream::connect(server.address()).await?;
        stream.write_all(format!("{head}{length}\r\n\r\n{chunk}{body}").as_bytes()).await?;
        stream.shutdown().await?;
        // A client that stays to listen is told; one that has gone has nothing stored for it either.
        if let Ok(answer) = read_answer(&mut stream).await {
            assert_eq!(answer.status, 400, "{length}: {answer:?}");
        }
    }
    assert!(server.stop().await, "no request is left open");
    assert_eq!(count(&app, "users").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_no_text_is_no_token() -> anyhow::Result<()> {
    let app = app().await?;
    let server = app.serve().await?;
    let request = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \xff\xfe\r\n\r\n";
    let answer = exchange(server.address(), request).await?;
    assert!(answer.status == 401 && answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    Ok(())
}
