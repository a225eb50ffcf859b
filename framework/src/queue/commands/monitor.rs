use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    as_variable,
    depths::{QUEUES, QueueLine, queues},
    warn_of_memory,
};
use crate::{
    console::{Command, Console, Stops},
    queue::{Queue, QueueError, WorkerReport},
};

/// `queue:monitor`
#[derive(clap::Args)]
struct QueueMonitor {
    /// How often to look, on a terminal
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = as_variable::<Duration>)]
    interval: Duration,
}

/// What there is at one moment.
#[derive(Debug, Serialize)]
struct Look {
    queues: Vec<QueueLine>,
    workers: usize,
    /// How many jobs they run, and how many they could.
    running: usize,
    concurrency: usize,
    /// How many attempts ended in a second since the last look; `None` for the first.
    jobs_per_second: Option<f64>,
}

/// What was seen at the last look.
#[derive(Default)]
struct Watch(Option<(Instant, HashMap<Uuid, u64>)>);

impl Watch {
    async fn look(&mut self, queue: &Queue) -> Result<Look, QueueError> {
        let workers = queue.workers().await?;
        let ended = workers.iter().map(|(id, status)| (*id, ended(&status.report))).collect();
        let of =
            |count: fn(&crate::queue::WorkerStatus) -> usize| workers.iter().map(|(_, status)| count(status)).sum();
        Ok(Look {
            queues: queues(queue, workers.iter().map(|(_, status)| status)).await?,
            workers: workers.len(),
            running: of(|status| status.running),
            concurrency: of(|status| status.concurrency),
            jobs_per_second: self.pace(ended, Instant::now()),
        })
    }

    /// How many ended in a second since the last look, of the workers that were there then. What they do is known as often as they
    /// say so, which may be less often.
    fn pace(&mut self, ended: HashMap<Uuid, u64>, now: Instant) -> Option<f64> {
        let Some((then, before)) = &self.0 else {
            self.0 = Some((now, ended));
            return None;
        };
        let since = |(id, ended): (&Uuid, &u64)| Some(ended.saturating_sub(*before.get(id)?));
        let count: u64 = ended.iter().filter_map(since).sum();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let pace = count as f64 / (now - *then).as_secs_f64();
        self.0 = Some((now, ended));
        Some(pace)
    }
}

/// How many attempts a worker has come to the end of.
fn ended(report: &WorkerReport) -> u64 {
    report.done + report.retried + report.failed
}

fn show(console: &mut Console, look: &Look) -> anyhow::Result<()> {
    if console.is_json() {
        return Ok(console.value(look)?);
    }
    console.rows(&QUEUES, &look.queues)?;
    let pace = look.jobs_per_second.map_or(String::new(), |pace| format!("; {pace:.0} jobs/s"));
    console.line(format!("\n{} worker(s), {} of {} jobs at once{pace}", look.workers, look.running, look.concurrency));
    Ok(())
}

impl Command for QueueMonitor {
    const NAME: &'static str = "queue:monitor";
    const ABOUT: &'static str = "Watch the queues on a terminal; else show them once";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let mut watch = Watch::default();
        if !console.is_live() {
            return show(console, &watch.look(&queue).await?);
        }
        let stops = Stops::on_signals()?;
        loop {
            let look = tokio::select! {
                biased;
                () = stops.asked(1) => return Ok(()),
                look = watch.look(&queue) => look?,
            };
            console.redraw();
            show(console, &look)?;
            tokio::select! {
                () = stops.asked(1) => return Ok(()),
                () = tokio::time::sleep(self.interval) => {}
            }
        }
    }
}

crate::command!(QueueMonitor);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_workers_that_were_there_before() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        assert_eq!(watch.pace([(a, 100), (b, 7)].into(), now), None);
        let later = now + Duration::from_secs(2);
        assert_eq!(watch.pace([(a, 150), (c, 1000)].into(), later), Some(25.0));
        assert_eq!(watch.pace([(a, 10), (c, 1010)].into(), later + Duration::from_secs(1)), Some(10.0));
    }
}
