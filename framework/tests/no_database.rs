//! An application without a database: it starts, serves, and has no command about one.

use std::sync::Arc;

use paravel::{
    database::{DatabaseAdmin, SqliteConn},
    foundation::{Application, ApplicationBuilder},
    http::{Json, Result, Router, endpoint},
    support::Env,
    testing::TestApp,
};

use crate::events::Journal;

/// Greets the world.
#[endpoint]
async fn hello() -> Result<Json<&'static str>> {
    Ok(Json("hello"))
}

fn routes(routes: &mut Router) {
    routes.get("/", hello);
}

fn builder() -> ApplicationBuilder {
    Application::builder().env(Env::default()).routes(routes).replace(|app| {
        // What the listeners of other tests need, which every application of this binary has.
        app.instance(Arc::new(Journal::default()));
    })
}

#[tokio::test]
async fn it_boots_and_serves() {
    let app = TestApp::boot(builder()).await.unwrap();
    assert!(!app.container().bound::<dyn DatabaseAdmin>());
    let server = app.serve().await.unwrap();
    assert_eq!(server.get("/up").send().await.assert_status(200).text(), r#"{"status":"up"}"#);
    assert_eq!(server.get("/").send().await.assert_status(200).text(), "\"hello\"");
}

#[tokio::test]
async fn it_has_no_command_about_a_database() {
    let about = |builder: &ApplicationBuilder| {
        let names = builder.registry().commands().into_iter().map(|command| command.name);
        names.filter(|name| name.starts_with("db:") || name.starts_with("migrate")).collect::<Vec<_>>()
    };
    let without = builder();
    assert_eq!(about(&without), [""; 0]);
    let names: Vec<_> = without.registry().commands().into_iter().map(|command| command.name).collect();
    assert!(names.contains(&"serve") && names.contains(&"route:list"), "{names:?}");
    let with = about(&builder().database::<SqliteConn>(&[]));
    assert!(with.contains(&"migrate") && with.contains(&"db:seed"), "{with:?}");
    let app = TestApp::boot(without).await.unwrap();
    assert_eq!(app.artisan(&["migrate"]).await.unwrap_err().to_string(), "usage: Usage");
    let listed = app.artisan(&["list"]).await.unwrap();
    assert!(listed.contains("serve") && !listed.contains("migrate:"), "{listed}");
}
