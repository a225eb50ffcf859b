//! Lists: their shape, pages, order and search, and how many queries they take.

use std::sync::Arc;

use app::services::{NewRole, NewUser, RoleService, UserService};
use paravel::{
    support::Secret,
    testing::{TestApp, TestResponse},
};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, admin, app, column, count};

async fn add_users(app: &TestApp, names: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let users: Arc<dyn UserService> = app.make()?;
    for (index, name) in names.into_iter().enumerate() {
        let email = format!("u{index:03}@example.org");
        let user = NewUser { name, email, password: Secret::new(PASSWORD.to_owned()), roles: Vec::new() };
        app.run(users.create(user)).await?;
    }
    Ok(())
}

struct Lists {
    app: TestApp,
    admin: Person,
}

/// An application whose users have these names, besides the administrator.
async fn lists(names: &[&str]) -> anyhow::Result<Lists> {
    let app = app().await?;
    add_users(&app, names.iter().map(|name| (*name).to_owned())).await?;
    let admin = admin(&app).await?;
    Ok(Lists { app, admin })
}

impl Lists {
    async fn get(&self, path: &str) -> TestResponse {
        self.app.get(&format!("/api/v1{path}")).bearer(&self.admin.token).send().await.assert_status(200)
    }

    /// Lets the token's last use be noted, and what is known of it and of its owner be cached: that costs queries of
    /// its own.
    async fn settle(&self) {
        self.get("/me").await;
        self.get("/me").await;
    }
}

#[tokio::test]
async fn a_list_has_data_meta_and_links() -> anyhow::Result<()> {
    let lists = lists(&["Ada", "Grace", "Hedy", "Katherine"]).await?;
    let page = lists.get("/users?per_page=2&sort=name&page=2").await;
    assert_eq!(column(&page, "name"), ["Grace", "Hedy"]);
    let keys: Vec<_> = page.json::<serde_json::Map<String, Value>>().keys().cloned().collect();
    assert_eq!(keys, ["data", "links", "meta"]);
    let page = page.assert_json("/meta", json!({"page": 2, "per_page": 2, "total": 5, "last_page": 3}));
    let link = |number| format!("/api/v1/users?per_page=2&sort=name&page={number}");
    page.assert_json("/links", json!({"first": link(1), "prev": link(1), "next": link(3), "last": link(3)}));
    let last = lists.get("/users?per_page=2&sort=name&page=3").await.assert_json("/links/next", Value::Null);
    assert_eq!(column(&last, "name"), ["Katherine"]);
    let plain = lists.get("/users").await.assert_json("/links/prev", Value::Null);
    plain.assert_json("/meta", json!({"page": 1, "per_page": 20, "total": 5, "last_page": 1}));
    Ok(())
}

#[tokio::test]
async fn a_links_address_leads_to_the_page_it_says() -> anyhow::Result<()> {
    let lists = lists(&["Ada", "Grace"]).await?;
    let mut names = Vec::new();
    let mut next = Value::from("/api/v1/users?sort=-name&per_page=1&search=a%64a%26");
    while let Some(path) = next.as_str() {
        let page = lists.get(path.trim_start_matches("/api/v1")).await;
        names.extend(column(&page, "name"));
        next = page.at("/links/next");
    }
    assert!(names.is_empty(), "`ada&` is nobody's name: {names:?}");
    let mut next = Value::from("/api/v1/users?sort=-name&per_page=1");
    while let Some(path) = next.as_str() {
        let page = lists.get(path.trim_start_matches("/api/v1")).await;
        names.extend(column(&page, "name"));
        next = page.at("/links/next");
    }
    assert_eq!(names, ["Grace", "Administrator", "Ada"]);
    // A name is the same however it is written.
    let first = lists.get("/users?%70age=1&per_page=1&sort=name").await;
    assert_eq!(first.at("/links/next"), "/api/v1/users?per_page=1&sort=name&page=2");
    Ok(())
}

#[tokio::test]
async fn a_page_beyond_the_end_is_empty() -> anyhow::Result<()> {
    let lists = lists(&[]).await?;
    for page in ["2", "1000000", "4294967295"] {
        let beyond = lists.get(&format!("/users?page={page}&per_page=100")).await;
        beyond.assert_json("/data", json!([])).assert_json("/meta/total", 1).assert_json("/links/next", Value::Null);
    }
    let none = lists.get("/users?search=nobody-at-all").await;
    none.assert_json("/meta", json!({"page": 1, "per_page": 20, "total": 0, "last_page": 1}));
    Ok(())
}

