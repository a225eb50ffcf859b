//! What a decorator sees, in which order they stand, and what calls lose by them: nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::FutureExt;
use paravel::{
    async_trait,
    container::{ContainerBuilder, GraphFault, GraphFaults},
    service,
    service::{Call, Decorator, Metrics, Outcome, ServiceError, Tracing},
};
use parking_lot::Mutex;

use super::{CraneError, CraneService, Cranes, Harbour, Load, app, cranes};

type Notes = Arc<Mutex<Vec<String>>>;

/// Notes what it sees of a call.
struct Note(&'static str, Notes);

#[async_trait]
impl Decorator for Note {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let before = format!("{} before {}({})", self.0, call.method().name, call.arguments());
        self.1.lock().push(before);
        let outcome = call.proceed().await?;
        let after = match outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Failed(failure) => format!("{}, transient: {}", failure.text, failure.transient),
        };
        self.1.lock().push(format!("{} after: {after}", self.0));
        Ok(())
    }

    fn refuses(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn decorators_stand_from_the_outside_in_and_see_arguments_and_outcome() {
    let notes = Notes::default();
    let cranes = cranes(&Arc::default(), |app| {
        app.decorate::<dyn CraneService>()
            .with(Note("outer", Arc::clone(&notes)))
            .with(Note("inner", Arc::clone(&notes)));
    });
    assert_eq!(cranes.lift(7, Load(1)).await, Ok(71));
    assert_eq!(cranes.weigh(0).await, Err(CraneError::Unknown(0)));
    assert_eq!(
        *notes.lock(),
        [
            "outer before lift(crane=7 load=_)",
            "inner before lift(crane=7 load=_)",
            "inner after: done",
            "outer after: done",
            "outer before weigh(crane=0)",
            "inner before weigh(crane=0)",
            "inner after: there is no crane 0, transient: false",
            "outer after: there is no crane 0, transient: false",
        ]
    );
}

#[tokio::test]
async fn arguments_and_results_of_every_kind_come_through() {
    let cranes = cranes(&Harbour::jammed(1), |app| {
        app.decorate::<dyn CraneService>().with(Tracing).with(Metrics::default());
    });
    assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed));
    let (one, other) = ("north".to_owned(), "south-west".to_owned());
    assert_eq!(cranes.longer(&one, &other).await, Ok("south-west"));
    assert_eq!(cranes.crossed(&one, &other).await, Ok(("south-west", "north")));
    let mut number = 1;
    assert_eq!(cranes.swap(&mut number, (2, 3)).await, Ok(1));
    assert_eq!(number, 2);
    assert_eq!(cranes.count(), Ok(1));
    assert_eq!(cranes.echo("word".to_owned()).await, Ok("word".to_owned()));
}

#[tokio::test]
async fn a_service_without_decorators_that_apply_is_the_bound_instance_itself() {
    let harbour: Arc<Harbour> = Arc::default();
    let bound: Arc<dyn CraneService> = Arc::clone(&harbour) as _;
    let bare = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Tracing).when(false).with(Metrics::default()).when(true).when(false);
    });
    assert!(Arc::ptr_eq(&bare, &bound));
    let decorated = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Tracing).when(true);
    });
    assert!(!Arc::ptr_eq(&decorated, &bound));
}

#[tokio::test]
async fn a_facade_calls_the_decorated_service() {
    let metrics = Metrics::default();
    let app = app(&Harbour::jammed(0), |app| {
        app.decorate::<dyn CraneService>().with(metrics.clone());
    });
    assert_eq!(app.run(Cranes::weigh(4)).await, Ok(40));
    assert_eq!(metrics.read()[0].calls, 1);
}

#[tokio::test]
async fn metrics_count_calls_errors_and_times_of_each_method() {
    let metrics = Metrics::default();
    let cranes = cranes(&Harbour::jammed(1), |app| {
        app.decorate::<dyn CraneService>().with(metrics.clone());
    });
    for _ in 0..3 {
        let _ = cranes.weigh(1).await;
    }
    drop(cranes.lift(1, Load(1)).await);
    assert!(std::panic::AssertUnwindSafe(cranes.fall()).catch_unwind().await.is_err());
    {
        let mut wait = cranes.wait();
        assert!((&mut wait).now_or_never().is_none());
    }
    let stats = metrics.read();
    let numbers = |method: &str| {
        let stats = stats.iter().find(|stats| stats.method == method).unwrap();
        let timed: u64 = stats.buckets.iter().map(|(_, count)| count).sum();
        (stats.calls, stats.errors, stats.left, timed)
    };
    assert_eq!(numbers("weigh"), (3, 1, 0, 3));
    assert_eq!(numbers("lift"), (1, 0, 0, 1));
    assert_eq!(numbers("fall"), (1, 0, 1, 0), "a panic passes through, and is no time");
    assert_eq!(numbers("wait"), (1, 0, 1, 0), "nor is a call whose caller went away");
    assert!(stats.iter().all(|stats| stats.service == "CraneService"));
    assert_eq!(stats.iter().find(|stats| stats.method == "fall").unwrap().quantile(1.0), None, "none came to an end");
}

/// Lets so much of tokio's time pass in each call.
#[derive(Clone, Default)]
struct Takes(Arc<AtomicU64>);

