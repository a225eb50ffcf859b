use std::{collections::HashSet, sync::Arc};

use super::{
    Application, StartError,
    clock::BoundClock,
    scheduling::{OfDatabase, check_schedule_store, schedule_store},
};
#[cfg(feature = "smtp")]
use crate::mail::SmtpTransport;
use crate::{
    auth::{Argon2Hasher, Gate, Hasher},
    cache::{CacheWarmer, Caches, DatabaseStore, Stores, WarmerEntry, Warmers},
    config::{
        AlertConfig, AppConfig, AuthConfig, CacheConfig, ConfigSet, DatabaseConfig, HttpConfig, LogConfig, MailConfig,
        MailTransport, QueueConfig, RedisConfig, ScheduleConfig,
    },
    console::{Command, CommandEntry, Part, Registry},
    container::{ContainerBuilder, Dependencies, DynProvider, GraphFault, GraphFaults, Provider},
    crypt::Crypter,
    database::{Connection, DatabaseAdmin, Db, DerivedData, Migration, Migrator, Seed, Seeders, WatchPolicy, misnamed},
    events::{EventBus, Heard, ListenerEntry, ListenerFn, Monitor, Subscriber, subscriptions},
    http::{Hint, Hints, Kernel, Router, up},
    mail::{DefaultMailer, LogTransport, Mailer, Transport},
    queue::{DatabaseQueue, Drivers, Inbox, InboxPruner, Job, JobEntry, Jobs, Queue, QueueGauge},
    schedule::{DatabaseFence, Schedule, ScheduleStore, Scheduler, Tasks},
    service::{AuditLog, DatabaseAuditLog, WhoActs},
    support::{Clock, Env, EnvFault, Gauge, LogSink, SignalSink, SystemClock, TracingLog, VariableInfo},
};
#[cfg(feature = "redis")]
use crate::{
    cache::RedisStore,
    queue::RedisDriver,
    redis::{Redis, RedisError},
};

type Configure = Box<dyn FnOnce(&Env, &mut ConfigSet) + Send>;
type Register = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;
type AddDatabase =
    Box<dyn FnOnce(&DatabaseConfig, Arc<dyn Clock>, &mut ContainerBuilder) -> Result<OfDatabase, StartError> + Send>;
type Fill = Box<dyn FnOnce(&mut Schedule) + Send>;

/// What an application is built from; `app::application()` returns one, and every binary and test starts from it.
#[derive(Default)]
#[must_use = "an application does nothing until it is built"]
pub struct ApplicationBuilder {
    env: Option<Env>,
    configure: Vec<Configure>,
    providers: Vec<Box<dyn DynProvider>>,
    bindings: Vec<Register>,
    routes: Vec<fn(&mut Router)>,
    schedules: Vec<Fill>,
    commands: Vec<CommandEntry>,
    listeners: Vec<ListenerEntry>,
    jobs: Vec<JobEntry>,
    database: Option<AddDatabase>,
    backend: Option<&'static str>,
    migrations: &'static [Migration],
    seeders: Seeders,
    warmers: Vec<WarmerEntry>,
    hints: Vec<Hint>,
}

/// The variables that the configuration declared, for `artisan env`.
pub(super) struct Variables(pub(super) Vec<VariableInfo>);

impl ApplicationBuilder {
    /// An application of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes this environment instead of `.env` and the process's own.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// The environment set by [`env`](Self::env), to be changed.
    pub fn env_mut(&mut self) -> &mut Env {
        self.env.get_or_insert_default()
    }

    /// Fills config structs from the environment. The toolkit's own (`AlertConfig`, `AppConfig`, `AuthConfig`,
    /// `DatabaseConfig` and so on) are filled by default where this does not insert them.
    pub fn config(mut self, configure: fn(&Env, &mut ConfigSet)) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// Adds a provider. They register and boot in this order.
    pub fn provider(mut self, provider: impl Provider) -> Self {
        self.providers.push(Box::new(provider));
        self
    }

