//! What the audit log keeps of changes of users and roles.

use paravel::{
    database::{DatabaseAdmin, Row, Value},
    queue::Queue,
    testing::TestApp,
};
use serde_json::{Value as Json, from_str, json};

use crate::support::{PASSWORD, admin, app, id, member, rows};

/// What the log has of one action, the latest last.
async fn entries(app: &TestApp, action: &str) -> anyhow::Result<Vec<Row>> {
    rows(app, &format!("select * from audit_log where action = '{action}' order by id")).await
}

#[tokio::test]
async fn a_change_says_who_made_it_and_what_was_there_before_and_after() -> anyhow::Result<()> {
    let app = app().await?;
    let (root, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let path = format!("/api/v1/users/{}", ada.id);
    let change = json!({"name": "Ada Lovelace", "password": "another horse"});
    app.patch(&path).bearer(&root.token).json(&change).send().await.assert_status(200);
    let updated = entries(&app, "user.updated").await?;
    let [entry] = updated.as_slice() else { anyhow::bail!("{updated:?}") };
    assert_eq!((entry.text("actor"), entry.text("outcome")), (&*root.id, "done"));
    let (before, after): (Json, Json) = (from_str(entry.text("state_before"))?, from_str(entry.text("state_after"))?);
    assert_eq!((&before["user"]["name"], &after["user"]["name"]), (&json!("Ada"), &json!("Ada Lovelace")));
    assert_eq!(after["user"]["id"], ada.id);

    let roles = json!({"roles": ["editor"]});
    app.put(&format!("{path}/roles")).bearer(&root.token).json(&roles).send().await.assert_status(200);
    let assigned = entries(&app, "user.roles_assigned").await?;
    assert!(assigned[0].text("arguments").contains(r#"roles=["editor"]"#), "{assigned:?}");
    app.delete(&path).bearer(&root.token).send().await.assert_status(204);
    let deleted = entries(&app, "user.deleted").await?;
    assert!(deleted[0].text("state_before").contains("Ada Lovelace"), "{deleted:?}");
    assert_eq!(deleted[0].get("state_after"), &Value::Null);
    Ok(())
}

#[tokio::test]
async fn who_created_a_user_is_written_once_however_often_that_is_tried() -> anyhow::Result<()> {
    let app = app().await?;
    let root = admin(&app).await?;
    app.work().await?;
    let new = json!({"name": "Edmund", "email": "edmund@example.com", "password": PASSWORD});
    let made = app.post("/api/v1/users").bearer(&root.token).json(&new).send().await.assert_status(201);
    assert!(registrations(&app, &id(&made)).await?.is_empty(), "the request does not wait for it");
    // As if the worker had been killed once it was written, and before it could say so.
    let again = "insert into queue_jobs (queue, priority, about, payload) \
                 select queue, priority, about, payload from queue_jobs";
    app.make::<dyn DatabaseAdmin>()?.apply(None, again.to_owned()).await?;
    assert_eq!(app.make::<Queue>()?.depth("audit").await?.total(), 2);
    app.work().await?;
    let written = registrations(&app, &id(&made)).await?;
    let [entry] = written.as_slice() else { anyhow::bail!("{written:?}") };
    assert_eq!((entry.text("actor"), entry.text("outcome")), (&*root.id, "done"));
    assert!(entry.text("state_after").contains("Edmund"), "{entry:?}");
    assert!(app.make::<Queue>()?.failed().await?.is_empty());
    Ok(())
}

async fn registrations(app: &TestApp, user: &str) -> anyhow::Result<Vec<Row>> {
    let entries = entries(app, "user.registered").await?;
    Ok(entries.into_iter().filter(|entry| entry.text("state_after").contains(user)).collect())
}

#[tokio::test]
async fn roles_are_written_down_too_and_a_change_that_was_refused() -> anyhow::Result<()> {
    let app = app().await?;
    let root = admin(&app).await?;
    let role = json!({"name": "captain", "permissions": ["users.view"]});
    let made = app.post("/api/v1/roles").bearer(&root.token).json(&role).send().await.assert_status(201);
    app.post("/api/v1/roles").bearer(&root.token).json(&role).send().await.assert_problem(409, None);
    let path = format!("/api/v1/roles/{}", id(&made));
    app.patch(&path).bearer(&root.token).json(&json!({"name": "mate"})).send().await.assert_status(200);
    app.delete(&path).bearer(&root.token).send().await.assert_status(204);
    let created = entries(&app, "role.created").await?;
    let created: Vec<_> = created.iter().map(|entry| (entry.text("outcome"), entry.text("error"))).collect();
    assert_eq!(created, [("done", ""), ("failed", "the name is taken")]);
    // The seeder's own, which nobody asked for by a request.
    let ensured = entries(&app, "role.ensured").await?;
    let ensured: Vec<_> = ensured.iter().map(|entry| (entry.text("outcome"), entry.get("actor"))).collect();
    assert_eq!(ensured, [("done", &Value::Null); 3]);
    assert_eq!((entries(&app, "role.updated").await?.len(), entries(&app, "role.deleted").await?.len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn who_registers_is_nobody_yet_and_no_password_is_kept() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    app.work().await?;
    let all = rows(&app, "select * from audit_log order by id").await?;
    let entry = all.iter().find(|entry| entry.text("state_after").contains(&ada.id));
    assert!(entry.is_some_and(|entry| entry.text("action") == "user.registered" && entry.get("actor") == &Value::Null));
    for entry in &all {
        for (column, value) in entry.columns() {
            let text = value.to_string();
            assert!(!text.contains(PASSWORD) && !text.contains("argon2"), "{column}: {text}");
        }
    }
    Ok(())
}