#[async_trait]
impl Decorator for Takes {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        tokio::time::advance(Duration::from_micros(self.0.load(SeqCst))).await;
        call.proceed().await.map(drop)
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_say_in_which_time_a_share_of_the_calls_came_to_an_end() {
    let (metrics, takes) = (Metrics::default(), Takes::default());
    let cranes = cranes(&Arc::default(), |app| {
        app.decorate::<dyn CraneService>().with(metrics.clone()).with(takes.clone());
    });
    // Of a hundred: 1, the bound of a bucket itself and what is just above it, and what is beyond the last.
    for (calls, microseconds) in [(48, 1), (2, 16), (1, 17), (40, 1_000), (8, 70_000), (1, 40_000_000)] {
        takes.0.store(microseconds, SeqCst);
        for _ in 0..calls {
            cranes.weigh(1).await.unwrap();
        }
    }
    let stats = metrics.read().remove(0);
    assert_eq!((stats.calls, stats.microseconds), (100, 48 + 32 + 17 + 40_000 + 560_000 + 40_000_000));
    let filled: Vec<_> = stats.buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
    assert_eq!(filled, [(16, 50), (32, 1), (1 << 10, 40), (1 << 17, 8), (1 << 26, 1)]);
    for (share, microseconds) in [
        (-1.0, 16),
        (0.0, 16),
        (0.5, 16),
        (0.505, 32),
        (0.51, 32),
        (0.511, 1 << 10),
        (0.91, 1 << 10),
        (0.95, 1 << 17),
        (0.99, 1 << 17),
        (0.999, 1 << 26),
        (1.0, 1 << 26),
        (2.0, 1 << 26),
    ] {
        assert_eq!(stats.quantile(share), Some(Duration::from_micros(microseconds)), "{share}");
    }
}

#[tokio::test]
async fn a_panic_passes_through_decorators_as_it_is() {
    let cranes = cranes(&Arc::default(), |app| {
        app.decorate::<dyn CraneService>().with(Tracing).with(Metrics::default());
    });
    let panic = std::panic::AssertUnwindSafe(cranes.fall()).catch_unwind().await.unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"the crane fell"));
}

/// Lets no call through, and says so or not.
struct Wall(Result<(), ServiceError>);

#[async_trait]
impl Decorator for Wall {
    async fn around(&self, _: &mut Call<'_>) -> Result<(), ServiceError> {
        self.0.clone()
    }
}

#[tokio::test]
async fn a_call_that_is_refused_returns_the_methods_own_error() {
    let harbour: Arc<Harbour> = Arc::default();
    let refused = |answer| {
        cranes(&harbour, |app| {
            app.decorate::<dyn CraneService>().with(Wall(answer));
        })
    };
    let reason = ServiceError::Refused { service: "CraneService", method: "weigh", reason: "it is Sunday".to_owned() };
    let error = refused(Err(reason)).weigh(1).await.unwrap_err().to_string();
    assert_eq!(error, "refused: `CraneService::weigh` was not called: it is Sunday");
    let error = refused(Ok(())).weigh(1).await.unwrap_err().to_string();
    assert!(error.contains("the decorator `Wall` did not run `CraneService::weigh`"), "{error}");
    assert_eq!(harbour.calls(), 0);
}

/// Runs everything twice.
struct Twice;

#[async_trait]
impl Decorator for Twice {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        call.proceed().await?;
        call.proceed().await.map(drop)
    }
}

#[tokio::test]
async fn only_an_idempotent_method_runs_again_and_its_last_result_counts() {
    let harbour = Harbour::jammed(1);
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Twice);
    });
    assert_eq!(cranes.weigh(3).await, Ok(30));
    assert_eq!(harbour.calls(), 2);
    let error = cranes.lift(3, Load(0)).await.unwrap_err().to_string();
    assert!(error.contains("`CraneService::lift` may not run again: mark it `#[idempotent]`"), "{error}");
    assert_eq!(harbour.calls(), 3);
}

#[service]
trait Stubborn {
    async fn go(&self) -> Result<(), std::io::Error>;
    async fn name(&self) -> String;
}

struct Mule;

#[service]
impl Stubborn for Mule {
    async fn go(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    async fn name(&self) -> String {
        "Mule".to_owned()
    }
}

fn stubborn(decorate: impl FnOnce(&mut ContainerBuilder)) -> Result<Arc<dyn Stubborn>, GraphFaults> {
    let mut app = ContainerBuilder::new();
    app.singleton(|| -> Arc<dyn Stubborn> { Arc::new(Mule) });
    decorate(&mut app);
    Ok(app.freeze()?.make::<dyn Stubborn>().unwrap())
}

#[tokio::test]
async fn a_decorator_that_refuses_is_a_fault_around_methods_that_cannot_say_so() {
    let faults = stubborn(|app| {
        app.decorate::<dyn Stubborn>().with(Tracing).with(Wall(Ok(())));
    });
    let GraphFaults(faults) = faults.map(drop).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    for (fault, method) in faults.iter().zip(["go", "name"]) {
        let GraphFault::Decorator { key, decorator, location, reason } = fault else { panic!("{fault}") };
        assert_eq!((key.as_str(), decorator.as_str()), ("dyn Stubborn", "Wall"));
        assert!(location.contains("services/decorators.rs:"), "{location}");
        assert!(
            reason.contains(&format!("`{method}`")) && reason.contains("From<paravel::service::ServiceError>"),
            "{reason}"
        );
    }
    // Where its condition does not hold, nothing is wrong; and one that refuses nothing goes around anything.
    let mule = stubborn(|app| {
        app.decorate::<dyn Stubborn>().with(Wall(Ok(()))).when(false).with(Tracing);
    });
    let mule = mule.unwrap();
    assert!(mule.go().await.is_ok());
    assert_eq!(mule.name().await, "Mule");
}
