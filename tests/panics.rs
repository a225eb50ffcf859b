//! Handlers that panic: what they had begun is undone, and the server goes on.

use app::{
    application,
    database::{Database, schema::users},
    events::UserRegistered,
};
use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use paravel::{
    container::Inject,
    database::DbError,
    endpoint,
    facades::Event,
    http::{NoContent, Result, Router},
    poem::http::Method,
};
use serde_json::json;

use crate::support::{count, rows, seeded};

/// Changes every user, raises an event of it, and then panics.
#[endpoint]
async fn panic_in_a_transaction(database: Inject<Database>) -> Result<NoContent> {
    database
        .write(async |c| {
            diesel::update(users::table).set(users::name.eq("Nobody")).execute(c).await?;
            let user = UserRegistered { user: app::models::UserId::new(), name: "Nobody".to_owned(), by: None };
            Event::dispatch(user).await.map_err(|error| DbError::Panicked { message: error.to_string() })?;
            if true {
                panic!("the secret reason");
            }
            Ok::<_, DbError>(())
        })
        .await?;
    Ok(NoContent)
}

/// Panics before anything is done.
#[endpoint]
async fn panic_at_once() -> Result<NoContent> {
    panic!("the secret reason")
}

fn routes(routes: &mut Router) {
    routes.post("/panic/transaction", panic_in_a_transaction);
    routes.post("/panic/once", panic_at_once);
}

#[tokio::test]
async fn a_panic_inside_a_transaction_undoes_it() -> anyhow::Result<()> {
    let app = seeded(application().routes(routes)).await?;
    let events = app.fake_events()?;
    let server = app.serve().await?;
    for path in ["/panic/transaction", "/panic/once"] {
        for _ in 0..3 {
            let answer = server.request(Method::POST, path).send().await.assert_problem(500, None);
            assert!(!answer.text().contains("secret"), "{answer:?}");
        }
    }
    events.assert_nothing_dispatched();
    assert_eq!(rows(&app, "select name from users").await?[0].text("name"), "Administrator");
    // The connection it had is none the worse for it.
    let ada = json!({"name": "Ada", "email": "ada@example.com", "password": "correct horse"});
    let register = server.request(Method::POST, "/api/v1/auth/register");
    register.json(&ada).send().await.assert_status(201);
    assert_eq!(count(&app, "users").await?, 2);
    events.assert_dispatched_times::<UserRegistered>(1);
    Ok(())
}
