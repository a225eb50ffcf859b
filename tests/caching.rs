//! What is cached: nobody sees an old answer, a password's hash is in none, and what is kept is not asked for again.

use std::{collections::BTreeSet, future::Future, sync::Arc};

use anyhow::Context;
use app::{
    application,
    database::{
        Database,
        factories::{RoleFactory, UserFactory, UserRoleFactory},
    },
    models::{Email, Role, RoleId, RoleWithPermissions, User, UserId, UserWithRoles},
    repositories::{TokenOwner, TokenRepository, UserRepository},
    services::{RoleService, UserService},
};
use paravel::{
    auth::TokenHash,
    cache::{Cache, CacheValue},
    database::{QueryWatch, Seed, WatchPolicy, factories::Factory},
    service::CacheSlot,
    testing::{TestApp, TestResponse},
};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, admin, app, cached_app, log_in, member, seeded, with_permissions};

async fn get(app: &TestApp, person: &Person, path: &str) -> TestResponse {
    app.get(&format!("/api/v1{path}")).bearer(&person.token).send().await
}

/// How many queries it runs.
async fn queries<T>(app: &TestApp, future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(usize, T)> {
    let container = app.container().scope();
    let scope = container.current_scope().context("a scope")?.clone();
    let watch = scope.set(QueryWatch::new(WatchPolicy::default()));
    let done = container.run(future).await?;
    Ok((watch.count(), done))
}

/// What is kept there, as JSON.
async fn kept<T: CacheValue>(cache: &Cache, slot: CacheSlot<T>) -> anyhow::Result<Option<Value>> {
    Ok(match cache.get::<T>(&slot.key).await? {
        Some(value) => Some(serde_json::to_value(&*value)?),
        None => None,
    })
}

fn user_id(person: &Person) -> anyhow::Result<UserId> {
    Ok(person.id.parse()?)
}

#[tokio::test]
async fn who_asks_twice_is_answered_without_a_query() -> anyhow::Result<()> {
    let app = cached_app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let of_ada = format!("/users/{}", ada.id);
    let mut answers = Vec::new();
    for path in ["/me", &of_ada, &of_ada, "/me"] {
        let answer = get(&app, &admin, path).await.assert_status(200);
        answers.push((answer.queries(), answer.json::<Value>()));
    }
    let [first, second, third, fourth] = &answers[..] else { anyhow::bail!("four were asked") };
    assert!(first.0 > 0 && second.0 > 0, "{answers:?}");
    assert_eq!((third.0, fourth.0), (0, 0), "{answers:?}");
    assert_eq!((&first.1, &second.1), (&fourth.1, &third.1));
    Ok(())
}

#[tokio::test]
async fn without_a_cache_everything_is_asked_anew() -> anyhow::Result<()> {
    let mut builder = application();
    builder.env_mut().set("CACHE_STORE", "null");
    let app = seeded(builder).await?;
    let admin = admin(&app).await?;
    get(&app, &admin, "/me").await;
    let second = get(&app, &admin, "/me").await.assert_status(200).queries();
    assert!(second > 0);
    assert_eq!(get(&app, &admin, "/me").await.queries(), second);
    Ok(())
}

#[tokio::test]
async fn a_change_of_roles_is_seen_by_the_next_request() -> anyhow::Result<()> {
    let app = app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let roles = format!("/api/v1/users/{}/roles", ada.id);
    for (roles_of_ada, status) in [(json!(["editor"]), 200), (json!(["member"]), 403), (json!(["admin"]), 200)] {
        get(&app, &ada, "/me").await;
        get(&app, &ada, "/users").await;
        let change = json!({"roles": roles_of_ada});
        app.put(&roles).bearer(&admin.token).json(&change).send().await.assert_status(200);
        get(&app, &ada, "/users").await.assert_status(status);
        get(&app, &ada, "/me").await.assert_json("/data/roles", roles_of_ada);
    }
    Ok(())
}

#[tokio::test]
async fn a_change_of_a_role_is_seen_by_all_who_have_it() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = with_permissions(&app, "Ada", &["users.view"]).await?;
    let admin = admin(&app).await?;
    let listed = get(&app, &admin, "/roles?search=role+of+Ada").await;
    let role = format!("/api/v1/roles/{}", listed.at("/data/0/id").as_str().unwrap_or_default());
    let change = async |change: Value| {
        get(&app, &ada, "/users").await;
        get(&app, &admin, role.trim_start_matches("/api/v1")).await;
        app.patch(&role).bearer(&admin.token).json(&change).send().await.assert_status(200);
    };
    change(json!({"name": "watch"})).await;
    get(&app, &ada, "/me").await.assert_json("/data/roles", json!(["watch"]));
    get(&app, &admin, role.trim_start_matches("/api/v1")).await.assert_json("/data/name", "watch");
    change(json!({"permissions": []})).await;
    get(&app, &ada, "/users").await.assert_status(403);
    change(json!({"permissions": ["users.view"]})).await;
    get(&app, &ada, "/users").await.assert_status(200);

    app.delete(&role).bearer(&admin.token).send().await.assert_status(204);
    get(&app, &ada, "/users").await.assert_status(403);
    get(&app, &ada, "/me").await.assert_json("/data/roles", json!([]));
    get(&app, &admin, role.trim_start_matches("/api/v1")).await.assert_status(404);
    Ok(())
}

