use std::{collections::HashSet, sync::Arc};

use super::{
    Schedule, ScheduleStore, Task, TaskInfo, TaskKind,
    calendar::Calendar,
    entry::Entry,
    task::{Action, Work},
    words::words,
};
use crate::{
    console::{Registry, parse_words},
    container::{GraphFault, Root},
    support::{Timestamp, Zone},
};

/// The longest name of a task: what a key has room for on every backend.
const LONGEST_NAME: usize = 255;

/// From when on a task has to be due at some time. Expressions have no years, so any moment will do.
const SOME_TIME: i64 = 1_767_225_600;

/// What would run the schedule inside the schedule.
const SCHEDULERS: [&str; 3] = ["schedule:run", "schedule:test", "schedule:work"];

/// The tasks of an application, as it runs them.
#[derive(Default)]
pub struct Tasks {
    pub(super) entries: Vec<Arc<Entry>>,
    roots: Vec<Root>,
    faults: Vec<GraphFault>,
}

impl Tasks {
    /// What these functions schedule. Commands are those of `registry`, and times are meant in `zone` unless a task says
    /// otherwise.
    pub fn collect<Fill: FnOnce(&mut Schedule)>(
        fills: impl IntoIterator<Item = Fill>,
        registry: &Registry,
        zone: Zone,
    ) -> Self {
        let mut schedule = Schedule::default();
        for fill in fills {
            fill(&mut schedule);
        }
        let mut tasks = Self::default();
        let mut names = HashSet::new();
        for task in schedule.tasks {
            if !names.insert(task.name.clone()) {
                let name = &task.name;
                tasks.faults.push(GraphFault::DuplicateName(format!(
                    "two scheduled tasks are called `{name}`: give one another name by `.name(..)`"
                )));
            }
            tasks.add(task, registry, zone);
        }
        tasks
    }

    fn add(&mut self, task: Task, registry: &Registry, zone: Zone) {
        let Task { name, work, fields, zone: own_zone, windows, mut faults, dependencies, terms } = task;
        self.roots.push(Root { kind: "scheduled task", name: name.clone(), dependencies });
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            faults.push(format!("its name is to have 1 to {LONGEST_NAME} characters: give it one by `.name(..)`"));
        }
        let zone = own_zone.map_or(Ok(zone), |name| name.parse()).map_err(|error| error.to_string());
        // What was wrong with its times would be told twice.
        let expression = match fields.expression() {
            _ if !faults.is_empty() => None,
            Some(expression) => Some(expression),
            None => {
                faults.push(
                    "it is due at no time: say when, by `.daily()`, `.every_five_minutes()` or `.cron(..)`".to_owned(),
                );
                None
            }
        };
        let timed = expression.map(|expression| {
            let calendar = Calendar::new(&expression, *zone.as_ref().unwrap_or(&Zone::UTC), windows.clone())?;
            match calendar.next(Timestamp::from_unix(SOME_TIME)) {
                Some(_) => Ok((expression, calendar)),
                None => Err(format!("it is never due: no day and time is in `{expression}` and in the hours allowed")),
            }
        });
        let (kind, action) = match work {
            Work::Command(line) => (TaskKind::Command, command(&line, registry)),
            Work::Call(action) => (TaskKind::Call, Ok(action)),
            Work::Job(action) => (TaskKind::Job, Ok(action)),
            Work::Task(action) => (TaskKind::Task, Ok(action)),
        };
        match (timed, action, zone) {
            (Some(Ok((expression, calendar))), Ok(action), Ok(_)) if faults.is_empty() => {
                self.entries.push(Arc::new(Entry { name, kind, expression, calendar, windows, terms, action }));
            }
            (timed, action, zone) => {
                faults.extend(timed.and_then(Result::err).into_iter().chain(action.err()).chain(zone.err()));
                let fault = |reason| GraphFault::Task { task: name.clone(), reason };
                self.faults.extend(faults.into_iter().map(fault));
            }
        }
    }

    /// All that is wrong with them.
    pub fn faults(&self) -> Vec<GraphFault> {
        self.faults.clone()
    }

    /// A fault for each task that is to run on one server, where this store cannot say of other servers what they run.
    pub fn unshared(&self, store: &ScheduleStore) -> Vec<GraphFault> {
        let fenced = self.entries.iter().filter(|entry| entry.terms.is_fenced && !store.is_shared());
        let reason = "it is to run on one server, but this process alone knows what it has run: give the application a database, \
                      or a cache that processes share (CACHE_STORE)";
        fenced.map(|entry| GraphFault::Task { task: entry.name.clone(), reason: reason.to_owned() }).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.roots.iter().cloned()
    }

    /// What `schedule:list` shows of each, in the order in which they were written.
    pub fn list(&self, now: Timestamp) -> Vec<TaskInfo> {
        self.entries.iter().map(|entry| entry.info(now)).collect()
    }

    /// The task of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// What runs a command.
fn command(line: &str, registry: &Registry) -> Result<Action, String> {
    let words = words(line).map_err(|why| format!("`{line}` is no command line: {why}"))?;
    let parsed = parse_words(registry, words).map_err(|error| error.to_string())?;
    if SCHEDULERS.contains(&parsed.name()) {
        return Err(format!("`{}` would run the schedule inside the schedule", parsed.name()));
    }
    let parsed = Arc::new(parsed);
    Ok(Arc::new(move |app, console| {
        let parsed = Arc::clone(&parsed);
        Box::pin(async move { parsed.run(Some(app), console).await.map_err(Into::into) })
    }))
}
