//! What the users' service costs, through the application's own container: found in the cache, read from the database,
//! created; and the token check that every request begins with.
//!
//! `cargo bench --bench users`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    error::Error,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    application,
    database::Database,
    models::UserId,
    services::{NewUser, UserError, UserService},
};
use paravel::{
    async_trait,
    auth::{HashError, Hasher, TokenGuard, TokenHash},
    database::{Connection, DbError, Statement},
    support::Secret,
    testing::TestApp,
};
use serde_json::{Value, json};

/// Calls that are timed together, and how often; the median counts.
const CALLS: u32 = 100;
const ROUNDS: usize = 500;

/// Users that are created one after another, and as many again by several clients at once.
const CREATED: usize = 2000;
const CLIENTS: usize = 64;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Costs nothing, so that the rest shows.
struct Plain;

#[async_trait]
impl Hasher for Plain {
    async fn make(&self, password: Secret<String>) -> std::result::Result<String, HashError> {
        Ok(password.expose().clone())
    }

    async fn check(&self, password: Secret<String>, hash: Option<String>) -> std::result::Result<bool, HashError> {
        Ok(hash.as_ref() == Some(password.expose()))
    }

    fn needs_rehash(&self, _: &str) -> bool {
        false
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let app = boot("memory").await?;
    let users: Arc<dyn UserService> = app.make()?;
    let (ada, token) = register(&app, "ada@example.com").await?;
    let guard: Arc<dyn TokenGuard> = app.make()?;
    app.run(async {
        let time = median(async || users.find(ada).await.is_ok()).await;
        row("a user found by id, from the cache", time, Duration::from_micros(1));
        let time = median(async || guard.actor(&token).await.is_ok_and(|actor| actor.is_some())).await;
        row("whose a token is and what they may do, from the cache", time, Duration::from_micros(10));
    })
    .await;

    let budget = Duration::from_micros(120);
    let database: Arc<Database> = app.make()?;
    let mut times = Vec::with_capacity(CREATED);
    for number in 0..CREATED {
        let began = Instant::now();
        app.run(Box::pin(describe(&database, number))).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("one durable write of one row, for comparison: {:?}", times[CREATED / 2]);
    let mut times = Vec::with_capacity(CREATED);
    let all = Instant::now();
    for number in 0..CREATED {
        let began = Instant::now();
        app.run(users.create(somebody(number))).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    row("a user created, without hashing, by one client", times[CREATED / 2], budget);
    println!("  on average {:?}", all.elapsed() / u32::try_from(CREATED)?);
    let all = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let users = Arc::clone(&users);
        let numbers = (CREATED..2 * CREATED).filter(move |number| number % CLIENTS == client);
        paravel::spawn(async move {
            for number in numbers {
                users.create(somebody(number)).await?;
            }
            Ok::<_, UserError>(())
        })
    });
    for client in app.run(async { clients.collect::<Vec<_>>() }).await {
        client.await??;
    }
    row(&format!("the same by {CLIENTS} clients at once, for each"), all.elapsed() / u32::try_from(CREATED)?, budget);

    let bare = boot("null").await?;
    let users: Arc<dyn UserService> = bare.make()?;
    let (ada, _) = register(&bare, "ada@example.com").await?;
    let time = bare.run(median(async || users.find(ada).await.is_ok())).await;
    row("a user read from the database, with their roles", time, Duration::from_micros(2100));
    Ok(())
}

async fn boot(store: &str) -> Result<TestApp> {
    let mut builder = application().replace(|app| {
        app.instance::<dyn Hasher>(Arc::new(Plain));
    });
    builder.env_mut().set("CACHE_STORE", store);
    builder.env_mut().set("ADMIN_PASSWORD", "correct horse");
    let app = TestApp::boot(builder).await?;
    app.artisan(&["db:seed"]).await?;
    Ok(app)
}

/// Changes one row.
async fn describe(database: &Database, number: usize) -> std::result::Result<(), DbError> {
    let change = Statement::new("update roles set description = ? where name = 'member'").bind(number.to_string());
    database.write(async move |c| Ok(c.run(&change).await.map(drop)?)).await
}

/// Somebody who has just registered, and their token.
async fn register(app: &TestApp, email: &str) -> Result<(UserId, TokenHash)> {
    let body = json!({"name": "Ada", "email": email, "password": "correct horse"});
    let login: Value = app.post("/api/v1/auth/register").json(&body).send().await.assert_status(201).json();
    let text = |pointer| login.pointer(pointer).and_then(Value::as_str).ok_or("a login has an id and a token");
    Ok((text("/user/id")?.parse()?, TokenHash::of(text("/token")?)))
}

fn somebody(number: usize) -> NewUser {
    NewUser {
        name: format!("User {number}"),
        email: format!("user{number}@example.com"),
        password: Secret::new("correct horse".to_owned()),
        roles: Vec::new(),
    }
}

/// The median time of a call that works.
async fn median<F: Future<Output = bool>>(call: impl Fn() -> F) -> Duration {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            assert!(call().await, "a call that fails is no measure");
        }
        times.push(began.elapsed() / CALLS);
    }
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn row(what: &str, time: Duration, budget: Duration) {
    let verdict = if time <= budget { "" } else { ", missed" };
    println!("{what}: {time:?} (budget {budget:?}{verdict})");
}