    /// Adds bindings in place of earlier ones, after all providers have registered: a test's fakes.
    pub fn replace(mut self, bindings: impl FnOnce(&mut ContainerBuilder) + Send + 'static) -> Self {
        self.bindings.push(Box::new(bindings));
        self
    }

    /// Adds routes.
    pub fn routes(mut self, routes: fn(&mut Router)) -> Self {
        self.routes.push(routes);
        self
    }

    /// Adds what runs by itself, and when.
    pub fn schedule(mut self, schedule: impl FnOnce(&mut Schedule) + Send + 'static) -> Self {
        self.schedules.push(Box::new(schedule));
        self
    }

    /// Adds a command: the explicit twin of [`command!`](crate::command).
    pub fn command<C: Command>(mut self) -> Self {
        self.commands.push(CommandEntry::of::<C>());
        self
    }

    /// Adds a kind of job: the explicit twin of [`job`](crate::job).
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs.push(JobEntry::of::<J>());
        self
    }

    /// Adds a listener, of which more may have been said: the explicit twin of [`listener`](crate::listener).
    pub fn listener(mut self, listener: ListenerEntry) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds an async function or closure as a listener, as [`ListenerEntry::of_fn`] takes it.
    #[track_caller]
    pub fn listen<E, Arguments, Function>(self, function: Function) -> Self
    where
        E: Heard,
        Arguments: Dependencies + Send,
        Function: for<'e> ListenerFn<'e, E, Arguments> + Clone + Send + Sync + 'static,
    {
        self.listener(ListenerEntry::of_fn(function))
    }

    /// Adds a subscriber: the explicit twin of [`listener`](crate::listener) on one.
    pub fn subscriber<S: Subscriber>(mut self) -> Self {
        self.listeners.extend(subscriptions::<S>());
        self
    }

    /// Gives the application its database: the connection type and the migrations, before which those of the toolkit's own
    /// tables are applied.
    pub fn database<C: Connection>(mut self, migrations: &'static [Migration]) -> Self {
        self.backend = Some(C::BACKEND);
        self.migrations = migrations;
        self.database = Some(Box::new(move |config, clock, app| {
            let db = Arc::new(Db::<C>::new(config.clone())?);
            app.instance(Arc::clone(&db));
            let store = Arc::new(DatabaseStore::new(Arc::clone(&db), Arc::clone(&clock)));
            let fence = Arc::new(DatabaseFence::new(Arc::clone(&db)));
            let queue = DatabaseQueue::of(&db, &clock);
            let inbox = Inbox::new(Arc::clone(&clock));
            app.instance(Arc::new(InboxPruner::of(&db, &inbox)));
            app.instance(Arc::new(inbox));
            app.instance::<dyn AuditLog>(Arc::new(DatabaseAuditLog::new(Arc::clone(&db))));
            app.instance::<dyn DatabaseAdmin>(db);
            app.singleton(move |database: Arc<dyn DatabaseAdmin>, clock: Arc<dyn Clock>| {
                Arc::new(Migrator::of_application(database, clock, migrations))
            });
            Ok(OfDatabase { store, fence, queue: Some(queue) })
        }));
        self
    }

    /// The backend of the application's database, where it has one.
    pub fn backend(&self) -> Option<&'static str> {
        self.backend
    }

    /// Gives the application its seeders.
    pub fn seeders(mut self, seeders: Seeders) -> Self {
        self.seeders = seeders;
        self
    }

    /// Adds a warmer of the cache: the explicit twin of [`warmer!`](crate::warmer).
    pub fn warmer<W: CacheWarmer>(mut self, warmer: &'static W) -> Self {
        self.warmers.push(WarmerEntry::of(warmer));
        self
    }

    /// Adds something to try, which `serve` prints where the application is local. `{url}` in the command stands
    /// for the server's address.
    pub fn hint(mut self, what: &'static str, command: &'static str) -> Self {
        self.hints.push(Hint { what, command });
        self
    }

    /// All commands of the application. One without a database has none about databases.
    pub fn registry(&self) -> Registry {
        let all = Registry::collect(self.commands.iter().copied());
        if self.backend.is_some() { all } else { all.without(Part::Database) }
    }

    /// Configures, registers, verifies and freezes. Nothing runs yet, and no database is opened.
    ///
    /// # Errors
    /// [`StartError`], with all faults of the phase that has any.
    pub fn build(self) -> Result<Application, StartError> {
        let registry = self.registry();
        let env = match self.env {
            Some(env) => env,
            None => Env::load(std::path::Path::new("."))?,
        };
        let mut configs = ConfigSet::default();
        for configure in self.configure {
            configure(&env, &mut configs);
        }
        add_default_configs(&env, &mut configs);
        if let (Some(backend), Ok(database)) = (self.backend, configs.get::<DatabaseConfig>()) {
            check_backend(&env, backend, &database);
        }
        if let Ok(mail) = configs.get::<MailConfig>() {
            check_mailer(&env, &mail);
        }
        if let Ok(schedule) = configs.get::<ScheduleConfig>() {
            check_schedule_store(&env, self.backend.is_some(), &schedule);
        }
        #[cfg(feature = "redis")]
        let redis = configs.get::<RedisConfig>().ok().and_then(|config| open_redis(&env, &config));
        let warnings = env.check()?;
        configs.check()?;

        let mut app = ContainerBuilder::new();
        let mut faults = Vec::new();
        for config in configs.erased() {
            app.config(config);
        }
        let http = configs.get::<HttpConfig>()?;
        let (config, log) = (configs.get::<AppConfig>()?, configs.get::<LogConfig>()?);
        let watch = WatchPolicy::new(&config, &*configs.get::<DatabaseConfig>()?);
        let hasher: Arc<dyn Hasher> = Arc::new(Argon2Hasher::new(&*configs.get::<AuthConfig>()?)?);
        app.instance(hasher);
        let clock = Arc::new(BoundClock::default());
        let crypter = Arc::new(Crypter::from_config(&config));
        app.instance(Arc::clone(&crypter));
        let (mut stores, mut drivers) = (Stores::default(), Drivers::default());
        #[cfg(feature = "redis")]
        if let Some(redis) = redis.map(Arc::new) {
            stores.redis = Some(Arc::new(RedisStore::new(Arc::clone(&redis))));
            let (kept, clock) = (Arc::clone(&redis), Arc::clone(&clock));
            drivers.redis = Some(Box::new(move || Arc::new(RedisDriver::new(kept, clock))));
            app.instance(redis);
        }
        app.instance(transport(&*configs.get::<MailConfig>()?, &config));
        app.singleton(|transport: Arc<dyn Transport>, config: Arc<MailConfig>| {
            Arc::new(DefaultMailer::new(transport, &config))
        });
        app.singleton(|mailer: Arc<DefaultMailer>| -> Arc<dyn Mailer> { mailer });
        app.instance::<dyn Clock>(Arc::new(SystemClock));
        app.instance::<dyn LogSink>(Arc::new(TracingLog));
        app.instance(Arc::new(Gate));
        app.instance::<dyn WhoActs>(Arc::new(Gate));
        app.instance(Arc::new(Variables(env.declared())));
        app.instance(Arc::new(Hints(self.hints)));
        let mut database = match self.database {
            Some(add) => Some(add(&*configs.get::<DatabaseConfig>()?, Arc::clone(&clock) as _, &mut app)?),
            None => None,
        };
        stores.database = database.as_ref().map(|database| Arc::clone(&database.store));
        let cache = configs.get::<CacheConfig>()?;
        let caches = Caches::from_config(&cache, &stores, &(Arc::clone(&clock) as _))?;
        let schedule = configs.get::<ScheduleConfig>()?;
        let tasks = Tasks::collect(self.schedules, &registry, schedule.timezone);
        let agreed = schedule_store(&schedule, &cache, &caches, database.as_ref());
        faults.extend(tasks.faults().into_iter().chain(tasks.unshared(&agreed)));
        let mut roots: Vec<_> = tasks.roots().collect();
        app.instance(Arc::new(tasks));
        app.instance(Arc::new(agreed));
        app.singleton(
            |tasks: Arc<Tasks>,
             store: Arc<ScheduleStore>,
             clock: Arc<dyn Clock>,
             app: Arc<AppConfig>,
             config: Arc<ScheduleConfig>| { Arc::new(Scheduler::new(tasks, store, clock, &app, &config)) },
        );
        app.instance(Arc::new(caches.default_cache().clone()));
        let caches = Arc::new(caches);
        app.instance(Arc::clone(&caches));
        let derived = Arc::clone(&caches);
        app.tag(move || -> Arc<dyn DerivedData> { Arc::clone(&derived) as _ });
        app.tag(move || -> Arc<dyn Gauge> { Arc::clone(&caches) as _ });
        drivers.database = database.as_mut().and_then(|database| database.queue.take());
        let queue = Queue::from_config(&*configs.get::<QueueConfig>()?, drivers, &(Arc::clone(&clock) as _))?;
        app.instance(Arc::new(queue.encrypting(crypter)));
        app.tag(|queue: Arc<Queue>| -> Arc<dyn Gauge> { Arc::new(QueueGauge::new(Queue::clone(&queue))) });
        app.singleton(|gauges: Vec<Arc<dyn Gauge>>, config: Arc<AlertConfig>, sink: Arc<dyn SignalSink>| {
            Arc::new(Monitor::new(gauges, config, sink))
        });

        let mut seen = HashSet::new();
        for provider in &self.providers {
            if !seen.insert(provider.name()) {
                faults.push(GraphFault::DuplicateName(format!("the provider {} is added twice", provider.name())));
            }
            provider.register(&mut app);
        }

        faults.extend(registry.faults());
        let bus = EventBus::collect(self.listeners);
        faults.extend(bus.faults());
        let jobs = Jobs::collect(self.jobs.into_iter().chain(bus.jobs()));
        faults.extend(jobs.faults());
        faults.extend(duplicate_seeders(&self.seeders));
        let warmers = Warmers::collect(self.warmers);
        faults.extend(warmers.faults());
        faults.extend(misnamed(self.migrations).map(|name| {
            GraphFault::DuplicateName(format!(
                "the migration `{name}` has a name of the toolkit's: begin it with its date"
            ))
        }));
        let mut router = Router::new();
        router.get("/up", || up).name("up");
        for routes in self.routes {
            routes(&mut router);
        }
        roots.extend(registry.roots().chain(bus.roots()).chain(self.seeders.roots()));
        roots.extend(warmers.roots().chain(jobs.roots()));
        // Bound although there are faults, so that these drag no false ones with them.
        let (table, route_roots, endpoint, route_faults) = router.build();
        faults.extend(route_faults);
        roots.extend(route_roots);
        let table = Arc::new(table);
        app.instance(Arc::clone(&table));
        app.instance(Arc::new(Kernel::new(endpoint, table, &http, &config, &log, watch)));
        let bus = Arc::new(bus);
        app.instance::<dyn SignalSink>(Arc::clone(&bus) as _);
        app.instance(bus);
        app.instance(Arc::new(jobs));
        app.instance(Arc::new(self.seeders));
        app.instance(Arc::new(warmers));
        app.scoped(|| Arc::new(Seed::default()));
        app.instance(Arc::new(configs));
        app.replace(|app| {
            for bindings in self.bindings {
                bindings(app);
            }
        });
        for root in roots {
            app.root(root);
        }
        if let Err(GraphFaults(found)) = app.verify() {
            faults.extend(found);
        }
        if !faults.is_empty() {
            return Err(GraphFaults(faults).into());
        }
        let container = app.freeze()?;
        clock.bind(container.make::<dyn Clock>()?);
        Ok(Application::new(container, self.providers, warnings))
    }
}

