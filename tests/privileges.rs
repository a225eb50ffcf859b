//! Nobody gives away, or reaches, more than they have.

use paravel::{poem::http::Method, testing::TestApp};
use serde_json::{Value, json};

use crate::support::{ADMIN, PASSWORD, Person, admin, app, column, log_in, member, rows, with_permissions};

fn user(person: &Person) -> String {
    format!("/api/v1/users/{}", person.id)
}

async fn roles_of(app: &TestApp, person: &Person) -> anyhow::Result<Vec<String>> {
    let all = admin(app).await?;
    let shown = app.get(&user(person)).bearer(&all.token).send().await.assert_status(200);
    Ok(serde_json::from_value(shown.at("/data/roles"))?)
}

async fn role_path(app: &TestApp, name: &str) -> anyhow::Result<String> {
    let all = admin(app).await?;
    let found = app.get(&format!("/api/v1/roles?search={name}")).bearer(&all.token).send().await.assert_status(200);
    Ok(format!("/api/v1/roles/{}", column(&found, "id").join("")))
}

#[tokio::test]
async fn whoever_manages_users_cannot_make_an_administrator() -> anyhow::Result<()> {
    let app = app().await?;
    let manager = with_permissions(&app, "Manager", &["users.manage"]).await?;
    let ada = member(&app, "Ada").await?;
    let assign = async |person: &Person, roles: Value| {
        let path = format!("{}/roles", user(person));
        app.put(&path).bearer(&manager.token).json(&json!({"roles": roles})).send().await
    };
    assign(&ada, json!(["admin"])).await.assert_problem(403, None);
    assign(&ada, json!(["member", "editor"])).await.assert_problem(403, None);
    assign(&manager, json!(["admin"])).await.assert_problem(403, None);
    assign(&manager, json!(["role of Manager", "admin"])).await.assert_problem(403, None);
    assert_eq!(roles_of(&app, &ada).await?, ["member"]);
    assert_eq!(roles_of(&app, &manager).await?, ["role of Manager"]);
    assign(&ada, json!(["role of Manager", "member"])).await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn whoever_manages_users_cannot_change_an_administrator() -> anyhow::Result<()> {
    let app = app().await?;
    let manager = with_permissions(&app, "Manager", &["users.manage"]).await?;
    let root = admin(&app).await?;
    for change in [json!({"password": "mallory's own"}), json!({"email": "mallory@example.com"}), json!({"name": "M"})]
    {
        app.patch(&user(&root)).bearer(&manager.token).json(&change).send().await.assert_problem(403, None);
    }
    app.delete(&user(&root)).bearer(&manager.token).send().await.assert_problem(403, None);
    let assign = app.put(&format!("{}/roles", user(&root))).bearer(&manager.token).json(&json!({"roles": []}));
    assign.send().await.assert_problem(403, None);
    log_in(&app, ADMIN, PASSWORD).await?;
    assert_eq!(roles_of(&app, &root).await?, ["admin"]);
    Ok(())
}

#[tokio::test]
async fn nobody_is_told_what_is_wrong_with_what_they_may_not_send() -> anyhow::Result<()> {
    let app = app().await?;
    let (root, ada, bob) = (admin(&app).await?, member(&app, "Ada").await?, member(&app, "Bob").await?);
    let (bob, role) = (user(&bob), role_path(&app, "member").await?);
    let requests = [
        (Method::GET, "/api/v1/users?page=x".to_owned()),
        (Method::POST, "/api/v1/users".to_owned()),
        (Method::PATCH, bob.clone()),
        (Method::PUT, format!("{bob}/roles")),
        (Method::GET, "/api/v1/roles?page=x".to_owned()),
        (Method::POST, "/api/v1/roles".to_owned()),
        (Method::PATCH, role),
    ];
    let wrong = json!({"nonsense": true});
    for (method, path) in requests {
        let send =
            async |person: &Person| app.request(method.clone(), &path).bearer(&person.token).json(&wrong).send().await;
        send(&ada).await.assert_problem(403, None);
        let answer = send(&root).await;
        assert_eq!(answer.status(), 422, "{method} {path}: {}", answer.text());
    }
    // Of oneself one may be told.
    app.patch(&user(&ada)).bearer(&ada.token).json(&wrong).send().await.assert_problem(422, None);
    Ok(())
}

#[tokio::test]
async fn whoever_manages_users_does_so_with_those_below_them() -> anyhow::Result<()> {
    let app = app().await?;
    let manager = with_permissions(&app, "Manager", &["users.manage", "users.view"]).await?;
    let ada = member(&app, "Ada").await?;
    let change = app.patch(&user(&ada)).bearer(&manager.token).json(&json!({"name": "Ada II"})).send().await;
    change.assert_status(200).assert_json("/data/name", "Ada II");
    let assign = app.put(&format!("{}/roles", user(&ada))).bearer(&manager.token).json(&json!({"roles": ["editor"]}));
    assign.send().await.assert_status(200);
    app.delete(&user(&ada)).bearer(&manager.token).send().await.assert_status(204);
    app.get("/api/v1/roles").bearer(&manager.token).send().await.assert_problem(403, None);
    Ok(())
}

#[tokio::test]
async fn whoever_sees_users_changes_none() -> anyhow::Result<()> {
    let app = app().await?;
    let viewer = with_permissions(&app, "Viewer", &["users.view"]).await?;
    let ada = member(&app, "Ada").await?;
    app.get("/api/v1/users").bearer(&viewer.token).send().await.assert_status(200);
    app.get(&user(&ada)).bearer(&viewer.token).send().await.assert_status(200);
    let body = json!({"name": "X", "email": "x@example.com", "password": PASSWORD});
    app.post("/api/v1/users").bearer(&viewer.token).json(&body).send().await.assert_problem(403, None);
    app.patch(&user(&ada)).bearer(&viewer.token).json(&json!({"name": "X"})).send().await.assert_problem(403, None);
    app.delete(&user(&ada)).bearer(&viewer.token).send().await.assert_problem(403, None);
    let assign = app.put(&format!("{}/roles", user(&ada))).bearer(&viewer.token).json(&json!({"roles": []}));
    assign.send().await.assert_problem(403, None);
    Ok(())
}

#[tokio::test]
async fn whoever_manages_roles_cannot_put_more_into_one_than_they_have() -> anyhow::Result<()> {
    let app = app().await?;
    let clerk = with_permissions(&app, "Clerk", &["roles.manage"]).await?;
    let own = role_path(&app, "role%20of%20Clerk").await?;
    let (admins, members) = (role_path(&app, "admin").await?, role_path(&app, "member").await?);
    let more = json!({"name": "more", "permissions": ["roles.manage", "users.manage"]});
    app.post("/api/v1/roles").bearer(&clerk.token).json(&more).send().await.assert_problem(403, None);
    for path in [&own, &members] {
        let more = json!({"permissions": ["users.view"]});
        app.patch(path).bearer(&clerk.token).json(&more).send().await.assert_problem(403, None);
    }
    for change in [json!({"name": "nobodies"}), json!({"permissions": []})] {
        app.patch(&admins).bearer(&clerk.token).json(&change).send().await.assert_problem(403, None);
    }
    app.delete(&admins).bearer(&clerk.token).send().await.assert_problem(403, None);
    let given = rows(&app, "select count(*) as n from role_permissions").await?;
    assert_eq!(given[0].integer("n"), 5, "three of the administrator, one each of the editor and the clerk");
    app.patch(&members).bearer(&clerk.token).json(&json!({"description": "All"})).send().await.assert_status(200);
    app.post("/api/v1/roles").bearer(&clerk.token).json(&json!({"name": "less"})).send().await.assert_status(201);
    Ok(())
}

#[tokio::test]
async fn fields_that_a_body_does_not_declare_are_never_applied() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    let id = "01890000-0000-7000-8000-000000000000";
    for (field, value) in [
        ("is_admin", json!(true)),
        ("roles", json!(["admin"])),
        ("id", json!(id)),
        ("permissions", json!(["users.manage"])),
        ("password_hash", json!("x")),
        ("created_at", json!("2000-01-01T00:00:00Z")),
    ] {
        let mut body = json!({"name": "Mallory", "email": "mallory@example.com", "password": PASSWORD});
        body[field] = value.clone();
        app.post("/api/v1/auth/register").json(&body).send().await.assert_problem(422, Some(field));
        let change = json!({"name": "Mallory", field: value});
        app.patch(&user(&ada)).bearer(&ada.token).json(&change).send().await.assert_problem(422, Some(field));
    }
    let mallory = rows(&app, "select count(*) as n from users where name = 'Mallory'").await?;
    assert_eq!(mallory[0].integer("n"), 0);
    Ok(())
}

