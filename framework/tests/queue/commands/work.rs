//! `queue:work`: in this process, and in one of its own, where signals reach nobody else.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use paravel::{foundation, support::Env};
use serde_json::{Value, json};
#[cfg(feature = "redis")]
use {
    paravel::{
        queue::{Queue, RedisDriver},
        support::{SystemClock, WireFormat},
        testing::TestApp,
    },
    std::sync::Arc,
};

use super::{Bench, Moor, Stand, builder};
use crate::events::Journal;

/// Says to the process that works with which arguments, and at which job.
const ARGUMENTS: &str = "PARAVEL_TEST_ARGUMENTS";
const SHIP: &str = "PARAVEL_TEST_SHIP";

fn report(done: u64, released: u64, ended: &str) -> Value {
    json!({
        "done": done, "retried": 0, "failed": 0, "released": released, "cancelled": 0, "stale": 0, "ended": ended,
    })
}

#[tokio::test(start_paused = true)]
async fn queue_work_runs_what_waits_and_ends_as_it_was_told() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.queue.dispatch_many((0..10).map(|_| Moor::of("Dawn Treader"))).await?;
    assert_eq!(bench.json(&["queue:work", "--once"]).await?, report(1, 0, "jobs"));
    assert_eq!(bench.json(&["queue:work", "--max-jobs", "4"]).await?, report(4, 0, "jobs"));
    assert_eq!(
        bench.json(&["queue:work", "--queue", "sea:3,default", "--stop-when-empty"]).await?,
        report(0, 0, "empty")
    );
    let text = bench.app.artisan(&["queue:work", "--concurrency", "3", "--max-time", "2s"]).await?;
    assert!(text.starts_with("Works on default, harbour, rescue, 3 job(s) at once.\n"), "{text}");
    assert!(text.contains("done       5\n") && text.contains("ended      time\n"), "{text}");
    assert_eq!(bench.json(&["queue:work", "--once"]).await?, report(0, 0, "empty"));
    for wrong in [["--max-time", "soon"], ["--concurrency", "0"], ["--queue", ","], ["--memory", "0"]] {
        assert_eq!(bench.refused(&[&["queue:work"][..], &wrong].concat()).await, "usage: Usage");
    }
    Ok(())
}

#[tokio::test]
async fn queue_work_refuses_queues_that_no_other_process_can_reach() -> anyhow::Result<()> {
    for connection in ["memory", "sync"] {
        let mut builder = paravel::foundation::Application::builder().env(Env::default()).replace(|app| {
            app.instance(std::sync::Arc::new(Journal::default()));
        });
        builder.env_mut().set("QUEUE_CONNECTION", connection);
        let app = paravel::testing::TestApp::boot(builder).await?;
        let said = app.artisan(&["queue:work", "--stop-when-empty"]).await.unwrap_err().to_string();
        assert!(said.starts_with(&format!("QUEUE_CONNECTION={connection}: jobs ")), "{said}");
        assert!(said.ends_with("set QUEUE_CONNECTION to `database` or `redis`, or let `serve` run them"), "{said}");
        let warned = app.artisan(&["queue:failed"]).await?;
        assert!(warned.starts_with(&format!("QUEUE_CONNECTION={connection}: jobs ")), "{warned}");
    }
    Ok(())
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn queue_work_warns_of_limits_that_other_workers_do_not_know() -> anyhow::Result<()> {
    if crate::redis::shared().is_none() {
        return Ok(());
    }
    for (store, warns) in [("memory", true), ("null", true), ("redis", false)] {
        let env = Env::from_pairs([("QUEUE_CONNECTION", "redis"), ("CACHE_STORE", store)]);
        let app =
            paravel::testing::TestApp::boot(paravel::foundation::Application::builder().env(env).replace(|app| {
                app.instance(std::sync::Arc::new(Journal::default()));
            }))
            .await?;
        let said = app.artisan(&["queue:work", "--stop-when-empty"]).await?;
        assert_eq!(said.contains("is this process's alone (CACHE_STORE)"), warns, "{store}: {said}");
    }
    Ok(())
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queue_work_warns_of_a_server_that_keeps_nothing() -> anyhow::Result<()> {
    let Some(server) = crate::redis::OwnServer::up().await else { return Ok(()) };
    let clock = Arc::new(SystemClock);
    let driver = RedisDriver::new(Arc::new(server.redis(&[])), Arc::clone(&clock) as _);
    let queue = Queue::new(Arc::new(driver), WireFormat::MessagePack, clock);
    queue.dispatch(Moor::of("Dawn Treader")).await?;
    let app = TestApp::boot(builder(queue)).await?;
    let text = app.artisan(&["queue:work", "--stop-when-empty"]).await?;
    assert!(text.contains("keeps none when it is restarted, or does not tell"), "{text}");
    assert!(text.contains("done       1\n"), "{text}");
    let text = app.artisan(&["queue:failed"]).await?;
    assert!(!text.contains("QUEUE_CONNECTION=memory"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the tests below, in a process of its own"]
async fn the_process_that_works() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let queue = Stand::shared().queue();
    queue.dispatch(Moor { ship: std::env::var(SHIP).unwrap() }).await.unwrap();
    let builder = builder(queue).env(Env::from_pairs([("APP_ENV", "testing"), ("LOG_LEVEL", "error")]));
    let line = ["artisan", "queue:work", "--json"].into_iter().chain(arguments.split(' ')).map(Into::into);
    let exit = foundation::run(builder, line).await;
    std::process::exit(exit.code().into());
}

/// A process that works on one job.
struct Working {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Working {
    fn on(ship: &str, arguments: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "queue::commands::work::the_process_that_works", "--ignored", "--nocapture"]);
        command.env(ARGUMENTS, arguments).env(SHIP, ship).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it has printed a line that ends so.
    fn until(&mut self, end: &str) {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with(end)), "it ended before `{end}`");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, its report and what it complained of.
    fn ended(self) -> (Option<i32>, Value, String) {
        // Whatever stands on the report's first line is the harness's.
        let text: String = self.lines.map(|line| line.unwrap() + "\n").collect();
        let report = text.find('{').map(|at| serde_json::from_str(&text[at..]).unwrap()).unwrap_or_default();
        let ended = self.child.wait_with_output().unwrap();
        (ended.status.code(), report, String::from_utf8(ended.stderr).unwrap())
    }
}

#[test]
fn a_worker_that_is_asked_to_stop_lets_its_jobs_end() {
    for signal in ["TERM", "INT"] {
        let mut working = Working::on("one that waits", "--grace=1h");
        working.until("waits");
        working.signal(signal);
        let (code, ended, _) = working.ended();
        assert_eq!((code, ended), (Some(0), report(1, 0, "stopped")));
    }
}

#[test]
fn a_worker_that_is_asked_twice_puts_its_jobs_back_at_once() {
    let mut working = Working::on("one that stays", "--grace=1h");
    working.until("stays");
    working.signal("TERM");
    working.until("stays on");
    working.signal("TERM");
    let (code, ended, _) = working.ended();
    assert_eq!((code, ended), (Some(0), report(0, 1, "stopped")));
}

#[test]
fn a_worker_that_takes_too_much_memory_ends_with_an_exit_code_of_its_own() {
    let (code, ended, said) = Working::on("Dawn Treader", "--memory=1").ended();
    assert_eq!((code, &ended["ended"]), (Some(12), &json!("memory")));
    assert!(said.contains("error: it took more memory than it may: start it anew"), "{said}");
}
