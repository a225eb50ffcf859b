//! What the tests start from: a seeded application, people who are logged in to it, and the real binary.

mod binary;
#[cfg(feature = "redis")]
mod own_redis;
#[cfg(feature = "smtp")]
mod smtp;
mod wire;

use std::sync::Arc;

use anyhow::Context;
use app::application;
use paravel::{
    cache::Caches,
    database::{DatabaseAdmin, Row, Statement},
    foundation::ApplicationBuilder,
    testing::{TestApp, TestResponse},
};
use serde_json::{Value, json};

pub use binary::{Binary, Ended, Serving, has_terminals, is_embedded};
#[cfg(feature = "redis")]
pub use own_redis::OwnRedis;
#[cfg(feature = "smtp")]
pub use smtp::MailServer;
pub use wire::{ask, exchange, read_answer};

/// An `APP_KEY`, for binaries in production.
pub const KEY: &str = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Everybody's password, the administrator's too.
pub const PASSWORD: &str = "correct horse";

/// The administrator's e-mail address.
pub const ADMIN: &str = "admin@example.com";

/// Somebody who is logged in.
pub struct Person {
    pub id: String,
    pub email: String,
    pub token: String,
}

/// The application with its seeds.
pub async fn app() -> anyhow::Result<TestApp> {
    seeded(application()).await
}

/// The application with its seeds and a cache in memory, whatever the other tests run with.
pub async fn cached_app() -> anyhow::Result<TestApp> {
    let mut builder = application();
    builder.env_mut().set("CACHE_STORE", "memory");
    seeded(builder).await
}

/// An application that differs from the real one, with its seeds. It caches where `TEST_CACHE_STORE` says: all of these
/// tests hold with each store, and with none.
pub async fn seeded(mut builder: ApplicationBuilder) -> anyhow::Result<TestApp> {
    builder.env_mut().set_default("ADMIN_PASSWORD", PASSWORD);
    let (wanted, is_chosen) = (std::env::var("TEST_CACHE_STORE"), builder.env_mut().is_set("CACHE_STORE"));
    if let Ok(store) = &wanted {
        builder.env_mut().set_default("CACHE_STORE", store);
    }
    let app = TestApp::boot(builder).await?;
    // Else a run with a store would pass without it.
    if let (Ok(wanted), Some(store)) = (&wanted, app.make::<Caches>()?.store_of("default")) {
        anyhow::ensure!(store.as_str() == wanted || is_chosen, "the cache is in {store:?}, and not in {wanted}");
    }
    app.artisan(&["db:seed"]).await?;
    Ok(app)
}

/// The administrator, logged in.
pub async fn admin(app: &TestApp) -> anyhow::Result<Person> {
    log_in(app, ADMIN, PASSWORD).await
}

/// Somebody who has just registered.
pub async fn member(app: &TestApp, name: &str) -> anyhow::Result<Person> {
    let email = format!("{}@example.com", name.to_lowercase());
    let body = json!({"name": name, "email": email, "password": PASSWORD});
    person(&app.post("/api/v1/auth/register").json(&body).send().await.assert_status(201))
}

/// Somebody who logs in once more.
pub async fn log_in(app: &TestApp, email: &str, password: &str) -> anyhow::Result<Person> {
    let body = json!({"email": email, "password": password});
    person(&app.post("/api/v1/auth/login").json(&body).send().await.assert_status(200))
}

/// Somebody with a role of their own that gives these permissions.
pub async fn with_permissions(app: &TestApp, name: &str, permissions: &[&str]) -> anyhow::Result<Person> {
    let admin = admin(app).await?;
    let role = json!({"name": format!("role of {name}"), "permissions": permissions});
    app.post("/api/v1/roles").bearer(&admin.token).json(&role).send().await.assert_status(201);
    let person = member(app, name).await?;
    let roles = json!({"roles": [role["name"]]});
    app.put(&format!("/api/v1/users/{}/roles", person.id))
        .bearer(&admin.token)
        .json(&roles)
        .send()
        .await
        .assert_status(200);
    Ok(person)
}

fn person(login: &TestResponse) -> anyhow::Result<Person> {
    let text = |pointer| login.at(pointer).as_str().map(str::to_owned).context("a login has an id, e-mail and token");
    Ok(Person { id: text("/user/id")?, email: text("/user/email")?, token: text("/token")? })
}

/// The id of the one resource in a response.
pub fn id(response: &TestResponse) -> String {
    response.at("/data/id").as_str().unwrap_or_default().to_owned()
}

/// One field of each of the resources in a list.
pub fn column(response: &TestResponse, field: &str) -> Vec<String> {
    let data = response.at("/data");
    let rows = data.as_array().into_iter().flatten();
    rows.map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// The rows of a query on the application's database.
pub async fn rows(app: &TestApp, sql: &str) -> anyhow::Result<Vec<Row>> {
    let database: Arc<dyn DatabaseAdmin> = app.make()?;
    Ok(database.fetch(Statement::new(sql)).await?)
}

/// How many rows a table has.
pub async fn count(app: &TestApp, table: &str) -> anyhow::Result<i64> {
    let rows = rows(app, &format!("select count(*) as n from {table}")).await?;
    Ok(rows.first().context("a count is a row")?.integer("n"))
}

/// The value with that of every field of these names replaced by the name, so that a snapshot stays the same.
pub fn redacted(mut value: Value, fields: &[&str]) -> Value {
    redact(&mut value, fields);
    value
}

fn redact(value: &mut Value, fields: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, fields)),
        Value::Object(object) => {
            for (name, value) in object {
                match fields.contains(&name.as_str()) && !value.is_null() {
                    true => *value = format!("[{name}]").into(),
                    false => redact(value, fields),
                }
            }
        }
        _ => {}
    }
}
