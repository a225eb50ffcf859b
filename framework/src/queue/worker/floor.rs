use std::{
    collections::{BTreeMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{WhyEnded, WorkerReport};
use crate::{
    container::{Ambient, Container, Scope, enter},
    queue::{
        AttemptStats, Claimed, JobFailed, Jobs, Outcome, Queue, Settled, Settlement, WorkerStatus, attempt,
        run::{Host, JobRun},
    },
    support::Timestamp,
};

/// A job that has taken so many workers with it runs alone from then on, and with nothing else claimed, so that the next death is
/// nobody else's.
const SUSPECT: u32 = 2;

/// For how long a worker claims nothing else, for what it has to end before such a job begins; and for how long it leaves it to
/// others where that does not.
const SUSPENSE: Duration = Duration::from_secs(5);
const LEFT_TO_OTHERS: Duration = Duration::from_secs(15);

/// What becomes of a job that was claimed and not begun.
const GO_BACK: Outcome = Outcome::Release { due: None, payload: None };

/// How many kinds, and how many queues, are told apart in what a worker says of itself.
const MOST_TOLD_APART: usize = 1000;

/// How long to wait for another attempt at a job whose attempt ended in a way that none ought to.
const AFTER_A_PANIC: Duration = Duration::from_secs(5);

/// Where the jobs of a worker run: those that wait here, and the ends that wait to be told.
pub(super) struct Floor {
    host: Arc<Host>,
    jobs: Arc<Jobs>,
    container: Container,
    state: Mutex<State>,
    // There is something for the worker to do: an end, or room.
    pub(super) news: Notify,
    ended: watch::Sender<Option<WhyEnded>>,
}

#[derive(Default)]
struct State {
    buffer: VecDeque<Claimed>,
    running: usize,
    // One that is to run alone, and since when it waits for that.
    suspect: Option<(Claimed, Instant)>,
    // There is nothing beside it, and the queue knows.
    cleared: bool,
    // It runs.
    alone: bool,
    // When there is less, more is to be claimed.
    low: usize,
    ends: Ends,
    since: Option<Instant>,
    // Ends that the queue takes in no form, which it is told again now and then.
    refused: Ends,
    // How many have begun.
    begun: u64,
    report: WorkerReport,
    kinds: BTreeMap<String, AttemptStats>,
    by_queue: BTreeMap<String, AttemptStats>,
    // Until when this worker is believed to be alive.
    lease: Option<Instant>,
}

/// Ends that the queue is told, and whose they are.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) settlements: Vec<Settlement>,
    runs: Vec<JobRun>,
}

impl Ends {
    fn push(&mut self, run: JobRun, outcome: Outcome) {
        self.settlements.push(run.claimed().end(outcome));
        self.runs.push(run);
    }

    pub(super) fn append(&mut self, mut others: Self) {
        self.settlements.append(&mut others.settlements);
        self.runs.append(&mut others.runs);
    }

    pub(super) fn len(&self) -> usize {
        self.settlements.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settlements.is_empty()
    }

    /// Each by itself.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        let ends = self.settlements.into_iter().zip(self.runs);
        ends.map(|(settlement, run)| Self { settlements: vec![settlement], runs: vec![run] })
    }

    /// The same claims, of jobs that have failed for this reason.
    pub(super) fn failed(&self, error: &str, at: Timestamp) -> Self {
        let mut failed = Self::default();
        self.runs.iter().for_each(|run| failed.push(run.clone(), Outcome::Fail { error: error.to_owned(), at }));
        failed
    }
}

/// What there is on the floor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) waiting: usize,
    pub(super) running: usize,
    pub(super) ends: usize,
    /// How many of them the queue takes in no form.
    pub(super) refused: usize,
    /// How many jobs have begun here.
    pub(super) begun: u64,
    /// Whether one of them runs, or waits to run, with nothing beside it.
    pub(super) alone: bool,
    /// Since when the oldest end waits.
    pub(super) since: Option<Instant>,
}

impl Floor {
    pub(super) fn new(queue: Queue, stop: watch::Receiver<bool>, jobs: Arc<Jobs>, container: Container) -> Self {
        Self {
            host: Arc::new(Host::new(queue, stop)),
            jobs,
            container,
            state: Mutex::default(),
            news: Notify::new(),
            ended: watch::Sender::new(None),
        }
    }

    /// The worker is to end.
    pub(super) fn end(&self, why: WhyEnded) {
        self.ended.send_if_modified(|ended| ended.replace(why).is_none());
    }

