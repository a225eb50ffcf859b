//! SQLite: how it was built and set up, and what is said where a file cannot be opened.

mod crash;
mod files;
mod groups;
mod nested;
mod reads;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use paravel::database::{DatabaseAdmin, Db, DbError, SqliteConn, Statement};

use crate::database::{config, empty, with_ships};

/// Polls it once, which is not to be enough.
async fn begin<F: Future + Unpin>(future: &mut F) {
    poll_fn(|context| {
        assert!(Pin::new(&mut *future).poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

async fn texts(db: &impl DatabaseAdmin, sql: &str, column: &str) -> Vec<String> {
    let rows = db.fetch(Statement::new(sql)).await.unwrap();
    rows.iter().map(|row| row.get(column).to_string()).collect()
}

#[tokio::test]
async fn sqlite_is_built_so_that_a_bound_limit_is_not_prepared_anew() {
    let options = texts(&*empty(&[]), "select compile_options as o from pragma_compile_options", "o").await;
    assert!(
        options.iter().any(|option| option == "ENABLE_QPSG"),
        "the flag in .cargo/config.toml is lost, which makes every `.first()` three times as slow"
    );
}

#[tokio::test]
async fn sqlite_is_new_enough_not_to_corrupt_a_write_ahead_log() {
    let version = texts(&*empty(&[]), "select sqlite_version() as v", "v").await.remove(0);
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
}

#[tokio::test]
async fn the_settings_in_force_are_shown_and_keep_an_answered_write() {
    let info = empty(&[]).info().await.unwrap();
    assert_eq!(info.backend, "sqlite");
    let expected = [
        ("journal_mode", "wal"),
        ("writer.synchronous", "2"),
        ("writer.foreign_keys", "1"),
        ("writer.busy_timeout", "5000"),
        ("writer.query_only", "0"),
        ("writer.wal_autocheckpoint", "1000"),
        ("writer.journal_size_limit", "67108864"),
        ("reader.synchronous", "2"),
        ("reader.foreign_keys", "1"),
        ("reader.busy_timeout", "5000"),
        ("reader.query_only", "1"),
    ];
    for (name, value) in expected {
        assert_eq!(info.settings[name], value, "{name}");
    }
}

#[tokio::test]
async fn what_is_shown_of_the_database_counts_each_tables_rows() {
    let db = with_ships(&[]).await;
    let odd = "create table \"odd \"\"name\" (a); insert into \"odd \"\"name\" values (1), (2);";
    db.apply(None, odd.to_owned()).await.unwrap();
    let info = db.info().await.unwrap();
    let tables: Vec<_> = info.tables.iter().map(|(name, count)| (name.as_str(), count.as_i64().unwrap())).collect();
    assert_eq!(tables, [("crew", 0), ("odd \"name", 2), ("ships", 0)]);
    assert!(info.url.ends_with("test.sqlite"));
}

#[tokio::test]
async fn a_wipe_leaves_no_table_and_no_view() {
    let db = with_ships(&[]).await;
    let more = "create view all_ships as select * from ships;
                create table \"odd \"\"name\" (ship blob references ships (id));
                create trigger t after insert on ships begin delete from crew; end;
                insert into ships values (x'00', 'x', '2026-01-01 00:00:00');
                insert into crew values (x'00');";
    db.apply(None, more.to_owned()).await.unwrap();
    db.wipe().await.unwrap();
    assert!(texts(&*db, "select name from sqlite_master", "name").await.is_empty());
}

#[tokio::test]
async fn a_wipe_drops_tables_whose_rows_point_at_each_other() {
    let db = empty(&[]);
    let circle = "create table ships (id integer primary key, flag_of integer references fleets (id));
                  create table fleets (id integer primary key, flag integer references ships (id) on delete restrict);
                  create table crew (id integer primary key, ship references ships (id), mate references crew (id));
                  insert into ships values (1, null);
                  insert into fleets values (1, 1);
                  update ships set flag_of = 1;
                  insert into crew values (1, 1, 1);";
    db.apply(None, circle.to_owned()).await.unwrap();
    db.wipe().await.unwrap();
    assert!(texts(&*db, "select name from sqlite_master", "name").await.is_empty());
}

#[test]
fn an_address_of_another_backend_is_refused_at_once() {
    let error = Db::<SqliteConn>::new(config("postgres://localhost/app", &[])).unwrap_err();
    assert!(matches!(&error, DbError::Scheme { found, expected: "sqlite" } if found == "postgres"));
    let text = "DATABASE_URL is for `postgres`, but this application is built for sqlite: change the URL, or the \
                feature in Cargo.toml";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_replica_is_refused_because_a_file_has_none() {
    let error = Db::<SqliteConn>::new(config("sqlite://app.sqlite", &[("DB_READ_URL", "sqlite://b.sqlite")]));
    assert_eq!(error.unwrap_err().to_string(), "DB_READ_URL is set, but sqlite has no replicas: leave it out");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let corrupt = folder.path().join("corrupt.sqlite");
    std::fs::write(&corrupt, "this is no database, although it is long enough to be taken for one").unwrap();
    let not_a_folder = corrupt.join("below-a-file.sqlite");
    let paths = [corrupt, not_a_folder, folder.path().join("missing/test.sqlite"), folder.path().to_owned()];
    for path in paths {
        let path = path.display().to_string();
        let db = Db::<SqliteConn>::new(config(&format!("sqlite://{path}"), &[])).unwrap();
        let error = db.connect().await.unwrap_err();
        assert!(matches!(&error, DbError::Open { name, .. } if *name == path), "{error:?}");
        assert!(error.to_string().starts_with(&format!("cannot open the database {path}: ")), "{error}");
        let again = db.read(async |_| Ok::<_, DbError>(())).await.unwrap_err();
        assert!(matches!(again, DbError::Open { .. }), "{again:?}");
    }
}

#[tokio::test]
async fn a_database_in_memory_is_refused_because_connections_share_a_file() {
    for url in ["sqlite://:memory:", "sqlite://file:test?mode=memory"] {
        let error = Db::<SqliteConn>::new(config(url, &[])).unwrap().connect().await.unwrap_err();
        assert!(error.to_string().ends_with("give the path of a file: several connections share it"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_could_not_be_opened_can_be_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later/test.sqlite");
    let db = Db::<SqliteConn>::new(config(&format!("sqlite://{}", path.display()), &[])).unwrap();
    assert!(db.connect().await.is_err());
    std::fs::create_dir(folder.path().join("later")).unwrap();
    db.connect().await.unwrap();
}
