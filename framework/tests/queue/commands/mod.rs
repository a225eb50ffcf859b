//! The console's `queue:` commands, in an application whose jobs wait where the test can see to them.

mod failed;
mod memory;
mod seen;
mod work;

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt, ready};
use paravel::{
    foundation::{Application, ApplicationBuilder},
    queue::{
        Beat, Driver, DriverError, Durability, Job, JobRun, MemoryDriver, Message, Orders, Push, Pushed, Queue,
        QueueAdmin, Tended, Turn, Turned,
    },
    support::{BoxError, Env},
    testing::TestApp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Stand, forwards::forwards};
use crate::events::Journal;

/// A driver in memory that another process could reach, by its own account.
pub struct Shared(pub Arc<MemoryDriver>);

impl Driver for Shared {
    forwards!(0: push, turn, beat, tend, wait, admin);

    fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>> {
        ready(Ok(Durability::Disk)).boxed()
    }
}

impl Stand {
    /// Queues that other processes can reach, as far as anybody is told.
    fn shared() -> Self {
        let memory = Self::memory();
        let driver = Arc::new(Shared(Arc::new(MemoryDriver::new(Arc::clone(&memory.clock) as _))));
        Self { driver, ..memory }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Moor {
    pub ship: String,
}

impl Moor {
    pub fn of(ship: &str) -> Self {
        Self { ship: ship.to_owned() }
    }
}

impl Job for Moor {
    const NAME: &'static str = "harbour.moor";
    const QUEUE: &'static str = "harbour";
    const TRIES: u32 = 1;
    type Dependencies = ();

    async fn handle(self, (): (), run: &JobRun) -> Result<(), BoxError> {
        match &*self.ship {
            "a leaking one" => Err("it leaks".into()),
            "one that waits" => {
                println!("{} waits", run.id());
                run.stopping().await;
                Ok(())
            }
            "one that stays" => {
                println!("{} stays", run.id());
                run.stopping().await;
                println!("{} stays on", run.id());
                std::future::pending().await
            }
            _ => Ok(()),
        }
    }
}

/// A job that no application here knows.
#[derive(Serialize, Deserialize)]
pub struct Sail {
    to: String,
}

impl Job for Sail {
    const NAME: &'static str = "sea.sail";
    const QUEUE: &'static str = "harbour";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

/// An application whose queues these are.
pub fn builder(queue: Queue) -> ApplicationBuilder {
    Application::builder().env(Env::default()).job::<Moor>().replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(queue));
    })
}

/// An application and what its queues are in.
pub struct Bench {
    pub stand: Stand,
    pub queue: Queue,
    pub app: TestApp,
}

impl Bench {
    pub async fn new() -> anyhow::Result<Self> {
        Self::in_environment("testing").await
    }

    pub async fn in_environment(environment: &str) -> anyhow::Result<Self> {
        let stand = Stand::shared();
        let queue = stand.queue();
        let mut builder = builder(queue.clone());
        builder.env_mut().set("APP_ENV", environment);
        builder.env_mut().set("APP_KEY", APP_KEY);
        Ok(Self { app: TestApp::boot(builder).await?, stand, queue })
    }

    /// What a command prints as JSON.
    pub async fn json(&self, line: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.app.artisan(&[line, &["--json"]].concat()).await?)?)
    }

    /// How a command is refused.
    pub async fn refused(&self, line: &[&str]) -> String {
        self.app.artisan(line).await.unwrap_err().to_string()
    }

    /// Jobs that have failed, each a second after the one before it.
    pub async fn with_failed(&self, ships: usize) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        for _ in 0..ships {
            ids.extend(self.queue.dispatch(Moor::of("a leaking one")).await?.map(|id| id.to_string()));
            self.app.work().await?;
            self.stand.clock.advance(Duration::from_secs(1));
        }
        Ok(ids)
    }
}

const APP_KEY: &str = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A message that nobody can read.
pub fn garbage() -> Message {
    super::message("harbour")
}
