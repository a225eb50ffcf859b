use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    WhyEnded, Worker, WorkerReport,
    floor::{Ends, Floor, Load},
    heartbeat::Heartbeat,
};
use crate::{
    container::{Ambient, enter},
    queue::{Driver, DriverError, Turn, WorkerStatus, run::JobRun},
};

/// How often what has become due is looked for at least, and how long to leave a driver alone that failed.
const TEND: Duration = Duration::from_secs(1);

/// How often the outbox is looked into, for what a process that is gone has left there.
const RELAY: Duration = Duration::from_secs(5);

/// How long an end waits for others to be told with it, and with how many at most; as many are claimed at most.
const GATHER: Duration = Duration::from_millis(2);
pub(super) const MOST_AT_ONCE: usize = 500;

/// How many ends that the queue takes in no form are told once more each time: nothing else is told meanwhile. With so many of them a
/// worker claims nothing more: it is the queue that does not work.
const RETOLD: usize = 10;
const MOST_REFUSED: usize = 1000;

/// For how long a worker has jobs waiting here at least, and at most: for two turns of its driver, so that no lane waits for one, and
/// no longer, since others could run them.
const AHEAD: Duration = Duration::from_millis(10);
const FAR_AHEAD: Duration = Duration::from_secs(1);

/// How often a worker that stops tries to say how its jobs ended.
const LAST_TRIES: usize = 3;

/// How long a job that is cut off has to be gone: one that never waits for anything cannot be.
const CUT_OFF: Duration = Duration::from_secs(1);

/// The name of this machine, where the system tells.
fn host_name() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned())
}

type Slot = Arc<Mutex<Option<JobRun>>>;

/// A worker at work.
pub(super) struct Work {
    worker: Worker,
    floor: Arc<Floor>,
    stopping: watch::Sender<bool>,
    lanes: JoinSet<()>,
    slots: Vec<(AbortHandle, Slot)>,
    began: Instant,
    pace: Pace,
    // Nothing is asked of the driver before that, since it failed.
    resting: Option<Instant>,
}

/// How many jobs end in a second, of late.
struct Pace {
    ends: f64,
    at: Instant,
    per_second: f64,
    // How long a turn takes, of late.
    turn: Duration,
}

impl Pace {
    fn note(&mut self, ends: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let ends = ends as f64;
        self.ends += ends;
        let past = self.at.elapsed().as_secs_f64();
        // Over a time long enough to tell.
        if past >= AHEAD.as_secs_f64() / 2.0 {
            self.per_second = (self.per_second + self.ends / past) / 2.0;
            (self.ends, self.at) = (0.0, Instant::now());
        }
    }

    /// A turn took so long.
    fn took(&mut self, turn: Duration) {
        self.turn = (self.turn * 3 + turn) / 4;
    }

    /// How many may be expected to end in such a time. Where none has ended for long, it is no longer what it was.
    fn within(&self, time: Duration) -> usize {
        let horizon = self.horizon();
        let silent = self.at.elapsed().max(horizon).as_secs_f64();
        let per_second = self.per_second.min((self.ends + self.per_second * horizon.as_secs_f64() + 1.0) / silent);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, from 0")]
        let within = (per_second * time.as_secs_f64()) as usize;
        within
    }

    fn horizon(&self) -> Duration {
        (self.turn * 2).clamp(AHEAD, FAR_AHEAD)
    }

    fn ahead(&self) -> usize {
        self.within(self.horizon())
    }
}

impl Work {
    pub(super) fn new(worker: Worker) -> Self {
        let (stopping, stop) = watch::channel(false);
        let (queue, jobs, container) = (worker.queue.clone(), Arc::clone(&worker.jobs), worker.container.clone());
        let now = Instant::now();
        Self {
            floor: Arc::new(Floor::new(queue, stop, jobs, container)),
            worker,
            stopping,
            lanes: JoinSet::new(),
            slots: Vec::new(),
            began: now,
            pace: Pace { ends: 0.0, at: now, per_second: 0.0, turn: Duration::ZERO },
            resting: None,
        }
    }

    pub(super) async fn run(
        mut self,
        stop: impl Future<Output = ()>,
        at_once: impl Future<Output = ()>,
    ) -> WorkerReport {
        let worker = &self.worker;
        let about = WorkerStatus {
            process: std::process::id(),
            host: host_name().unwrap_or_default(),
            started_at: worker.queue.now(),
            queues: worker.queues.names().to_vec(),
            concurrency: worker.concurrency,
            running: 0,
            report: WorkerReport::default(),
            kinds: BTreeMap::new(),
            by_queue: BTreeMap::new(),
        };
        let floor = Arc::clone(&self.floor);
        let heartbeat =
            Heartbeat::start(worker.id, worker.queue.clone(), Arc::clone(&floor), about, worker.limits).await;
        {
            let stop = async {
                stop.await;
                floor.end(WhyEnded::Stopped);
            };
            // A turn is never cut off half-way: what it has told, or claimed, would not be known.
            tokio::select! {
                biased;
                () = async { stop.await; std::future::pending().await } => {}
                () = self.work() => {}
            }
        }
        let _ = self.stopping.send(true);
        self.finish(at_once).await;
        heartbeat.end().await;
        self.floor.report()
    }