#[tokio::test]
async fn the_last_who_manages_users_and_roles_stays() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    let list = app.get("/api/v1/roles?search=admin").bearer(&admin.token).send().await.assert_status(200);
    let role = format!("/api/v1/roles/{}", list.at("/data/0/id").as_str().unwrap_or_default());
    let me = format!("/api/v1/users/{}", admin.id);
    let ways = || {
        [
            app.delete(&role),
            app.patch(&role).json(&json!({"permissions": ["users.view", "users.manage"]})),
            app.delete(&me),
            app.put(&format!("{me}/roles")).json(&json!({"roles": ["editor"]})),
        ]
    };
    for way in ways() {
        way.bearer(&admin.token).send().await.assert_problem(409, None);
    }
    // What keeps the permissions is no way to lose them.
    app.patch(&role).bearer(&admin.token).json(&json!({"name": "root"})).send().await.assert_status(200);
    app.put(&format!("{me}/roles")).bearer(&admin.token).json(&json!({"roles": ["root", "editor"]})).send().await;
    // Two permissions of two people are no manager.
    let users = with_permissions(&app, "Ada", &["users.manage"]).await?;
    with_permissions(&app, "Grace", &["roles.manage"]).await?;
    app.delete(&me).bearer(&admin.token).send().await.assert_problem(409, None);
    // But one of two is not the last.
    let both = with_permissions(&app, "Hedy", &["users.view", "users.manage", "roles.manage"]).await?;
    app.delete(&role).bearer(&admin.token).send().await.assert_status(204);
    app.delete(&format!("/api/v1/users/{}", both.id)).bearer(&both.token).send().await.assert_problem(409, None);
    app.delete(&format!("/api/v1/users/{}", users.id)).bearer(&both.token).send().await.assert_status(204);
    Ok(())
}

#[tokio::test]
async fn of_two_managers_who_leave_at_once_one_stays() -> anyhow::Result<()> {
    for _ in 0..5 {
        let app = app().await?;
        let one = admin(&app).await?;
        let two = with_permissions(&app, "Two", &["users.manage", "roles.manage"]).await?;
        let leave = |person: &Person| app.delete(&format!("/api/v1/users/{}", person.id)).bearer(&person.token).send();
        let (one, two) = tokio::join!(leave(&one), leave(&two));
        let mut statuses = [one.status(), two.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
    }
    Ok(())
}