#[tokio::test]
async fn a_role_that_is_added_counts_where_its_name_was_asked_for_before() -> anyhow::Result<()> {
    let app = app().await?;
    let roles: Arc<dyn RoleService> = app.make()?;
    let names = ["captain".to_owned()];
    assert!(app.run(roles.permissions_of(&names)).await?.is_empty());
    let admin = admin(&app).await?;
    let captain = json!({"name": "captain", "permissions": ["users.view"]});
    app.post("/api/v1/roles").bearer(&admin.token).json(&captain).send().await.assert_status(201);
    assert_eq!(app.run(roles.permissions_of(&names)).await?, BTreeSet::from(["users.view".to_owned()]));
    Ok(())
}

#[tokio::test]
async fn a_user_is_found_by_the_address_that_they_have_now() -> anyhow::Result<()> {
    let app = app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let users: Arc<dyn UserService> = app.make()?;
    let found = async |email: &str| anyhow::Ok(app.run(users.find_by_email(&Email::new(email))).await?);
    let named = async |email: &str| anyhow::Ok(found(email).await?.map(|user| user.name));
    assert_eq!(named("nobody@example.com").await?, None);
    assert_eq!(named("ADA@example.com ").await?.as_deref(), Some("Ada"));

    let path = format!("/api/v1/users/{}", ada.id);
    let change = async |change: Value| {
        get(&app, &admin, &format!("/users/{}", ada.id)).await;
        app.patch(&path).bearer(&admin.token).json(&change).send().await.assert_status(200);
    };
    change(json!({"email": "countess@example.com"})).await;
    assert_eq!(named("ada@example.com").await?, None);
    assert_eq!(named("countess@example.com").await?.as_deref(), Some("Ada"));
    get(&app, &ada, "/me").await.assert_json("/data/email", "countess@example.com");
    change(json!({"name": "Countess"})).await;
    assert_eq!(named("countess@example.com").await?.as_deref(), Some("Countess"));
    let before = found("countess@example.com").await?.context("she is there")?.updated_at;
    app.put(&format!("{path}/roles")).bearer(&admin.token).json(&json!({"roles": []})).send().await.assert_status(200);
    assert!(found("countess@example.com").await?.context("she is there")?.updated_at > before);

    // The old address is somebody else's now.
    let other = member(&app, "Ada").await?;
    assert_ne!(other.id, ada.id);
    assert_eq!(found("ada@example.com").await?.map(|user| user.id), Some(user_id(&other)?));
    log_in(&app, "countess@example.com", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn somebody_unknown_is_found_once_they_are_created() -> anyhow::Result<()> {
    let app = app().await?;
    let users: Arc<dyn UserService> = app.make()?;
    let email = Email::new("ada@example.com");
    assert_eq!(app.run(users.find_by_email(&email)).await?, None);
    let wrong = json!({"email": "ada@example.com", "password": PASSWORD});
    app.post("/api/v1/auth/login").json(&wrong).send().await.assert_status(401);
    let ada = member(&app, "Ada").await?;
    assert_eq!(app.run(users.find_by_email(&email)).await?.map(|user| user.id), Some(user_id(&ada)?));
    log_in(&app, "ada@example.com", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn a_user_who_is_deleted_is_gone_at_once_with_their_tokens() -> anyhow::Result<()> {
    let app = app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let path = format!("/users/{}", ada.id);
    let users: Arc<dyn UserService> = app.make()?;
    for _ in 0..2 {
        get(&app, &ada, "/me").await.assert_status(200);
        get(&app, &admin, &path).await.assert_status(200);
        assert!(app.run(users.find_by_email(&Email::new(&ada.email))).await?.is_some());
    }
    app.delete(&format!("/api/v1{path}")).bearer(&admin.token).send().await.assert_status(204);
    get(&app, &ada, "/me").await.assert_problem(401, None);
    get(&app, &admin, &path).await.assert_problem(404, None);
    assert_eq!(app.run(users.find_by_email(&Email::new(&ada.email))).await?, None);
    let again = member(&app, "Ada").await?;
    get(&app, &again, "/me").await.assert_json("/data/id", again.id.as_str());
    Ok(())
}

#[tokio::test]
async fn a_token_that_was_just_used_is_refused_once_it_is_revoked() -> anyhow::Result<()> {
    let app = app().await?;
    let (ada, elsewhere, grace) =
        (member(&app, "Ada").await?, log_in(&app, "ada@example.com", PASSWORD).await?, member(&app, "Grace").await?);
    let all_use_theirs = async || {
        for person in [&ada, &elsewhere, &grace] {
            get(&app, person, "/me").await;
            get(&app, person, "/me").await;
        }
    };
    all_use_theirs().await;
    let change = json!({"password": "another horse"});
    let path = format!("/api/v1/users/{}", ada.id);
    app.patch(&path).bearer(&ada.token).json(&change).send().await.assert_status(200);
    get(&app, &elsewhere, "/me").await.assert_problem(401, None);
    get(&app, &ada, "/me").await.assert_status(200);
    get(&app, &grace, "/me").await.assert_status(200);

    all_use_theirs().await;
    app.post("/api/v1/auth/logout").bearer(&ada.token).send().await.assert_status(204);
    get(&app, &ada, "/me").await.assert_problem(401, None);
    get(&app, &grace, "/me").await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn nobody_is_locked_out_by_a_token_that_was_unknown() -> anyhow::Result<()> {
    let app = cached_app().await?;
    let cache: Arc<Cache> = app.make()?;
    let before = cache.stats().entries;
    for _ in 0..2 {
        app.get("/api/v1/me").bearer("nonsense").send().await.assert_problem(401, None);
    }
    assert_eq!(cache.stats().entries, before, "what is not there is not kept");
    Ok(())
}

#[tokio::test]
async fn no_hash_of_a_password_is_in_the_cache() -> anyhow::Result<()> {
    let app = cached_app().await?;
    let (cache, users): (Arc<Cache>, Arc<dyn UserService>) = (app.make()?, app.make()?);
    let (roles, ada) = (app.make::<dyn RoleService>()?, member(&app, "Ada").await?);
    get(&app, &ada, "/me").await;
    let (id, email, token) = (user_id(&ada)?, Email::new(&ada.email), TokenHash::of(&ada.token));
    app.run(users.find_by_email(&email)).await?;
    let names = ["member".to_owned()];
    app.run(roles.permissions_of(&names)).await?;
    let role = app.run(users.find(id)).await?.roles.pop().context("she is a member")?.id;
    app.run(roles.find(role)).await?;
    get(&app, &ada, "/me").await;

    let dumped = [
        kept(&cache, <dyn UserService>::cached_find(id)).await?,
        kept(&cache, <dyn UserService>::cached_find_by_email(&email)).await?,
        kept(&cache, <dyn RoleService>::cached_find(role)).await?,
        kept(&cache, <dyn RoleService>::cached_permissions_of(&names)).await?,
        kept(&cache, <dyn TokenRepository>::cached_owner(&token)).await?,
        kept(&cache, <dyn TokenRepository>::cached_permissions(id)).await?,
    ];
    let dumped: Vec<Value> = dumped.into_iter().collect::<Option<_>>().context("each is kept")?;
    cache.prune().await?;
    let others = cache.stats().entries - dumped.len();
    assert_eq!(others, 0, "nothing else is kept: {:?}", cache.stats());
    let text = serde_json::to_string(&dumped)?;
    assert!(text.contains("ada@example.com") && text.contains("expires_at"), "{text}");
    for secret in ["argon2", "hash", "password", PASSWORD, &ada.token] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_kept_elsewhere_comes_back_as_it_was() -> anyhow::Result<()> {
    fn again<T: CacheValue>(value: &T) -> anyhow::Result<T> {
        Ok(serde_json::from_str(&serde_json::to_string(value)?)?)
    }
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    let (users, roles): (Arc<dyn UserService>, Arc<dyn RoleService>) = (app.make()?, app.make()?);
    let tokens: Arc<dyn TokenRepository> = app.make()?;
    let user: UserWithRoles = app.run(users.find(user_id(&ada)?)).await?;
    let role: RoleWithPermissions = app.run(roles.find(user.roles[0].id)).await?;
    let owner: TokenOwner = app.run(tokens.owner(&TokenHash::of(&ada.token))).await?.context("it is hers")?;
    assert_eq!((again(&user)?, again(&role)?, again(&owner)?), (user, role, owner));
    Ok(())
}

/// An application with so many users more, who have two roles each.
async fn crowd(count: u64) -> anyhow::Result<(TestApp, Vec<User>)> {
    let app = cached_app().await?;
    let (db, seed): (Arc<Database>, Arc<Seed>) = (app.make()?, app.make()?);
    let roles: Vec<Role> = RoleFactory.count(2).create(&seed, &db).await?;
    let users = UserFactory::new("none").count(count);
    let users = users.has(UserRoleFactory.for_(&roles[0])).has(UserRoleFactory.for_(&roles[1]));
    Ok((app, users.create(&seed, &db).await?.into_iter().map(|row| row.user).collect()))
}

#[tokio::test]
async fn a_warm_cache_answers_for_everybody_without_a_query() -> anyhow::Result<()> {
    let (app, crowd) = crowd(30).await?;
    let (users, cache): (Arc<dyn UserService>, Arc<Cache>) = (app.make()?, app.make()?);
    let said: Value = serde_json::from_str(&app.artisan(&["cache:warm", "users", "roles", "--json"]).await?)?;
    assert_eq!(said, json!([{"name": "roles", "values": 5}, {"name": "users", "values": 31}]));
    let found = async {
        for user in &crowd {
            let found = users.find(user.id).await?;
            assert_eq!((&found.user, found.roles.len()), (user, 2));
            assert_eq!(users.find_by_email(&Email::new(&user.email)).await?.as_ref(), Some(user));
        }
        Ok(())
    };
    assert_eq!(queries(&app, found).await?.0, 0);

    // What the warmer put in goes as what a request put in.
    let admin = admin(&app).await?;
    let change = json!({"email": "somebody@example.com"});
    let path = format!("/api/v1/users/{}", crowd[0].id);
    app.patch(&path).bearer(&admin.token).json(&change).send().await.assert_status(200);
    assert_eq!(app.run(users.find_by_email(&Email::new(&crowd[0].email))).await?, None);
    assert_eq!(app.run(users.find(crowd[0].id)).await?.user.email, "somebody@example.com");
    let change = json!({"roles": ["editor"]});
    app.put(&format!("/api/v1/users/{}/roles", crowd[1].id)).bearer(&admin.token).json(&change).send().await;
    assert_eq!(app.run(users.find(crowd[1].id)).await?.roles[0].name, "editor");

    let listed = get(&app, &admin, "/roles?search=editor").await;
    let editor: RoleId = listed.at("/data/0/id").as_str().unwrap_or_default().parse()?;
    assert!(kept(&cache, <dyn RoleService>::cached_find(editor)).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn four_hundred_users_are_fetched_by_as_many_queries_as_one() -> anyhow::Result<()> {
    let mut counted = Vec::new();
    for count in [1, 400] {
        let (app, _) = crowd(count).await?;
        let (users, rows): (Arc<dyn UserService>, Arc<dyn UserRepository>) = (app.make()?, app.make()?);
        let batch = rows.after(None, 1000).await?;
        let (fetched, found) = queries(&app, async { Ok(users.prefetch(&batch).await?) }).await?;
        assert_eq!(found, batch.len());
        let (again, found) = queries(&app, async { Ok(users.prefetch(&batch).await?) }).await?;
        assert_eq!((again, found), (0, 0), "they are there");
        counted.push(fetched);
    }
    assert!(counted[0] > 0 && counted[0] == counted[1], "{counted:?}");
    Ok(())
}

#[tokio::test]
async fn a_warmer_that_does_not_exist_is_named() -> anyhow::Result<()> {
    let app = app().await?;
    let error = app.artisan(&["cache:warm", "usrs"]).await.unwrap_err().to_string();
    assert!(error.contains("no cache warmer is called `usrs`; did you mean `users`?"), "{error}");
    let listed: Value = serde_json::from_str(&app.artisan(&["cache:warm", "--list", "--json"]).await?)?;
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    Ok(())
}

#[tokio::test]
async fn somebody_who_was_changed_is_kept_again_once_a_worker_was_there() -> anyhow::Result<()> {
    let app = cached_app().await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    let (cache, users) = (app.make::<Cache>()?, app.make::<dyn UserService>()?);
    let id = user_id(&ada)?;
    app.work().await?;
    for (path, body) in [("", json!({"name": "Ada Lovelace"})), ("/roles", json!({"roles": ["editor"]}))] {
        let path = format!("/api/v1/users/{}{path}", ada.id);
        let request = if body.get("name").is_some() { app.patch(&path) } else { app.put(&path) };
        request.bearer(&admin.token).json(&body).send().await.assert_status(200);
        cache.forget(&<dyn UserService>::cached_find(id).key).await?;
        app.work().await?;
        assert!(kept(&cache, <dyn UserService>::cached_find(id)).await?.is_some(), "{path}");
        let (asked, found) = queries(&app, async { Ok(users.find(id).await?) }).await?;
        assert_eq!((asked, &*found.user.name), (0, "Ada Lovelace"));
    }
    Ok(())
}
