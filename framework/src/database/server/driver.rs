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
    config::{AppConfig, DatabaseConfig},
    container::{Container, with_current},
    database::{DatabaseLoad, DbError, Driver, Heard, PoolLoad, ReadFrom, Statement, Work},
};

/// A server, and a replica of it where there is one: connections that only read, and connections that each run one
/// transaction after another.
pub struct ServerDriver<C: Server> {
    readers: Pool<C>,
    replica: Option<Pool<C>>,
    writers: Arc<Pool<C>>,
    // One connection, for what the toolkit has to write while the application's transactions have all of the others.
    own: Arc<Pool<C>>,
    // A permit for each write that has not ended.
    queue: Arc<Semaphore>,
    own_queue: Arc<Semaphore>,
    length: usize,
    closed: AtomicBool,
}

impl<C: Server<Driver = Self>> Driver<C> for ServerDriver<C> {
    type Reader = Lease<C>;

    async fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        let length = config.write_queue;
        let driver = Self {
            readers: Pool::new(config, &config.url, Role::Reader, config.readers)?,
            replica: config
                .read_url
                .as_ref()
                .map(|url| Pool::new(config, url, Role::Reader, config.readers))
                .transpose()?,
            writers: Arc::new(Pool::new(config, &config.url, Role::Writer, config.writers)?),
            own: Arc::new(Pool::new(config, &config.url, Role::Writer, 1)?),
            queue: Arc::new(Semaphore::new(length)),
            own_queue: Arc::new(Semaphore::new(length)),
            length,
            closed: AtomicBool::new(false),
        };
        for pool in [Some(&*driver.writers), driver.replica.as_ref()].into_iter().flatten() {
            warn_in_production(pool.unencrypted());
        }
        // So that a wrong address or password is found at start.
        driver.writers.lend().await?.finish();
        if let Some(replica) = &driver.replica {
            replica.lend().await?.finish();
        }
        Ok(driver)
    }

    async fn reader(&self, from: ReadFrom) -> Result<Lease<C>, DbError> {
        match (&self.replica, from) {
            // One that is down is an error: the primary may not be able to carry its load as well.
            (Some(replica), ReadFrom::Replica) => replica.lend().await,
            _ => self.readers.lend().await,
        }
    }

    fn finished(reader: &mut Lease<C>) {
        reader.finish();
    }

    #[expect(clippy::disallowed_methods, reason = "the work brings its scope along; what is around it belongs to none")]
    fn submit(&self, work: Work<C>) -> Result<(), DbError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        let queue = if work.is_own { &self.own_queue } else { &self.queue };
        let permit = Arc::clone(queue).try_acquire_owned();
        let permit = permit.map_err(|_| DbError::Overloaded { waiting: self.length })?;
        let (writers, own) = (Arc::clone(&self.writers), Arc::clone(&self.own));
        // A task of its own, so that a caller that goes away leaves no transaction half-way. Where the runtime ends
        // before it, the connection is closed, and the server rolls back.
        tokio::spawn(async move {
            let done = async {
                let mut connection = match work.is_own {
                    true => writers.lend_or(&own).await?,
                    false => writers.lend().await?,
                };
                let (session, health) = connection.parts();
                let done = transact(session, &health, work.isolation, work.run).await;
                connection.finish();
                done
            };
            (work.done)(done.await);
            drop(permit);
        });
        Ok(())
    }

    async fn listen(&self, channel: &str) -> Result<Option<Heard>, DbError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        C::listen(self.writers.target(), channel).await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let all = u32::try_from(self.length).unwrap_or(u32::MAX);
        // Every permit is back when every write has ended. It fails only where it is closed already.
        drop(self.queue.acquire_many(all).await);
        drop(self.own_queue.acquire_many(all).await);
        self.readers.close();
        if let Some(replica) = &self.replica {
            replica.close();
        }
        self.writers.close();
        self.own.close();
    }

    async fn describe(&self) -> Result<Vec<(String, String)>, DbError> {
        let mut reader = self.readers.lend().await?;
        let mut facts = Vec::new();
        for (name, query) in C::FACTS {
            let row = reader.fetch(&Statement::new(*query)).await?.into_iter().next().unwrap_or_default();
            facts.push(((*name).to_owned(), row.get("value").to_string()));
        }
        reader.finish();
        drop(reader);
        let load = self.load();
        for (name, pool) in
            [("readers", Some(load.readers)), ("replica", load.replica), ("writers", Some(load.writers))]
        {
            let Some(PoolLoad { most, open, idle, waiting, .. }) = pool else { continue };
            facts.push((name.to_owned(), format!("{open} open of at most {most}, {idle} idle, {waiting} waiting")));
        }
        Ok(facts)
    }

    fn load(&self) -> DatabaseLoad {
        DatabaseLoad {
            readers: self.readers.load(),
            replica: self.replica.as_ref().map(Pool::load),
            writers: self.writers.load(),
            write_queue: self.length,
            ..DatabaseLoad::default()
        }
    }
}

/// Says in production that whoever stands between here and the server reads along.
fn warn_in_production(unencrypted: Option<&str>) {
    let Some(host) = unencrypted else { return };
    let in_production = |app: &Container| app.make::<AppConfig>().is_ok_and(|app| app.is_production());
    if with_current(in_production).unwrap_or(false) {
        tracing::warn!(host, "the database is reached without TLS: say `sslmode=require` in its address");
    }
}
