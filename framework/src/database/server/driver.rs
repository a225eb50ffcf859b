use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Semaphore;

use super::{
    Role, Server,
    pool::{Lease, Pool},
    transaction::transact,
};
use crate::{
    config::DatabaseConfig,
    database::{DbError, Driver, Statement, Work},
};

/// A server: connections that only read, and connections that each run one transaction after another.
pub struct ServerDriver<C: Server> {
    readers: Pool<C>,
    writers: Arc<Pool<C>>,
    // A permit for each write that has not ended.
    queue: Arc<Semaphore>,
    length: usize,
    closed: AtomicBool,
}

impl<C: Server<Driver = Self>> Driver<C> for ServerDriver<C> {
    type Reader = Lease<C>;

    async fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        let length = config.write_queue;
        let driver = Self {
            readers: Pool::new(config, Role::Reader)?,
            writers: Arc::new(Pool::new(config, Role::Writer)?),
            queue: Arc::new(Semaphore::new(length)),
            length,
            closed: AtomicBool::new(false),
        };
        // So that a wrong address or password is found at start.
        driver.writers.lend().await?.finish();
        Ok(driver)
    }

    async fn reader(&self) -> Result<Lease<C>, DbError> {
        self.readers.lend().await
    }

    fn finished(reader: &mut Lease<C>) {
        reader.finish();
    }

    #[expect(clippy::disallowed_methods, reason = "the work brings its scope along; what is around it belongs to none")]
    fn submit(&self, work: Work<C>) -> Result<(), DbError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        let permit = Arc::clone(&self.queue).try_acquire_owned();
        let permit = permit.map_err(|_| DbError::Overloaded { waiting: self.length })?;
        let writers = Arc::clone(&self.writers);
        // A task of its own, so that a caller that goes away leaves no transaction half-way. Where the runtime ends
        // before it, the connection is closed, and the server rolls back.
        tokio::spawn(async move {
            let done = async {
                let mut connection = writers.lend().await?;
                let (session, health) = connection.parts();
                let done = transact(session, &health, work.run).await;
                connection.finish();
                done
            };
            (work.done)(done.await);
            drop(permit);
        });
        Ok(())
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let all = u32::try_from(self.length).unwrap_or(u32::MAX);
        // Every permit is back when every write has ended. It fails only where it is closed already.
        drop(self.queue.acquire_many(all).await);
        self.readers.close();
        self.writers.close();
    }

    async fn describe(&self) -> Result<Vec<(String, String)>, DbError> {
        let mut reader = self.reader().await?;
        let mut facts = Vec::new();
        for (name, query) in C::FACTS {
            let row = reader.fetch(&Statement::new(*query)).await?.into_iter().next().unwrap_or_default();
            facts.push(((*name).to_owned(), row.get("value").to_string()));
        }
        reader.finish();
        drop(reader);
        for (name, pool) in [("readers", self.readers.load()), ("writers", self.writers.load())] {
            let [most, open, idle, waiting] = pool;
            facts.push((name.to_owned(), format!("{open} open of at most {most}, {idle} idle, {waiting} waiting")));
        }
        Ok(facts)
    }

    async fn load(&self) -> Result<Vec<(&'static str, u64)>, DbError> {
        let [readers, readers_open, readers_idle, reads_waiting] = self.readers.load();
        let [writers, writers_open, writers_idle, writes_waiting] = self.writers.load();
        let counts = [
            ("readers", readers),
            ("readers_open", readers_open),
            ("readers_idle", readers_idle),
            ("reads_waiting", reads_waiting),
            ("writers", writers),
            ("writers_open", writers_open),
            ("writers_idle", writers_idle),
            ("writes_waiting", writes_waiting),
            ("write_queue", self.length),
        ];
        Ok(counts.map(|(name, count)| (name, count as u64)).into())
    }
}
