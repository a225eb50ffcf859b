//! Services: facades, and what goes around their calls.

pub mod audited;
mod cached;
mod decorators;
mod facades;
mod guards;
pub mod logging;
mod measure;
mod prefetch;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use paravel::{
    container::{Container, ContainerBuilder, ContainerError},
    service,
    service::{ServiceError, Transient},
};

/// An error that says all that one can say.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CraneError {
    #[error("there is no crane {0}")]
    Unknown(u32),
    #[error("the crane is jammed")]
    Jammed,
    #[error("refused: {0}")]
    Refused(String),
    #[error("no container: {0}")]
    Container(String),
}

impl From<ServiceError> for CraneError {
    fn from(error: ServiceError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<ContainerError> for CraneError {
    fn from(error: ContainerError) -> Self {
        Self::Container(error.to_string())
    }
}

impl Transient for CraneError {
    fn is_transient(&self) -> bool {
        *self == Self::Jammed
    }
}

/// Not `Debug`, and not `Clone`.
struct Load(u32);

/// A service with methods of every kind.
#[service(facade = Cranes)]
trait CraneService {
    /// Jams as often as the harbour was told.
    #[idempotent]
    async fn weigh(&self, crane: u32) -> Result<u32, CraneError>;
    /// As `weigh`, and may not run again.
    async fn lift(&self, crane: u32, load: Load) -> Result<u32, CraneError>;
    async fn unlock(&self, name: &str, #[secret] code: &str) -> Result<bool, CraneError>;
    async fn longer<'a>(&self, one: &'a str, other: &'a str) -> Result<&'a str, CraneError>;
    async fn crossed<'a, 'b>(&self, one: &'a str, other: &'b str) -> Result<(&'b str, &'a str), CraneError>;
    async fn swap(&self, one: &mut u32, (other, _): (u32, u32)) -> Result<u32, CraneError>;
    async fn wait(&self) -> Result<(), CraneError>;
    async fn fall(&self) -> Result<(), CraneError>;
    fn count(&self) -> Result<usize, CraneError>;
    async fn echo(&self, word: String) -> Result<String, CraneError> {
        Ok(word)
    }
}

/// Counts its calls; the first `jams` of them fail.
#[derive(Default)]
struct Harbour {
    calls: AtomicUsize,
    jams: AtomicUsize,
    gate: tokio::sync::Notify,
}

impl Harbour {
    fn jammed(jams: usize) -> Arc<Self> {
        let harbour = Self::default();
        harbour.jams.store(jams, Ordering::SeqCst);
        Arc::new(harbour)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn work(&self, crane: u32) -> Result<u32, CraneError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let jams = self.jams.load(Ordering::SeqCst);
        if jams > 0 {
            self.jams.store(jams - 1, Ordering::SeqCst);
            return Err(CraneError::Jammed);
        }
        if crane == 0 { Err(CraneError::Unknown(crane)) } else { Ok(crane * 10) }
    }
}

#[service]
impl CraneService for Harbour {
    async fn weigh(&self, crane: u32) -> Result<u32, CraneError> {
        tokio::task::yield_now().await;
        self.work(crane)
    }

    async fn lift(&self, crane: u32, load: Load) -> Result<u32, CraneError> {
        self.work(crane).map(|lifted| lifted + load.0)
    }

    async fn unlock(&self, _: &str, code: &str) -> Result<bool, CraneError> {
        Ok(code == "hunter22")
    }

    async fn longer<'a>(&self, one: &'a str, other: &'a str) -> Result<&'a str, CraneError> {
        Ok(if one.len() >= other.len() { one } else { other })
    }

    async fn crossed<'a, 'b>(&self, one: &'a str, other: &'b str) -> Result<(&'b str, &'a str), CraneError> {
        Ok((other, one))
    }

    async fn swap(&self, one: &mut u32, (other, _): (u32, u32)) -> Result<u32, CraneError> {
        Ok(std::mem::replace(one, other))
    }

    async fn wait(&self) -> Result<(), CraneError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.gate.notified().await;
        Ok(())
    }

    async fn fall(&self) -> Result<(), CraneError> {
        panic!("the crane fell")
    }

    fn count(&self) -> Result<usize, CraneError> {
        Ok(1)
    }
}

/// A container with the harbour, decorated.
fn app(harbour: &Arc<Harbour>, decorate: impl FnOnce(&mut ContainerBuilder)) -> Container {
    let mut app = ContainerBuilder::new();
    app.instance::<dyn CraneService>(Arc::clone(harbour) as _);
    decorate(&mut app);
    app.freeze().unwrap()
}

fn cranes(harbour: &Arc<Harbour>, decorate: impl FnOnce(&mut ContainerBuilder)) -> Arc<dyn CraneService> {
    app(harbour, decorate).make::<dyn CraneService>().unwrap()
}
