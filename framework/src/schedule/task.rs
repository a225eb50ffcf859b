use std::sync::Arc;

use chrono::NaiveTime;
use futures_util::future::{BoxFuture, FutureExt};

use super::{
    Missed, TaskFailed, TaskFn, TaskOutput,
    fields::Fields,
    function::{Call, erased},
    window::Window,
};
use crate::{
    config::Environment,
    console::Console,
    container::{Container, Dependencies, DependencyInfo, Resolver},
    events::ListenerFn,
    support::BoxError,
};

/// What a task does.
pub(super) type Action =
    Arc<dyn for<'a> Fn(&'a Container, &'a mut Console) -> BoxFuture<'a, Result<(), BoxError>> + Send + Sync>;

type OnFailure =
    Arc<dyn for<'a> Fn(&'a TaskFailed, &'a Container) -> BoxFuture<'a, Result<(), BoxError>> + Send + Sync>;

/// What is to run, as it was written down.
pub(super) enum Work {
    /// The line of a console command.
    Command(String),
    /// A function.
    Call(Action),
    /// A job that is dispatched.
    Job(Action),
    /// Anything else.
    Task(Action),
}

/// A task that is being described: when it is due, on what conditions it runs, and what is done around it. Made by the methods
/// of [`Schedule`](super::Schedule).
///
/// ```
/// use paravel::schedule::{Missed, Schedule, Weekday};
///
/// pub fn schedule(schedule: &mut Schedule) {
///     schedule.command("cache:prune").hourly().without_overlapping();
///     schedule
///         .call("report", async || println!("the week is over"))
///         .weekly_on(Weekday::Friday, "17:00")
///         .timezone("Europe/Vienna")
///         .missed(Missed::Once);
///     schedule.call("watch", async || ()).every_five_minutes().weekdays().between("8:00", "17:00");
/// }
/// # let builder = paravel::foundation::Application::builder().schedule(schedule);
/// # builder.database::<paravel::database::SqliteConn>(&[]).env(paravel::support::Env::default()).build()?;
/// # Ok::<(), paravel::foundation::StartError>(())
/// ```
pub struct Task {
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) fields: Fields,
    pub(super) zone: Option<String>,
    pub(super) windows: Vec<Window>,
    pub(super) faults: Vec<String>,
    pub(super) dependencies: Vec<DependencyInfo>,
    pub(super) terms: Terms,
}

/// On what terms a task runs, once it is due.
#[derive(Default)]
pub(super) struct Terms {
    pub(super) environments: Vec<Environment>,
    /// With what each has to answer.
    pub(super) conditions: Vec<(bool, Call<bool>)>,
    pub(super) is_alone: bool,
    pub(super) is_fenced: bool,
    pub(super) missed: Missed,
    pub(super) before: Vec<Call<()>>,
    pub(super) on_success: Vec<Call<()>>,
    pub(super) on_failure: Vec<OnFailure>,
    pub(super) after: Vec<Call<()>>,
}

impl Task {
    pub(super) fn new(name: &str, work: Work, dependencies: Vec<DependencyInfo>) -> Self {
        Self {
            name: name.trim().to_owned(),
            work,
            fields: Fields::default(),
            zone: None,
            windows: Vec::new(),
            faults: Vec::new(),
            dependencies,
            terms: Terms::default(),
        }
    }

    /// Gives it another name, by which lists, logs and locks know it; no two tasks have the same. A command is called as its line.
    pub fn name(&mut self, name: &str) -> &mut Self {
        name.trim().clone_into(&mut self.name);
        self
    }

    /// The time zone that its times of day are meant in, such as `Europe/Vienna`; by default `SCHEDULE_TIMEZONE`.
    pub fn timezone(&mut self, zone: &str) -> &mut Self {
        self.zone = Some(zone.to_owned());
        self
    }

    /// Only from this time of the day to that, both included: `between("8:00", "17:00")`; past midnight where the second is
    /// the earlier one.
    pub fn between(&mut self, from: &str, to: &str) -> &mut Self {
        self.window(from, to, Window::open)
    }

    /// Not from this time of the day to that, both included.
    pub fn unless_between(&mut self, from: &str, to: &str) -> &mut Self {
        self.window(from, to, Window::closed)
    }

