//! Queues in the memory of a process: what is dispatched there is run there, or said to be lost.

use std::{
    process::Command as Process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    anyhow, clap,
    console::{Command, Console},
    foundation::{self, Application, ApplicationBuilder},
    queue::{Job, JobRun, Queue},
    support::{BoxError, Env},
    testing::TestApp,
};
use serde::{Deserialize, Serialize};

use crate::events::Journal;

/// Tells the process that is one of these tests that it is.
const LEAVES: &str = "PARAVEL_TEST_LEAVES";

#[derive(Serialize, Deserialize)]
struct Load {
    more: bool,
}

impl Job for Load {
    const NAME: &'static str = "harbour.load";
    const QUEUE: &'static str = "harbour";
    type Dependencies = (Arc<AtomicUsize>, Arc<Queue>);

    async fn handle(self, (loaded, queue): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> {
        if self.more {
            // As long as whatever dispatched this one may take to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            queue.dispatch(Self { more: false }).await?;
        }
        loaded.fetch_add(1, SeqCst);
        Ok(())
    }
}

fn builder() -> ApplicationBuilder {
    Application::builder().env(Env::from_pairs([("APP_ENV", "testing")])).job::<Load>().replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(AtomicUsize::new(0)));
    })
}

#[tokio::test]
async fn a_scheduler_works_on_what_it_dispatches_into_its_own_memory() -> anyhow::Result<()> {
    let scheduled = builder().schedule(|schedule| {
        schedule.job(Load { more: true }).every_minute();
    });
    let app = TestApp::boot(scheduled).await?;
    app.artisan(&["schedule:run"]).await?;
    assert_eq!(app.make::<AtomicUsize>()?.load(SeqCst), 2);

    let scheduled = builder().schedule(|schedule| {
        schedule.job(Load { more: false }).every_second();
    });
    let app = TestApp::boot(scheduled).await?;
    let loaded = app.make::<AtomicUsize>()?;
    let until_loaded = async {
        while loaded.load(SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        ended = app.artisan(&["schedule:work"]) => panic!("it stays: {ended:?}"),
        run = tokio::time::timeout(Duration::from_secs(60), until_loaded) => run?,
    }
    Ok(())
}

/// Dispatches what nobody works on.
#[derive(clap::Args)]
struct Leave {}

impl Command for Leave {
    const NAME: &'static str = "harbour:leave";
    const ABOUT: &'static str = "Leave two loads behind";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, _: &mut Console) -> anyhow::Result<()> {
        queue.dispatch_many([Load { more: false }, Load { more: false }]).await?;
        Ok(())
    }
}

#[tokio::test]
#[ignore = "it is run by the test below, in a process of its own"]
async fn the_process_that_leaves_jobs_behind() {
    if std::env::var(LEAVES).is_err() {
        return;
    }
    let builder = builder().command::<Leave>();
    let exit = foundation::run(builder, ["artisan", "harbour:leave"].map(Into::into)).await;
    std::process::exit(exit.code().into());
}

#[test]
fn a_command_says_which_jobs_are_lost_with_its_process() {
    let mut process = Process::new(std::env::current_exe().unwrap());
    process.args([
        "--exact",
        "queue::commands::memory::the_process_that_leaves_jobs_behind",
        "--ignored",
        "--nocapture",
    ]);
    let ended = process.env(LEAVES, "yes").output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("warning: 2 job(s) of the queue `harbour` are lost with this process"), "{said}");
}
