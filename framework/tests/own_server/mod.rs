//! Servers that a test starts, stops and starts again by itself, from the programs that are installed.

mod queue;
mod restart;
mod tls;
#[cfg(feature = "postgres")]
mod words;

use std::{
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use paravel::database::{Connection, Db, DbError};
use tempfile::TempDir;

use crate::database::config;

/// Longer than any server takes to start; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(120);

/// A server of one test. It ends with it.
pub struct OwnServer {
    backend: &'static str,
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    // Whom it runs as, where this is root: servers refuse to be root.
    user: Option<(u32, u32)>,
    process: Option<Child>,
}

impl OwnServer {
    /// Makes one, which does not run yet; `None`, which is said, where its programs are not installed.
    pub fn new<C: Connection>() -> Option<Self> {
        let (program, user, package) = match C::BACKEND {
            "postgres" => ("initdb", "postgres", "postgresql"),
            _ => ("mariadb-install-db", "mysql", "mariadb-server"),
        };
        let Some(programs) = folder_of(program) else {
            // Where bin/test has started a server, it is.
            println!("left out: {program} is not installed (Debian's package is {package})");
            return None;
        };
        let user = (number("-u", None) == 0).then(|| (number("-u", Some(user)), number("-g", Some(user))));
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { backend: C::BACKEND, programs, folder, port, user, process: None };
        server.own(Path::new(""));
        let data = server.path("data").display().to_string();
        let made = match C::BACKEND {
            "postgres" => {
                server.command("initdb").args(["-D", &data, "-U", "root", "--auth=trust", "--no-sync"]).output()
            }
            _ => server
                .command("mariadb-install-db")
                .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
                .arg(format!("--datadir={data}"))
                .output(),
        };
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(server)
    }

    /// Starts it with these settings more, and waits until it answers.
    pub async fn start<C: Connection>(&mut self, settings: &[String]) {
        let (data, port) = (self.path("data").display().to_string(), self.port);
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = match self.backend {
            "postgres" => {
                let mut command = self.command("postgres");
                command.args(["-D", &data, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
                command.args(["-p", &port.to_string()]).args(settings.iter().flat_map(|setting| ["-c", &**setting]));
                command
            }
            _ => {
                let mut command = self.command("mariadbd");
                command.args(["--no-defaults".to_owned(), format!("--datadir={data}"), format!("--port={port}")]);
                command.args(["--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M"]);
                command.arg(format!("--socket={}", self.path("socket").display()));
                command.args(settings.iter().map(|setting| format!("--{setting}")));
                command
            }
        };
        self.process = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let answers = async {
            // There is nothing else to wait for: a server does not say when it is up.
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            while let Err(error) = self.db::<C>("127.0.0.1", "").connect().await {
                assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
                let ended = self.process.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "{}", std::fs::read_to_string(self.path("log")).unwrap());
                tick.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, answers).await.expect("the server does not answer");
    }

    /// Ends it by this signal, and waits for that. `KILL` ends its sessions' processes too: what is left of one that is killed by
    /// itself has its memory, beside which no other begins.
    pub fn stop(&mut self, signal: &str) {
        let Some(mut process) = self.process.take() else { return };
        let mut all = vec![process.id()];
        if signal == "KILL" {
            // It makes no more of them.
            send("STOP", &all);
            all.extend(children(process.id()));
        }
        send(signal, &all);
        process.wait().unwrap();
        let deadline = Instant::now() + DEADLINE;
        while all.iter().any(|process| status(*process).is_some_and(|(state, _)| state != "Z")) {
            assert!(Instant::now() < deadline, "a process of the server's does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its address.
    pub fn url(&self, host: &str, query: &str) -> String {
        let database = if self.backend == "postgres" { "postgres" } else { "mysql" };
        format!("{}://root@{host}:{}/{database}{query}", self.backend, self.port)
    }

    /// It as an application's database, which is not connected yet.
    pub fn db<C: Connection>(&self, host: &str, query: &str) -> Db<C> {
        Db::new(config(&self.url(host, query), &[])).unwrap()
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that it can read and nobody else.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        self.own(Path::new(name));
        path
    }

    fn own(&self, name: &Path) {
        if let Some((user, group)) = self.user {
            chown(self.folder.path().join(name), Some(user), Some(group)).unwrap();
        }
    }

    fn command(&self, program: &str) -> Command {
        // A server's own program stands elsewhere than the others.
        let installed = [&*self.programs, Path::new("/usr/sbin")].map(|folder| folder.join(program));
        let found = installed.into_iter().find(|path| path.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| program.into()));
        // Not in a folder that its user cannot enter, or write to.
        command.current_dir(self.folder.path()).env("TMPDIR", self.folder.path());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop(if self.backend == "postgres" { "QUIT" } else { "KILL" });
    }
}

fn send(signal: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    let _ = Command::new("kill").args(["-s", signal]).args(processes).status();
}

/// The state of a process, and whose child it is, where the system tells.
fn status(process: u32) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Its name, in brackets, may be anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn children(of: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|process| status(*process).is_some_and(|(_, parent)| parent == of)).collect()
}

/// The newest PostgreSQL, which Debian keeps out of the path, or a folder of the path.
fn folder_of(program: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join(program).is_file())
}

/// A user's number, or a group's.
fn number(kind: &str, user: Option<&str>) -> u32 {
    let said = Command::new("id").arg(kind).args(user).output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim().parse().expect("servers refuse to run as root, and have no user here")
}

/// The tests of these names on each server.
macro_rules! on_own_servers {
    ($($test:ident,)*) => {
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test::<paravel::database::PgConn>().await;
            })*
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test::<paravel::database::MysqlConn>().await;
            })*
        }
    };
}

use on_own_servers;
