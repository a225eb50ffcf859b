//! The query watch: what it counts, what it keeps, and what is logged as slow.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    config::{AppConfig, DatabaseConfig},
    container::{Container, ContainerBuilder},
    database::{Connection, DatabaseAdmin, DbError, Fingerprint, QueryWatch, Statement, WatchPolicy},
    support::Env,
};

use crate::database::{TestDb, insert, names, with_ships};

/// An application of a configuration alone, in a scope.
fn app(variables: &[(&str, &str)]) -> Container {
    let env = Env::from_pairs(variables.iter().copied());
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(AppConfig::from_env(&env)));
    app.instance(Arc::new(DatabaseConfig::from_env(&env)));
    env.check().unwrap();
    app.freeze().unwrap().scope()
}

fn watch(app: &Container) -> Arc<QueryWatch> {
    app.current_scope().unwrap().get().unwrap()
}

async fn run_some(db: &TestDb) {
    db.write(async |c| insert(c, "Dawn Treader").await).await.unwrap();
    for id in 0..3_i64 {
        let query = Statement::new("select name from ships where length(name) = ?").bind(id);
        db.read(async |c| Ok::<_, DbError>(c.fetch(&query).await?)).await.unwrap();
    }
}

#[tokio::test]
async fn queries_are_kept_by_their_text_with_how_often_they_ran_and_where() {
    let db = with_ships(&[]).await;
    let app = app(&[]);
    app.run(run_some(&db)).await;
    let watch = watch(&app);
    let queries = watch.queries();
    assert_eq!((watch.count(), queries.len()), (4, 2));
    assert_eq!(queries[0].sql, "select name from ships where length(name) = ?");
    assert_eq!(queries[0].fingerprint(), Fingerprint::of("select name from ships where length(name) = ?"));
    assert_eq!((queries[0].count, queries[1].count), (3, 1));
    assert!(queries[1].sql.starts_with("INSERT INTO `ships`"), "{queries:?}");
    assert!(watch.elapsed() > Duration::ZERO);
    assert_eq!(watch.elapsed(), queries[0].elapsed + queries[1].elapsed);
    for (query, line) in
        [(&queries[0], "db.read(async |c| Ok::<_, DbError>(c.f"), (&queries[1], "db.write(async |c| i")]
    {
        let source = query.source.unwrap();
        assert!(source.file().ends_with("tests/watch.rs"), "{source}");
        let text = include_str!("watch.rs").lines().nth(source.line() as usize - 1).unwrap();
        assert!(text.trim_start().starts_with(line), "{source}: {text}");
    }
}

#[tokio::test]
async fn values_are_never_kept() {
    let db = with_ships(&[]).await;
    let app = app(&[]);
    app.run(run_some(&db)).await;
    let kept = format!("{:?}", watch(&app));
    assert!(!kept.contains("Dawn Treader") && !kept.contains("binds"), "{kept}");
}

#[tokio::test]
async fn in_production_queries_are_counted_and_timed_and_not_looked_at_unless_asked_to() {
    let db = with_ships(&[]).await;
    let key = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let production = [("APP_ENV", "production"), ("APP_KEY", key)];
    let app_of = |more: &[(&'static str, &'static str)]| app(&[&production, more].concat());
    let (plain, asked) = (app_of(&[]), app_of(&[("DB_WATCH", "true"), ("DB_N_PLUS_ONE", "3")]));
    plain.run(async { names(&db).await }).await;
    asked.run(async { names(&db).await }).await;
    assert_eq!((watch(&plain).count(), watch(&plain).queries().len()), (1, 0));
    assert!(watch(&plain).elapsed() > Duration::ZERO);
    assert_eq!((watch(&asked).count(), watch(&asked).queries().len()), (1, 1));
    let off = app(&[("DB_WATCH", "false")]);
    off.run(async { names(&db).await }).await;
    assert!(watch(&off).queries().is_empty());
    assert_eq!(watch(&asked).policy().repeats, 3);
    assert_eq!(WatchPolicy::default().slow, None, "without a configuration nothing is logged");
}

#[tokio::test]
async fn a_query_is_repeated_once_it_has_run_as_often_as_configured() {
    let db = with_ships(&[]).await;
    let app = app(&[("DB_N_PLUS_ONE", "3")]);
    app.run(async {
        names(&db).await;
        names(&db).await;
        assert!(watch(&app).repeated().is_empty());
        run_some(&db).await;
    })
    .await;
    let repeated = watch(&app).repeated();
    assert_eq!(repeated.len(), 1);
    assert_eq!((repeated[0].count, repeated[0].sql.as_str()), (3, "select name from ships where length(name) = ?"));
}

#[tokio::test]
async fn a_query_that_fails_and_a_savepoint_are_no_trouble() {
    let db = with_ships(&[]).await;
    let app = app(&[]);
    app.run(async {
        assert!(db.fetch(Statement::new("select * from nothing")).await.is_err());
        db.write(async |c| {
            use diesel_async::AsyncConnection;
            c.transaction(async |c| insert(c, "x").await).await
        })
        .await
        .unwrap();
    })
    .await;
    let queries = watch(&app).queries();
    assert_eq!(watch(&app).count(), 2, "{queries:?}");
    let sql: Vec<_> = queries.iter().map(|query| query.sql.split(' ').next().unwrap()).collect();
    assert_eq!(sql, ["select", "INSERT"]);
}

#[tokio::test]
async fn no_more_than_so_many_different_queries_are_kept() {
    let db = with_ships(&[]).await;
    let app = app(&[]);
    app.run(async {
        db.read(async |c| {
            for number in 0..1100 {
                diesel::sql_query(format!("select {number}")).execute(c).await?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    })
    .await;
    assert_eq!((watch(&app).count(), watch(&app).queries().len()), (1100, 1000));
}

/// What was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what is logged on this thread, until it is dropped.
    pub fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_slow_query_is_logged_with_its_fingerprint_and_time_and_without_its_values() {
    let db = with_ships(&[]).await;
    // Every query is as slow as this.
    let slow = app(&[("DB_SLOW_QUERY", "0ms"), ("DB_WATCH", "false")]);
    let quick = app(&[("DB_SLOW_QUERY", "1h")]);
    let log = Log::default();
    let guard = log.start();
    let find = async |name: &'static str| {
        let query = crate::database::ships::table.filter(crate::database::ships::name.eq(name)).count();
        db.read(async |c| Ok::<i64, DbError>(query.get_result(c).await?)).await.unwrap()
    };
    quick.run(find("Splendour Hyaline")).await;
    slow.run(find("Dawn Treader")).await;
    drop(guard);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let sql = "SELECT COUNT(*) FROM `ships` WHERE (`ships`.`name` = ?)";
    let fingerprint = format!("fingerprint={}", Fingerprint::of(sql));
    for part in ["WARN", "a slow query", &fingerprint, "elapsed=", sql, "tests/watch.rs:"] {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
    assert!(!lines[0].contains("Dawn"), "{lines:?}");
}
