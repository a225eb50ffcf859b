//! What `Db` costs on SQLite, beside SQLite itself.
//!
//! `cargo bench -p paravel --bench sqlite [-- read|first|cores|write]`
//!
//! Both sides use the same build of SQLite, files of the same settings, and take turns within one run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use paravel::{
    config::DatabaseConfig,
    database::{Db, DbError, SqliteConn},
    support::{Env, Id, Timestamp},
};
use tokio::runtime::{Builder, Runtime};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROWS: usize = 10_000;
/// Turns of each of two things that are compared; the best turn of each counts, which is the one least disturbed.
const TURNS: usize = 15;
const CLIENTS: usize = 64;

diesel::table! {
    ships (id) {
        id -> Binary,
        name -> Text,
        built_at -> Timestamp,
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
struct Ship {
    id: Id<Ship>,
    name: String,
    built_at: Timestamp,
}

impl Ship {
    fn new(number: usize) -> Self {
        Self { id: Id::new(), name: format!("ship number {number}"), built_at: Timestamp::now() }
    }
}

const SCHEMA: &str =
    "create table ships (id blob not null primary key, name text not null, built_at timestamp not null) without rowid";

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    type Bench = fn(&Path) -> Result<()>;
    let benches: [(&str, Bench); 4] = [
        ("read", point_reads),
        ("first", bare_diesel::first_and_get_result),
        ("cores", reads_on_all_cores),
        ("write", writes),
    ];
    let only: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, bench) in benches {
        if only.is_empty() || only.iter().any(|only| only == name) {
            bench(folder.path())?;
        }
    }
    machine::print();
    Ok(())
}

fn open(folder: &Path, name: &str) -> Result<Arc<Db<SqliteConn>>> {
    let url = format!("sqlite://{}", folder.join(name).display());
    Ok(Arc::new(Db::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?))
}

type Filled = (Arc<Db<SqliteConn>>, Vec<Id<Ship>>);

/// A database with rows, and their keys.
fn filled(runtime: &Runtime, folder: &Path, name: &str) -> Result<Filled> {
    let db = open(folder, name)?;
    let ships: Vec<_> = (0..ROWS).map(Ship::new).collect();
    let keys = ships.iter().map(|ship| ship.id).collect();
    let write = db.write(async move |c| {
        c.batch_execute(SCHEMA).await?;
        for ship in ships {
            diesel::insert_into(ships::table).values(ship).execute(c).await?;
        }
        Ok::<_, DbError>(())
    });
    runtime.block_on(write)?;
    Ok((db, keys))
}

/// A connection of SQLite itself, set up as the toolkit's are.
fn bare(folder: &Path, name: &str) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(folder.join(name))?;
    connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;")?;
    Ok(connection)
}

async fn find(db: &Db<SqliteConn>, key: Id<Ship>) -> std::result::Result<Ship, DbError> {
    db.read(async |c| Ok(ships::table.find(key).select(Ship::as_select()).first(c).await?)).await
}

fn point_reads(folder: &Path) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (db, keys) = filled(&runtime, folder, "reads.sqlite")?;
    let raw = bare(folder, "reads.sqlite")?;
    let of_raw = || -> Result<()> {
        let mut statement = raw.prepare_cached("select id, name, built_at from ships where id = ? limit 1")?;
        for key in &keys {
            let name: String = statement.query_row([key.uuid().as_bytes().as_slice()], |row| {
                std::hint::black_box(row.get::<_, Vec<u8>>(0)?);
                std::hint::black_box(row.get::<_, String>(2)?);
                row.get(1)
            })?;
            std::hint::black_box(name);
        }
        Ok(())
    };
    let of_db = || -> Result<()> {
        runtime.block_on(async {
            for key in &keys {
                std::hint::black_box(find(&db, *key).await?);
            }
            Ok(())
        })
    };
    let (raw, ours) = in_turns(of_raw, of_db)?;
    println!("point read, SQLite prepared: {:.2} us", micros(raw, ROWS));
    println!("point read, Db::read: {:.2} us; {:.2} times it (budget 2)", micros(ours, ROWS), ratio(ours, raw));
    Ok(())
}

