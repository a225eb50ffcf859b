//! What the application's requests ask of the database, and what the real server says of it.

use app::application;
use serde_json::json;

use crate::support::{ADMIN, Binary, KEY, PASSWORD, admin, ask, column, member, seeded, with_permissions};

#[tokio::test]
async fn no_list_asks_again_for_each_of_its_rows() -> anyhow::Result<()> {
    let mut builder = application();
    // A query that runs twice is one too many already.
    builder.env_mut().set("DB_N_PLUS_ONE", "2");
    let app = seeded(builder).await?;
    let admin = admin(&app).await?;
    for name in ["Ada", "Grace"] {
        with_permissions(&app, name, &["users.view", "roles.manage"]).await?;
    }
    member(&app, "Edith").await?;
    for (path, rows) in [("/api/v1/users", 4), ("/api/v1/roles", 5), ("/api/v1/me", 0)] {
        let answer = app.get(path).bearer(&admin.token).send().await.assert_status(200).assert_no_n_plus_one();
        assert_eq!(column(&answer, "name").len(), rows, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_local_server_times_its_queries_and_logs_the_slow_ones() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("APP_ENV", "local").env("DB_SLOW_QUERY", "0ms").env("LOG_LEVEL", "info");
    let serving = binary.serve().await?;
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let answer = ask(serving.address, "POST", "/api/v1/auth/login", "", Some(&login)).await?;
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
    let binary = Binary::seeded().await?.env("APP_ENV", "production").env("APP_KEY", KEY);
    let serving = binary.serve().await?;
    let answer = ask(serving.address, "GET", "/api/v1/me", "", None).await?;
    assert!(!answer.head.contains("server-timing"), "{}", answer.head);
    serving.signal("TERM").await?;
    serving.ended().await?;
    Ok(())
}
