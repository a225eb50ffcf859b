//! The real `artisan`, in a folder and an environment of its own.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use app::database::{Conn, Database};
use paravel::{
    config::DatabaseConfig,
    database::{Connection, DatabaseAdmin, Row, Statement},
    support::Env,
    testing::TestDatabase,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

/// Longer than anything here takes on a machine that is busy with other tests; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The binary with where and how to run it.
pub struct Binary {
    // Opened at its first use, and before what it is connected to.
    database: Database,
    _own: Option<TestDatabase>,
    folder: TempDir,
    env: BTreeMap<String, String>,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A server that runs, or something else that stays.
pub struct Serving {
    /// Where a server listens.
    pub address: SocketAddr,
    /// All that it has printed so far.
    pub printed: String,
    child: Child,
    // Read all along: a pipe that is full would hold the server up.
    errors: JoinHandle<String>,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Whether the database is a file, which some tests look into.
pub fn is_embedded() -> bool {
    Conn::BACKEND == "sqlite"
}

/// Whether there is `script`, which runs a command on a terminal of its own. Where all that the tests need is required, it is
/// an error that there is none.
pub async fn has_terminals() -> anyhow::Result<bool> {
    let there = Ended::of(Command::new("sh").args(["-c", "command -v script"])).await?.code == Some(0);
    if !there {
        ensure!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "`script` is not installed");
        println!("left out: `script` is not installed (Debian's package is bsdutils)");
    }
    Ok(there)
}

impl Binary {
    /// In an environment of its own, with a database that does not exist yet, or is empty.
    pub fn new(environment: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite://{}", folder.path().join("app.sqlite").display());
        let own = match is_embedded() {
            true => None,
            false => Some(TestDatabase::create(Conn::BACKEND)?.context("it needs a server, which bin/test starts")?),
        };
        let url = own.as_ref().map_or(file, |own| own.url().to_owned());
        let path = std::env::var("PATH")?;
        let env = [
            ("PATH", &*path),
            ("DATABASE_URL", &url),
            ("HASH_MEMORY_KIB", "64"),
            ("HASH_ITERATIONS", "1"),
            ("APP_ENV", environment),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let database = Database::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?;
        Ok(Self { database, _own: own, folder, env })
    }

    /// In an environment of this kind, whose database is migrated and seeded.
    pub async fn seeded() -> anyhow::Result<Self> {
        let binary = Self::new("testing")?.env("ADMIN_PASSWORD", super::PASSWORD);
        binary.done(&["migrate", "--seed"]).await?;
        Ok(binary)
    }

    /// The same with one more variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The address of its database.
    pub fn url(&self) -> &str {
        self.env.get("DATABASE_URL").map_or("", String::as_str)
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of its environment, such as a shell that starts it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear().envs(&self.env).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, line: &[&str]) -> anyhow::Result<Ended> {
        Ended::of(self.command(env!("CARGO_BIN_EXE_artisan")).args(line)).await
    }

    /// Runs what must go well.
    pub async fn done(&self, line: &[&str]) -> anyhow::Result<Ended> {
        let ended = self.run(line).await?;
        ensure!(ended.code == Some(0), "{line:?}: {ended:?}");
        Ok(ended)
    }

    /// Runs what must go well, with `--json`, and returns what it printed.
    pub async fn json(&self, line: &[&str]) -> anyhow::Result<Value> {
        let ended = self.done(&[line, &["--json"]].concat()).await?;
        serde_json::from_str(&ended.out).with_context(|| format!("{line:?}: {ended:?}"))
    }

    /// Runs what must be refused with this exit code, and returns what it said.
    pub async fn refused(&self, code: i32, line: &[&str]) -> anyhow::Result<String> {
        let ended = self.run(line).await?;
        ensure!(ended.code == Some(code) && ended.out.is_empty(), "{line:?}: {ended:?}");
        // On a busy machine any query may be one.
        let lines = ended.err.split_inclusive('\n');
        Ok(lines.filter(|line| !line.contains("a slow query")).collect())
    }

    /// Serves on a free port, and waits until the server has said that it is ready.
    pub async fn serve(&self) -> anyhow::Result<Serving> {
        let mut serving = self.stay(&["serve", "--port", "0"]).await?;
        let (_, address) = serving.printed.split_once(" on http://").context("it prints its address")?;
        serving.address = address.lines().next().unwrap_or_default().parse()?;
        Ok(serving)
    }

    /// Runs what stays until it is stopped, and waits until it has said how to do that.
    pub async fn stay(&self, line: &[&str]) -> anyhow::Result<Serving> {
        let mut command = self.command(env!("CARGO_BIN_EXE_artisan"));
        let mut child = command.args(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let mut errors = child.stderr.take().context("its errors are piped")?;
        let errors = paravel::spawn(async move {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut printed = String::new();
        loop {
            let Some(line) = timeout(DEADLINE, lines.next_line()).await?? else {
                anyhow::bail!("it ended: {:?} after {printed}", errors.await);
            };
            printed.push_str(&line);
            printed.push('\n');
            if line.starts_with("Stop it") {
                break;
            }
        }
        Ok(Serving { address: SocketAddr::from(([0, 0, 0, 0], 0)), printed, child, errors, lines })
    }

    /// The rows of a query on its database.
    pub async fn rows(&self, sql: &str) -> anyhow::Result<Vec<Row>> {
        Ok(self.database.fetch(Statement::new(sql)).await?)
    }

    /// Runs a script on its database.
    pub async fn change(&self, script: &str) -> anyhow::Result<()> {
        Ok(self.database.apply(None, script.to_owned()).await?)
    }

    /// How many rows a query counts as `n`.
    pub async fn count(&self, table: &str) -> anyhow::Result<i64> {
        let rows = self.rows(&format!("select count(*) as n from {table}")).await?;
        Ok(rows.first().context("a count is a row")?.integer("n"))
    }

    /// The names of the application's tables.
    pub async fn tables(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.rows(Conn::TABLES).await?.iter().map(|row| row.text("name").to_owned()).collect())
    }
}

impl Ended {
    /// Runs a command to its end.
    pub async fn of(command: &mut Command) -> anyhow::Result<Self> {
        let output = timeout(DEADLINE, command.output()).await.context("it hangs")??;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) })
    }
}

impl Serving {
    /// Sends it a signal.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.child.id().context("it runs")?;
        // The shell's own `kill`, which is there wherever a shell is.
        let sent = Ended::of(Command::new("sh").args(["-c", &format!("kill -{name} {id}")])).await?;
        ensure!(sent.code == Some(0), "{sent:?}");
        Ok(())
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> anyhow::Result<Ended> {
        let code = timeout(DEADLINE, self.child.wait()).await.context("it does not stop")??.code();
        let mut out = self.printed;
        while let Some(line) = self.lines.next_line().await? {
            out.push_str(&line);
            out.push('\n');
        }
        Ok(Ended { code, out, err: self.errors.await? })
    }
}
