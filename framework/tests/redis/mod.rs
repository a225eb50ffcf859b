//! Redis: on the server of `bin/test`, and on servers that a test starts, kills and starts again by itself.

mod application;
mod commands;
mod listening;
mod outages;
mod scripts;
mod tls;

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use paravel::{
    config::RedisConfig,
    redis::{BlockingConnection, Redis, RedisError},
    support::{Env, Id},
    testing::external_server,
};
use tempfile::TempDir;

/// Longer than anything here takes; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(60);

/// Longer than the deadline, as a variable: what would wait so long fails the test.
const NEVER: &str = "1h";

fn config(url: &str, more: &[(&str, &str)]) -> RedisConfig {
    let mut env = Env::from_pairs([("REDIS_PREFIX", format!("test-{}:", Id::<()>::new().uuid().simple()))]);
    env.set("REDIS_URL", url);
    for (name, value) in more {
        env.set(*name, *value);
    }
    let config = RedisConfig::from_env(&env);
    env.check().unwrap();
    config
}

fn redis(url: &str, more: &[(&str, &str)]) -> Redis {
    Redis::new(&config(url, more)).unwrap()
}

/// The server that tests share, with a prefix of this one's own; `None`, which is said, where there is none.
pub fn shared() -> Option<Redis> {
    external_server("TEST_REDIS_URL").map(|url| redis(&url, &[]))
}

/// Waits until it succeeds. There is nothing else to wait for: a server does not say that it is up, nor that it has noticed.
pub async fn until<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let done = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Ok(done) = attempt().await {
                return done;
            }
        }
    };
    tokio::time::timeout(DEADLINE, done).await.expect("it does not come to pass")
}

/// A server of one test. It ends with it.
pub struct OwnServer {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl OwnServer {
    /// Makes one, which does not run yet; `None`, which is said, where the program is not installed.
    pub fn new() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            assert!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "redis-server is not installed");
            println!("left out: redis-server is not installed (Debian's package is redis-server)");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap(), port: free_port(), process: None })
    }

    /// One that runs.
    pub async fn up() -> Option<Self> {
        let mut server = Self::new()?;
        server.start(&[]).await;
        Some(server)
    }

    /// Starts it, empty, with these settings more, and waits until it answers.
    pub async fn start(&mut self, settings: &[&str]) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(self.folder.path()).args(settings);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        until(async || {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{}", std::fs::read_to_string(self.path("log")).unwrap());
            tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await
        })
        .await;
    }

    /// Ends it as by a power cut.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Sends it a signal: `STOP` has it hang, and `CONT` go on.
    pub fn signal(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn redis(&self, more: &[(&str, &str)]) -> Redis {
        redis(&self.url(), more)
    }

    /// A connection apart from those that are tested.
    async fn admin(&self) -> BlockingConnection {
        until(async || self.redis(&[]).blocking().await).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What it comes to within the deadline.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it hangs")
}

fn is_unavailable<T>(answer: &Result<T, RedisError>) -> bool {
    matches!(answer, Err(error @ RedisError::Unavailable { .. }) if error.is_transient() && !error.is_uncertain())
}
