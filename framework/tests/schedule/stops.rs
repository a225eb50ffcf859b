//! `schedule:run` and `schedule:work` beside queues in their memory, in processes of their own: how they end when they are told to.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use paravel::{
    foundation::{self, Application},
    queue::{Job, JobRun, Queue},
    schedule::Schedule,
    support::{BoxError, Env},
};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{events::Journal, queue::processes::until};

const FOLDER: &str = "PARAVEL_TEST_FOLDER";
const GRACE: &str = "PARAVEL_TEST_GRACE";
const COMMAND: &str = "PARAVEL_TEST_COMMAND";

/// Files by which a test and its process tell each other how far they are.
struct Stages(PathBuf);

impl Stages {
    fn says(&self, what: &str) {
        File::create(self.0.join(what)).unwrap();
    }

    fn has(&self, what: &str) -> bool {
        self.0.join(what).exists()
    }

    /// Waits for it in the process, which ends with its test at the latest.
    async fn hears(self: Arc<Self>, what: String) {
        while !self.has(&what) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A job that goes on until it is told to end.
#[derive(Serialize, Deserialize)]
struct Wait(String);

impl Job for Wait {
    const NAME: &'static str = "test.wait";
    // No test is to go on because it is over.
    const TIMEOUT: Duration = Duration::from_secs(3600);
    type Dependencies = (Arc<Stages>,);

    async fn handle(self, (stages,): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> {
        stages.says(&format!("{} begins", self.0));
        stages.hears(format!("{} ends", self.0)).await;
        Ok(())
    }
}

fn fill(schedule: &mut Schedule) {
    let dispatches = async |queue: Arc<Queue>, stages: Arc<Stages>| -> Result<(), BoxError> {
        queue.dispatch(Wait("one".to_owned())).await?;
        queue.dispatch(Wait("two".to_owned())).await?;
        stages.hears("the task ends".to_owned()).await;
        Ok(())
    };
    schedule.call("dispatches", dispatches).every_second().without_overlapping();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the tests here, in a process of its own"]
async fn the_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let env = Env::from_pairs([
        ("APP_ENV", "testing"),
        ("QUEUE_CONNECTION", "memory"),
        ("QUEUE_CONCURRENCY", "1"),
        ("QUEUE_GRACE", &std::env::var(GRACE).unwrap()),
        ("SCHEDULE_GRACE", "1h"),
    ]);
    let app = Application::builder().env(env).job::<Wait>().schedule(fill).replace(|app| {
        app.instance(Arc::new(Stages(folder.into())));
        // The listeners of other tests are in this binary.
        app.instance(Arc::new(Journal::default()));
    });
    let exit = foundation::run(app, ["artisan".into(), std::env::var(COMMAND).unwrap().into()]).await;
    std::process::exit(exit.code().into());
}

/// Such a process. It ends with the test.
struct Running {
    child: Child,
    stages: Stages,
    folder: tempfile::TempDir,
}

impl Running {
    /// One that runs this command, whose task has dispatched two jobs: the first runs, and the second waits for it.
    async fn start(command: &str, grace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let said = File::create(folder.path().join("said")).unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "schedule::stops::the_process", "--ignored", "--nocapture"]);
        process.env(FOLDER, folder.path()).env(GRACE, grace).env(COMMAND, command);
        let child = process.stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        let running = Self { child, stages: Stages(folder.path().to_owned()), folder };
        running.comes_to("one begins").await;
        running
    }

    async fn comes_to(&self, what: &str) {
        until(what, async || self.stages.has(what).then_some(())).await;
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    async fn ends(mut self, code: i32) {
        let ended = until("it does not end", async || self.child.try_wait().unwrap()).await;
        let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap();
        assert_eq!(ended.code(), Some(code), "{said}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Longer than the tests wait for anything.
const LONG: &str = "1h";

#[tokio::test]
async fn one_that_is_told_a_second_time_ends_though_jobs_still_run() {
    for command in ["schedule:run", "schedule:work"] {
        let running = Running::start(command, LONG).await;
        running.signal("TERM");
        running.stages.says("the task ends");
        running.stages.says("one ends");
        // Begun after what the first worker had, and with as little time.
        running.comes_to("two begins").await;
        running.signal("INT");
        running.ends(0).await;
    }
}

#[tokio::test]
async fn one_that_is_told_twice_while_its_tasks_run_ends_at_once() {
    for command in ["schedule:run", "schedule:work"] {
        let running = Running::start(command, LONG).await;
        running.signal("TERM");
        running.signal("INT");
        // A task that is cut off has failed.
        running.ends(i32::from(command == "schedule:run")).await;
    }
}

#[tokio::test]
async fn one_that_was_told_while_its_tasks_ran_gives_jobs_their_grace_and_no_more() {
    for command in ["schedule:run", "schedule:work"] {
        let running = Running::start(command, "100ms").await;
        running.signal("TERM");
        running.stages.says("the task ends");
        running.ends(0).await;
    }
}
