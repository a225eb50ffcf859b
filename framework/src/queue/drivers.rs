use std::{fmt, sync::Arc};

use super::{DatabaseDriver, Driver, MemoryDriver, Outbox, Queue, Relay, Transactional};
use crate::{
    config::{QueueConfig, QueueConnection},
    database::{Connection, Db},
    support::Clock,
};

/// The drivers outside this process that an application has.
#[derive(Default)]
pub struct Drivers {
    /// In the application's database.
    pub database: Option<DatabaseQueue>,
    /// In Redis.
    pub redis: Option<Box<dyn FnOnce() -> Arc<dyn Driver> + Send>>,
}

/// What the application's database is to the queue.
pub struct DatabaseQueue {
    /// The queue in it.
    pub driver: Arc<dyn Driver>,
    /// Writes to it what is dispatched in one of its transactions.
    pub within: Arc<dyn Transactional>,
    /// Keeps in it what one of its transactions dispatches to a driver elsewhere.
    pub outbox: Outboxes,
    /// Whether it is a file of this machine.
    pub is_embedded: bool,
}

/// Makes an outbox in front of a driver.
type Outboxes = Box<dyn FnOnce(Arc<dyn Driver>) -> (Arc<dyn Transactional>, Arc<dyn Relay>) + Send>;

impl DatabaseQueue {
    /// What this database is.
    pub fn of<C: Connection>(db: &Arc<Db<C>>, clock: &Arc<dyn Clock>) -> Self {
        let driver = DatabaseDriver::new(Arc::clone(db), Arc::clone(clock));
        let (db, clock) = (Arc::clone(db), Arc::clone(clock));
        let outbox: Outboxes = Box::new(move |driver| {
            let outbox = Outbox::new(db, driver, clock);
            (Arc::new(outbox.clone()), Arc::new(outbox))
        });
        let within = Arc::new(driver.clone());
        Self { driver: Arc::new(driver), within, outbox, is_embedded: C::BACKEND == "sqlite" }
    }
}

impl fmt::Debug for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, redis } = self;
        f.debug_struct("Drivers").field("database", &database.is_some()).field("redis", &redis.is_some()).finish()
    }
}

/// Jobs are to wait where this application keeps nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("jobs are to wait in `{connection}` (QUEUE_CONNECTION), which this application has not: {remedy}")]
pub struct MissingDriver {
    connection: &'static str,
    remedy: &'static str,
}

impl Queue {
    /// The queues that the configuration describes.
    ///
    /// # Errors
    /// [`MissingDriver`].
    pub fn from_config(config: &QueueConfig, drivers: Drivers, clock: &Arc<dyn Clock>) -> Result<Self, MissingDriver> {
        let Drivers { database, redis } = drivers;
        let of_application = if database.is_some() { QueueConnection::Database } else { QueueConnection::Memory };
        let connection = config.connection.unwrap_or(of_application);
        let new = |driver| Self::new(driver, config.format, Arc::clone(clock));
        let memory = || new(Arc::new(MemoryDriver::new(Arc::clone(clock))) as Arc<dyn Driver>).embedded(true);
        let missing = |connection, remedy| MissingDriver { connection, remedy };
        Ok(match connection {
            QueueConnection::Memory => memory(),
            QueueConnection::Sync => memory().at_once(),
            QueueConnection::Database => {
                let remedy = "give the ApplicationBuilder its database";
                let database = database.ok_or_else(|| missing("database", remedy))?;
                new(database.driver).within(database.within).embedded(database.is_embedded)
            }
            QueueConnection::Redis => {
                let remedy = "build it with the feature `redis` of `paravel`";
                let driver = redis.ok_or_else(|| missing("redis", remedy))?();
                let queue = new(Arc::clone(&driver)).embedded(false);
                match database {
                    Some(database) => {
                        let (outbox, relay) = (database.outbox)(driver);
                        queue.within(outbox).relayed_by(relay)
                    }
                    None => queue,
                }
            }
        })
    }
}
