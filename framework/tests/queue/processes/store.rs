//! What several processes share: where their jobs wait, and what these write down.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use paravel::{
    cache::Cache,
    database::{DatabaseAdmin, Db},
    foundation::{Application, ApplicationBuilder},
    schedule::{CacheFence, DatabaseFence, Fence},
    support::Env,
    testing::{TestApp, TestDatabase},
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{
    Process,
    duplicates::{Dispatch, Single},
    kills::Haul,
    limits::Burden,
};
use crate::events::Journal;

/// What a process has to know of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Shared {
    backend: String,
    role: String,
    folder: PathBuf,
    env: BTreeMap<String, String>,
}

impl Shared {
    pub fn backend(&self) -> &str {
        &self.backend
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn records(&self) -> Records {
        Records::open(&self.file("records"))
    }

    /// An application as each of the processes has it.
    pub fn application(&self) -> ApplicationBuilder {
        let builder = Application::builder().env(Env::from_pairs(self.env.clone()));
        let builder = match &*self.backend {
            #[cfg(feature = "postgres")]
            "postgres" => builder.database::<paravel::database::PgConn>(&[]),
            #[cfg(feature = "mysql")]
            "mysql" => builder.database::<paravel::database::MysqlConn>(&[]),
            "sqlite" => builder.database::<paravel::database::SqliteConn>(&[]),
            _ => builder,
        };
        let (records, role) = (self.records(), Role(self.role.clone()));
        let builder = builder.command::<Dispatch>().job::<Burden>().job::<Haul>().job::<Single>();
        builder.schedule(crate::schedule::fences::kills::fill).replace(|app| {
            app.instance(Arc::new(records));
            app.instance(Arc::new(role));
            // The listeners of other tests are in this binary.
            app.instance(Arc::new(Journal::default()));
        })
    }
}

/// What a process is among the others of its test.
pub struct Role(pub String);

/// Where jobs of one test wait, and this test's own application on it.
pub struct Store {
    pub app: TestApp,
    pub records: Records,
    pub shared: Shared,
    _folder: TempDir,
    _database: Option<TestDatabase>,
    #[cfg(feature = "redis")]
    _redis: Option<crate::redis::OwnServer>,
}

impl Store {
    /// `None`, which is said, where there is no server for it.
    pub async fn new(backend: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut env = BTreeMap::from([("APP_ENV", "testing".to_owned()), ("LOG_LEVEL", "error".to_owned())]);
        let database = match backend {
            "redis" => None,
            _ => Some(TestDatabase::create(backend).unwrap()?),
        };
        if let Some(database) = &database {
            env.insert("DATABASE_URL", database.url().to_owned());
        }
        #[cfg(feature = "redis")]
        let redis = match backend {
            "redis" => {
                let mut server = crate::redis::OwnServer::new()?;
                // As it has to be for what is acknowledged to be kept.
                server.start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
                env.insert("REDIS_URL", server.url());
                // A machine that is busy with other tests takes its time.
                env.insert("REDIS_TIMEOUT", "30s".to_owned());
                env.insert("REDIS_PREFIX", "test:".to_owned());
                env.insert("QUEUE_CONNECTION", "redis".to_owned());
                env.insert("CACHE_STORE", "redis".to_owned());
                Some(server)
            }
            _ => None,
        };
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let shared = Shared { backend: backend.to_owned(), role: String::new(), folder: folder.path().to_owned(), env };
        Some(Self {
            app: TestApp::boot(shared.application()).await.unwrap(),
            records: shared.records(),
            shared,
            _folder: folder,
            _database: database,
            #[cfg(feature = "redis")]
            _redis: redis,
        })
    }

    /// Starts a process that runs this command.
    pub fn start(&self, line: &str) -> Process {
        self.start_as("", line)
    }

    /// The same with something to tell it by.
    pub fn start_as(&self, role: &str, line: &str) -> Process {
        Process::start(Shared { role: role.to_owned(), ..self.shared.clone() }, line)
    }

    /// What schedulers on it agree by.
    pub fn fence(&self) -> Arc<dyn Fence> {
        let app = &self.app;
        match &*self.shared.backend {
            #[cfg(feature = "postgres")]
            "postgres" => Arc::new(DatabaseFence::new(app.make::<Db<paravel::database::PgConn>>().unwrap())),
            #[cfg(feature = "mysql")]
            "mysql" => Arc::new(DatabaseFence::new(app.make::<Db<paravel::database::MysqlConn>>().unwrap())),
            "sqlite" => Arc::new(DatabaseFence::new(app.make::<Db<paravel::database::SqliteConn>>().unwrap())),
            _ => Arc::new(CacheFence::new(Cache::clone(&app.make::<Cache>().unwrap()))),
        }
    }

    /// Brings the time to its end for which workers are believed that are dead; no other may be there.
    pub async fn end_leases(&self) {
        #[cfg(feature = "redis")]
        if self.shared.backend == "redis" {
            use paravel::redis::{Redis, cmd};
            let redis = self.app.make::<Redis>().unwrap();
            let workers: Vec<String> = redis.query(cmd("SMEMBERS").arg(redis.key("{queue}:workers"))).await.unwrap();
            for worker in workers {
                redis.run(cmd("DEL").arg(redis.key(&format!("{{queue}}:w:{worker}")))).await.unwrap();
            }
            return;
        }
        let database = self.app.make::<dyn DatabaseAdmin>().unwrap();
        database.apply(None, "delete from queue_workers".to_owned()).await.unwrap();
    }
}

/// How long a record is. So many to a page of the kernel's that none is cut off where its writer is killed.
const RECORD: usize = 32;

/// What jobs have done, in a file that outlives whoever writes into it: each record is one write at its end.
pub struct Records {
    file: File,
    path: PathBuf,
}

impl Records {
    fn open(path: &Path) -> Self {
        Self { file: File::options().create(true).append(true).open(path).unwrap(), path: path.to_owned() }
    }

    pub fn add(&self, what: &str) {
        let record = format!("{what:<width$}\n", width = RECORD - 1);
        assert_eq!(record.len(), RECORD);
        (&self.file).write_all(record.as_bytes()).unwrap();
    }

    pub fn count(&self) -> u64 {
        self.file.metadata().unwrap().len() / RECORD as u64
    }

    pub fn all(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}