    fn driver(&self) -> &dyn Driver {
        &**self.worker.queue.driver()
    }

    async fn work(&mut self) {
        let (mut tend, mut relay) = (Instant::now(), Instant::now());
        // Whether there may be more than was claimed last.
        let mut more = true;
        while !self.floor.has_ended() {
            let now = Instant::now();
            if tend <= now {
                tend = now + self.tend().await;
                more = true;
                // Others could run what will not have its turn here by the next time.
                self.floor.keep(self.pace.within(TEND));
                let refused = self.floor.take_refused(RETOLD);
                self.tell_each(refused, false).await;
            }
            if relay <= now {
                relay = now + RELAY;
                match self.worker.queue.relay().await {
                    // There may be more.
                    Ok(Some(1..)) => relay = now,
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "the outbox could not be relayed"),
                }
            }
            let way = self.floor.make_way();
            self.collect();
            let load = self.floor.load();
            if self.worker.limits.time.is_some_and(|most| self.began.elapsed() >= most) {
                return self.floor.end(WhyEnded::Time);
            }
            let tell = load.ends >= MOST_AT_ONCE
                || load.since.is_some_and(|since| since + GATHER <= now || load.running + load.waiting == 0);
            // With what is told goes a claim, for the round trip is made: what follows a job may be there by then.
            let most = if more || tell { self.room(load) } else { 0 };
            if self.resting.is_none_or(|until| until <= now) && (most > 0 || tell) {
                more = self.turn(most).await.unwrap_or(more);
                continue;
            }
            if self.is_over(load, more) {
                return;
            }
            let waits = !more && self.room(load) > 0;
            let due = load.since.map(|since| since + GATHER).filter(|_| self.resting.is_none());
            let wake = [due, self.resting, way, Some(tend), Some(relay)].into_iter().flatten().min().unwrap_or(tend);
            let floor = Arc::clone(&self.floor);
            tokio::select! {
                biased;
                _ = floor.ended() => {}
                () = floor.news.notified() => {}
                Some(_) = self.lanes.join_next(), if !self.lanes.is_empty() => {}
                () = self.worker.queue.driver().wait(self.worker.queues.names(), tend - now), if waits => more = true,
                () = sleep_until(wake) => {}
            }
            if self.resting.is_some_and(|until| until <= Instant::now()) {
                self.resting = None;
            }
        }
    }

    /// Ends claims, and makes so many new ones at most; whether there may be more, where it could.
    async fn turn(&mut self, most: usize) -> Option<bool> {
        let ends = self.floor.take_ends();
        if most > 0 {
            self.worker.queues.next_turn();
        }
        let queues = self.worker.queues.names();
        let turn = Turn { worker: self.worker.id, ends: &ends.settlements, queues, most };
        let asked = Instant::now();
        match self.driver().turn(turn).await {
            Ok(turned) => {
                self.pace.took(asked.elapsed());
                self.floor.settled(&ends, &turned.settled);
                self.pace.note(ends.len());
                let claimed = turned.claimed.len();
                self.start(turned.claimed);
                (most > 0).then_some(claimed >= most)
            }
            // One of them cannot be told, and the others can.
            Err(DriverError::Refused(_)) if !ends.is_empty() => {
                self.tell_each(ends, true).await;
                None
            }
            Err(error) => {
                tracing::error!(%error, worker = %self.worker.id, "the queue could neither take ends of jobs nor give out new ones");
                // What was carried out all the same is stale when it is told again.
                self.floor.put_back(ends);
                self.resting = Some(Instant::now() + TEND);
                None
            }
        }
    }

    /// Ends one claim; why not, where it was not taken.
    async fn tell_one(&self, end: &Ends) -> Result<(), DriverError> {
        let turn = Turn { worker: self.worker.id, ends: &end.settlements, queues: &[], most: 0 };
        let turned = self.driver().turn(turn).await?;
        self.floor.settled(end, &turned.settled);
        Ok(())
    }

    /// Ends claims one by one, as far as the queue is there.
    async fn tell_each(&mut self, ends: Ends, first: bool) {
        let mut ends = ends.each();
        while let Some(end) = ends.next() {
            if !self.tell_alone(end, first).await {
                let mut rest = Ends::default();
                ends.by_ref().for_each(|end| rest.append(end));
                self.floor.put_back(rest);
                self.resting = Some(Instant::now() + TEND);
            }
        }
    }

    /// Ends one claim, the `first` time or again; whether the queue was there. Where it does not take such an end, the job has failed;
    /// where it does not take that either, it is told again later, and nothing else waits for it.
    async fn tell_alone(&self, end: Ends, first: bool) -> bool {
        let why = match self.tell_one(&end).await {
            Ok(()) => return true,
            Err(DriverError::Refused(why)) => why,
            Err(DriverError::Unavailable(_)) => {
                self.floor.put_back(end);
                return false;
            }
        };
        let failed = end.failed(&format!("the queue did not take how it ended: {why}"), self.worker.queue.now());
        let job = end.settlements.first().map(|end| tracing::field::display(end.id));
        match self.tell_one(&failed).await {
            Ok(()) => {
                tracing::error!(error = &*why, job, "the queue does not take how a job ended, which is failed now")
            }
            Err(DriverError::Unavailable(_)) => {
                self.floor.put_back(end);
                return false;
            }
            Err(DriverError::Refused(error)) => {
                if first {
                    tracing::error!(
                        error = &*error,
                        job,
                        "the queue takes neither how a job ended, nor that it has failed"
                    );
                }
                self.floor.set_aside(end);
            }
        }
        true
    }

    /// How many ends the queue was not told yet.
    fn untold(&self) -> usize {
        let load = self.floor.load();
        load.ends + load.refused
    }

    /// How many more to claim.
    fn room(&self, load: Load) -> usize {
        let Worker { concurrency, prefetch, limits, .. } = &self.worker;
        // What is claimed by one that is taken for dead is claimed by somebody else too.
        if load.alone || load.refused >= MOST_REFUSED || !self.floor.is_alive() {
            return 0;
        }
        let ahead = self.pace.ahead().min(*prefetch);
        // Not for one or two at a time while others still wait here.
        if load.waiting > ahead / 2 {
            return 0;
        }
        let room = (concurrency + ahead).saturating_sub(load.running + load.waiting);
        let left = limits.jobs.map_or(u64::MAX, |most| most.saturating_sub(load.begun));
        let left = usize::try_from(left).unwrap_or(usize::MAX).saturating_sub(load.waiting);
        room.min(MOST_AT_ONCE).min(left)
    }

    /// Whether there is nothing left to do for a worker that ends then.
    fn is_over(&self, load: Load, more: bool) -> bool {
        if load.running + load.waiting + load.ends > 0 {
            return false;
        }
        let limits = &self.worker.limits;
        let why = match limits.jobs.is_some_and(|most| load.begun >= most) {
            true => Some(WhyEnded::Jobs),
            false => (limits.when_empty && !more).then_some(WhyEnded::Empty),
        };
        if let Some(why) = why {
            self.floor.end(why);
        }
        why.is_some()
    }

    /// Adds what was claimed, and sees that it is run.
    fn start(&mut self, claimed: Vec<crate::queue::Claimed>) {
        let could = self.floor.add(claimed, self.pace.ahead().min(self.worker.prefetch) / 2);
        let lanes = could.min(self.worker.concurrency.saturating_sub(self.lanes.len()));
        for _ in 0..lanes {
            let slot = Slot::default();
            let lane = Arc::clone(&self.floor).lane(Arc::clone(&slot));
            let lane = enter(Ambient::new(self.worker.container.clone()), lane);
            self.slots.push((self.lanes.spawn(lane), slot));
        }
    }

    /// Forgets lanes that have ended, and opens new ones for what a lane has left behind.
    fn collect(&mut self) {
        while self.lanes.try_join_next().is_some() {}
        if self.slots.len() > 2 * self.lanes.len() + 16 {
            self.slots.retain(|(lane, _)| !lane.is_finished());
        }
        if self.floor.load().waiting > 0 {
            self.start(Vec::new());
        }
    }

    /// Looks for what has become due; in how long to look again.
    async fn tend(&self) -> Duration {
        match self.driver().tend(self.worker.queues.names()).await {
            Ok(tended) => tended.next.map_or(TEND, |next| next.min(TEND)),
            Err(error) => {
                tracing::error!(%error, worker = %self.worker.id, "the queue could not look for what has become due");
                TEND
            }
        }
    }

    /// Puts back what waits here, gives what runs its grace, and puts back the rest.
    async fn finish(&mut self, at_once: impl Future<Output = ()>) {
        self.floor.clear();
        let deadline = Instant::now() + self.worker.grace;
        tokio::pin!(at_once);
        while !self.lanes.is_empty() && Instant::now() < deadline {
            // Somebody else can go on with what is told.
            if self.floor.load().ends > 0 && self.resting.is_none_or(|until| until <= Instant::now()) {
                self.turn(0).await;
            }
            tokio::select! {
                biased;
                () = &mut at_once => break,
                _ = timeout_at(deadline, self.lanes.join_next()) => {}
                () = sleep_until(Instant::now() + TEND) => {}
            }
        }
        for (lane, slot) in std::mem::take(&mut self.slots) {
            lane.abort();
            let cut_off = slot.lock().take();
            if let Some(run) = cut_off {
                self.floor.give_back(run);
            }
        }
        let gone = Instant::now() + CUT_OFF;
        while let Ok(Some(_)) = timeout_at(gone, self.lanes.join_next()).await {}
        for _ in 0..LAST_TRIES {
            if self.untold() == 0 {
                return;
            }
            let refused = self.floor.take_refused(usize::MAX);
            self.floor.put_back(refused);
            self.turn(0).await;
            if self.untold() == 0 {
                return;
            }
            sleep_until(Instant::now() + TEND).await;
        }
        // Its lease runs out.
        let jobs = self.untold();
        tracing::error!(jobs, "the queue was not told how jobs ended: some of them will run again");
    }
}
