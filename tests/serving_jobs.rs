//! Jobs that the real server runs beside the requests.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{interval, timeout},
};

use crate::support::{Binary, PASSWORD, Serving, ask};

/// Longer than anything here takes on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// Somebody registers, of which jobs follow: the welcome, and the audit log's entry.
async fn register(server: &Serving, name: &str) -> anyhow::Result<()> {
    let body = json!({"name": name, "email": format!("{name}@example.com"), "password": PASSWORD});
    let answer = ask(server.address, "POST", "/api/v1/auth/register", "", Some(&body)).await?;
    assert_eq!(answer.status, 201, "{answer:?}");
    Ok(())
}

async fn until(what: &str, holds: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let mut ticks = interval(Duration::from_millis(20));
    let looking = async {
        while !holds().await? {
            ticks.tick().await;
        }
        anyhow::Ok(())
    };
    timeout(DEADLINE, looking).await.with_context(|| what.to_owned())?
}

async fn until_none_waits(binary: &Binary) -> anyhow::Result<()> {
    until("jobs are left", async || Ok(binary.count("queue_jobs").await? == 0)).await
}

#[tokio::test]
async fn they_are_run_and_after_a_restart_of_the_workers_too() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("QUEUE_SERVE", "true");
    let server = binary.serve().await?;
    register(&server, "ada").await?;
    until_none_waits(&binary).await?;
    assert_eq!(binary.count("audit_log where action = 'user.registered'").await?, 2, "the administrator is one");
    let workers = async || {
        let rows = binary.rows("select id from queue_workers").await?;
        anyhow::Ok(rows.iter().map(|row| format!("{:?}", row.get("id"))).collect::<Vec<_>>())
    };
    let before = workers().await?;
    assert_eq!(before.len(), 1);
    binary.done(&["queue:restart"]).await?;
    let another = async || {
        let now = workers().await?;
        Ok(now.len() == 1 && now != before)
    };
    until("it has no other worker", another).await?;
    register(&server, "grace").await?;
    until_none_waits(&binary).await?;
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("Jobs are run here too: "), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn they_are_left_to_other_processes_where_the_server_is_to_run_none() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("QUEUE_SERVE", "false");
    let server = binary.serve().await?;
    binary.done(&["queue:work", "--stop-when-empty"]).await?;
    register(&server, "ada").await?;
    assert_eq!(binary.count("queue_jobs").await?, 2);
    binary.done(&["queue:work", "--stop-when-empty"]).await?;
    assert_eq!(binary.count("queue_jobs").await?, 0);
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert!(ended.code == Some(0) && !ended.out.contains("Jobs are run here too"), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn whoever_has_them_in_memory_alone_is_warned() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("QUEUE_CONNECTION", "memory");
    let server = binary.serve().await?;
    register(&server, "ada").await?;
    let audited = async || Ok(binary.count("audit_log where action = 'user.registered'").await? == 1);
    until("they are not run", audited).await?;
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert!(ended.code == Some(0) && ended.err.contains("gone with it"), "{ended:?}");
    Ok(())
}

/// A mail server that takes connections and says nothing.
#[cfg(feature = "smtp")]
#[tokio::test]
async fn one_that_runs_has_its_grace_at_the_first_signal_and_none_at_the_second() -> anyhow::Result<()> {
    let mute = TcpListener::bind("127.0.0.1:0").await?;
    let mut binary = Binary::seeded().await?.env("QUEUE_SERVE", "true");
    // What the seeds have left.
    binary.done(&["queue:work", "--stop-when-empty"]).await?;
    for (name, value) in [
        ("MAIL_MAILER", "smtp"),
        ("MAIL_HOST", "127.0.0.1"),
        ("MAIL_PORT", &*mute.local_addr()?.port().to_string()),
        ("MAIL_ENCRYPTION", "none"),
        ("MAIL_FROM_ADDRESS", "hello@example.com"),
        ("MAIL_TIMEOUT", "1h"),
        ("QUEUE_GRACE", "1h"),
    ] {
        binary = binary.env(name, value);
    }
    let server = binary.serve().await?;
    register(&server, "ada").await?;
    let (_connection, _) = timeout(DEADLINE, mute.accept()).await.context("no mail is sent")??;
    server.signal("TERM").await?;
    let closed = async || Ok(TcpStream::connect(server.address).await.is_err());
    until("it goes on taking connections", closed).await?;
    // It is still there: the job that runs has its grace.
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let attempts = binary.rows("select attempts from queue_jobs").await?;
    assert_eq!(attempts.len(), 1, "the job is not lost");
    assert_eq!(attempts[0].integer("attempts"), 0, "and that was no attempt");
    Ok(())
}
