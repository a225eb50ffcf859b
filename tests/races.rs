//! Requests at the same moment that are about the same thing.

use std::sync::Arc;

use app::{
    application,
    models::{Role, RoleEdit, RoleId, RoleWithPermissions},
    repositories::{ListRequest, RoleRepository, RoleSort, Undone},
};
use paravel::{
    async_trait,
    auth::{Argon2Hasher, HashError, Hasher},
    config::AuthConfig,
    database::{DbError, Page},
    service,
    support::{Env, Secret},
    testing::{TestApp, TestResponse},
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

/// Hashes nothing before it is let to, or, where it is to hold checks back, answers none before.
struct Gated {
    inner: Argon2Hasher,
    holds_checks: bool,
    waiting: Semaphore,
    open: Semaphore,
}

impl Gated {
    async fn pass(&self) -> Result<(), HashError> {
        self.waiting.add_permits(1);
        let passed = self.open.acquire().await;
        passed.map_err(|error| HashError::Interrupted(error.to_string()))?.forget();
        Ok(())
    }
}

#[async_trait]
impl Hasher for Gated {
    async fn make(&self, password: Secret<String>) -> Result<String, HashError> {
        if !self.holds_checks {
            self.pass().await?;
        }
        self.inner.make(password).await
    }

    async fn check(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, HashError> {
        let right = self.inner.check(password, hash).await?;
        if self.holds_checks {
            self.pass().await?;
        }
        Ok(right)
    }

    fn needs_rehash(&self, hash: &str) -> bool {
        self.inner.needs_rehash(hash)
    }
}

async fn gated_app(holds_checks: bool, open: usize) -> anyhow::Result<(TestApp, Arc<Gated>)> {
    let config = AuthConfig::from_env(&Env::from_pairs([("HASH_MEMORY_KIB", "64"), ("HASH_ITERATIONS", "1")]));
    let inner = Argon2Hasher::new(&config)?;
    let gated = Arc::new(Gated { inner, holds_checks, waiting: Semaphore::new(0), open: Semaphore::new(open) });
    let bound: Arc<dyn Hasher> = Arc::<Gated>::clone(&gated);
    let app = seeded(application().replace(|app| {
        app.instance::<dyn Hasher>(bound);
    }))
    .await?;
    Ok((app, gated))
}

#[tokio::test]
async fn no_login_with_the_old_password_outlives_a_change_at_the_same_moment() -> anyhow::Result<()> {
    let (app, gated) = gated_app(true, 0).await?;
    let ada = member(&app, "Ada").await?;
    let body = json!({"email": ada.email, "password": PASSWORD});
    let old = app.post("/api/v1/auth/login").json(&body);
    let change = async {
        // The old password has been found right, and the token is not made yet.
        gated.waiting.acquire().await?.forget();
        let change = app.patch(&format!("/api/v1/users/{}", ada.id)).bearer(&ada.token);
        change.json(&json!({"password": "another horse"})).send().await.assert_status(200);
        gated.open.add_permits(1);
        anyhow::Ok(())
    };
    let (old, change) = tokio::join!(old.send(), change);
    change?;
    old.assert_problem(401, None);
    assert_eq!(count(&app, "personal_access_tokens").await?, 1, "the one that the change was made with");
    gated.open.add_permits(1);
    log_in(&app, &ada.email, "another horse").await?;
    Ok(())
}

#[tokio::test]
async fn logins_and_changes_of_the_password_at_once_leave_no_token_of_an_old_password() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    let path = format!("/api/v1/users/{}", ada.id);
    let mut password = PASSWORD.to_owned();
    for round in 0..20 {
        let next = format!("horse number {round}");
        let body = json!({"email": ada.email, "password": password});
        let logins = JoinSet::from_iter((0..4).map(|_| app.post("/api/v1/auth/login").json(&body).send()));
        let change = app.patch(&path).bearer(&ada.token).json(&json!({"password": next})).send();
        let (logins, change) = tokio::join!(logins.join_all(), change);
        change.assert_status(200);
        for login in logins.into_iter().filter(|login| login.status() == 200) {
            let token = login.at("/token").as_str().unwrap_or_default().to_owned();
            app.get("/api/v1/me").bearer(&token).send().await.assert_problem(401, None);
        }
        password = next;
    }
    Ok(())
}

#[tokio::test]
async fn a_change_keeps_what_another_changes_meanwhile() -> anyhow::Result<()> {
    // The administrator's and Ada's first passwords pass.
    let (app, gated) = gated_app(false, 2).await?;
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

/// Roles that somebody else deletes at the moment at which they are to be changed.
struct Vanishing(Arc<dyn RoleRepository>);

#[service]
impl RoleRepository for Vanishing {
    async fn find(&self, id: RoleId) -> Result<Option<RoleWithPermissions>, DbError> {
        self.0.find(id).await
    }

    async fn named(&self, names: &[String]) -> Result<Vec<RoleWithPermissions>, DbError> {
        self.0.named(names).await
    }

    async fn many(&self, ids: &[RoleId]) -> Result<Vec<RoleWithPermissions>, DbError> {
        self.0.many(ids).await
    }

    async fn names(&self) -> Result<Vec<String>, DbError> {
        self.0.names().await
    }

    async fn page(&self, request: ListRequest<'_, RoleSort>) -> Result<Page<RoleWithPermissions>, DbError> {
        self.0.page(request).await
    }

    async fn create(&self, role: Role, permissions: Vec<String>) -> Result<(), Undone> {
        self.0.create(role, permissions).await
    }

    async fn update(&self, id: RoleId, edit: RoleEdit, permissions: Option<Vec<String>>) -> Result<(), Undone> {
        self.0.delete(id).await?;
        self.0.update(id, edit, permissions).await
    }

    async fn delete(&self, id: RoleId) -> Result<(), Undone> {
        self.0.delete(id).await
    }

    async fn add_permissions(&self, names: Vec<String>) -> Result<(), DbError> {
        self.0.add_permissions(names).await
    }
}

#[tokio::test]
async fn a_role_that_is_deleted_while_it_is_changed_is_not_there() -> anyhow::Result<()> {
    let app = seeded(application().replace(|app| {
        app.extend(|inner: Arc<dyn RoleRepository>| -> Arc<dyn RoleRepository> { Arc::new(Vanishing(inner)) });
    }))
    .await?;
    let admin = admin(&app).await?;
    for change in [json!({"permissions": ["users.view"]}), json!({"permissions": ["no.such"]}), json!({"name": "x"})] {
        let role = app.post("/api/v1/roles").bearer(&admin.token).json(&json!({"name": "captain"})).send().await;
        let path = format!("/api/v1/roles/{}", id(&role));
        app.patch(&path).bearer(&admin.token).json(&change).send().await.assert_problem(404, None);
    }
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
