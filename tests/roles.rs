//! Roles: created, shown, changed and deleted, with their permissions.

use paravel::testing::TestApp;
use serde_json::{Value, json};

use crate::support::{Person, admin, app, count, id, member};

struct Roles {
    app: TestApp,
    admin: Person,
    /// The path of the role `captain`.
    captain: String,
}

async fn roles() -> anyhow::Result<Roles> {
    let app = app().await?;
    let admin = admin(&app).await?;
    let captain = json!({"name": "captain", "description": "Steers", "permissions": ["users.view", "users.manage"]});
    let created = app.post("/api/v1/roles").bearer(&admin.token).json(&captain).send().await.assert_status(201);
    let captain = format!("/api/v1/roles/{}", id(&created));
    app.get(&captain).bearer(&admin.token).send().await.assert_status(200).assert_json("", created.json::<Value>());
    Ok(Roles { app, admin, captain })
}

impl Roles {
    async fn change(&self, change: Value) -> paravel::testing::TestResponse {
        self.app.patch(&self.captain).bearer(&self.admin.token).json(&change).send().await
    }
}

#[tokio::test]
async fn a_role_is_created_with_its_permissions_in_order() -> anyhow::Result<()> {
    let roles = roles().await?;
    let shown = roles.app.get(&roles.captain).bearer(&roles.admin.token).send().await.assert_status(200);
    let shown = shown.assert_json("/data/name", "captain").assert_json("/data/description", "Steers");
    shown.assert_json("/data/permissions", json!(["users.manage", "users.view"]));
    let least = json!({"name": "boatswain"});
    let least = roles.app.post("/api/v1/roles").bearer(&roles.admin.token).json(&least).send().await.assert_status(201);
    least.assert_json("/data/description", Value::Null).assert_json("/data/permissions", json!([]));
    Ok(())
}

#[tokio::test]
async fn absent_null_and_a_value_are_three_things_in_a_change() -> anyhow::Result<()> {
    let roles = roles().await?;
    let absent = roles.change(json!({"name": "skipper"})).await.assert_status(200);
    let absent = absent.assert_json("/data/name", "skipper").assert_json("/data/description", "Steers");
    absent.assert_json("/data/permissions", json!(["users.manage", "users.view"]));
    let null = roles.change(json!({"description": null})).await.assert_status(200);
    null.assert_json("/data/description", Value::Null).assert_json("/data/name", "skipper");
    let value = roles.change(json!({"description": "Commands", "permissions": []})).await.assert_status(200);
    value.assert_json("/data/description", "Commands").assert_json("/data/permissions", json!([]));
    roles.change(json!({"name": null})).await.assert_problem(422, Some("name"));
    roles.change(json!({"permissions": null})).await.assert_problem(422, Some("permissions"));
    Ok(())
}

#[tokio::test]
async fn a_name_that_another_role_has_is_a_conflict() -> anyhow::Result<()> {
    let roles = roles().await?;
    let again = json!({"name": " captain ", "permissions": ["users.view"]});
    let again = roles.app.post("/api/v1/roles").bearer(&roles.admin.token).json(&again).send().await;
    again.assert_problem(409, Some("name"));
    let change = roles.change(json!({"name": "admin", "description": "?", "permissions": []})).await;
    change.assert_problem(409, Some("name"));
    assert_eq!(count(&roles.app, "roles").await?, 4);
    let after = roles.app.get(&roles.captain).bearer(&roles.admin.token).send().await;
    after.assert_json("/data/description", "Steers").assert_json("/data/permissions/1", "users.view");
    roles.change(json!({"name": "captain"})).await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn a_role_with_an_unknown_permission_is_not_made_at_all() -> anyhow::Result<()> {
    let roles = roles().await?;
    for permissions in [json!(["users.view", "ships.sink"]), json!(["users.view' --"])] {
        let body = json!({"name": "mate", "permissions": permissions});
        let made = roles.app.post("/api/v1/roles").bearer(&roles.admin.token).json(&body).send().await;
        made.assert_problem(422, Some("permissions"));
        roles.change(body).await.assert_problem(422, Some("permissions"));
    }
    assert_eq!(count(&roles.app, "roles where name = 'mate'").await?, 0);
    let after = roles.app.get(&roles.captain).bearer(&roles.admin.token).send().await;
    after.assert_json("/data/permissions", json!(["users.manage", "users.view"]));
    Ok(())
}

#[tokio::test]
async fn whoever_had_a_role_that_is_deleted_loses_it() -> anyhow::Result<()> {
    let roles = roles().await?;
    let (app, admin) = (&roles.app, &roles.admin);
    let ada = member(app, "Ada").await?;
    let assign = app.put(&format!("/api/v1/users/{}/roles", ada.id)).bearer(&admin.token);
    assign.json(&json!({"roles": ["captain", "member"]})).send().await.assert_status(200);
    app.get("/api/v1/users").bearer(&ada.token).send().await.assert_status(200);
    assert_eq!(app.delete(&roles.captain).bearer(&admin.token).send().await.assert_status(204).text(), "");
    let me = app.get("/api/v1/me").bearer(&ada.token).send().await.assert_status(200);
    me.assert_json("/data/roles", json!(["member"]));
    app.get("/api/v1/users").bearer(&ada.token).send().await.assert_problem(403, None);
    app.get(&roles.captain).bearer(&admin.token).send().await.assert_problem(404, None);
    app.delete(&roles.captain).bearer(&admin.token).send().await.assert_problem(404, None);
    roles.change(json!({"name": "ghost"})).await.assert_problem(404, None);
    Ok(())
}

#[tokio::test]
async fn an_id_of_the_wrong_form_is_not_found() -> anyhow::Result<()> {
    let roles = roles().await?;
    let (app, token) = (&roles.app, &roles.admin.token);
    for wrong in ["1", "captain", "%00", "%27%20or%201=1", "%FF"] {
        let path = format!("/api/v1/roles/{wrong}");
        app.get(&path).bearer(token).send().await.assert_problem(404, None);
        app.patch(&path).bearer(token).json(&json!({"name": "x"})).send().await.assert_problem(404, None);
        app.delete(&path).bearer(token).send().await.assert_problem(404, None);
    }
    assert_eq!(count(app, "roles").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_member_and_a_stranger_get_at_no_role() -> anyhow::Result<()> {
    let roles = roles().await?;
    let app = &roles.app;
    let ada = member(app, "Ada").await?;
    let mate = json!({"name": "mate"});
    for (status, token) in [(403, ada.token.as_str()), (401, "nonsense")] {
        app.get("/api/v1/roles").bearer(token).send().await.assert_problem(status, None);
        app.post("/api/v1/roles").bearer(token).json(&mate).send().await.assert_problem(status, None);
        app.get(&roles.captain).bearer(token).send().await.assert_problem(status, None);
        app.patch(&roles.captain).bearer(token).json(&mate).send().await.assert_problem(status, None);
        app.delete(&roles.captain).bearer(token).send().await.assert_problem(status, None);
    }
    assert_eq!(count(app, "roles where name = 'mate'").await?, 0);
    assert_eq!(count(app, "roles").await?, 4);
    Ok(())
}
