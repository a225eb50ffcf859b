use std::{ffi::OsString, future::Future, path::PathBuf, sync::Arc};

use poem::{EndpointExt, Response, endpoint::BoxEndpoint, http::Method};
use tempfile::TempDir;

use super::{TestDatabase, TestRequest, TestServer, request::Transport};
use crate::{
    console::{Console, Registry, parse},
    container::{Container, ContainerError},
    database::{DatabaseAdmin, Migrator, Seed},
    events::{EventBus, EventFake},
    foundation::{Application, ApplicationBuilder, StartError},
    http::Kernel,
    mail::{DefaultMailer, MailFake},
    queue::{Queue, QueueFake, Worker, WorkerLimits, WorkerReport},
    support::{Env, Id},
};

/// The number of a test's own seed: not the default, whose rows a seeder may put into the same tables.
const SEED: u64 = Seed::DEFAULT + 1;

/// The key of all tests' applications, so that two of one test can read what the other encrypted.
const KEY: &str = "base64:dGVzdHMsIGFuZCBub3RoaW5nIGJlc2lkZXMgdGVzdHM=";

/// An application that has booted and migrated a database of its own, which is deleted with it.
///
/// What is bound in its container is seen by it alone; a fake goes in by [`ApplicationBuilder::replace`].
pub struct TestApp {
    // Before the folder, so that files are closed when it is deleted.
    application: Application,
    container: Container,
    registry: Registry,
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    folder: TempDir,
    // After the application, which has connections to it.
    _database: Option<TestDatabase>,
}

impl TestApp {
    /// Boots the application. The environment is `APP_ENV=testing`, a fresh database, a prefix of its own
    /// in Redis (that of `TEST_REDIS_URL`, where it is set), the `APP_KEY` of all tests, cheap password hashes and quiet logs,
    /// under whatever the builder's own [`env`](ApplicationBuilder::env) says; the process's is not read.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn boot(mut builder: ApplicationBuilder) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().map_err(StartError::TestFolder)?;
        let database = match builder.backend() {
            Some(backend) => Some(own_database(backend)?),
            None => None,
        };
        let env = builder.env_mut();
        env.set_default("APP_ENV", "testing");
        env.set_default("APP_KEY", KEY);
        if let Some(database) = &database {
            env.set_default("DATABASE_URL", database.url());
        }
        if let Some(redis) = Env::process("TEST_REDIS_URL") {
            env.set_default("REDIS_URL", redis);
        }
        env.set_default("REDIS_PREFIX", format!("test-{}:", Id::<()>::new().uuid().simple()));
        env.set_default("HASH_MEMORY_KIB", "64");
        env.set_default("HASH_ITERATIONS", "1");
        env.set_default("LOG_LEVEL", "error");
        let registry = builder.registry();
        let application = builder.build()?;
        application.boot().await?;
        let container = application.container().scope();
        if let Ok(seed) = container.make::<Seed>() {
            seed.restart(SEED);
        }
        if container.bound::<dyn DatabaseAdmin>() {
            let migrator: Arc<Migrator> = container.make()?;
            container.run(async move { migrator.migrate().await }).await.map_err(StartError::Migration)?;
        }
        let endpoint = container.make::<Kernel>()?.endpoint(application.container()).boxed();
        Ok(Self { application, container, registry, endpoint: Arc::new(endpoint), folder, _database: database })
    }

    /// Runs a future inside the application: facades find it.
    pub async fn run<F: Future>(&self, future: F) -> F::Output {
        self.container.run(future).await
    }

    /// The service bound to `T`.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn make<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ContainerError> {
        self.container.make()
    }

    /// The application's container, in the test's scope.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// A folder for the test's files.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Begins to record the application's events in place of their listeners' running.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn fake_events(&self) -> Result<EventFake, ContainerError> {
        Ok(self.container.make::<EventBus>()?.fake())
    }

    /// Begins to record the application's jobs in place of their being queued.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn fake_queue(&self) -> Result<QueueFake, ContainerError> {
        Ok(self.container.make::<Queue>()?.fake())
    }

    /// Runs the jobs that wait, and those that they dispatch, until there is none that could be claimed.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn work(&self) -> Result<WorkerReport, ContainerError> {
        let worker = Worker::of_application(self.application.container())?;
        let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
        let work = worker.limits(until_empty).run(std::future::pending());
        Ok(self.application.container().run(work).await)
    }

    /// Begins to record the application's mail in place of its being sent.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn fake_mail(&self) -> Result<MailFake, ContainerError> {
        Ok(self.container.make::<DefaultMailer>()?.fake())
    }

    /// Runs a console command in the application, and returns what it printed.
    ///
    /// # Errors
    /// What the command met, or that it does not accept the line.
    pub async fn artisan(&self, line: &[&str]) -> anyhow::Result<String> {
        let program = ["artisan"].into_iter().chain(line.iter().copied()).map(OsString::from);
        let parsed = parse(&self.registry, program).map_err(|exit| anyhow::anyhow!("usage: {exit:?}"))?;
        let (mut console, written) = Console::memory(line.contains(&"--json"));
        let container = self.application.container().scope();
        container.run(parsed.run(Some(&container), &mut console)).await?;
        Ok(written.text())
    }

    /// Runs the seeder of this name, optional or not, and returns what it printed. Its made-up rows are others than those
    /// of the test's own [`Seed`], which is [`make::<Seed>()`](Self::make).
    ///
    /// # Errors
    /// The seeder's, or that there is none of this name.
    pub async fn seed(&self, name: &str) -> anyhow::Result<String> {
        self.artisan(&["db:seed", "--class", name]).await
    }

    /// Serves the application on a free port.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn serve(&self) -> std::io::Result<TestServer> {
        TestServer::start(self.application.container().clone(), Arc::clone(&self.endpoint)).await
    }

    /// A request in process.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest::new(Transport::Process(Arc::clone(&self.endpoint)), method, path)
    }

    /// `GET` in process.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// `POST` in process.
    pub fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    /// `PUT` in process.
    pub fn put(&self, path: &str) -> TestRequest {
        self.request(Method::PUT, path)
    }

    /// `PATCH` in process.
    pub fn patch(&self, path: &str) -> TestRequest {
        self.request(Method::PATCH, path)
    }

    /// `DELETE` in process.
    pub fn delete(&self, path: &str) -> TestRequest {
        self.request(Method::DELETE, path)
    }
}

fn own_database(backend: &'static str) -> Result<TestDatabase, StartError> {
    let missing = || format!("it needs a server of {backend}, which bin/test starts");
    let created = TestDatabase::create(backend).map_err(|error| StartError::TestDatabase(error.into()))?;
    created.ok_or_else(|| StartError::TestDatabase(missing().into()))
}
