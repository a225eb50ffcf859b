use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::{
    Task, TaskFn, TaskOutput,
    function::erased,
    task::{Action, Work},
};
use crate::{
    container::{Container, Dependencies, DependencyInfo},
    queue::{Job, JobOptions, Queue},
    support::BoxError,
};

/// What the application runs by itself, and when. `routes/console.rs` fills it, and
/// [`ApplicationBuilder::schedule`](crate::foundation::ApplicationBuilder::schedule) is given that.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{config::AppConfig, schedule::Schedule};
///
/// pub fn schedule(schedule: &mut Schedule) {
///     schedule.command("cache:prune --store default").daily_at("3:30");
///     schedule.call("greet", async |app: Arc<AppConfig>| println!("{} is up", app.name)).every_minute();
/// }
/// # let builder = paravel::foundation::Application::builder().schedule(schedule);
/// # builder.env(paravel::support::Env::default()).build()?;
/// # Ok::<(), paravel::foundation::StartError>(())
/// ```
#[derive(Default)]
pub struct Schedule {
    pub(super) tasks: Vec<Task>,
}

impl Schedule {
    /// A console command of this application, as its line: `command("tokens:prune --days 30")`, with quotes around what has
    /// spaces. It runs in this process, as the console would run it; what it prints is not kept. A line that the console would not
    /// accept is a fault at start.
    pub fn command(&mut self, line: &str) -> &mut Task {
        self.add(Task::new(line, Work::Command(line.to_owned()), Vec::new()))
    }

    /// An async function or closure, whose arguments are up to eight dependencies. They are verified at start.
    pub fn call<Arguments, Function>(&mut self, name: &str, function: Function) -> &mut Task
    where
        Arguments: Dependencies + Send,
        Function: TaskFn<Arguments, Returned: TaskOutput<()>>,
    {
        let function = erased(function);
        let action: Action = Arc::new(move |app, _| function(app));
        self.add(Task::new(name, Work::Call(action), Arguments::infos()))
    }

    /// A job, which is dispatched as its kind says each time that the task is due, and run by a worker. One that is unique is not
    /// dispatched while another is queued.
    ///
    /// ```standalone_crate
    /// use paravel::{job, schedule::Schedule, serde::{Deserialize, Serialize}, support::BoxError};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Report {
    ///     days: u32,
    /// }
    ///
    /// #[job(name = "report")]
    /// impl Report {
    ///     async fn handle(self) -> Result<(), BoxError> {
    ///         println!("The last {} days.", self.days);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// fn schedule(schedule: &mut Schedule) {
    ///     schedule.job(Report { days: 7 }).mondays().at("6:00").on_one_server();
    ///     schedule.job_with(Report { days: 1 }, |options| options.on("reports")).name("report of the day").daily();
    /// }
    /// # let _ = schedule;
    /// # fn main() {}
    /// ```
    pub fn job<J: Job>(&mut self, job: J) -> &mut Task {
        self.job_with(job, |options| options)
    }

    /// A job, with other options than its kind's.
    pub fn job_with<J: Job>(&mut self, job: J, options: impl FnOnce(JobOptions) -> JobOptions) -> &mut Task {
        let job = Arc::new((job, options(JobOptions::of::<J>())));
        let action: Action = Arc::new(move |app, _| {
            let job = Arc::clone(&job);
            async move {
                let (job, options) = &*job;
                let dispatched = app.make::<Queue>()?.dispatch_with(job, options).await?;
                if dispatched.is_none() {
                    tracing::info!(job = J::NAME, "it is not dispatched, since another has its unique key");
                }
                Ok(())
            }
            .boxed()
        });
        self.add(Task::new(J::NAME, Work::Job(action), vec![DependencyInfo::one::<Queue>()]))
    }

    /// Whatever else can be run in a container, which has what `dependencies` say: what other ways to schedule something are made
    /// of.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use paravel::{cache::Cache, container::DependencyInfo, schedule::{Schedule, Task}};
    ///
    /// /// Empties the cache.
    /// fn flush(schedule: &mut Schedule) -> &mut Task {
    ///     schedule.task("flush", vec![DependencyInfo::one::<Cache>()], async |app| Ok(app.make::<Cache>()?.flush().await?))
    /// }
    /// # let _ = flush;
    /// ```
    pub fn task<Function, Fut>(&mut self, name: &str, dependencies: Vec<DependencyInfo>, run: Function) -> &mut Task
    where
        Function: FnOnce(Container) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let action: Action = Arc::new(move |app, _| -> BoxFuture<'_, _> { run.clone()(app.clone()).boxed() });
        self.add(Task::new(name, Work::Task(action), dependencies))
    }

    fn add(&mut self, task: Task) -> &mut Task {
        self.tasks.push(task);
        let last = self.tasks.len() - 1;
        &mut self.tasks[last]
    }
}
