//! Bodies that are wrong: each is answered by a problem, and nothing of it is stored.

use app::application;
use paravel::{
    endpoint,
    http::{Json, Result, Router},
    support::Env,
    testing::TestApp,
};
use serde_json::{Value, json};

use crate::support::{PASSWORD, admin, app, count, exchange, seeded};

const REGISTER: &str = "/api/v1/auth/register";

fn ada() -> Value {
    json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD})
}

/// Nobody but the administrator is there.
async fn assert_nobody_new(app: &TestApp) -> anyhow::Result<()> {
    assert_eq!(count(app, "users").await?, 1);
    assert_eq!(count(app, "user_roles").await?, 1);
    assert_eq!(count(app, "personal_access_tokens").await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_is_not_json_is_a_bad_request() -> anyhow::Result<()> {
    let app = app().await?;
    let whole = ada().to_string();
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"{'name': 'Ada'}",
        b"{\"name\": NaN}",
        b"{\"name\": Infinity}",
        b"{\"name\": \"\xff\xfe\"}",
        b"{\"name\": \"\\ud800\"}",
        b"\xef\xbb\xbf{}",
        &whole.as_bytes()[..whole.len() - 1],
        &[whole.as_bytes(), b"}"].concat(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(body).into_owned();
        let answer = app.post(REGISTER).header("content-type", "application/json").body(body.to_vec()).send().await;
        assert_eq!(answer.status(), 400, "{shown}: {answer:?}");
        answer.assert_problem(400, None);
    }
    assert_nobody_new(&app).await
}

/// PostgreSQL keeps none, and says so too late to name the field.
#[tokio::test]
async fn a_text_with_a_nul_is_named_on_every_database() -> anyhow::Result<()> {
    let app = app().await?;
    let admin = admin(&app).await?;
    let before = (count(&app, "users").await?, count(&app, "roles").await?);
    let nul = "a\0b";
    let with = |field: &str| {
        let mut body = ada();
        body[field] = json!(nul);
        body
    };
    let user = format!("/api/v1/users/{}", admin.id);
    let roles = format!("{user}/roles");
    for (field, request) in [
        ("name", app.post(REGISTER).json(&with("name"))),
        ("email", app.post("/api/v1/auth/login").json(&json!({"email": nul, "password": PASSWORD}))),
        ("password", app.post("/api/v1/auth/login").json(&json!({"email": "ada@example.com", "password": nul}))),
        ("name", app.patch(&user).bearer(&admin.token).json(&json!({"name": nul}))),
        ("email", app.patch(&user).bearer(&admin.token).json(&json!({"email": nul}))),
        ("roles[1]", app.put(&roles).bearer(&admin.token).json(&json!({"roles": ["admin", nul]}))),
        ("name", app.post("/api/v1/roles").bearer(&admin.token).json(&json!({"name": nul}))),
        (
            "permissions[0]",
            app.post("/api/v1/roles").bearer(&admin.token).json(&json!({"name": "r", "permissions": [nul]})),
        ),
    ] {
        request.send().await.assert_problem(422, Some(field));
    }
    let path = app.get("/api/v1/users/a%00b").bearer(&admin.token).send().await;
    path.assert_problem(404, None);
    assert_eq!((count(&app, "users").await?, count(&app, "roles").await?), before);
    Ok(())
}

/// Where it is, and with what in it.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Sea,
    Port { name: String, berth: u8 },
    Dry(Vec<String>),
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Ship {
    name: String,
    captain: Option<Sailor>,
    crew: Vec<Sailor>,
    place: Place,
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Sailor {
    name: String,
    age: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<Rank>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<(f64, f64)>,
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Rank {
    Captain,
    Mate,
    Bosun,
}

/// Takes a ship with all that is in it.
#[endpoint]
async fn ship(body: Json<Ship>) -> Result<Json<Ship>> {
    Ok(body)
}

#[tokio::test]
async fn an_array_is_no_object_however_deep_it_stands() -> anyhow::Result<()> {
    let app = seeded(application().routes(routes)).await?;
    let whole = json!({
        "name": "Dawn Treader",
        "captain": {"name": "Drinian", "age": 40},
        "crew": [{"name": "Rhince", "age": 30}],
        "place": {"port": {"name": "Narrowhaven", "berth": 2}},
    });
    for place in [json!("sea"), json!({"dry": ["Cair Paravel"]}), whole["place"].clone()] {
        let mut ship = whole.clone();
        ship["place"] = place;
        app.post("/ships").json(&ship).send().await.assert_status(200).assert_json("", ship);
    }
    for (pointer, array, field) in [
        ("", json!(["Dawn Treader", null, [], "sea"]), ""),
        ("/captain", json!(["Drinian", 40]), "captain"),
        ("/crew/0", json!(["Rhince", 30]), "crew[0]"),
        ("/place", json!({"port": ["Narrowhaven", 2]}), "place.port"),
    ] {
        let mut ship = whole.clone();
        *ship.pointer_mut(pointer).unwrap_or(&mut Value::Null) = array;
        let answer = app.post("/ships").json(&ship).send().await;
        let answer = answer.assert_problem(422, Some(field));
        answer.assert_json("/errors/0/detail", "invalid type: an array, expected an object");
    }
    let array = json!(["Ada", "ada@example.com", PASSWORD]);
    app.post(REGISTER).json(&array).send().await.assert_problem(422, Some(""));
    assert_nobody_new(&app).await
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_json() -> anyhow::Result<()> {
    let app = seeded(application().routes(routes)).await?;
    for (sailor, said) in [
        (json!({"name": "x", "age": "40"}), "invalid type: string \"40\", expected a whole number from 0 to 255"),
        (json!({"name": "x", "age": 256}), "invalid value: integer `256`, expected a whole number from 0 to 255"),
        (json!({"name": "x", "age": -1}), "invalid value: integer `-1`, expected a whole number from 0 to 255"),
        (json!({"name": {}, "age": 1}), "invalid type: an object, expected a string"),
        (json!(1), "invalid type: integer `1`, expected an object"),
        (
            json!({"name": "x", "age": 1, "rank": "invalid type: map"}),
            "unknown value `invalid type: map`, expected one of `captain`, `mate`, `bosun`",
        ),
        (json!({"name": "x", "age": 1, "at": [1]}), "invalid length 1, expected an array of length 2"),
    ] {
        let ship = json!({"name": "x", "crew": [sailor], "place": "sea"});
        let answer = app.post("/ships").json(&ship).send().await.assert_status(422);
        answer.assert_json("/errors/0/detail", said);
    }
    let admin = admin(&app).await?;
    for (page, said) in
        [("x", "expected a whole number"), ("", "expected a whole number"), ("99999999999", "the number is too large")]
    {
        let path = format!("/api/v1/users?page={page}");
        let answer = app.get(&path).bearer(&admin.token).send().await.assert_problem(422, Some("page"));
        answer.assert_json("/errors/0/detail", said);
    }
    Ok(())
}

/// Takes any JSON there is.
#[endpoint]
async fn anything(body: Json<Value>) -> Result<Json<Value>> {
    Ok(body)
}

fn routes(routes: &mut Router) {
    routes.post("/anything", anything).name("anything");
    routes.post("/ships", ship);
}

#[tokio::test]
async fn json_a_hundred_thousand_deep_crashes_nothing() -> anyhow::Result<()> {
    let app = seeded(application().routes(routes)).await?;
    let server = app.serve().await?;
    for (open, close) in [("[", "]"), ("{\"name\":", "}")] {
        for body in [open.repeat(100_000), open.repeat(100_000) + "1" + &close.repeat(100_000)] {
            let deep = server.post("/anything").header("content-type", "application/json").body(body.clone());
            deep.send().await.assert_problem(400, None);
            // Here the first level is wrong already.
            let deep = server.post(REGISTER).header("content-type", "application/json").body(body);
            deep.send().await.assert_problem(422, None);
        }
    }
    server.get("/up").send().await.assert_status(200);
    assert_nobody_new(&app).await
}

#[tokio::test]
async fn another_content_type_or_none_is_unsupported() -> anyhow::Result<()> {
    let app = app().await?;
    let body = ada().to_string();
    for other in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "", "multipart/form-data"]
    {
        let answer = app.post(REGISTER).header("content-type", other).body(body.clone()).send().await;
        answer.assert_problem(415, None);
    }
    app.post(REGISTER).body(body.clone()).send().await.assert_problem(415, None);
    app.post(REGISTER).send().await.assert_problem(415, None);
    assert_nobody_new(&app).await?;
    let charset = app.post(REGISTER).header("content-type", "Application/JSON; charset=utf-8").body(body);
    charset.send().await.assert_status(201);
    Ok(())
}

#[tokio::test]
async fn a_wrong_field_is_named() -> anyhow::Result<()> {
    let app = app().await?;
    let with = |field: &str, value: Value| {
        let mut body = ada();
        body[field] = value;
        body
    };
    let long = |length| json!("x".repeat(length));
    for (field, body) in [
        ("is_admin", with("is_admin", json!(true))),
        ("name", with("name", json!(1))),
        ("name", with("name", json!(null))),
        ("name", with("name", json!(["Ada"]))),
        ("name", with("name", json!(""))),
        ("name", with("name", json!(" \t\n"))),
        ("name", with("name", long(101))),
        ("email", with("email", json!("ada"))),
        ("email", with("email", json!("ada@"))),
        ("email", with("email", json!("@example.com"))),
        ("email", with("email", json!("a b@example.com"))),
        ("email", with("email", json!("a@b@example.com"))),
        // Of which the mailer says the same.
        ("email", with("email", json!("a..b@example.com"))),
        ("email", with("email", json!(".ada@example.com"))),
        ("email", with("email", json!("ada@example.com\r\nBcc: x@example.com"))),
        ("email", with("email", json!(format!("{}@example.com", "x".repeat(250))))),
        ("password", with("password", json!(12_345_678))),
        ("password", with("password", json!("seven77"))),
        ("password", with("password", long(129))),
        ("password", with("password", json!("password123"))),
        ("password", with("password", json!("PassWord123"))),
    ] {
        let answer = app.post(REGISTER).json(&body).send().await;
        answer.assert_problem(422, Some(field));
    }
    assert_nobody_new(&app).await
}

#[tokio::test]
async fn a_missing_field_is_named() -> anyhow::Result<()> {
    let app = app().await?;
    for field in ["name", "email", "password"] {
        let mut body = ada();
        body.as_object_mut().map(|body| body.remove(field));
        app.post(REGISTER).json(&body).send().await.assert_problem(422, Some(field));
    }
    for twice in [r#"{"name": "Ada", "name": "Ada"}"#, r#"{"name": "Ada", "name": null}"#] {
        let twice = app.post(REGISTER).header("content-type", "application/json").body(twice).send().await;
        twice.assert_problem(422, Some("name"));
    }
    for body in [json!([]), json!("x"), json!(1), json!(null)] {
        app.post(REGISTER).json(&body).send().await.assert_problem(422, None);
    }
    assert_nobody_new(&app).await
}

#[tokio::test]
async fn the_path_of_a_wrong_field_leads_into_lists() -> anyhow::Result<()> {
    let app = app().await?;
    let token = admin(&app).await?.token;
    for (field, permissions) in [
        ("permissions", json!("users.view")),
        ("permissions[1]", json!(["users.view", 7])),
        ("permissions[0]", json!([""])),
        ("permissions[0]", json!([null])),
        ("permissions", json!(vec!["users.view"; 101])),
    ] {
        let body = json!({"name": "captain", "permissions": permissions});
        app.post("/api/v1/roles").bearer(&token).json(&body).send().await.assert_problem(422, Some(field));
    }
    assert_eq!(count(&app, "roles").await?, 3);
    Ok(())
}

#[tokio::test]
async fn numbers_beyond_any_type_are_refused() -> anyhow::Result<()> {
    let app = app().await?;
    for number in
        ["1e999".to_owned(), "9".repeat(400), "-".to_owned() + &"9".repeat(400), "18446744073709551616".to_owned()]
    {
        let body = format!(r#"{{"name": {number}, "email": "ada@example.com", "password": "{PASSWORD}"}}"#);
        let answer = app.post(REGISTER).header("content-type", "application/json").body(body).send().await;
        let status = answer.status();
        assert!(matches!(status, 400 | 422), "{number}: {answer:?}");
        answer.assert_problem(status, None);
    }
    assert_nobody_new(&app).await
}

#[tokio::test]
async fn a_password_of_8_to_128_characters_is_taken_whole() -> anyhow::Result<()> {
    let app = app().await?;
    for (email, password) in [
        ("a@example.com", "ä".repeat(8)),
        ("b@example.com", "ß".repeat(128)),
        ("c@example.com", " \u{1} horse ".to_owned()),
    ] {
        let body = json!({"name": "Ada", "email": email, "password": password});
        app.post(REGISTER).json(&body).send().await.assert_status(201);
        let login = json!({"email": email, "password": password});
        app.post("/api/v1/auth/login").json(&login).send().await.assert_status(200);
        let shorter: String = password.chars().take(password.chars().count() - 1).collect();
        let login = json!({"email": email, "password": shorter});
        app.post("/api/v1/auth/login").json(&login).send().await.assert_problem(401, None);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_whether_it_says_so_or_not() -> anyhow::Result<()> {
    let app = seeded(application().env(Env::from_pairs([("HTTP_BODY_LIMIT", "1024")]))).await?;
    let server = app.serve().await?;
    let long = json!({"name": "x".repeat(2000), "email": "ada@example.com", "password": PASSWORD}).to_string();
    app.post(REGISTER)
        .header("content-type", "application/json")
        .body(long.clone())
        .send()
        .await
        .assert_problem(413, None);
    let announced = server.post(REGISTER).header("content-type", "application/json").body(long.clone());
    announced.send().await.assert_problem(413, None);

    let head = format!(
        "POST {REGISTER} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunks: String = long
        .as_bytes()
        .chunks(100)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
        .collect();
    let chunked = exchange(server.address(), format!("{head}{chunks}0\r\n\r\n").as_bytes()).await?;
    assert_eq!(chunked.status, 413, "{chunked:?}");
    assert!(chunked.head.contains("content-type: application/problem+json"), "{chunked:?}");
    // One that never ends is cut off just the same.
    let endless = exchange(server.address(), format!("{head}{chunks}").as_bytes()).await?;
    assert_eq!(endless.status, 413, "{endless:?}");
    assert_nobody_new(&app).await?;

    let short = ada().to_string();
    let short = format!("{head}{:x}\r\n{short}\r\n0\r\n\r\n", short.len());
    assert_eq!(exchange(server.address(), short.as_bytes()).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn two_mebibytes_are_the_limit_where_nothing_is_said() -> anyhow::Result<()> {
    let app = app().await?;
    for (length, status) in [(2 * 1024 * 1024, 400), (2 * 1024 * 1024 + 1, 413)] {
        let body = vec![b' '; length];
        let answer = app.post(REGISTER).header("content-type", "application/json").body(body).send().await;
        answer.assert_problem(status, None);
    }
    Ok(())
}