    fn window(&mut self, from: &str, to: &str, window: fn(NaiveTime, NaiveTime) -> Window) -> &mut Self {
        if let (Some(from), Some(to)) = (self.time(from), self.time(to)) {
            self.windows.push(window(from, to));
        }
        self
    }

    /// A time of day; notes a fault where it is none.
    pub(super) fn time(&mut self, text: &str) -> Option<NaiveTime> {
        let time = NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        if time.is_none() {
            self.faults.push(format!("`{text}` is no time of day: write one from 0:00 to 23:59, such as 13:30"));
        }
        time
    }

    /// Only where the application runs in one of these environments.
    pub fn environments(&mut self, environments: impl IntoIterator<Item = Environment>) -> &mut Self {
        self.terms.environments.extend(environments);
        self
    }

    /// Only where the function says `true`, which is asked each time that it is due. It is async, and takes up to eight
    /// dependencies. One that fails or panics is a failure of the task.
    pub fn when<Arguments, Function>(&mut self, condition: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<bool>>,
    {
        self.condition(true, condition)
    }

    /// Not where the function says `true`; otherwise as [`when`](Self::when).
    pub fn skip<Arguments, Function>(&mut self, condition: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<bool>>,
    {
        self.condition(false, condition)
    }

    fn condition<Arguments, Function>(&mut self, expected: bool, condition: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<bool>>,
    {
        self.dependencies.extend(Arguments::infos());
        self.terms.conditions.push((expected, erased(condition)));
        self
    }

    /// Not while it still runs, wherever that is. A run holds a lock and says again and again that it goes on; where its
    /// process dies, the lock falls open within 20 seconds.
    pub fn without_overlapping(&mut self) -> &mut Self {
        self.terms.is_alone = true;
        self
    }

    /// On one of all the machines that run this schedule, each time that it is due. Where it cannot be found out whether another
    /// one has taken the run, it does not take place.
    pub fn on_one_server(&mut self) -> &mut Self {
        self.terms.is_fenced = true;
        self
    }

    /// What becomes of times that passed while no scheduler ran; by default nothing. What is made up for is so once, on one
    /// server: anything but [`Missed::Skip`] is [`on_one_server`](Self::on_one_server), too.
    pub fn missed(&mut self, missed: Missed) -> &mut Self {
        if missed == (Missed::Each { at_most: 0 }) {
            self.faults.push("it makes up for no missed run at all: write Missed::Skip for that".to_owned());
        }
        self.terms.missed = missed;
        self.terms.is_fenced |= missed != Missed::Skip;
        self
    }

    /// Runs a function before it. Where that fails, the task does, and is not run.
    pub fn before<Arguments, Function>(&mut self, hook: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<()>>,
    {
        self.dependencies.extend(Arguments::infos());
        self.terms.before.push(erased(hook));
        self
    }

    /// Runs a function after it, however it ended. One that fails is logged.
    pub fn after<Arguments, Function>(&mut self, hook: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<()>>,
    {
        self.dependencies.extend(Arguments::infos());
        self.terms.after.push(erased(hook));
        self
    }

    /// Runs a function once it has done its work. One that fails is logged.
    pub fn on_success<Arguments, Function>(&mut self, hook: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<()>>,
    {
        self.dependencies.extend(Arguments::infos());
        self.terms.on_success.push(erased(hook));
        self
    }

    /// Runs a function where it failed or panicked. The function takes what is known of that first, then up to eight
    /// dependencies, as a listener does: `async |failed: &TaskFailed, log: Arc<dyn LogSink>| ..`. One that fails is logged.
    pub fn on_failure<Arguments, Function>(&mut self, hook: Function) -> &mut Self
    where
        Arguments: Dependencies + Send,
        Function: for<'e> ListenerFn<'e, TaskFailed, Arguments> + Clone + Send + Sync + 'static,
    {
        self.dependencies.extend(Arguments::infos());
        self.terms.on_failure.push(Arc::new(move |failed, app| {
            let hook = hook.clone();
            async move {
                let arguments = Arguments::resolve(&Resolver::new(app))?;
                crate::events::ListenerOutput::into_result(hook.call(failed, arguments).await).map(drop)
            }
            .boxed()
        }));
        self
    }
}
