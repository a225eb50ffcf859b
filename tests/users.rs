//! Users: created, shown, changed, deleted, and given roles.

use std::sync::Arc;

use anyhow::Context;
use app::{
    models::{Email, UserRow},
    repositories::TokenRepository,
    services::{AuthService, UserService},
};
use paravel::{database::DatabaseAdmin, support::Secret, testing::TestApp};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, admin, app, count, id, log_in, member};

const NOBODY: &str = "/api/v1/users/01890000-0000-7000-8000-000000000000";

fn grace() -> Value {
    json!({"name": " Grace ", "email": "Grace@Example.com", "password": PASSWORD})
}

fn path(person: &Person) -> String {
    format!("/api/v1/users/{}", person.id)
}

async fn admin_and_member() -> anyhow::Result<(TestApp, Person, Person)> {
    let app = app().await?;
    let people = (admin(&app).await?, member(&app, "Ada").await?);
    Ok((app, people.0, people.1))
}

#[tokio::test]
async fn nobody_is_added_without_a_role() -> anyhow::Result<()> {
    let app = app().await?;
    let database: Arc<dyn DatabaseAdmin> = app.make()?;
    database.apply(None, "delete from roles where name = 'member'".to_owned()).await?;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
    app.post("/api/v1/auth/register").json(&body).send().await.assert_problem(500, None);
    assert_eq!(count(&app, "users").await?, 1);
    let error = app.artisan(&["user:create", "ada@example.com", "--name", "Ada"]).await.unwrap_err();
    assert!(error.to_string().contains("run `cargo artisan db:seed --class roles`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_is_shown_of_a_user_to_the_log_has_no_hash() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    let users: Arc<dyn UserService> = app.make()?;
    let email = Email::new(&ada.email);
    let user = users.find_by_email(&email).await?.context("she is there")?;
    let tokens: Arc<dyn TokenRepository> = app.make()?;
    let credentials = tokens.credentials(&email).await?.context("she has a password")?;
    assert!(credentials.password_hash.starts_with("$argon2id$"));
    let row = UserRow { user: user.clone(), password_hash: credentials.password_hash.clone() };
    let auth: Arc<dyn AuthService> = app.make()?;
    let login = auth.login(&ada.email, Secret::new(PASSWORD.to_owned())).await?;
    let shown = format!("{user:?} {credentials:?} {row:?} {login:?}");
    assert!(shown.contains("ada@example.com") && !shown.contains("argon2"), "{shown}");
    assert!(!shown.contains(login.token.text().expose()), "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_user_is_created_as_a_member_with_the_address_in_lower_case() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    let created = app.post("/api/v1/users").bearer(&admin.token).json(&grace()).send().await.assert_status(201);
    assert_eq!(created.at("/token"), Value::Null, "whoever creates somebody else does not log them in");
    let shown = app.get(&format!("/api/v1/users/{}", id(&created))).bearer(&admin.token).send().await;
    let shown = shown.assert_status(200).assert_json("", created.json::<Value>());
    let shown = shown.assert_json("/data/name", "Grace").assert_json("/data/email", "grace@example.com");
    let shown = shown.assert_json("/data/roles", json!(["member"]));
    assert_eq!(shown.at("/data/created_at"), shown.at("/data/updated_at"));
    log_in(&app, "GRACE@example.COM", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let before = app.get(&path(&ada)).bearer(&admin.token).send().await.at("/data");
    let change = app.patch(&path(&ada)).bearer(&admin.token).json(&json!({"name": "Ada Lovelace"})).send().await;
    let change = change.assert_status(200).assert_json("/data/name", "Ada Lovelace");
    let change = change.assert_json("/data/email", before["email"].clone());
    let change = change.assert_json("/data/created_at", before["created_at"].clone());
    assert_ne!(change.at("/data/updated_at"), before["updated_at"]);
    let change = app.patch(&path(&ada)).bearer(&admin.token).json(&json!({"email": "AL@example.com"})).send().await;
    change.assert_status(200).assert_json("/data/name", "Ada Lovelace").assert_json("/data/email", "al@example.com");
    app.patch(&path(&ada)).bearer(&admin.token).json(&json!({})).send().await.assert_status(200);
    log_in(&app, "al@example.com", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn no_field_of_a_user_can_be_null() -> anyhow::Result<()> {
    let (app, _, ada) = admin_and_member().await?;
    for field in ["name", "email", "password"] {
        let change = app.patch(&path(&ada)).bearer(&ada.token).json(&json!({field: null})).send().await;
        change.assert_problem(422, Some(field));
    }
    log_in(&app, &ada.email, PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_their_tokens_and_roles() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    assert_eq!(app.delete(&path(&ada)).bearer(&admin.token).send().await.assert_status(204).text(), "");
    app.get(&path(&ada)).bearer(&admin.token).send().await.assert_problem(404, None);
    app.delete(&path(&ada)).bearer(&admin.token).send().await.assert_problem(404, None);
    app.get("/api/v1/me").bearer(&ada.token).send().await.assert_problem(401, None);
    assert_eq!(count(&app, "personal_access_tokens").await?, 1, "the administrator's own");
    assert_eq!(count(&app, "user_roles").await?, 1, "the administrator's own");
    member(&app, "Ada").await?;
    Ok(())
}

#[tokio::test]
async fn there_is_no_way_to_somebody_who_does_not_exist() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    app.get(NOBODY).bearer(&admin.token).send().await.assert_problem(404, None);
    app.patch(NOBODY).bearer(&admin.token).json(&json!({"name": "X"})).send().await.assert_problem(404, None);
    app.delete(NOBODY).bearer(&admin.token).send().await.assert_problem(404, None);
    let roles = app.put(&format!("{NOBODY}/roles")).bearer(&admin.token).json(&json!({"roles": ["member"]}));
    roles.send().await.assert_problem(404, None);
    Ok(())
}

#[tokio::test]
async fn an_id_of_the_wrong_form_is_not_found() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    for wrong in ["1", "abc", "-1", "%00", "%27", "01890000-0000-7000-8000-00000000000g", "a%2Fb", "%FF"] {
        let path = format!("/api/v1/users/{wrong}");
        app.get(&path).bearer(&admin.token).send().await.assert_problem(404, None);
        app.delete(&path).bearer(&admin.token).send().await.assert_problem(404, None);
        app.patch(&path).bearer(&admin.token).json(&json!({"name": "X"})).send().await.assert_problem(404, None);
        let roles = app.put(&format!("{path}/roles")).bearer(&admin.token).json(&json!({"roles": ["member"]}));
        roles.send().await.assert_problem(404, None);
    }
    Ok(())
}

#[tokio::test]
async fn a_member_sees_and_edits_only_itself() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let grace = member(&app, "Grace").await?;
    let me = app.get("/api/v1/me").bearer(&ada.token).send().await.assert_status(200).at("/data");
    app.get(&path(&ada)).bearer(&ada.token).send().await.assert_status(200).assert_json("/data", me);
    let change = app.patch(&path(&ada)).bearer(&ada.token).json(&json!({"name": "A. L."})).send().await;
    change.assert_status(200).assert_json("/data/name", "A. L.");

    for other in [&grace, &admin] {
        app.get(&path(other)).bearer(&ada.token).send().await.assert_problem(403, None);
        let change = app.patch(&path(other)).bearer(&ada.token).json(&json!({"name": "Mallory"})).send().await;
        change.assert_problem(403, None);
        app.delete(&path(other)).bearer(&ada.token).send().await.assert_problem(403, None);
    }
    // Whether there is somebody of that id is not theirs to know.
    app.get(NOBODY).bearer(&ada.token).send().await.assert_problem(403, None);
    app.delete(&path(&ada)).bearer(&ada.token).send().await.assert_problem(403, None);
    app.get("/api/v1/users").bearer(&ada.token).send().await.assert_problem(403, None);
    app.post("/api/v1/users").bearer(&ada.token).json(&self::grace()).send().await.assert_problem(403, None);
    assert_eq!(count(&app, "users").await?, 3);
    assert_eq!(count(&app, "users where name = 'Mallory'").await?, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_gets_at_users_without_a_login() -> anyhow::Result<()> {
    let (app, _, ada) = admin_and_member().await?;
    app.get("/api/v1/me").send().await.assert_problem(401, None);
    app.get("/api/v1/users").send().await.assert_problem(401, None);
    app.post("/api/v1/users").json(&grace()).send().await.assert_problem(401, None);
    app.get(&path(&ada)).send().await.assert_problem(401, None);
    app.patch(&path(&ada)).json(&json!({"name": "Mallory"})).send().await.assert_problem(401, None);
    app.delete(&path(&ada)).send().await.assert_problem(401, None);
    let roles = app.put(&format!("{}/roles", path(&ada))).json(&json!({"roles": ["admin"]}));
    roles.send().await.assert_problem(401, None);
    assert_eq!(count(&app, "users where name = 'Ada'").await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_address_that_somebody_has_is_a_conflict() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    for email in ["ada@example.com", "ADA@Example.Com"] {
        let body = json!({"name": "Ada II", "email": email, "password": PASSWORD});
        let users = app.post("/api/v1/users").bearer(&admin.token).json(&body).send().await;
        users.assert_problem(409, Some("email"));
        app.post("/api/v1/auth/register").json(&body).send().await.assert_problem(409, Some("email"));
    }
    let change = app.patch(&path(&ada)).bearer(&ada.token).json(&json!({"email": "ADMIN@example.com", "name": "X"}));
    change.send().await.assert_problem(409, Some("email"));
    assert_eq!(count(&app, "users").await?, 2);
    assert_eq!(count(&app, "users where name = 'Ada'").await?, 1, "nothing of a change that is refused is kept");
    // Their own in other letters is theirs.
    let change = app.patch(&path(&ada)).bearer(&ada.token).json(&json!({"email": "ADA@example.com"})).send().await;
    change.assert_status(200).assert_json("/data/email", "ada@example.com");
    Ok(())
}

#[tokio::test]
async fn assigning_roles_replaces_all_of_them_or_none() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let roles = format!("{}/roles", path(&ada));
    let assign = async |names: Value| app.put(&roles).bearer(&admin.token).json(&json!({"roles": names})).send().await;
    let both = assign(json!(["member", "editor", "editor"])).await.assert_status(200);
    both.assert_json("/data/roles", json!(["editor", "member"]));
    assign(json!(["editor", "captain"])).await.assert_problem(422, Some("roles"));
    assign(json!([""])).await.assert_problem(422, Some("roles[0]"));
    let after = app.get(&path(&ada)).bearer(&admin.token).send().await;
    after.assert_json("/data/roles", json!(["editor", "member"]));
    assign(json!([])).await.assert_status(200).assert_json("/data/roles", json!([]));
    assign(json!(["admin"])).await.assert_status(200);
    app.get("/api/v1/roles").bearer(&ada.token).send().await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn a_change_of_nothing_is_none_and_one_of_roles_is_one() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let before = app.get(&path(&ada)).bearer(&ada.token).send().await.at("/data/updated_at");
    let nothing = app.patch(&path(&ada)).bearer(&ada.token).json(&json!({})).send().await.assert_status(200);
    nothing.assert_json("/data/updated_at", before.clone());
    let roles = app.put(&format!("{}/roles", path(&ada))).bearer(&admin.token).json(&json!({"roles": ["editor"]}));
    let roles = roles.send().await.assert_status(200);
    assert_ne!(roles.at("/data/updated_at"), before);
    app.patch(NOBODY).bearer(&admin.token).json(&json!({})).send().await.assert_problem(404, None);
    Ok(())
}

#[tokio::test]
async fn a_user_has_one_address() -> anyhow::Result<()> {
    let (app, _, ada) = admin_and_member().await?;
    let simple = ada.id.replace('-', "");
    let others = [simple, ada.id.to_uppercase(), format!("urn:uuid:{}", ada.id), format!("%7B{}%7D", ada.id)];
    for other in others {
        app.get(&format!("/api/v1/users/{other}")).bearer(&ada.token).send().await.assert_problem(404, None);
    }
    app.get(&path(&ada)).bearer(&ada.token).send().await.assert_status(200);
    Ok(())
}
