use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use uuid::Uuid;

use super::{
    FenceError, Missed, Ran, ScheduleError, ScheduleStore, Tasks, WorkReport,
    crew::{Crew, Ended, Phase},
    entry::Entry,
    fence::KEPT,
    run::{Run, asked},
    timeline::{Due, Owed, Timeline},
};
use crate::{
    config::{AppConfig, Environment, ScheduleConfig},
    console::{Console, Stops},
    container::Container,
    support::{Clock, Timestamp},
};

const MINUTE: i64 = 60;

/// Runs tasks when they are due. An application has one, which `schedule:work` and `schedule:run` use.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{
///     cache::Cache, config::{AppConfig, ScheduleConfig}, console::{Registry, Stops}, container::ContainerBuilder,
///     schedule::{CacheFence, Outcome, Schedule, ScheduleStore, Scheduler, Tasks}, support::{Env, SystemClock, Zone},
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let fill = |schedule: &mut Schedule| {
///     schedule.call("greet", async || println!("good day")).every_minute().on_one_server();
/// };
/// let tasks = Arc::new(Tasks::collect([fill], &Registry::default(), Zone::UTC));
/// let cache = Cache::memory("default", 1 << 20);
/// let store = Arc::new(ScheduleStore::new(Arc::new(CacheFence::new(cache.clone())), cache));
/// let env = Env::default();
/// let (config, schedule) = (AppConfig::from_env(&env), ScheduleConfig::from_env(&env));
/// let scheduler = Arc::new(Scheduler::new(tasks, store, Arc::new(SystemClock), &config, &schedule));
/// let ran = scheduler.run(&ContainerBuilder::new().freeze()?, Stops::never()).await;
/// assert_eq!(ran[0].outcome, Outcome::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scheduler {
    tasks: Arc<Tasks>,
    store: Arc<ScheduleStore>,
    clock: Arc<dyn Clock>,
    environment: Environment,
    grace: Duration,
}

impl Scheduler {
    /// A scheduler of these tasks. All over one store run each task once that is to run on one server.
    pub fn new(
        tasks: Arc<Tasks>,
        store: Arc<ScheduleStore>,
        clock: Arc<dyn Clock>,
        app: &AppConfig,
        config: &ScheduleConfig,
    ) -> Self {
        Self { tasks, store, clock, environment: app.env, grace: config.grace }
    }

    /// The tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Runs what becomes due, until it is to stop; then lets go on what runs, for [`ScheduleConfig::grace`] at most.
    pub async fn work(self: &Arc<Self>, app: &Container, stops: Stops) -> WorkReport {
        let (mut crew, mut report) = (Crew::new(), WorkReport::default());
        let began = self.clock.now();
        let mut timeline = Timeline::begin(&self.tasks.entries, began);
        for entry in self.tasks.entries.iter().filter(|entry| entry.terms.missed != Missed::Skip) {
            let owed = Owed { entry: Arc::clone(entry), since: began, claim: None };
            let held = timeline.hold(entry);
            crew.begin(holding(held, self.runs(app, &crew).made_up(owed, began)));
        }
        loop {
            let now = self.clock.now();
            for due in timeline.turn(now) {
                let runs = self.runs(app, &crew);
                match due {
                    Due::Now(entry, dues) if dues.len() > 1 => {
                        let held = timeline.hold(&entry);
                        crew.begin(holding(held, runs.all(entry, dues, None)));
                    }
                    Due::Now(entry, dues) => crew.begin(runs.all(entry, dues, None)),
                    Due::Again(owed) => {
                        let held = timeline.hold(&owed.entry);
                        crew.begin(holding(held, runs.made_up(owed, now)));
                    }
                }
            }
            tokio::select! {
                biased;
                () = stops.asked(1) => break,
                Some(Ended { ran, owed, held }) = crew.next() => {
                    ran.iter().for_each(|ran| report.count(ran));
                    if let Some(owed) = owed {
                        timeline.owe(owed);
                    }
                    drop(held);
                }
                () = sleep(timeline.wait(now)) => {}
            }
        }
        crew.finish(self.grace, &stops).await.iter().for_each(|ran| report.count(ran));
        report
    }

    /// Runs what is due in this minute, each task once, and what is to be made up for. What was done, in the order of the tasks.
    pub async fn run(self: &Arc<Self>, app: &Container, stops: Stops) -> Vec<Ran> {
        let mut crew = Crew::new();
        let now = self.clock.now().utc().timestamp();
        let (minute, next) = (now - now.rem_euclid(MINUTE), now - now.rem_euclid(MINUTE) + MINUTE);
        // The last moment before it.
        let before = Timestamp::from_unix(minute - 1);
        for entry in &self.tasks.entries {
            let due = entry.calendar.next(before).filter(|due| *due < Timestamp::from_unix(next));
            let makes_up = entry.terms.missed != Missed::Skip;
            if due.is_none() && !makes_up {
                continue;
            }
            let (entry, runs) = (Arc::clone(entry), self.runs(app, &crew));
            crew.begin(async move {
                let missed = if makes_up { runs.missed(&entry, before, before).await } else { Ok(Vec::new()) };
                match missed {
                    // It makes up for the others.
                    Ok(_) if entry.terms.missed == Missed::Once && due.is_some() => {
                        runs.all(entry, due.into_iter().collect(), None).await
                    }
                    Ok(missed) => runs.all(entry, missed.into_iter().chain(due).collect(), None).await,
                    // Else what was missed would be taken to have been seen to.
                    Err(error) => runs.none(entry, due, error).await,
                }
            });
        }
        let mut all = Vec::new();
        loop {
            tokio::select! {
                biased;
                ended = crew.next() => match ended {
                    Some(ended) => all.extend(ended.ran),
                    None => break,
                },
                () = stops.asked(1) => {
                    all.extend(crew.finish(self.grace, &stops).await);
                    break;
                }
            }
        }
        let place = |ran: &Ran| self.tasks.entries.iter().position(|entry| entry.name == ran.task);
        all.sort_by_key(|ran| (place(ran), ran.due));
        all
    }

