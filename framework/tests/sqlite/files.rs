//! The files of a database: two processes on one, and a log that readers keep from ending.

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};

use crate::database::{TestDb, config, with_ships};

fn log_length(test: &TestDb) -> u64 {
    std::fs::metadata(test.folder.path().join("test.sqlite-wal")).map_or(0, |file| file.len())
}

async fn write_a_megabyte(db: &Db<SqliteConn>) -> Result<(), DbError> {
    db.write(async |c| Ok(c.batch_execute("insert into blobs values (zeroblob(1000000))").await?)).await
}

#[tokio::test]
async fn what_keeps_a_file_from_being_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("file"), "").unwrap();
    let missing = path("no/such");
    for (file, said) in [
        (path("no/such/db.sqlite"), format!("there is no folder `{missing}`: create it")),
        (path(""), "there is a folder in its place".to_owned()),
        (path("file/db.sqlite"), format!("`{}` is no folder", path("file"))),
        // Nobody may make a file there, not even root.
        ("/proc/db.sqlite".to_owned(), "no file can be made in `/proc`: look at its permissions".to_owned()),
    ] {
        let db = Db::<SqliteConn>::new(config(&format!("sqlite://{file}"), &[])).unwrap();
        let error = db.connect().await.unwrap_err().to_string();
        assert_eq!(error, format!("cannot open the database {file}: unable to open database file: {said}"));
    }
}

#[tokio::test]
async fn a_log_that_a_reader_kept_is_begun_anew_and_its_file_cut() {
    let test = with_ships(&[]).await;
    test.write(async |c| Ok::<_, DbError>(c.batch_execute("create table blobs (bytes blob)").await?)).await.unwrap();
    // A snapshot from before all of it.
    test.read(async |c| {
        c.transaction(async |c| {
            c.fetch(&Statement::new("select count(*) as n from blobs")).await?;
            for _ in 0..70 {
                write_elsewhere(&test).await;
            }
            let rows = c.fetch(&Statement::new("select count(*) as n from blobs")).await?;
            assert_eq!(rows[0].integer("n"), 0, "a reader sees its own time");
            Ok::<_, DbError>(())
        })
        .await
    })
    .await
    .unwrap();
    assert!(log_length(&test) > 64 << 20, "it grew as long as it was read");
    // Past the length at which it is tried again.
    let mut written = 70;
    while log_length(&test) > 64 << 20 {
        write_a_megabyte(&test).await.unwrap();
        written += 1;
        assert!(written < 200, "the log goes on growing");
    }
    let rows =
        test.read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("select count(*) as n from blobs")).await?));
    assert_eq!(rows.await.unwrap()[0].integer("n"), written);
}

/// A write inside a read's closure, which the database refuses to whoever is in it, is another task's.
async fn write_elsewhere(test: &TestDb) {
    let db = test.db.clone();
    paravel::spawn(async move { write_a_megabyte(&db).await }).await.unwrap().unwrap();
}

#[tokio::test]
async fn reads_that_always_overlap_do_not_keep_the_log_growing() {
    let test = with_ships(&[]).await;
    test.write(async |c| Ok::<_, DbError>(c.batch_execute("create table blobs (bytes blob)").await?)).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    // Each holds its snapshot until the other has taken a newer one.
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (db, stopped, turns) = (test.db.clone(), stopped.clone(), turns.clone());
            paravel::spawn(async move {
                while !*stopped.borrow() {
                    overlap(&db, &turns).await.unwrap();
                }
            })
        })
        .collect();
    let mut longest = 0;
    for _ in 0..200 {
        write_a_megabyte(&test).await.unwrap();
        longest = longest.max(log_length(&test));
    }
    stop.send(true).unwrap();
    turns.add_permits(2);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(longest < 100 << 20, "{longest} bytes");
}

async fn overlap(db: &Db<SqliteConn>, turns: &tokio::sync::Semaphore) -> Result<(), DbError> {
    db.read(async |c| {
        c.transaction(async |c| {
            c.fetch(&Statement::new("select count(*) as n from blobs")).await?;
            turns.add_permits(1);
            turns.acquire().await.unwrap().forget();
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn two_databases_on_one_file_take_turns() {
    let test = with_ships(&[]).await;
    let url = format!("sqlite://{}", test.folder.path().join("test.sqlite").display());
    let other = Db::<SqliteConn>::new(config(&url, &[])).unwrap();
    let add = async |db: &Db<SqliteConn>, of: &'static str| {
        for n in 0..200 {
            crate::database::add(db, format!("{of}{n:03}")).await.unwrap();
        }
    };
    tokio::join!(add(&test, "one"), add(&other, "other"));
    let (here, there) = (crate::database::names(&test).await, crate::database::names(&other).await);
    assert_eq!(here.len(), 400);
    assert_eq!(here, there);
}
