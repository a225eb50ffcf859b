//! A Redis of a test's own, which can hang, go away, and come back with what it had.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use paravel::{
    config::RedisConfig,
    redis::{Redis, cmd},
    support::Env,
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Longer than it takes to start on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// The server, and a connection to it apart from those of the application.
pub struct OwnRedis {
    redis: Redis,
    port: u16,
    process: Option<Child>,
    folder: TempDir,
}

impl OwnRedis {
    /// Starts one; `None`, which is said, where the program is not installed.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            ensure!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "redis-server is not installed");
            println!("left out: redis-server is not installed (Debian's package is redis-server)");
            return Ok(None);
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let env = Env::from_pairs([("REDIS_URL", format!("redis://127.0.0.1:{port}"))]);
        let redis = Redis::new(&RedisConfig::from_env(&env))?;
        let mut own = Self { redis, port, process: None, folder: tempfile::tempdir()? };
        own.restart().await?;
        Ok(Some(own))
    }

    /// Starts it with what it has on the disk, and waits until it answers.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes", "--dir"])
            .arg(self.folder.path())
            .stdout(log)
            .spawn()?;
        self.process = Some(process);
        let began = Instant::now();
        while let Err(error) = self.redis.ping().await {
            ensure!(began.elapsed() < DEADLINE, "redis-server does not come up: {error}");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Its address, for `REDIS_URL`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as by a power cut.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it runs")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Sends it a signal: `STOP` has it hang, and `CONT` go on.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.process.as_ref().context("it runs")?.id();
        // The shell's own `kill`, which is there wherever a shell is.
        ensure!(Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status()?.success());
        Ok(())
    }

    /// How often a cache has asked it for something since it was started.
    pub async fn asked(&self) -> anyhow::Result<u64> {
        let stats: String = self.redis.query(cmd("INFO").arg("commandstats")).await?;
        let mut asked = 0;
        for command in ["mget", "eval", "evalsha"] {
            let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
            asked += line.and_then(|line| line.split(',').next()).map_or(Ok(0), str::parse::<u64>)?;
        }
        Ok(asked)
    }

    /// The connections on which somebody listens.
    pub async fn listeners(&self) -> anyhow::Result<Vec<String>> {
        let clients: String = self.redis.query(cmd("CLIENT").arg("LIST").arg("TYPE").arg("pubsub")).await?;
        Ok(clients.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
    }

    /// Its keys that match a pattern.
    pub async fn keys(&self, pattern: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.redis.query(cmd("KEYS").arg(pattern)).await?)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
