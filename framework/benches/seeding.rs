//! What it costs to fill a database through a factory, beside SQLite itself.
//!
//! `cargo bench -p paravel --bench seeding`
//!
//! Both insert the same rows into the same table, each in one transaction of its own file, and take turns in one run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use diesel::Insertable;
use diesel_async::SimpleAsyncConnection;
use paravel::{
    config::DatabaseConfig,
    database::{
        Db, DbError, Seed, SqliteConn,
        factories::{Factory, Faker},
    },
    fake::faker::name::en::{FirstName, LastName},
    support::{Env, Id, Timestamp},
};
use tokio::runtime::{Builder, Runtime};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROWS: u64 = 100_000;
/// Seconds that they may take.
const BUDGET: f64 = 5.0;
/// Turns of each; the best counts, which is the one least disturbed.
const TURNS: usize = 3;

diesel::table! {
    users (id) {
        id -> Binary,
        name -> Text,
        email -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

#[derive(Debug, Clone, Insertable)]
struct User {
    id: Id<User>,
    name: String,
    email: String,
    password_hash: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The bundled application's.
const SCHEMA: &str = "create table users (id blob not null primary key, name text not null, email text not null, \
                      password_hash text not null, created_at timestamp not null, updated_at timestamp not null); \
                      create unique index users_email_unique on users (email); \
                      create index users_created_at_index on users (created_at);";

/// As long as an argon2id hash, which is made once for all.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";

struct UserFactory;

impl Factory for UserFactory {
    const NAME: &'static str = "users";
    type Conn = SqliteConn;
    type Table = users::table;
    type Row = User;

    fn definition(&self, faker: &mut Faker) -> User {
        let (first, last): (&str, &str) = (faker.fake(FirstName()), faker.fake(LastName()));
        let created_at = faker.past(Duration::from_hours(24 * 365));
        User {
            id: faker.id(),
            name: format!("{first} {last}"),
            email: format!("{first}.{last}.{}@example.com", faker.number()).to_lowercase(),
            password_hash: HASH.to_owned(),
            created_at,
            updated_at: created_at,
        }
    }
}

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    let folder = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (mut made, mut ours, mut raw) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for turn in 0..TURNS {
        let started = Instant::now();
        let rows = UserFactory.count(ROWS).make(&Seed::default());
        made = made.min(started.elapsed());
        raw = raw.min(insert_raw(&folder.path().join(format!("raw{turn}.sqlite")), &rows)?);
        drop(rows);
        ours = ours.min(insert_ours(&runtime, &folder.path().join(format!("ours{turn}.sqlite")))?);
    }
    println!("{ROWS} users made up alone: {:.2} s", made.as_secs_f64());
    println!("{ROWS} users inserted by SQLite itself: {:.2} s", raw.as_secs_f64());
    let (seconds, times) = (ours.as_secs_f64(), ours.as_secs_f64() / (made + raw).as_secs_f64());
    println!(
        "{ROWS} users made up and inserted by a factory: {seconds:.2} s (budget {BUDGET}); {times:.2} times the two"
    );
    Ok(())
}

fn insert_ours(runtime: &Runtime, path: &Path) -> Result<Duration> {
    let url = format!("sqlite://{}", path.display());
    let db = Db::<SqliteConn>::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?;
    runtime.block_on(async {
        db.write(async move |c| Ok::<_, DbError>(c.batch_execute(SCHEMA).await?)).await?;
        let started = Instant::now();
        UserFactory.count(ROWS).insert(&Seed::default(), &db).await?;
        let elapsed = started.elapsed();
        db.close().await;
        Ok(elapsed)
    })
}

fn insert_raw(path: &Path, rows: &[User]) -> Result<Duration> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;")?;
    connection.execute_batch(SCHEMA)?;
    let started = Instant::now();
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("insert into users values (?, ?, ?, ?, ?, ?)")?;
        for user in rows {
            let moment = |moment: Timestamp| moment.utc().format("%F %T%.6f").to_string();
            rusqlite::Statement::execute(
                &mut insert,
                (
                    user.id.uuid().as_bytes().as_slice(),
                    &user.name,
                    &user.email,
                    &user.password_hash,
                    moment(user.created_at),
                    moment(user.updated_at),
                ),
            )?;
        }
    }
    transaction.commit()?;
    Ok(started.elapsed())
}