    /// Whether it is to end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Why it is to end, once it is.
    pub(super) async fn ended(&self) -> WhyEnded {
        let mut ended = self.ended.subscribe();
        let why = ended.wait_for(Option::is_some).await.ok().and_then(|why| *why);
        why.unwrap_or(WhyEnded::Stopped)
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state.lock();
        let alone = state.alone || state.suspect.is_some();
        let waiting = state.buffer.len() + usize::from(state.suspect.is_some());
        let State { running, begun, since, .. } = *state;
        Load { waiting, running, ends: state.ends.len(), refused: state.refused.len(), begun, alone, since }
    }

    /// Adds what was claimed; more is wanted when less than `low` is left of it. How many could begin.
    pub(super) fn add(&self, claimed: Vec<Claimed>, low: usize) -> usize {
        let mut state = self.state.lock();
        for claimed in claimed {
            match (claimed.crashes >= SUSPECT, &state.suspect) {
                (true, None) if !state.alone => state.suspect = Some((claimed, Instant::now())),
                // One after the other.
                (true, _) => self.go_back(&mut state, claimed),
                (false, _) => state.buffer.push_back(claimed),
            }
        }
        state.low = low;
        if state.alone { 0 } else { state.buffer.len() + usize::from(state.cleared) }
    }

    /// What was claimed goes back, and was not begun.
    fn go_back(&self, state: &mut State, claimed: Claimed) {
        let run = JobRun::new(claimed, Arc::clone(&self.host));
        self.put(state, Some((run, GO_BACK)));
    }

    fn leave_to_others(&self, state: &mut State, claimed: Claimed) {
        let due = Some(self.host.queue().now().plus(LEFT_TO_OTHERS));
        let run = JobRun::new(claimed, Arc::clone(&self.host));
        self.put(state, Some((run, Outcome::Release { due, payload: None })));
    }

    /// Makes way for one that is to run alone, where one waits for that: it begins once there is nothing else here any more and the
    /// queue was told. Where that takes too long, it is left to others. Called while nothing is being told. Until when it waits.
    pub(super) fn make_way(&self) -> Option<Instant> {
        let mut state = self.state.lock();
        let since = state.suspect.as_ref().map(|(_, since)| *since)?;
        state.cleared = state.running + state.buffer.len() + state.ends.len() + state.refused.len() == 0;
        if !state.cleared
            && since.elapsed() >= SUSPENSE
            && let Some((suspect, _)) = state.suspect.take()
        {
            self.leave_to_others(&mut state, suspect);
            return None;
        }
        Some(since + SUSPENSE)
    }

    /// Gives back all that waits here but the first so many.
    pub(super) fn keep(&self, most: usize) {
        let mut state = self.state.lock();
        while state.buffer.len() > most {
            let Some(claimed) = state.buffer.pop_back() else { return };
            self.go_back(&mut state, claimed);
        }
    }

    /// The worker is believed to be alive until then.
    pub(super) fn lives_until(&self, lease: Instant) {
        self.state.lock().lease = Some(lease);
    }

    /// Whether the worker is believed to be alive, so that what it claims is its own.
    pub(super) fn is_alive(&self) -> bool {
        self.state.lock().lease.is_some_and(|lease| lease > Instant::now())
    }

