//! What a decorator costs a call, for `service:list --measure`.

use std::{
    future::{Future, ready},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;
use tokio::runtime::Handle;
use tracing_subscriber::EnvFilter;

use super::{
    Audit, AuditEntry, AuditLog, Auditor, CacheSlot, Decorator, KeyPart, MethodInfo, Outcome, ServiceError, WhoActs,
    cached::{cached, kept},
    decorated,
};
use crate::{
    cache::Cache,
    container::spawn_blocking,
    support::{BoxError, SystemClock},
};

/// How often the calls are made, in all; the fastest of the rounds counts, as the one that was disturbed least.
const ROUNDS: u32 = 10;
const CALLS: u32 = 1000;

/// A decorator that takes its time is not waited for longer than this.
const LONGEST: Duration = Duration::from_secs(1);

/// The method that is called: it does nothing.
static NOTHING: MethodInfo = MethodInfo {
    service: "service:list",
    name: "nothing",
    is_async: true,
    idempotent: true,
    refusable: true,
    classified: false,
};

/// What stands around a service.
#[derive(Clone)]
pub(super) enum Layer {
    Decorator(Arc<dyn Decorator>),
    Cached,
    Audited,
}

/// What one decorator costs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cost {
    pub(super) decorator: String,
    /// By how much a call takes longer with it, in nanoseconds.
    pub(super) nanoseconds: u64,
}

/// What each of these costs a call that does nothing, where log lines that pass `filter` are formatted and thrown away. What
/// they would do to a service that fails or takes long is not in it.
pub(super) async fn measure(layers: Vec<(String, Layer)>, filter: String) -> Vec<Cost> {
    let measured = spawn_blocking(move || {
        let filter = EnvFilter::try_new(filter).unwrap_or_default();
        let log = tracing_subscriber::fmt().compact().with_env_filter(filter).with_writer(std::io::sink).finish();
        // For this thread alone, on which all of it runs.
        tracing::subscriber::with_default(log, || Handle::current().block_on(costs(layers)))
    });
    measured.await.unwrap_or_default()
}

async fn costs(layers: Vec<(String, Layer)>) -> Vec<Cost> {
    let bare = fastest(async || nothing(()).await).await;
    let mut costs = Vec::with_capacity(layers.len());
    for (decorator, layer) in layers {
        let around = match layer {
            Layer::Decorator(decorator) => fastest(async || through(&*decorator).await).await,
            Layer::Cached => {
                let cache = Cache::memory("measure", 1 << 20);
                fastest(async || hit(&cache).await).await
            }
            Layer::Audited => {
                let auditor = Auditor::new(Arc::new(Nowhere), Arc::new(Nowhere), Arc::new(SystemClock));
                fastest(async || audited(&auditor).await).await
            }
        };
        let nanoseconds = u64::try_from(around.saturating_sub(bare).as_nanos()).unwrap_or(u64::MAX);
        costs.push(Cost { decorator, nanoseconds });
    }
    costs
}

/// How long a call takes, on average over the fastest round.
async fn fastest<F: Future>(call: impl Fn() -> F) -> Duration {
    let began = Instant::now();
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let (round, mut calls) = (Instant::now(), 0);
        while calls < CALLS && (calls == 0 || began.elapsed() < LONGEST) {
            call().await;
            calls += 1;
        }
        fastest = fastest.min(round.elapsed() / calls);
        if began.elapsed() >= LONGEST {
            break;
        }
    }
    fastest
}

type Answer = Result<u64, ServiceError>;

fn nothing((): ()) -> BoxFuture<'static, Answer> {
    ready(Ok(1)).boxed()
}

/// The call as `#[service]` makes it.
async fn through(decorator: &dyn Decorator) -> Answer {
    let refuse: fn(ServiceError) -> Answer = Err;
    decorated(decorator, &NOTHING, Some(refuse), (), nothing, |(), _| Ok(()), |()| Some(()), |_| Outcome::Done).await
}

/// The call of a cached method whose value is there.
async fn hit(cache: &Cache) -> Answer {
    let key = || KeyPart(format_args!("measure:{}", 1)).to_string();
    let slot = || CacheSlot { key: key(), tags: Vec::new(), ttl: LONGEST * 60, when: true, keep: |_| true };
    cached(kept::<Answer>(), cache, key(), slot, || nothing(())).await
}

/// The call of an audited method, but for what its log takes.
async fn audited(auditor: &Auditor) -> Answer {
    let audit = Audit::begin(auditor, &NOTHING, "nothing", |_| Ok(()));
    let answer = nothing(()).await;
    audit.end(None, None).await;
    answer
}

/// An audit log that keeps nothing, for nobody.
struct Nowhere;

impl AuditLog for Nowhere {
    fn write(&self, _: AuditEntry) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Ok(())).boxed()
    }
}

impl WhoActs for Nowhere {
    fn who_acts(&self) -> Option<String> {
        None
    }
}
