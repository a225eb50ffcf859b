//! What the application's requests ask of the database, and what the real server says of it.

use crate::support::{ADMIN, Binary, PASSWORD, admin, app, exchange};

#[tokio::test]
async fn no_list_asks_again_for_each_of_its_rows() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    for path in ["/api/v1/users", "/api/v1/roles", "/api/v1/me"] {
        app.get(path).bearer(&admin.token).send().await.assert_status(200).assert_no_n_plus_one();
    }
    Ok(())
}

#[tokio::test]
async fn a_local_server_times_its_queries_and_logs_the_slow_ones() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("APP_ENV", "local").env("DB_SLOW_QUERY", "0ms").env("LOG_LEVEL", "info");
    let serving = binary.serve().await?;
    let body = format!(r#"{{"email":"{ADMIN}","password":"{PASSWORD}"}}"#);
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(serving.address, request.as_bytes()).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("server-timing: db;dur="), "{}", answer.head);
    assert!(answer.head.contains("queries\"") && !answer.head.contains("\"0 queries\""), "{}", answer.head);
    serving.signal("TERM").await?;
    let ended = serving.ended().await?;
    let slow = ended.err.lines().filter(|line| line.contains("a slow query")).collect::<Vec<_>>();
    let of_the_login = slow.iter().filter(|line| line.contains("/api/v1/auth/login")).collect::<Vec<_>>();
    assert!(of_the_login.len() > 1, "{ended:?}");
    assert!(of_the_login.iter().any(|line| line.contains("INSERT")), "a write belongs to its request, too: {slow:#?}");
    for line in &of_the_login {
        assert!(line.contains("fingerprint=") && line.contains("elapsed=") && line.contains("source="), "{line}");
        assert!(!line.contains(ADMIN), "no value: {line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_in_production_does_not_tell() -> anyhow::Result<()> {
    let key = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let binary = Binary::seeded().await?.env("APP_ENV", "production").env("APP_KEY", key);
    let serving = binary.serve().await?;
    let answer = exchange(serving.address, b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    assert!(!answer.head.contains("server-timing"), "{}", answer.head);
    serving.signal("TERM").await?;
    serving.ended().await?;
    Ok(())
}