#[tokio::test]
async fn users_sort_by_name_address_and_age() -> anyhow::Result<()> {
    let lists = lists(&["Hedy", "Ada", "Grace"]).await?;
    for (sort, expected) in [
        ("name", ["Ada", "Administrator", "Grace", "Hedy"]),
        ("-name", ["Hedy", "Grace", "Administrator", "Ada"]),
        ("email", ["Administrator", "Hedy", "Ada", "Grace"]),
        ("-email", ["Grace", "Ada", "Hedy", "Administrator"]),
        ("created_at", ["Administrator", "Hedy", "Ada", "Grace"]),
        ("-created_at", ["Grace", "Ada", "Hedy", "Administrator"]),
    ] {
        let page = lists.get(&format!("/users?sort={sort}")).await;
        assert_eq!(column(&page, "name"), expected, "{sort}");
    }
    assert_eq!(lists.get("/users").await.at("/data/0/name"), "Administrator", "oldest first where nothing is said");
    Ok(())
}

#[tokio::test]
async fn roles_sort_by_name_and_age_and_are_searched_by_name() -> anyhow::Result<()> {
    let lists = lists(&[]).await?;
    for (query, expected) in [
        ("", vec!["admin", "editor", "member"]),
        ("?sort=-name", vec!["member", "editor", "admin"]),
        ("?sort=-created_at", vec!["member", "editor", "admin"]),
        ("?search=DM", vec!["admin"]),
        ("?search=%25", vec![]),
        ("?per_page=1&page=2", vec!["editor"]),
    ] {
        let page = lists.get(&format!("/roles{query}")).await;
        assert_eq!(column(&page, "name"), expected, "{query}");
    }
    let page = lists.get("/roles?per_page=2").await;
    page.assert_json("/meta", json!({"page": 1, "per_page": 2, "total": 3, "last_page": 2}));
    Ok(())
}

#[tokio::test]
async fn a_search_takes_every_character_as_text() -> anyhow::Result<()> {
    let lists = lists(&["100% cotton", "under_score", r"back\slash", "O'Brien", "Zoë"]).await?;
    for (search, expected) in [
        ("%25", vec!["100% cotton"]),
        ("0%25%20c", vec!["100% cotton"]),
        ("_", vec!["under_score"]),
        ("r_s", vec!["under_score"]),
        ("n_er", vec![]),
        ("%5C", vec![r"back\slash"]),
        ("%27", vec!["O'Brien"]),
        ("o'b", vec!["O'Brien"]),
        ("Zo%C3%AB", vec!["Zoë"]),
        ("COTTON", vec!["100% cotton"]),
        ("U003@EXAMPLE", vec!["O'Brien"]),
    ] {
        let page = lists.get(&format!("/users?search={search}")).await;
        assert_eq!(column(&page, "name"), expected, "{search}");
        assert_eq!(page.at("/meta/total"), expected.len(), "{search}");
    }
    Ok(())
}

#[tokio::test]
async fn sql_in_a_search_or_an_order_is_harmless() -> anyhow::Result<()> {
    let lists = lists(&["Ada"]).await?;
    for sql in
        ["%27;drop%20table%20users;--", "%27%20or%20%271%27=%271", "%22%29%20or%201=1--", "x%27%20union%20select%201--"]
    {
        for path in ["users", "roles"] {
            lists.get(&format!("/{path}?search={sql}")).await.assert_json("/meta/total", 0);
            let sorted = lists.app.get(&format!("/api/v1/{path}?sort={sql}")).bearer(&lists.admin.token).send().await;
            sorted.assert_problem(422, Some("sort"));
        }
    }
    assert_eq!(count(&lists.app, "users").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_hundred_users_take_no_more_queries_than_one() -> anyhow::Result<()> {
    let lists = lists(&[]).await?;
    lists.settle().await;
    let one = lists.get("/users?per_page=100").await.assert_json("/meta/total", 1);
    add_users(&lists.app, (1..100).map(|number| format!("User {number}"))).await?;
    lists.settle().await;
    let hundred = lists.get("/users?per_page=100").await;
    assert_eq!(column(&hundred, "name").len(), 100);
    assert_eq!(hundred.at("/data/99/roles"), json!(["member"]), "each carries its roles");
    assert!(one.queries() > 0);
    assert_eq!(hundred.queries(), one.queries());
    Ok(())
}

#[tokio::test]
async fn a_hundred_roles_take_no_more_queries_than_one() -> anyhow::Result<()> {
    let lists = lists(&[]).await?;
    lists.settle().await;
    let one = lists.get("/roles?per_page=1").await;
    let roles: Arc<dyn RoleService> = lists.app.make()?;
    for number in 0..97 {
        let permissions = vec!["users.view".to_owned()];
        let role = NewRole { name: format!("role {number:02}"), description: None, permissions };
        lists.app.run(roles.create(role)).await?;
    }
    lists.settle().await;
    let hundred = lists.get("/roles?per_page=100").await;
    assert_eq!(column(&hundred, "name").len(), 100);
    assert_eq!(hundred.at("/data/99/permissions"), json!(["users.view"]), "each carries its permissions");
    assert_eq!(hundred.queries(), one.queries());
    Ok(())
}
