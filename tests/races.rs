//! Requests at the same moment that are about the same thing.

use std::sync::Arc;

use app::application;
use paravel::{
    async_trait,
    auth::{Argon2Hasher, HashError, Hasher},
    config::AuthConfig,
    support::{Env, Secret},
    testing::TestResponse,
};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{PASSWORD, admin, app, count, id, log_in, member, seeded};

#[tokio::test]
async fn of_twenty_registrations_of_one_address_at_once_one_wins() -> anyhow::Result<()> {
    let app = app().await?;
    let mut requests = JoinSet::new();
    for number in 0..20 {
        let email = if number % 2 == 0 { "ada@example.com" } else { "ADA@Example.com" };
        let body = json!({"name": format!("Ada {number}"), "email": email, "password": PASSWORD});
        requests.spawn(app.post("/api/v1/auth/register").json(&body).send());
    }
    let mut answers: Vec<_> = requests.join_all().await;
    answers.sort_by_key(TestResponse::status);
    let winner = answers.remove(0).assert_status(201);
    assert_eq!(answers.len(), 19);
    for loser in answers {
        loser.assert_problem(409, Some("email"));
    }
    assert_eq!(count(&app, "users").await?, 2);
    assert_eq!(count(&app, "personal_access_tokens").await?, 1);
    let token = winner.at("/token").as_str().unwrap_or_default().to_owned();
    app.get("/api/v1/me").bearer(&token).send().await.assert_status(200);
    Ok(())
}

/// Hashes nothing before it is let to.
struct Gated {
    inner: Argon2Hasher,
    waiting: Semaphore,
    open: Semaphore,
}

#[async_trait]
impl Hasher for Gated {
    async fn make(&self, password: Secret<String>) -> Result<String, HashError> {
        self.waiting.add_permits(1);
        let passed = self.open.acquire().await;
        passed.map_err(|error| HashError::Interrupted(error.to_string()))?.forget();
        self.inner.make(password).await
    }

    async fn check(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, HashError> {
        self.inner.check(password, hash).await
    }

    fn needs_rehash(&self, hash: &str) -> bool {
        self.inner.needs_rehash(hash)
    }
}

#[tokio::test]
async fn a_change_keeps_what_another_changes_meanwhile() -> anyhow::Result<()> {
    let config = AuthConfig::from_env(&Env::from_pairs([("HASH_MEMORY_KIB", "64"), ("HASH_ITERATIONS", "1")]));
    let inner = Argon2Hasher::new(&config)?;
    // The administrator's and Ada's first passwords pass.
    let gated = Arc::new(Gated { inner, waiting: Semaphore::new(0), open: Semaphore::new(2) });
    let bound: Arc<dyn Hasher> = Arc::<Gated>::clone(&gated);
    let app = seeded(application().replace(|app| {
        app.instance::<dyn Hasher>(bound);
    }))
    .await?;
    let ada = member(&app, "Ada").await?;
    gated.waiting.forget_permits(2);

    let path = format!("/api/v1/users/{}", ada.id);
    let slow = app.patch(&path).bearer(&ada.token).json(&json!({"password": "another horse"}));
    let quick = async {
        gated.waiting.acquire().await?.forget();
        let quick = json!({"name": "Ada Lovelace", "email": "al@example.com"});
        app.patch(&path).bearer(&ada.token).json(&quick).send().await.assert_status(200);
        gated.open.add_permits(1);
        anyhow::Ok(())
    };
    let (slow, quick) = tokio::join!(slow.send(), quick);
    quick?;
    slow.assert_status(200).assert_json("/data/name", "Ada Lovelace").assert_json("/data/email", "al@example.com");
    log_in(&app, "al@example.com", "another horse").await?;
    Ok(())
}

#[tokio::test]
async fn changes_of_a_roles_different_fields_at_once_are_all_kept() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    let role = app.post("/api/v1/roles").bearer(&admin.token).json(&json!({"name": "captain"})).send().await;
    let path = format!("/api/v1/roles/{}", id(&role));
    for round in 0..10 {
        let (name, description) = (format!("captain {round}"), format!("steers {round}"));
        let permissions = if round % 2 == 0 { json!(["users.view"]) } else { json!([]) };
        let changes = [json!({"name": name}), json!({"description": description}), json!({"permissions": permissions})];
        let changes = changes.map(|change| app.patch(&path).bearer(&admin.token).json(&change).send());
        for changed in JoinSet::from_iter(changes).join_all().await {
            changed.assert_status(200);
        }
        let shown = app.get(&path).bearer(&admin.token).send().await.assert_json("/data/name", name);
        shown.assert_json("/data/description", description).assert_json("/data/permissions", permissions);
    }
    Ok(())
}
