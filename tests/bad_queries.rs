//! Query strings that are wrong: each is answered by a problem that names the parameter.

use crate::support::{admin, app};

#[tokio::test]
async fn a_wrong_parameter_is_named() -> anyhow::Result<()> {
    let app = app().await?;
    let token = admin(&app).await?.token;
    let long = format!("search={}", "x".repeat(101));
    for path in ["/api/v1/users", "/api/v1/roles"] {
        for (field, query) in [
            ("page", "page=0"),
            ("page", "page=-1"),
            ("page", "page=abc"),
            ("page", "page=1.5"),
            ("page", "page="),
            ("page", "page=100000000000000000000"),
            ("page", "page=1&page=2"),
            ("per_page", "per_page=0"),
            ("per_page", "per_page=101"),
            ("per_page", "per_page=1000000000"),
            ("per_page", "per_page=100000000000000000000"),
            ("per_page", "per_page=%00"),
            ("sort", "sort=password_hash"),
            ("sort", "sort=id"),
            ("sort", "sort=--name"),
            ("sort", "sort=NAME"),
            ("sort", "sort="),
            ("sort", "sort=name,email"),
            ("search", &*long),
            ("search", "search=a%00b"),
        ] {
            let answer = app.get(&format!("{path}?{query}")).bearer(&token).send().await;
            answer.assert_problem(422, Some(field));
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_a_query_says_beyond_that_is_harmless() -> anyhow::Result<()> {
    let app = app().await?;
    let token = admin(&app).await?.token;
    for query in ["", "&&&", "=", "%FF", "search=%FF", "is_admin=true", "a[b]=c", "search=%F0%9F%92%A9"] {
        app.get(&format!("/api/v1/users?{query}")).bearer(&token).send().await.assert_status(200);
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_query_of_somebody_without_a_login_says_that_first() -> anyhow::Result<()> {
    let app = app().await?;
    app.get("/api/v1/users?page=0").send().await.assert_problem(401, None);
    Ok(())
}
