//! Clients that are slow or say nothing, requests that do not end, and more of them than there is room for.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use app::application;
use paravel::{
    container::Inject,
    endpoint,
    http::{NoContent, Result, Router},
    poem::http::Method,
    support::Env,
    testing::{TestApp, TestServer},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::support::{ADMIN, PASSWORD, seeded};

/// HTTP/2's preface and an empty SETTINGS frame (RFC 9113, 3.4 and 6.5).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What a request waits for.
struct Gate {
    entered: Semaphore,
    open: Semaphore,
}

/// Waits until it is let through.
#[endpoint]
async fn wait(gate: Inject<Gate>) -> Result<NoContent> {
    gate.entered.add_permits(1);
    drop(gate.open.acquire().await);
    Ok(NoContent)
}

fn routes(routes: &mut Router) {
    routes.get("/wait", wait);
}

async fn gated(variables: &[(&str, &str)]) -> anyhow::Result<(TestApp, Arc<Gate>)> {
    let gate = Arc::new(Gate { entered: Semaphore::new(0), open: Semaphore::new(0) });
    let bound = Arc::clone(&gate);
    let builder = application().env(Env::from_pairs(variables.iter().copied())).routes(routes).replace(move |app| {
        app.instance(bound);
    });
    Ok((TestApp::boot(builder).await?, gate))
}

/// Sends this and nothing more, and waits until the server closes; what hangs is found by the deadline.
async fn closed_after(server: &TestServer, sent: &[u8]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(sent).await?;
    let mut answer = Vec::new();
    // However it closes: with what was sent unread, it may be a reset.
    let _ = timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.context("it is kept")?;
    Ok(())
}

#[tokio::test]
async fn a_connection_of_no_use_is_closed_and_one_that_waits_for_an_answer_is_not() -> anyhow::Result<()> {
    let (app, gate) = gated(&[("HTTP_HEADER_TIMEOUT", "50ms")]).await?;
    let server = app.serve().await?;
    let waits = server.get("/wait").send();
    let others = async {
        gate.entered.acquire().await?.forget();
        // Each is there for longer than the timeout, one after the other.
        for sent in [&b""[..], b"PRI * HT", HTTP2, b"GET /up HTTP/1.1\r\nHost: x\r\n", b"G"] {
            closed_after(&server, sent).await.with_context(|| String::from_utf8_lossy(sent).into_owned())?;
        }
        gate.open.add_permits(1);
        anyhow::Ok(())
    };
    let (answer, others) = tokio::join!(waits, others);
    others?;
    answer.assert_status(204);
    Ok(())
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_at_the_deadline_of_a_stop() -> anyhow::Result<()> {
    let (app, gate) = gated(&[("HTTP_SHUTDOWN_TIMEOUT", "50ms")]).await?;
    let server = app.serve().await?;
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    gate.entered.acquire().await?.forget();
    assert!(!timeout(Duration::from_secs(30), server.stop()).await.context("it does not stop")?);
    Ok(())
}

#[tokio::test]
async fn more_passwords_than_there_is_room_for_are_told_to_come_again() -> anyhow::Result<()> {
    // Hashes that take long enough to meet.
    let variables =
        [("HASH_CONCURRENCY", "1"), ("HASH_QUEUE", "1"), ("HASH_MEMORY_KIB", "65536"), ("HASH_ITERATIONS", "2")];
    let app = seeded(application().env(Env::from_pairs(variables))).await?;
    let server = app.serve().await?;
    let body = json!({"email": ADMIN, "password": "wrong horse"});
    let logins = (0..8).map(|_| server.request(Method::POST, "/api/v1/auth/login").json(&body).send());
    let (mut wrong, mut overloaded) = (0, 0);
    for answer in JoinSet::from_iter(logins).join_all().await {
        match answer.status() {
            401 => wrong += 1,
            503 => {
                overloaded += 1;
                assert_eq!(answer.header("retry-after"), "1");
                let answer = answer.assert_problem(503, None);
                assert!(!answer.text().contains("hash"), "{answer:?}");
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!(wrong >= 2 && overloaded >= 1, "{wrong} wrong, {overloaded} overloaded");
    let right = json!({"email": ADMIN, "password": PASSWORD});
    server.request(Method::POST, "/api/v1/auth/login").json(&right).send().await.assert_status(200);
    Ok(())
}
