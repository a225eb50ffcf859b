use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};

use super::{Ran, timeline::Owed};
use crate::console::Stops;

/// How long what was cut off has to give back its locks.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How far a scheduler is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It runs what is due.
    Going,
    /// It begins nothing more.
    Stopping,
    /// What still runs is cut off.
    CutOff,
}

/// What came of runs of a task.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) ran: Vec<Ran>,
    /// What is still to be seen to, since the fence could not be asked.
    pub(super) owed: Option<Owed>,
    /// What holds the task where it stands, until it is known what is owed of it.
    pub(super) held: Option<Arc<()>>,
}

/// The runs that are under way, each in a task of its own.
pub(super) struct Crew {
    runs: JoinSet<Ended>,
    phase: watch::Sender<Phase>,
}

impl Crew {
    pub(super) fn new() -> Self {
        Self { runs: JoinSet::new(), phase: watch::Sender::new(Phase::Going) }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(super) fn begin(&mut self, run: impl Future<Output = Ended> + Send + 'static) {
        self.runs.spawn(run);
    }

    /// What the next one to end has done; `None` where none is under way.
    pub(super) async fn next(&mut self) -> Option<Ended> {
        self.runs.join_next().await.map(told)
    }

    /// Lets them go on for `grace`, or until they are to stop at once, and cuts off the rest.
    pub(super) async fn finish(&mut self, grace: Duration, stops: &Stops) -> Vec<Ran> {
        let mut all = Vec::new();
        self.phase.send_replace(Phase::Stopping);
        let patience = tokio::time::sleep(grace);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                ended = self.next() => match ended {
                    Some(ended) => all.extend(ended.ran),
                    None => return all,
                },
                () = &mut patience => break,
                () = stops.asked(2) => break,
            }
        }
        tracing::warn!(runs = self.runs.len(), "scheduled tasks still ran at the deadline, and are cut off");
        self.phase.send_replace(Phase::CutOff);
        let rest = async {
            while let Some(ended) = self.next().await {
                all.extend(ended.ran);
            }
        };
        let _ = timeout(LAST_WORDS, rest).await;
        self.runs.abort_all();
        all
    }
}

/// A run catches what its task panics with, so that of itself it does not.
fn told(ended: Result<Ended, JoinError>) -> Ended {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a scheduled run broke off");
        Ended::default()
    })
}
