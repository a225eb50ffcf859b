//! What `Db` costs on PostgreSQL, beside a pool of diesel-async's connections.
//!
//! `TEST_POSTGRES_URL=.. cargo bench -p paravel --features postgres --bench postgres`
//!
//! Both sides have as many connections to the same server and run the same query in turns within one run. The pool is
//! deadpool's, as diesel-async makes it, and does not ask a connection whether it is alive before it lends it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::prelude::*;
use diesel_async::{
    AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool},
};
use paravel::{
    config::DatabaseConfig,
    database::{Db, DbError, PgConn},
    support::Env,
    testing::TestDatabase,
};
use tokio::runtime::Builder;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ROWS: i64 = 10_000;
/// What `DB_READERS` is by default.
const CONNECTIONS: usize = 4;
/// Turns of each side; the best turn of each counts, which is the one least disturbed.
const TURNS: usize = 9;
const READS: i64 = 8000;

diesel::table! {
    ships (id) {
        id -> BigInt,
        name -> Text,
    }
}

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    let Some(database) = TestDatabase::create("postgres")? else {
        println!("left out: give a server's address in TEST_POSTGRES_URL");
        return Ok(());
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let db =
        Arc::new(Db::<PgConn>::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", database.url())])))?);
    let fill = db.write(async |c| {
        c.batch_execute("create table ships (id bigint primary key, name text not null)").await?;
        let fill = format!("insert into ships select n, 'ship number ' || n from generate_series(0, {}) n", ROWS - 1);
        Ok::<_, DbError>(c.batch_execute(&fill).await?)
    });
    runtime.block_on(fill)?;
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(database.url(), config);
    let pool = runtime.block_on(async { Pool::builder(manager).max_size(CONNECTIONS).build() })?;
    for clients in [1, CONNECTIONS as i64, 16] {
        let mut best = (Duration::MAX, Duration::MAX);
        for _ in 0..TURNS {
            let bare = pool.clone();
            let bare = runtime.block_on(timed(clients, move |id| {
                let pool = bare.clone();
                async move {
                    let mut c = pool.get().await?;
                    Ok(ships::table.find(id).select(ships::name).first::<String>(&mut c).await?)
                }
            }))?;
            let ours = Arc::clone(&db);
            let ours = runtime.block_on(timed(clients, move |id| {
                let db = Arc::clone(&ours);
                async move { Ok(find(&db, id).await?) }
            }))?;
            best = (best.0.min(bare), best.1.min(ours));
        }
        let a_second = |time: Duration| READS as f64 / time.as_secs_f64();
        let (bare, ours) = (a_second(best.0), a_second(best.1));
        println!("point reads, {clients} clients, diesel-async and deadpool: {bare:.0} a second");
        println!(
            "point reads, {clients} clients, Db::read: {ours:.0} a second; {:.2} times it (budget 0.9)",
            ours / bare
        );
    }
    runtime.block_on(db.close());
    pool.close();
    Ok(())
}

async fn find(db: &Db<PgConn>, id: i64) -> std::result::Result<String, DbError> {
    db.read(async |c| Ok(ships::table.find(id).select(ships::name).first(c).await?)).await
}

/// How long so many clients take for all reads together.
async fn timed<F>(clients: i64, read: impl Fn(i64) -> F + Clone + Send + 'static) -> Result<Duration>
where
    F: Future<Output = Result<String>> + Send,
{
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let read = read.clone();
            paravel::spawn(async move {
                for number in 0..READS / clients {
                    std::hint::black_box(read((number * 31 + client * 157) % ROWS).await?);
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(started.elapsed())
}
