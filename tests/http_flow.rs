//! What somebody does with the API from the first request to the last, over a real socket.

use serde_json::json;

use crate::support::{ADMIN, PASSWORD, app};

#[tokio::test]
async fn somebody_registers_is_promoted_and_logs_out() -> anyhow::Result<()> {
    let app = app().await?;
    let server = app.serve().await?;

    let ada = json!({"name": "Ada", "email": "Ada@Example.com", "password": PASSWORD});
    let registered = server.post("/api/v1/auth/register").json(&ada).send().await.assert_status(201);
    let id = registered.at("/user/id").as_str().unwrap_or_default().to_owned();
    assert_eq!(registered.at("/user/email"), "ada@example.com");
    assert_eq!(registered.at("/token_type"), "Bearer");

    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let login = server.post("/api/v1/auth/login").json(&login).send().await.assert_status(200);
    let token = login.at("/token").as_str().unwrap_or_default().to_owned();
    let me = server.get("/api/v1/me").bearer(&token).send().await.assert_status(200);
    me.assert_json("/data/id", id.clone()).assert_json("/data/roles", json!(["member"]));
    server.get("/api/v1/users").bearer(&token).send().await.assert_problem(403, None);

    let admin = json!({"email": ADMIN, "password": PASSWORD});
    let admin = server.post("/api/v1/auth/login").json(&admin).send().await.assert_status(200);
    let admin = admin.at("/token").as_str().unwrap_or_default().to_owned();
    let list = server.get("/api/v1/users").bearer(&admin).send().await.assert_status(200);
    list.assert_json("/meta/total", 2);
    let roles = format!("/api/v1/users/{id}/roles");
    server.put(&roles).bearer(&token).json(&json!({"roles": ["admin"]})).send().await.assert_problem(403, None);
    let promoted = server.put(&roles).bearer(&admin).json(&json!({"roles": ["editor"]})).send().await;
    promoted.assert_status(200).assert_json("/data/roles", json!(["editor"]));

    // The token that Ada has already is worth more from now on, but still no more than an editor's.
    server.get("/api/v1/users").bearer(&token).send().await.assert_status(200).assert_json("/meta/total", 2);
    server.get("/api/v1/roles").bearer(&token).send().await.assert_problem(403, None);

    let out = server.post("/api/v1/auth/logout").bearer(&token).send().await.assert_status(204);
    assert_eq!(out.text(), "");
    server.get("/api/v1/me").bearer(&token).send().await.assert_problem(401, None);
    let first = registered.at("/token").as_str().unwrap_or_default().to_owned();
    server.get("/api/v1/me").bearer(&first).send().await.assert_status(200);
    assert!(server.stop().await, "no request is left open");
    Ok(())
}

#[tokio::test]
async fn the_welcome_page_is_one_of_html() -> anyhow::Result<()> {
    let server_of = app().await?;
    let server = server_of.serve().await?;
    let page = server.get("/").send().await.assert_status(200);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert!(page.text().contains("Paravel"), "{page:?}");
    Ok(())
}

#[tokio::test]
async fn an_application_that_works_says_that_it_is_up() -> anyhow::Result<()> {
    let server_of = app().await?;
    let server = server_of.serve().await?;
    server.get("/up").send().await.assert_status(200).assert_json("/status", "up");
    Ok(())
}