/// A fault for each name that two seeders have, of which `db:seed --class` would run both.
fn duplicate_seeders(seeders: &Seeders) -> Vec<GraphFault> {
    let mut seen = HashSet::new();
    let twice = seeders.names().into_iter().filter(|name| !seen.insert(*name));
    twice.map(|name| GraphFault::DuplicateName(format!("two seeders are called `{name}`"))).collect()
}

/// Notes, with all other faults, an address that is for another backend.
fn check_backend(env: &Env, backend: &'static str, config: &DatabaseConfig) {
    let scheme = config.url.scheme();
    if scheme != backend {
        let expected = format!(
            "for `{backend}`, which this application is built for: change the address, or the feature in Cargo.toml"
        );
        env.fault(EnvFault::Wrong { name: "DATABASE_URL", value: format!("for `{scheme}`"), expected });
    }
}

/// Notes, with all other faults, a way to send mail that this build has not.
fn check_mailer(env: &Env, config: &MailConfig) {
    if config.mailer == MailTransport::Smtp && cfg!(not(feature = "smtp")) {
        let expected = "log, or this application built with the feature `smtp` in Cargo.toml".to_owned();
        env.fault(EnvFault::Wrong { name: "MAIL_MAILER", value: "smtp".to_owned(), expected });
    }
}

