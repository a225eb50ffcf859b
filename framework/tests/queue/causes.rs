//! Why a job failed, as it is kept for whoever looks at it.

use std::{process::Command, sync::Arc};

use anyhow::Context;
use paravel::{
    container::ContainerBuilder,
    queue::{FailedJob, Job, JobEntry, JobRun, Jobs, Worker, WorkerLimits},
    support::{BoxError, Env},
};
use serde::{Deserialize, Serialize};

use super::Stand;

/// Tells the process that is one of these tests which job to run.
const HOW: &str = "PARAVEL_TEST_HOW";

#[derive(Debug, thiserror::Error)]
#[error("the ship cannot sail")]
struct Aground(#[source] Tide);

#[derive(Debug, thiserror::Error)]
#[error("the tide is out")]
struct Tide(#[source] std::io::Error);

#[derive(Serialize, Deserialize)]
struct Sink {
    how: String,
}

fn leak() -> anyhow::Result<()> {
    Err(std::io::Error::other("a plank is loose")).context("she leaks")
}

impl Job for Sink {
    const NAME: &'static str = "ship.sink";
    const TRIES: u32 = 1;
    type Dependencies = ();

    async fn handle(self, (): (), run: &JobRun) -> Result<(), BoxError> {
        match &*self.how {
            "chain" => Err(Aground(Tide(std::io::Error::other("the moon is new"))).into()),
            "panic" => panic!("struck a rock"),
            "anyhow" => Ok(leak()?),
            "wrapped" => Err(Wrapped(leak().unwrap_err().into()).into()),
            // Three bytes each, after one of one.
            "long" => Err(format!("a{}", "€".repeat(40_000)).into()),
            _ => {
                run.fail("€".repeat(40_000));
                Ok(())
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the voyage is over")]
struct Wrapped(#[source] BoxError);

async fn failed(how: &str) -> FailedJob {
    let stand = Stand::memory();
    let queue = stand.queue();
    let app = ContainerBuilder::new().freeze().unwrap();
    queue.dispatch(Sink { how: how.to_owned() }).await.unwrap();
    let jobs = Arc::new(Jobs::collect([JobEntry::of::<Sink>()]));
    let config = paravel::config::QueueConfig::from_env(&Env::default());
    let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    Worker::new(queue.clone(), jobs, &config, app, ["default"]).limits(limits).run(std::future::pending()).await;
    queue.failed().await.unwrap().remove(0)
}

#[tokio::test(start_paused = true)]
async fn what_an_error_was_caused_by_is_kept_with_it() {
    assert_eq!(failed("chain").await.reason(), "the ship cannot sail: the tide is out: the moon is new");
    assert_eq!(failed("anyhow").await.reason(), "she leaks: a plank is loose");
    assert_eq!(failed("wrapped").await.reason(), "the voyage is over: she leaks: a plank is loose");
}

#[tokio::test(start_paused = true)]
async fn of_a_panic_its_place_is_kept() {
    let failed = failed("panic").await;
    let reason = failed.reason();
    let place = reason.strip_prefix("it panicked at ").and_then(|rest| rest.strip_suffix(": struck a rock"));
    let line = place.and_then(|place| place.split_once("queue/causes.rs:")).map(|(_, line)| line);
    assert!(line.is_some_and(|line| line.starts_with(|first: char| first.is_ascii_digit())), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn so_much_of_it_is_kept_and_no_more() {
    for how in ["long", "long by itself"] {
        let error = failed(how).await.error;
        assert!(error.len() > (64 << 10) - 4 && error.len() <= 64 << 10, "{}", error.len());
        let whole = 120_000 + usize::from(how == "long");
        assert!(error.ends_with(&format!("€\n[cut off: it was {whole} bytes long]")), "{}", &error[error.len() - 60..]);
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "it is run by the test below, in a process of its own"]
async fn the_process_that_has_backtraces() {
    let Ok(how) = std::env::var(HOW) else { return };
    let failed = failed(&how).await;
    println!("<{}|{}>", failed.reason(), failed.backtrace().unwrap_or_default());
}

#[test]
fn where_it_came_from_is_kept_where_the_environment_asks_for_it() {
    let of = |how: &str, asked: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "queue::causes::the_process_that_has_backtraces", "--ignored", "--nocapture"]);
        command.env(HOW, how).env("RUST_BACKTRACE", asked).env_remove("RUST_LIB_BACKTRACE");
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let (_, said) = said.split_once('<').unwrap_or_else(|| panic!("{said}"));
        let (said, _) = said.rsplit_once('>').unwrap();
        let (reason, backtrace) = said.split_once('|').unwrap();
        (reason.to_owned(), backtrace.to_owned())
    };
    for (how, end, frame) in [
        ("panic", "struck a rock", "queue::causes::Sink"),
        ("anyhow", "she leaks: a plank is loose", "queue::causes::leak"),
        ("wrapped", "the voyage is over: she leaks: a plank is loose", "queue::causes::leak"),
    ] {
        let (reason, backtrace) = of(how, "1");
        assert!(reason.ends_with(end) && !reason.contains('\n'), "{reason}");
        assert!(backtrace.contains(frame) && backtrace.contains("causes.rs"), "{backtrace}");
        assert_eq!(of(how, "0").1, "");
    }
}