    /// Runs one task now, whatever time it is and whatever its conditions are, but not while it runs already. A command prints to
    /// this console.
    ///
    /// # Errors
    /// [`ScheduleError::Unknown`].
    pub async fn run_now(&self, name: &str, app: &Container, console: &mut Console) -> Result<Ran, ScheduleError> {
        let entry = self.tasks.find(name).ok_or_else(|| ScheduleError::unknown(name, &self.tasks))?;
        let crew = Crew::new();
        let run = Run {
            entry: Arc::clone(entry),
            due: self.clock.now(),
            store: Arc::clone(&self.store),
            environment: self.environment,
            phase: crew.phase(),
            by: Uuid::new_v4(),
        };
        Ok(run.now(app, console).await)
    }

    fn runs(&self, app: &Container, crew: &Crew) -> Runs {
        Runs { app: app.clone(), store: Arc::clone(&self.store), environment: self.environment, phase: crew.phase() }
    }
}

/// Keeps a task where it stands while these runs are under way, however they end.
async fn holding(held: Arc<()>, runs: impl Future<Output = Ended>) -> Ended {
    Ended { held: Some(held), ..runs.await }
}

/// What makes runs.
struct Runs {
    app: Container,
    store: Arc<ScheduleStore>,
    environment: Environment,
    phase: watch::Receiver<Phase>,
}

impl Runs {
    /// The runs of a task for these times, one after the other; `claim` is one of them that was made before.
    async fn all(self, entry: Arc<Entry>, dues: Vec<Timestamp>, claim: Option<(Timestamp, Uuid)>) -> Ended {
        let mut ran = Vec::new();
        for due in dues {
            if *self.phase.borrow() != Phase::Going {
                break;
            }
            let by = claim.filter(|(before, _)| *before == due).map_or_else(Uuid::new_v4, |(_, by)| by);
            let (one, is_answered) = self.run(&entry, due, by).scheduled(&self.app).await;
            ran.push(one);
            if !is_answered && entry.terms.missed != Missed::Skip {
                let since = Timestamp::from_unix(due.utc().timestamp() - 1);
                return Ended { ran, owed: Some(Owed { entry, since, claim: Some((due, by)) }), held: None };
            }
        }
        Ended { ran, ..Ended::default() }
    }

    fn run(&self, entry: &Arc<Entry>, due: Timestamp, by: Uuid) -> Run {
        let (entry, store, phase) = (Arc::clone(entry), Arc::clone(&self.store), self.phase.clone());
        Run { entry, due, store, environment: self.environment, phase, by }
    }

    /// The runs of what is owed of a task until then. Where the fence still cannot be asked, it goes on being owed.
    async fn made_up(self, owed: Owed, until: Timestamp) -> Ended {
        match self.missed(&owed.entry, owed.since, until).await {
            Ok(dues) => self.all(owed.entry, dues, owed.claim).await,
            Err(error) => {
                let task = &owed.entry.name;
                tracing::error!(task, %error, "what was missed of a task cannot be made up for yet");
                Ended { owed: Some(owed), ..Ended::default() }
            }
        }
    }

    /// What comes of a task of which it cannot be found out what was missed.
    async fn none(self, entry: Arc<Entry>, due: Option<Timestamp>, error: FenceError) -> Ended {
        let Some(due) = due else {
            tracing::error!(task = entry.name, %error, "what was missed of a task cannot be made up for yet");
            return Ended::default();
        };
        let ran = self.run(&entry, due, Uuid::new_v4()).unknown(&self.app, error).await;
        Ended { ran: vec![ran], ..Ended::default() }
    }

    /// For which times until then a task is to be run that nobody ran: those since this moment, or before it, as far as it is not
    /// known what became of them. Of those that are older than what fences keep, only what nobody can have run is.
    async fn missed(&self, entry: &Entry, since: Timestamp, until: Timestamp) -> Result<Vec<Timestamp>, FenceError> {
        let known = asked(&self.app, || self.store.fence().known_until(&entry.name, until)).await?;
        let told = since.max(until.minus(KEPT));
        let missed = entry.terms.missed;
        Ok(missed.chosen(entry.calendar.latest(missed.depth(), known.min(told), until), until))
    }
}
