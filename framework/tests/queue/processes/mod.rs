//! Workers and schedulers in processes of their own: what becomes of what they do when those are killed.

mod duplicates;
mod kills;
mod limits;
mod monitor;
mod store;

use std::{
    fs::File,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

pub use kills::{Random, variable};
use paravel::foundation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Shared;
pub use store::{Records, Role, Store};

/// Longer than anything here takes on a machine that is busy with other tests; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(180);

/// Tells a process what it is to do.
const ORDERS: &str = "PARAVEL_TEST_ORDERS";

#[derive(Serialize, Deserialize)]
struct Orders {
    shared: Shared,
    line: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the tests here, in a process of its own"]
async fn the_process() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let Orders { shared, line } = serde_json::from_str(&orders).unwrap();
    let line = ["artisan".to_owned()].into_iter().chain(line).map(Into::into);
    let exit = foundation::run(shared.application(), line).await;
    std::process::exit(exit.code().into());
}

/// A process that runs a command of an application on a store. It ends with the test.
pub struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// Starts one that runs this command, and prints JSON.
    fn start(shared: Shared, line: &str) -> Self {
        let line = [line, "--json"].iter().flat_map(|words| words.split(' ')).map(str::to_owned).collect();
        let orders = Orders { shared, line };
        let mut command = Self::command(&orders);
        command.stdin(Stdio::null());
        Self::of(command, &orders.shared)
    }

    /// What has to be run for it to do that.
    fn command(orders: &Orders) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "queue::processes::the_process", "--ignored", "--nocapture"]);
        command.env(ORDERS, serde_json::to_string(orders).unwrap());
        command
    }

    fn of(mut command: Command, shared: &Shared) -> Self {
        let said = shared.file(&uuid::Uuid::new_v4().to_string());
        let file = File::create(&said).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: command.spawn().unwrap(), said }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(9), "it had ended by itself: {}", self.said());
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{}", self.said());
    }

    /// All that it has printed.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap()
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        until("a process does not end", async || self.child.try_wait().unwrap()).await
    }

    /// Waits until it is killed by somebody else.
    async fn is_killed(&mut self) {
        assert_eq!(self.ended().await.signal(), Some(9), "{}", self.said());
    }

    /// Its exit code, and what it printed as JSON, once it ends by itself.
    pub async fn report(&mut self) -> (Option<i32>, Value) {
        let code = self.ended().await.code();
        let said = self.said();
        // Whatever stands before is the harness's, and what comes after is what it complained of.
        let json = said.find(['{', '[']).map(|at| serde_json::Deserializer::from_str(&said[at..]).into_iter().next());
        let value = json.flatten().and_then(Result::ok);
        (code, value.unwrap_or_else(|| panic!("{said}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("a process had said: {}", self.said());
        }
    }
}

/// Waits until there is something. There is nothing else to wait for: what happens, happens in other processes.
pub async fn until<T>(what: &str, mut comes: impl AsyncFnMut() -> Option<T>) -> T {
    let done = async {
        loop {
            if let Some(done) = comes().await {
                return done;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let Ok(done) = tokio::time::timeout(DEADLINE, done).await else { panic!("{what}") };
    done
}

/// The tests of these names on each driver that other processes can reach.
macro_rules! on_every_store {
    ($($room:ident::$test:ident,)*) => {
        on_every_store!(@ sqlite, $($room::$test,)*);
        #[cfg(feature = "postgres")]
        on_every_store!(@ postgres, $($room::$test,)*);
        #[cfg(feature = "mysql")]
        on_every_store!(@ mysql, $($room::$test,)*);
        #[cfg(feature = "redis")]
        on_every_store!(@ redis, $($room::$test,)*);
    };
    (@ $store:ident, $($room:ident::$test:ident,)*) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(store) = super::Store::new(stringify!($store)).await {
                    super::$room::$test(store).await;
                }
            })*
        }
    };
}

on_every_store! {
    duplicates::of_what_two_processes_dispatch_at_once_one_is_stored,
    kills::all_that_was_taken_runs_though_workers_are_killed,
    limits::a_worker_that_takes_too_much_memory_leaves_its_other_jobs_to_others,
    limits::a_job_that_kills_its_workers_is_put_aside_and_those_beside_it_run,
}
