//! The real server: how it starts, how it stops, and what keeps it from starting.

use std::{fs, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{interval, timeout},
};

use crate::support::{ADMIN, Binary, Ended, KEY, PASSWORD, Serving, ask, exchange, is_embedded, read_answer};

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

async fn stops_after_the_open_request(signal: &str) -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let server = binary.serve().await?;
    let idle = TcpStream::connect(server.address).await?;

    let mut open = TcpStream::connect(server.address).await?;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    open.write_all(head.as_bytes()).await?;
    // It is sent when the handler begins to read the body: from then on the request is under way.
    let mut go_on = [0; 25];
    open.read_exact(&mut go_on).await?;
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{go_on:?}");

    server.signal(signal).await?;
    let mut ticks = interval(Duration::from_millis(10));
    let closed = async {
        while TcpStream::connect(server.address).await.is_ok() {
            ticks.tick().await;
        }
    };
    timeout(Duration::from_secs(30), closed).await.context("it goes on taking connections")?;
    open.write_all(body.as_bytes()).await?;
    let answer = read_answer(&mut open).await?;
    assert_eq!(answer.status, 201, "{answer:?}");
    let ended = server.ended().await?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(binary.count("users where email = 'ada@example.com'").await?, 1);
    drop(idle);
    Ok(())
}

#[tokio::test]
async fn sigterm_lets_the_open_request_end() -> anyhow::Result<()> {
    stops_after_the_open_request("TERM").await
}

#[tokio::test]
async fn sigint_lets_the_open_request_end() -> anyhow::Result<()> {
    stops_after_the_open_request("INT").await
}

#[tokio::test]
async fn a_local_server_migrates_seeds_and_says_what_to_try() -> anyhow::Result<()> {
    let binary = Binary::new("local")?;
    let server = binary.serve().await?;
    let url = format!("http://{}", server.address);
    let printed = server.printed.clone();
    for part in
        ["migrated 2026_01_01_000001_create_users", &format!("{url}/up"), &format!("{url}/api/v1/auth/register")]
    {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    let password = printed.lines().find_map(|line| line.split_once(&format!("{ADMIN} has the password ")));
    let (_, password) = password.with_context(|| format!("no password in {printed}"))?;
    let login = json!({"email": ADMIN, "password": password});
    let login = ask(server.address, "POST", "/api/v1/auth/login", "", Some(&login)).await?;
    assert_eq!(login.status, 200, "{login:?}");
    server.signal("TERM").await?;
    assert_eq!(server.ended().await?.code, Some(0));

    let again = binary.serve().await?;
    assert!(!again.printed.contains("password ") && !again.printed.contains("migrated"), "{}", again.printed);
    assert_eq!(binary.count("users").await?, 1);
    again.signal("TERM").await?;
    assert_eq!(again.ended().await?.code, Some(0));
    Ok(())
}

/// What a server that ran in this environment logged of one request, which had a query and a token.
async fn logged_of_a_request(binary: &Binary) -> anyhow::Result<Vec<String>> {
    let server = binary.serve().await?;
    let request = "GET /api/v1/users?search=hunter2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hunter3\r\n\
                   X-Request-Id: the-first\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(server.address, request.as_bytes()).await?.status, 401);
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert!(!ended.err.contains("hunter"), "{ended:?}");
    Ok(ended.err.lines().filter(|line| line.contains("answered")).map(str::to_owned).collect())
}

#[tokio::test]
async fn a_local_server_logs_each_request_in_one_line() -> anyhow::Result<()> {
    let logged = logged_of_a_request(&Binary::new("local")?).await?;
    assert_eq!(logged.len(), 1, "{logged:?}");
    for part in ["INFO", "method=GET", "path=/api/v1/users", "status=401", "ms=", "id=\"the-first\""] {
        assert!(logged[0].contains(part), "{part} in {logged:?}");
    }
    assert_eq!(logged_of_a_request(&Binary::new("local")?.env("LOG_REQUESTS", "false")).await?, [""; 0]);
    assert_eq!(logged_of_a_request(&Binary::new("testing")?).await?, [""; 0]);
    assert_eq!(logged_of_a_request(&Binary::new("testing")?.env("LOG_REQUESTS", "true")).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_production_server_touches_no_table_and_gives_no_hints() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    let server = binary.serve().await?;
    assert_eq!(server.printed.lines().count(), 2, "{}", server.printed);
    assert_eq!(exchange(server.address, &get("/up")).await?.status, 200);
    // Without its tables it can do nothing, and says nothing of why.
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let login = ask(server.address, "POST", "/api/v1/auth/login", "", Some(&login)).await?;
    assert!(login.status == 500 && !login.body.contains("table"), "{login:?}");
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert_eq!(ended.code, Some(0));
    let missing = ["no such table", "does not exist", "doesn't exist"].iter().any(|text| ended.err.contains(text));
    assert!(missing && !ended.err.contains(PASSWORD), "{ended:?}");
    assert_eq!(binary.tables().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_server_in_a_test_migrates_and_does_not_seed() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let server = binary.serve().await?;
    server.signal("TERM").await?;
    assert_eq!(server.ended().await?.code, Some(0));
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_busy_port_is_named() -> anyhow::Result<()> {
    let binary = Binary::new("local")?;
    let busy = TcpListener::bind("127.0.0.1:0").await?;
    let address = busy.local_addr()?;
    let said = binary.refused(1, &["serve", "--port", &address.port().to_string()]).await?;
    assert!(said.starts_with(&format!("error: cannot listen on {address}: ")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(binary.tables().await?.len(), 0, "it had not begun to migrate");
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_not_of_this_machine_is_named() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    // RFC 5737: an address of documentation, nobody's own.
    let said = binary.refused(1, &["serve", "--host", "192.0.2.1", "--port", "0"]).await?;
    assert!(said.starts_with("error: cannot listen on 192.0.2.1:0: ") && said.lines().count() == 1, "{said}");
    Ok(())
}

/// That the database is named on one line, and nothing is served.
fn assert_refused(ended: &Ended) {
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.err.starts_with("error: ") && ended.err.contains("app.sqlite"), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
}

#[tokio::test]
async fn a_database_that_is_none_is_named_and_left_as_it_is() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's files are not the application's");
        return Ok(());
    }
    let binary = Binary::new("local")?;
    let file = binary.path("app.sqlite");
    let garbage = b"this is no database\n".repeat(1000);
    fs::write(&file, &garbage)?;
    assert_refused(&binary.run(&["serve", "--port", "0"]).await?);
    assert_refused(&binary.run(&["migrate"]).await?);
    assert_eq!(fs::read(&file)?, garbage);
    Ok(())
}

#[tokio::test]
async fn a_database_whose_pages_are_destroyed_is_named() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's files are not the application's");
        return Ok(());
    }
    let binary = Binary::seeded().await?;
    let file = binary.path("app.sqlite");
    let mut bytes = fs::read(&file)?;
    // What follows the header; and the log, which would repair it.
    bytes[100..].fill(0xa5);
    fs::write(&file, &bytes)?;
    let _ = fs::remove_file(binary.path("app.sqlite-wal"));
    assert_refused(&binary.run(&["serve", "--port", "0"]).await?);
    assert_refused(&binary.run(&["migrate"]).await?);
    Ok(())
}

#[tokio::test]
async fn a_folder_in_place_of_the_database_is_named() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's files are not the application's");
        return Ok(());
    }
    let binary = Binary::new("local")?;
    fs::create_dir(binary.path("app.sqlite"))?;
    assert_refused(&binary.run(&["serve", "--port", "0"]).await?);
    Ok(())
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_named() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's files are not the application's");
        return Ok(());
    }
    let binary = Binary::new("local")?;
    // Permissions would not stop root, whom tests in a container often run as; a limit of the process does.
    let mut shell = binary.command("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" serve --port 0", env!("CARGO_BIN_EXE_artisan")]);
    assert_refused(&Ended::of(&mut shell).await?);
    Ok(())
}