/// Does the work of as many clients at once, and waits for all.
async fn by_clients<F: Future<Output = std::result::Result<(), DbError>> + Send + 'static>(
    work: impl Fn(usize) -> F,
) -> Result<()> {
    let tasks: Vec<_> = (0..CLIENTS).map(|client| paravel::spawn(work(client))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn reads_on_all_cores(folder: &Path) -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let runtime = Builder::new_multi_thread().worker_threads(cores).enable_all().build()?;
    let (db, keys) = filled(&runtime, folder, "cores.sqlite")?;
    let keys = Arc::new(keys);
    let each = 5000;
    let mut best = 0.0_f64;
    for _ in 0..5 {
        let started = Instant::now();
        runtime.block_on(by_clients(|client| {
            let (db, keys) = (Arc::clone(&db), Arc::clone(&keys));
            async move {
                for number in 0..each {
                    std::hint::black_box(find(&db, keys[(number * 31 + client * 157) % keys.len()]).await?);
                }
                Ok(())
            }
        }))?;
        best = best.max((CLIENTS * each) as f64 / started.elapsed().as_secs_f64());
    }
    println!("point reads on {cores} cores, {CLIENTS} clients: {best:.0} a second (budget 100000)");
    Ok(())
}

fn writes(folder: &Path) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (db, _) = filled(&runtime, folder, "grouped.sqlite")?;
    let raw = bare(folder, "alone.sqlite")?;
    raw.execute_batch(SCHEMA)?;
    let (mut alone, mut grouped) = (0.0_f64, 0.0_f64);
    for _ in 0..5 {
        let started = Instant::now();
        let count = 2000;
        let mut insert = raw.prepare_cached("insert into ships values (?, ?, ?)")?;
        for number in 0..count {
            let ship = Ship::new(number);
            // Each is a transaction of its own.
            rusqlite::Statement::execute(
                &mut insert,
                (ship.id.uuid().as_bytes().as_slice(), ship.name, "2026-01-01 00:00:00.000000"),
            )?;
        }
        alone = alone.max(count as f64 / started.elapsed().as_secs_f64());
        let started = Instant::now();
        let each = 2000;
        runtime.block_on(by_clients(|_| {
            let db = Arc::clone(&db);
            async move {
                for number in 0..each {
                    add(&db, number).await?;
                }
                Ok(())
            }
        }))?;
        grouped = grouped.max((CLIENTS * each) as f64 / started.elapsed().as_secs_f64());
    }
    println!("durable writes, SQLite, one transaction each: {alone:.0} a second");
    let times = grouped / alone;
    println!("durable writes, Db::write, {CLIENTS} clients: {grouped:.0} a second; {times:.1} times it (budget 10)");
    Ok(())
}

async fn add(db: &Db<SqliteConn>, number: usize) -> std::result::Result<(), DbError> {
    db.write(async move |c| {
        diesel::insert_into(ships::table).values(Ship::new(number)).execute(c).await?;
        Ok(())
    })
    .await
}

/// The best time of each of two, which take turns.
fn in_turns(
    mut one: impl FnMut() -> Result<()>,
    mut other: impl FnMut() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        best = (best.0.min(timed(&mut one)?), best.1.min(timed(&mut other)?));
    }
    Ok(best)
}

fn timed(run: &mut impl FnMut() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed())
}

fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// Its own module, because diesel's methods and diesel-async's have the same names.
mod bare_diesel {
    use std::path::Path;

    use diesel::{connection::SimpleConnection, prelude::*};
    use tokio::runtime::Builder;

    use super::{ROWS, Result, Ship, filled, in_turns, micros, ratio, ships};

    /// Whether a bound `LIMIT` is prepared anew at each step.
    pub fn first_and_get_result(folder: &Path) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        // Kept open: closing it would lock the file for a moment.
        let (_db, keys) = filled(&runtime, folder, "first.sqlite")?;
        let connect = || -> Result<SqliteConnection> {
            let mut c = SqliteConnection::establish(folder.join("first.sqlite").to_str().unwrap_or_default())?;
            c.batch_execute("pragma query_only = on")?;
            Ok(c)
        };
        let (mut one, mut other) = (connect()?, connect()?);
        let first = || -> Result<()> {
            for key in &keys {
                std::hint::black_box(ships::table.find(key).select(Ship::as_select()).first(&mut one)?);
            }
            Ok(())
        };
        let get_result = || -> Result<()> {
            for key in &keys {
                std::hint::black_box(ships::table.find(key).select(Ship::as_select()).get_result(&mut other)?);
            }
            Ok(())
        };
        let (get_result, first) = in_turns(get_result, first)?;
        println!("diesel, .get_result(): {:.2} us", micros(get_result, ROWS));
        println!("diesel, .first(): {:.2} us; {:.2} times it", micros(first, ROWS), ratio(first, get_result));
        Ok(())
    }
}
