//! Two servers over one database and one Redis, each with a tier of its own before it: neither goes on with what the
//! other has changed. Redis is the test's own, so that it can be taken away.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ADMIN, Binary, PASSWORD, Serving, exchange};

/// What docs/cache.md says of how old a value may be while Redis works, and after it is gone.
const HEARD: Duration = Duration::from_millis(200);
const UNHEARD: Duration = Duration::from_secs(5);

/// What a machine that is busy with other tests may take more.
const NOISE: u32 = 20;

struct Redis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    async fn start() -> anyhow::Result<Option<Self>> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            ensure!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "redis-server is not installed");
            println!("left out: redis-server is not installed (Debian's package is redis-server)");
            return Ok(None);
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()?;
        let redis = Self { process, port, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ensure!(Instant::now() < deadline, "redis-server does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Some(redis))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a server answers, which has to be good.
async fn send(server: &Serving, method: &str, path: &str, token: &str, body: Option<Value>) -> anyhow::Result<Value> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(server.address, request.as_bytes()).await?;
    ensure!(answer.status < 300, "{method} {path}: {answer:?}");
    Ok(serde_json::from_str(&answer.body)?)
}

fn roles(user: &Value) -> Vec<&str> {
    user["data"]["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn a_role_that_one_server_takes_away_is_not_there_on_the_other() -> anyhow::Result<()> {
    let Some(redis) = Redis::start().await? else { return Ok(()) };
    let binary = Binary::seeded()
        .await?
        .env("CACHE_STORE", "tiered")
        .env("REDIS_URL", &format!("redis://127.0.0.1:{}", redis.port))
        .env("REDIS_TIMEOUT", "200ms");
    let (one, other) = (binary.serve().await?, binary.serve().await?);
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let admin = send(&one, "POST", "/api/v1/auth/login", "", Some(login)).await?;
    let admin = admin["token"].as_str().context("a token")?;
    let member = json!({"name": "Lucy", "email": "lucy@example.com", "password": PASSWORD});
    let member = send(&one, "POST", "/api/v1/auth/register", "", Some(member)).await?;
    let (token, id) = (member["token"].as_str().context("a token")?, member["user"]["id"].as_str().context("an id")?);
    let path = format!("/api/v1/users/{id}/roles");
    let mut redis = Some(redis);
    for (round, wanted) in ["editor", "member", "editor", "member"].into_iter().enumerate() {
        if round == 2 {
            // Each has what it knows, and nobody tells it anything any more.
            send(&other, "GET", "/api/v1/me", token, None).await?;
            redis.take();
        }
        let before = send(&other, "GET", "/api/v1/me", token, None).await?;
        ensure!(roles(&before) != [wanted], "round {round}: {before}");
        send(&one, "PUT", &path, admin, Some(json!({"roles": [wanted]}))).await?;
        let began = Instant::now();
        let bound = if redis.is_some() { HEARD } else { UNHEARD };
        while roles(&send(&other, "GET", "/api/v1/me", token, None).await?) != [wanted] {
            ensure!(began.elapsed() < NOISE * bound, "round {round}: the old role is still there");
        }
        println!("round {round}: the other server had the new role after {:?} (bound {bound:?})", began.elapsed());
    }
    Ok(())
}
