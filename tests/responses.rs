//! What every response has, and what none has.

use app::application;
use paravel::{
    endpoint,
    http::{Json, Result, Router},
    poem::http::Method,
    testing::TestApp,
};
use serde_json::{Value, json};

use crate::support::{PASSWORD, admin, app, cached_app, member};

/// Panics with something that is nobody's business.
#[endpoint]
async fn boom() -> Result<Json<Value>> {
    panic!("the password is hunter22")
}

fn routes(routes: &mut Router) {
    routes.get("/boom", boom).name("boom");
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_request_alone() -> anyhow::Result<()> {
    let app = TestApp::boot(application().routes(routes)).await?;
    let server = app.serve().await?;
    for _ in 0..3 {
        let failed = server.get("/boom").send().await.assert_problem(500, None);
        let id = failed.header("x-request-id").to_owned();
        assert!(!id.is_empty());
        failed.assert_json(
            "",
            json!({"type": "about:blank", "title": "Internal Server Error", "status": 500, "request_id": id}),
        );
        server.get("/up").send().await.assert_status(200);
    }
    assert!(server.stop().await);
    Ok(())
}

#[tokio::test]
async fn a_plain_request_id_comes_back_and_another_is_replaced() -> anyhow::Result<()> {
    let app = app().await?;
    for plain in ["abc-123", "A.b_c", &"x".repeat(64)] {
        let answer = app.get("/up").header("x-request-id", plain).send().await;
        assert_eq!(answer.header("x-request-id"), plain);
    }
    for nasty in ["a b", "<script>", "a\tb", "${jndi:ldap://x}", "", &"x".repeat(65)] {
        let answer = app.get("/up").header("x-request-id", nasty).send().await;
        let given = answer.header("x-request-id");
        assert!(given != nasty && given.len() == 36, "{nasty:?} became {given:?}");
    }
    let ids = [app.get("/up").send().await, app.get("/up").send().await];
    assert_ne!(ids[0].header("x-request-id"), ids[1].header("x-request-id"));
    Ok(())
}

#[tokio::test]
async fn every_answer_has_the_security_headers() -> anyhow::Result<()> {
    let app = TestApp::boot(application().routes(routes)).await?;
    for path in ["/", "/up", "/nowhere", "/api/v1/me", "/boom"] {
        let answer = app.get(path).send().await;
        for (header, value) in
            [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")]
        {
            assert_eq!(answer.header(header), value, "{path}");
        }
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(answer.header("server"), "", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn no_response_holds_a_password_or_its_hash() -> anyhow::Result<()> {
    let app = app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let token = &admin.token;
    let ada = format!("/api/v1/users/{}", ada.id);
    let grace = json!({"name": "Grace", "email": "grace@example.com", "password": PASSWORD});
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let answers = [
        app.post("/api/v1/auth/register").json(&grace).send().await.assert_status(201),
        app.post("/api/v1/auth/register").json(&grace).send().await.assert_status(409),
        app.post("/api/v1/auth/login").json(&login).send().await.assert_status(200),
        app.get("/api/v1/me").bearer(token).send().await.assert_status(200),
        app.get("/api/v1/users").bearer(token).send().await.assert_status(200),
        app.get(&ada).bearer(token).send().await.assert_status(200),
        app.patch(&ada).bearer(token).json(&json!({"password": "another horse"})).send().await.assert_status(200),
        app.put(&format!("{ada}/roles")).bearer(token).json(&json!({"roles": []})).send().await.assert_status(200),
        app.get("/api/v1/roles").bearer(token).send().await.assert_status(200),
        app.get("/api/v1/users?sort=password_hash").bearer(token).send().await.assert_status(422),
        app.get("/api/v1/users?search=argon2").bearer(token).send().await.assert_status(200),
    ];
    for answer in answers {
        let text = answer.text();
        for secret in [PASSWORD, "another horse", "$argon2", "\"password\"", "\"password_hash\""] {
            assert!(!text.contains(secret), "{secret} in {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn another_method_is_answered_with_those_that_are_allowed() -> anyhow::Result<()> {
    let app = app().await?;
    let login = app.get("/api/v1/auth/login").send().await.assert_problem(405, None);
    assert_eq!(login.header("allow"), "POST, OPTIONS");
    let users = app.delete("/api/v1/users").send().await.assert_problem(405, None);
    assert_eq!(users.header("allow"), "GET, POST, HEAD, OPTIONS");
    let options = app.request(Method::OPTIONS, "/api/v1/roles").send().await.assert_status(204);
    assert_eq!(options.header("allow"), "GET, POST, HEAD, OPTIONS");
    let head = app.request(Method::HEAD, "/up").send().await.assert_status(200);
    assert_eq!(head.text(), "");
    let welcome = app.post("/").send().await.assert_problem(405, None);
    assert_eq!(welcome.header("allow"), "GET, HEAD, OPTIONS");
    Ok(())
}

#[tokio::test]
async fn an_address_without_a_route_is_a_problem() -> anyhow::Result<()> {
    let app = app().await?;
    for path in ["/nowhere", "/api/v1", "/api/v1/", "/api/v2/users", "/api/v1/users/", "/%2e%2e/", "/up/", "/..%5c"] {
        app.get(path).send().await.assert_problem(404, None);
    }
    Ok(())
}

#[tokio::test]
async fn the_welcome_page_is_made_once_and_not_sent_to_who_has_it() -> anyhow::Result<()> {
    let server = cached_app().await?.serve().await?;
    let first = server.get("/").send().await.assert_status(200);
    assert_eq!((first.header("age"), first.header("content-type")), ("", "text/html; charset=utf-8"));
    let second = server.get("/").send().await.assert_status(200);
    assert!(!second.header("age").is_empty());
    assert_eq!(second.text(), first.text());
    assert!(second.header("content-security-policy").contains("default-src 'none'"));
    server.get("/").header("if-none-match", first.header("etag")).send().await.assert_status(304);
    Ok(())
}
