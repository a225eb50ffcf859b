//! Watched requests: what is said of the queries that each ran, to whom, and how a test fails by it.

use std::sync::Arc;

use paravel::{
    container::Inject,
    database::{DatabaseAdmin, DbError, SqliteConn, Statement},
    facades,
    foundation::{Application, ApplicationBuilder},
    http::{Json, Path, Result, RouteTable, Router, endpoint},
    support::Env,
    testing::TestApp,
};

use crate::{events::Journal, watch::Log};

type Db = facades::Db<SqliteConn>;

/// Asks as often as it is told to.
#[endpoint]
async fn ask(Path(times): Path<usize>, database: Inject<dyn DatabaseAdmin>) -> Result<Json<usize>> {
    use paravel::database::Connection;
    for _ in 0..times {
        Db::read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("select 1 as one")).await?)).await?;
    }
    // Always the same, and never a reason.
    database.fetch(Statement::new("select 2 as two")).await?;
    Ok(Json(times))
}

fn routes(routes: &mut Router) {
    routes.get("/ask/{times}", ask).name("ask");
    routes.get("/ask/fixed", ask);
}

fn builder(variables: &[(&str, &str)]) -> ApplicationBuilder {
    let env = Env::from_pairs(variables.iter().copied());
    let app = Application::builder().env(env).database::<SqliteConn>(&[]).routes(routes);
    // What the listeners of other tests need, which every application of this binary has.
    app.replace(|app| {
        app.instance(Arc::new(Journal::default()));
    })
}

async fn app(variables: &[(&str, &str)]) -> TestApp {
    TestApp::boot(builder(variables)).await.unwrap()
}

#[tokio::test]
async fn a_local_application_says_how_many_queries_a_request_ran_and_no_other_does() {
    let local = app(&[("APP_ENV", "local")]).await;
    for (times, said) in [(6, "7 queries"), (0, "1 query")] {
        let response = local.get(&format!("/ask/{times}")).send().await.assert_status(200);
        let timing = response.header("server-timing").to_owned();
        let (time, count) = timing.strip_prefix("db;dur=").unwrap().split_once(';').unwrap();
        assert!(time.parse::<f64>().unwrap() > 0.0, "{timing}");
        assert_eq!(count, format!("desc=\"{said}\""));
    }
    let up = local.get("/nothing/here").send().await.assert_status(404);
    assert_eq!(up.header("server-timing"), "db;dur=0.000;desc=\"0 queries\"");
    let key = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for variables in [&[][..], &[("APP_ENV", "production"), ("APP_KEY", key), ("DB_WATCH", "true")]] {
        let response = app(variables).await.get("/ask/1").send().await.assert_status(200);
        assert_eq!(response.header("server-timing"), "");
    }
}

#[tokio::test]
async fn a_repeated_query_is_reported_once_with_its_route_handler_count_and_source() {
    let app = app(&[("APP_ENV", "local")]).await;
    let log = Log::default();
    let guard = log.start();
    app.get("/ask/9").send().await.assert_status(200);
    app.get("/ask/25").send().await.assert_status(200);
    drop(guard);
    let lines: Vec<_> = log.lines().into_iter().filter(|line| line.contains("N+1")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let parts = [
        "GET /ask/{times}",
        "watched_requests::ask",
        "count=25",
        "select 1 as one",
        "watched_requests.rs:",
        "fingerprint=",
    ];
    for part in parts {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
}

#[tokio::test]
async fn where_queries_are_not_watched_nothing_is_reported() {
    let app = app(&[("APP_ENV", "local"), ("DB_WATCH", "false")]).await;
    let log = Log::default();
    let guard = log.start();
    let response = app.get("/ask/25").send().await.assert_status(200);
    drop(guard);
    assert!(log.lines().iter().all(|line| !line.contains("N+1")));
    assert!(response.header("server-timing").ends_with("\"26 queries\""), "and they are counted all the same");
}

#[tokio::test]
async fn a_test_can_fail_by_a_repeated_query() {
    let app = app(&[]).await;
    app.get("/ask/9").send().await.assert_no_n_plus_one();
    let many = app.get("/ask/10").send().await;
    assert_eq!(many.queries(), 11);
    let panic = std::panic::catch_unwind(move || drop(many.assert_no_n_plus_one())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("GET /ask/10: the same query ran again and again (N+1)\n  10 times in "), "{message}");
    assert!(message.contains("watched_requests.rs:") && message.ends_with(": select 1 as one"), "{message}");
}

#[tokio::test]
async fn a_request_is_matched_to_the_route_that_answers_it() {
    let app = app(&[]).await;
    let routes = app.make::<RouteTable>().unwrap();
    let find = |method, path| routes.find_by_path(method, path).map(|route| route.path.as_str());
    assert_eq!(find("GET", "/ask/7"), Some("/ask/{times}"));
    assert_eq!(find("HEAD", "/ask/7"), Some("/ask/{times}"));
    assert_eq!(find("GET", "/ask/fixed"), Some("/ask/fixed"));
    for (method, path) in [("POST", "/ask/7"), ("GET", "/ask"), ("GET", "/ask/"), ("GET", "/ask/7/8"), ("GET", "/")] {
        assert_eq!(find(method, path), None, "{method} {path}");
    }
}

#[tokio::test]
async fn how_often_is_too_often_is_configured() {
    let app = app(&[("DB_N_PLUS_ONE", "2")]).await;
    let twice = app.get("/ask/2").send().await;
    assert_eq!(twice.query_watch().repeated().len(), 1);
    assert_eq!(twice.query_watch().queries().len(), 2);
}