/// What carries mail on.
fn transport(config: &MailConfig, app: &AppConfig) -> Arc<dyn Transport> {
    match config.mailer {
        #[cfg(feature = "smtp")]
        MailTransport::Smtp => Arc::new(SmtpTransport::new(config, app)),
        _ => Arc::new(LogTransport::new(app)),
    }
}

/// Redis, which nothing connects to yet. An address that says what there is not is noted with all other faults.
#[cfg(feature = "redis")]
fn open_redis(env: &Env, config: &RedisConfig) -> Option<Redis> {
    match Redis::new(config) {
        Ok(redis) => Some(redis),
        Err(error) => {
            let why = match error {
                RedisError::Address { reason, .. } => reason,
                other => other.to_string(),
            };
            let expected = format!("an address that can be used: this one {why}");
            env.fault(EnvFault::Wrong { name: "REDIS_URL", value: config.url.to_string(), expected });
            None
        }
    }
}

/// Adds the toolkit's own config structs that the application has not inserted itself.
fn add_default_configs(env: &Env, configs: &mut ConfigSet) {
    if configs.get::<AlertConfig>().is_err() {
        configs.insert("alerts", AlertConfig::from_env(env));
    }
    if configs.get::<AppConfig>().is_err() {
        configs.insert("app", AppConfig::from_env(env));
    }
    if configs.get::<AuthConfig>().is_err() {
        configs.insert("auth", AuthConfig::from_env(env));
    }
    if configs.get::<CacheConfig>().is_err() {
        configs.insert("cache", CacheConfig::from_env(env));
    }
    if configs.get::<DatabaseConfig>().is_err() {
        configs.insert("database", DatabaseConfig::from_env(env));
    }
    if configs.get::<HttpConfig>().is_err() {
        configs.insert("http", HttpConfig::from_env(env));
    }
    if configs.get::<LogConfig>().is_err() {
        configs.insert("log", LogConfig::from_env(env));
    }
    if configs.get::<QueueConfig>().is_err() {
        configs.insert("queue", QueueConfig::from_env(env));
    }
    if configs.get::<MailConfig>().is_err() {
        configs.insert("mail", MailConfig::from_env(env));
    }
    if configs.get::<RedisConfig>().is_err() {
        configs.insert("redis", RedisConfig::from_env(env));
    }
    if configs.get::<ScheduleConfig>().is_err() {
        configs.insert("schedule", ScheduleConfig::from_env(env));
    }
}
