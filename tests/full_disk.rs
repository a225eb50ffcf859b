//! A disk with no room left: what would write is told so, and the rest goes on.

use std::sync::Arc;

use paravel::{database::DatabaseAdmin, testing::TestApp};
use serde_json::json;

use crate::support::{admin, app, is_embedded};

/// Lets the database's file have so many pages at most; fewer than it has means no more than it has.
async fn limit_pages(app: &TestApp, count: u32) -> anyhow::Result<()> {
    let database: Arc<dyn DatabaseAdmin> = app.make()?;
    Ok(database.apply(None, format!("pragma max_page_count = {count}")).await?)
}

#[tokio::test]
async fn a_full_disk_is_503_to_writes_and_nothing_to_reads() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's disk cannot be filled from here");
        return Ok(());
    }
    let app = app().await?;
    let (admin, unused) = (admin(&app).await?, admin(&app).await?);
    limit_pages(&app, 1).await?;
    let permissions = ["users.view", "users.manage", "roles.manage"];
    let add = async |number: usize| {
        let role = json!({"name": format!("a role of a long name, number {number}"), "permissions": permissions});
        app.post("/api/v1/roles").bearer(&admin.token).json(&role).send().await
    };
    let mut answers = 0;
    let refused = loop {
        let answer = add(answers).await;
        if answer.status() != 201 {
            break answer;
        }
        answers += 1;
        assert!(answers < 1000, "it is never full");
    };
    let refused = refused.assert_problem(503, None);
    assert_eq!(refused.header("retry-after"), "1");
    // A token's first request writes, too: when it was used.
    for token in [&unused.token, &admin.token] {
        for path in ["/up", "/api/v1/me", "/api/v1/users"] {
            app.get(path).bearer(token).send().await.assert_status(200);
        }
    }
    limit_pages(&app, 100_000).await?;
    add(answers).await.assert_status(201);
    Ok(())
}
