use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType, Timeouts},
};
use diesel::connection::InstrumentationEvent;
use tokio::task::JoinHandle;

use super::{Role, Server, health::Health};
use crate::{
    config::{DatabaseConfig, DatabaseUrl},
    database::{DbError, PoolLoad},
};

/// A connection that has not been used for this long is asked whether it is alive before it is lent: one that was closed
/// in order is known to be without a question, but a network may lose one without a word.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// Connections of one role.
pub(super) struct Pool<C: Server> {
    inner: managed::Pool<Manager<C>>,
    name: String,
    unencrypted: Option<String>,
    timeout: Duration,
    reaper: JoinHandle<()>,
}

/// Opens connections, and says which may be lent again.
pub struct Manager<C: Server> {
    target: C::Target,
    role: Role,
    limits: Limits,
}

/// How long a connection is kept.
#[derive(Clone, Copy)]
struct Limits {
    idle: Duration,
    life: Duration,
}

impl Limits {
    fn are_past(self, metrics: &Metrics) -> bool {
        metrics.last_used() >= self.idle || metrics.age() >= self.life
    }
}

/// A connection, and what its statements have met.
pub struct Session<C> {
    connection: C,
    health: Health,
}

impl<C: Server> Session<C> {
    fn is_broken(&mut self) -> bool {
        self.connection.is_broken() || self.health.is_gone() || self.health.is_cut_short::<C>()
    }
}

impl<C: Server> managed::Manager for Manager<C> {
    type Type = Session<C>;
    type Error = DbError;

    async fn create(&self) -> Result<Session<C>, DbError> {
        let mut connection = C::connect(&self.target, self.role).await?;
        let health = Health::default();
        connection.set_instrumentation(health.watching::<C>());
        Ok(Session { connection, health })
    }

    async fn recycle(&self, session: &mut Session<C>, metrics: &Metrics) -> RecycleResult<DbError> {
        if session.is_broken() {
            return Err(RecycleError::message("it was closed"));
        }
        if self.limits.are_past(metrics) {
            return Err(RecycleError::message("it is past its time"));
        }
        if metrics.last_used() >= CHECK_AFTER {
            // The check is no query of whoever waits for the connection.
            session.connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            session.connection.batch_execute("select 1").await.map_err(DbError::from)?;
            session.connection.set_instrumentation(session.health.watching::<C>());
        }
        Ok(())
    }
}

impl<C: Server> Pool<C> {
    /// A pool of so many connections, which it opens when they are first needed.
    #[expect(clippy::disallowed_methods, reason = "the reaper belongs to no request, and ends with its pool")]
    pub(super) fn new(config: &DatabaseConfig, url: &DatabaseUrl, role: Role, size: usize) -> Result<Self, DbError> {
        let name = url.to_string();
        let target = C::target(url)?;
        let unencrypted = C::unencrypted(&target);
        let limits = Limits { idle: config.idle_timeout, life: config.max_lifetime };
        let manager = Manager { target, role, limits };
        let inner = managed::Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(config.acquire_timeout))
            .create_timeout(Some(config.acquire_timeout))
            .recycle_timeout(Some(config.acquire_timeout))
            // What was used last is lent first, so that what is not needed grows old and is closed.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Open { name: name.clone(), reason: error.to_string() })?;
        let reaper = tokio::spawn(reap(inner.weak(), limits));
        Ok(Self { inner, name, unencrypted, timeout: config.acquire_timeout, reaper })
    }

    /// Lends a connection.
    pub(super) async fn lend(&self) -> Result<Lease<C>, DbError> {
        let lent = self.inner.get().await;
        self.lease(lent)
    }

    /// Lends a connection, or that of another pool where all are taken.
    pub(super) async fn lend_or(&self, other: &Self) -> Result<Lease<C>, DbError> {
        let timeouts = Timeouts { wait: Some(Duration::ZERO), ..self.inner.timeouts() };
        match self.inner.timeout_get(&timeouts).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => other.lend().await,
            lent => self.lease(lent),
        }
    }

    fn lease(&self, lent: Result<Object<Manager<C>>, PoolError<DbError>>) -> Result<Lease<C>, DbError> {
        let open = |reason: String| DbError::Open { name: self.name.clone(), reason };
        match lent {
            Ok(object) => Ok(Lease { object: Some(object), finished: false }),
            Err(PoolError::Backend(error)) => Err(error),
            Err(PoolError::Closed) => Err(DbError::Closed),
            Err(PoolError::Timeout(TimeoutType::Create)) => {
                let reason = format!("the server did not answer within {:?}", self.timeout);
                Err(DbError::Unreachable { name: self.name.clone(), reason })
            }
            Err(PoolError::Timeout(_)) => Err(DbError::AcquireTimeout { waited: self.timeout }),
            Err(error) => Err(open(error.to_string())),
        }
    }

    /// Where its connections go.
    pub(super) fn target(&self) -> &C::Target {
        &self.inner.manager().target
    }

    /// The host that is not on this machine and is reached without TLS, where there is one.
    pub(super) fn unencrypted(&self) -> Option<&str> {
        self.unencrypted.as_deref()
    }

    /// Lends no more; what is lent is closed when it comes back.
    pub(super) fn close(&self) {
        self.inner.close();
    }

    /// How many connections there are and are in use, and how many callers wait for one.
    pub(super) fn load(&self) -> PoolLoad {
        let status = self.inner.status();
        PoolLoad {
            most: status.max_size,
            open: status.size,
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
        }
    }
}

impl<C: Server> Drop for Pool<C> {
    fn drop(&mut self) {
        self.reaper.abort();
    }
}

/// Closes what is past its time although nobody asks for it.
async fn reap<C: Server>(pool: managed::WeakPool<Manager<C>>, limits: Limits) {
    let shortest = limits.idle.min(limits.life);
    loop {
        tokio::time::sleep((shortest / 2).max(CHECK_AFTER)).await;
        let Some(pool) = pool.upgrade() else { return };
        drop(pool.retain(|_, metrics| !limits.are_past(&metrics)));
    }
}

/// A connection on loan. It goes back where whoever had it came to an end and left no transaction open, and is closed
/// otherwise: a query that was left half-way may still run on it.
pub struct Lease<C: Server> {
    // `None` only while it is being dropped.
    object: Option<Object<Manager<C>>>,
    finished: bool,
}

impl<C: Server> Lease<C> {
    /// Notes that nothing runs on it any more.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// The connection, and what its statements have met.
    pub(super) fn parts(&mut self) -> (&mut C, Health) {
        let health = self.session().health.clone();
        (&mut **self, health)
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn session(&self) -> &Session<C> {
        self.object.as_ref().expect("a lease has its connection until it is dropped")
    }
}

impl<C: Server> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.session().connection
    }
}

impl<C: Server> DerefMut for Lease<C> {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref_mut(&mut self) -> &mut C {
        &mut self.object.as_mut().expect("a lease has its connection until it is dropped").connection
    }
}

impl<C: Server> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(mut object) = self.object.take()
            && (!self.finished || object.is_broken())
        {
            drop(Object::take(object));
        }
    }
}