    /// Gives back all that waits here.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        let suspect = state.suspect.take().map(|(suspect, _)| suspect);
        let waiting = std::mem::take(&mut state.buffer);
        suspect.into_iter().chain(waiting).for_each(|claimed| self.go_back(&mut state, claimed));
    }

    fn next(&self) -> Option<Claimed> {
        let mut state = self.state.lock();
        if state.alone {
            return None;
        }
        let claimed = match std::mem::take(&mut state.cleared).then(|| state.suspect.take()).flatten() {
            Some((suspect, _)) => {
                state.alone = true;
                suspect
            }
            None => state.buffer.pop_front()?,
        };
        state.running += 1;
        state.begun += 1;
        if state.buffer.len() == state.low {
            self.news.notify_one();
        }
        Some(claimed)
    }

    /// Runs jobs one after the other until none is left, and shows in `slot` which.
    pub(super) async fn lane(self: Arc<Self>, slot: Arc<Mutex<Option<JobRun>>>) {
        while let Some(claimed) = self.next() {
            let run = JobRun::new(claimed, Arc::clone(&self.host));
            *slot.lock() = Some(run.clone());
            let (began, waited) = (Instant::now(), run.waited());
            let app = self.container.with_scope(Arc::new(Scope::new()));
            let attempt = attempt::run(&run, self.host.queue(), &self.jobs, &app);
            let outcome = AssertUnwindSafe(enter(Ambient::new(app.clone()), attempt)).catch_unwind().await;
            // Whoever ends a worker takes what is in the slot for what still runs.
            if slot.lock().take().is_some() {
                let outcome = outcome.unwrap_or_else(|_| {
                    let due = self.host.queue().now().plus(AFTER_A_PANIC);
                    Outcome::Retry { due, payload: None }
                });
                self.note(run, outcome, began.elapsed(), waited);
            }
            // Jobs that never wait would keep the thread from all others.
            tokio::task::coop::consume_budget().await;
        }
    }

    fn note(&self, run: JobRun, outcome: Outcome, took: Duration, waited: Option<Duration>) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.running -= 1;
        state.alone = false;
        let message = &run.claimed().message;
        for (all, name) in [(&mut state.kinds, &*message.kind), (&mut state.by_queue, &*message.queue)] {
            if let Some(stats) = all.get_mut(name) {
                stats.add(&outcome, took, waited);
            } else if all.len() < MOST_TOLD_APART {
                all.entry(name.to_owned()).or_default().add(&outcome, took, waited);
            }
        }
        // What has settled itself is not told.
        let end = (!run.is_settled()).then_some((run, outcome));
        self.put(state, end);
    }

    /// Puts down an end, or that there is none to tell.
    fn put(&self, state: &mut State, end: Option<(JobRun, Outcome)>) {
        match end {
            Some((run, outcome)) => state.ends.push(run, outcome),
            None => state.report.done += 1,
        }
        let idle = state.running == 0 && state.buffer.is_empty();
        if state.since.is_none() || idle || state.ends.len() == super::work::MOST_AT_ONCE {
            state.since.get_or_insert_with(Instant::now);
            self.news.notify_one();
        }
    }

    /// A job goes back that was not run to its end.
    pub(super) fn give_back(&self, run: JobRun) {
        let mut state = self.state.lock();
        state.running -= 1;
        state.alone = false;
        let payload = run.last_checkpoint();
        self.put(&mut state, Some((run, Outcome::Release { due: None, payload })));
    }

    /// The ends that wait to be told.
    pub(super) fn take_ends(&self) -> Ends {
        let mut state = self.state.lock();
        state.since = None;
        std::mem::take(&mut state.ends)
    }

    /// Ends that could not be told wait on, with those that came since.
    pub(super) fn put_back(&self, mut ends: Ends) {
        if ends.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        ends.append(std::mem::take(&mut state.ends));
        state.ends = ends;
        state.since = Some(Instant::now());
    }

    /// Ends that the queue takes in no form hold nothing else up.
    pub(super) fn set_aside(&self, ends: Ends) {
        self.state.lock().refused.append(ends);
    }

    /// So much of what was set aside, the oldest first, to be told once more.
    pub(super) fn take_refused(&self, most: usize) -> Ends {
        let refused = &mut self.state.lock().refused;
        let some = most.min(refused.len());
        Ends { settlements: refused.settlements.drain(..some).collect(), runs: refused.runs.drain(..some).collect() }
    }

    /// Counts what became of ends, and tells of those that have failed for good.
    pub(super) fn settled(&self, ends: &Ends, settled: &[Settled]) {
        let mut failed = Vec::new();
        let mut state = self.state.lock();
        for ((end, run), settled) in ends.settlements.iter().zip(&ends.runs).zip(settled) {
            let report = &mut state.report;
            let count = match (settled, &end.outcome) {
                (Settled::Stale, _) => {
                    tracing::warn!(job = %end.id, "a job had been given to another worker when it ended here");
                    &mut report.stale
                }
                (Settled::Done, Outcome::Done { .. }) => &mut report.done,
                (Settled::Done, Outcome::Cancel) => &mut report.cancelled,
                (Settled::Done, Outcome::Retry { .. }) => &mut report.retried,
                (Settled::Done, Outcome::Release { .. }) => &mut report.released,
                (Settled::Done, Outcome::Fail { error, .. }) => {
                    if !run.is_carried() {
                        failed.push(JobFailed::of(run.claimed(), error));
                    }
                    &mut report.failed
                }
            };
            *count += 1;
        }
        drop(state);
        failed.into_iter().for_each(|failed| failed.raise(&self.container));
    }

    pub(super) fn report(&self) -> WorkerReport {
        WorkerReport { ended: *self.ended.borrow(), ..self.state.lock().report }
    }

    /// What the worker says of itself.
    pub(super) fn status(&self, about: &WorkerStatus) -> WorkerStatus {
        let state = self.state.lock();
        let State { running, report, kinds, by_queue, .. } = &*state;
        WorkerStatus {
            running: *running,
            report: *report,
            kinds: kinds.clone(),
            by_queue: by_queue.clone(),
            ..about.clone()
        }
    }
}
