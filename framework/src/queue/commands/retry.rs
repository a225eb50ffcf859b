use std::{collections::HashSet, str::FromStr, sync::Arc, time::Duration};

use anyhow::ensure;

use super::{AT_ONCE, JOB_CHANGES, JobChange, before, warn_of_memory};
use crate::{
    console::{Command, Console},
    queue::{FailedJob, JobId, Queue, QueueError},
    support::{EnvValue, IdError, Timestamp},
};

/// `queue:retry`
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct QueueRetry {
    /// The failed jobs, or `all`
    #[arg(value_name = "ID")]
    which: Vec<Which>,
    /// Those of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Those of this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Those that failed before that moment, or so long ago and more
    #[arg(long, value_name = "WHEN", value_parser = When::from_str)]
    before: Option<When>,
    /// Those that failed at that moment or later, or no longer ago
    #[arg(long, value_name = "WHEN", value_parser = When::from_str)]
    after: Option<When>,
    /// Those that failed from the one moment on, and before the other
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], conflicts_with_all = ["before", "after"], value_parser = When::from_str)]
    range: Option<Vec<When>>,
}

/// Which failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    One(JobId),
}

impl FromStr for Which {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// A moment, or how long ago it is.
#[derive(Debug, Clone, Copy)]
enum When {
    At(Timestamp),
    Ago(Duration),
}

impl When {
    fn from_str(text: &str) -> Result<Self, String> {
        let ago = || Duration::parse(text).map(Self::Ago);
        let when = text.parse().ok().map(Self::At).or_else(ago);
        when.ok_or_else(|| {
            "expected a moment such as 2026-01-31T09:30:00Z, or how long ago it is, such as 2h".to_owned()
        })
    }

    fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(ago) => before(now, ago),
        }
    }
}

impl QueueRetry {
    /// Those that are meant, with their kinds.
    async fn chosen(&self, queue: &Queue) -> Result<Vec<(JobId, String)>, QueueError> {
        let now = queue.now();
        let named = self.which.iter().filter_map(|which| match which {
            Which::All => None,
            Which::One(id) => Some(*id),
        });
        let named: Vec<_> = named.collect();
        if !named.is_empty() {
            return Ok(self.matching(queue.find_failed(&named).await?, now).collect());
        }
        let mut chosen = Vec::new();
        for ids in queue.failed_keys().await?.chunks(AT_ONCE) {
            chosen.extend(self.matching(queue.failed_among(ids).await?, now));
        }
        Ok(chosen)
    }

    fn matching(&self, mut jobs: Vec<FailedJob>, now: Timestamp) -> impl Iterator<Item = (JobId, String)> {
        let range = self.range.as_deref().unwrap_or_default();
        let from = self.after.or(range.first().copied()).map(|when| when.moment(now));
        let to = self.before.or(range.get(1).copied()).map(|when| when.moment(now));
        jobs.retain(|job| {
            self.kind.as_ref().is_none_or(|kind| job.message.kind == **kind)
                && self.queue.as_ref().is_none_or(|queue| job.message.queue == *queue)
                && from.is_none_or(|from| job.failed_at >= from)
                && to.is_none_or(|to| job.failed_at < to)
        });
        jobs.into_iter().map(|job| (job.message.id, job.message.kind.into_owned()))
    }
}

impl Command for QueueRetry {
    const NAME: &'static str = "queue:retry";
    const ABOUT: &'static str = "Have failed jobs tried again, as if they never had been";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let mixed = self.which.len() > 1 && self.which.contains(&Which::All);
        ensure!(!mixed, "`all` stands by itself");
        warn_of_memory(console, &queue);
        let jobs = self.chosen(&queue).await?;
        let ids: Vec<_> = jobs.iter().map(|(id, _)| *id).collect();
        let mut left = HashSet::new();
        for ids in ids.chunks(AT_ONCE) {
            let retried = queue.retry(ids).await?;
            if retried < u64::try_from(ids.len()).unwrap_or(u64::MAX) {
                left.extend(queue.failed_among(ids).await?.into_iter().map(|job| job.message.id));
            }
        }
        let change = |(id, kind)| JobChange {
            id,
            kind,
            change: if left.contains(&id) { "left: its unique key is taken" } else { "ready again" },
        };
        let lines: Vec<_> = jobs.into_iter().map(change).collect();
        Ok(console.rows(&JOB_CHANGES, &lines)?)
    }
}

crate::command!(QueueRetry);