/// One request with a query that is secret, and the answer's JSON.
async fn asked(server: &Serving, method: &str, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
    ask(server.address, method, &format!("{path}?secret=in-the-query"), token, Some(body)).await?.json()
}

#[tokio::test]
async fn no_secret_is_logged_however_much_is() -> anyhow::Result<()> {
    for format in ["text", "json"] {
        let binary = Binary::seeded().await?.env("LOG_LEVEL", "trace").env("LOG_FORMAT", format);
        let server = binary.serve().await?;
        let ada = json!({"name": "Ada", "email": "ada@example.com", "password": "a secret horse"});
        let registered = asked(&server, "POST", "/api/v1/auth/register", "", &ada).await?;
        let login = json!({"email": "ada@example.com", "password": "a secret horse"});
        let login = asked(&server, "POST", "/api/v1/auth/login", "", &login).await?;
        let (first, second) =
            (registered["token"].as_str().unwrap_or_default(), login["token"].as_str().unwrap_or_default());
        let path = format!("/api/v1/users/{}", registered["user"]["id"].as_str().unwrap_or_default());
        asked(&server, "PATCH", &path, second, &json!({"password": "another secret horse"})).await?;
        asked(&server, "GET", "/api/v1/me", second, &Value::Null).await?;
        let hashes = binary.rows("select password_hash from users").await?;
        server.signal("TERM").await?;
        let ended = server.ended().await?;
        assert!(ended.err.contains("/api/v1/auth/login") && ended.err.contains("answered"), "{ended:?}");
        let hashes = hashes.iter().map(|row| row.text("password_hash"));
        for secret in hashes.chain(["secret horse", "in-the-query", "$argon2", first, second]) {
            assert!(secret.len() > 6 && !ended.err.contains(secret), "{secret} in {}", ended.err);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_to_do_about_a_database_without_tables_is_said_to_the_operator_alone() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    let said = binary.refused(1, &["user:list"]).await?;
    assert!(said.contains("run `cargo artisan migrate`") && said.lines().count() == 1, "{said}");
    let server = binary.serve().await?;
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let refused = asked(&server, "POST", "/api/v1/auth/login", "", &body).await.unwrap_err().to_string();
    assert!(refused.contains("500") && !refused.contains("migrate"), "{refused}");
    server.signal("TERM").await?;
    let ended = server.ended().await?;
    assert!(ended.err.contains("run `cargo artisan migrate`"), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn a_damaged_table_is_told_with_the_files_name() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server's files are its own affair");
        return Ok(());
    }
    let binary = Binary::seeded().await?;
    binary.change("pragma wal_checkpoint(truncate)").await.ok();
    let file = binary.path("app.sqlite");
    let mut bytes = fs::read(&file)?;
    // All but the first page, which has the schema.
    bytes[4096..].fill(0xa5);
    fs::write(&file, &bytes)?;
    let _ = fs::remove_file(binary.path("app.sqlite-wal"));
    let said = binary.refused(1, &["user:list"]).await?;
    assert!(said.contains("app.sqlite") && said.contains("its file is damaged"), "{said}");
    Ok(())
}
