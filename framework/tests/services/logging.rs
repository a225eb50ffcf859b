//! What `Logging` and `Tracing` write, and what they do not.

use std::{
    io::{self, Write},
    sync::Arc,
};

use paravel::{
    service::{Logging, Tracing},
    support::Level,
    tracing::{self, subscriber},
};
use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

use super::{CraneService, Harbour, Load, cranes};

#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged at `level` or above by the calls of the decorated service.
async fn logged(level: tracing::Level, logging: Logging, call: impl AsyncFnOnce(Arc<dyn CraneService>)) -> String {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_writer(lines.clone()).with_max_level(level).with_ansi(false).finish();
    let guard = subscriber::set_default(subscriber);
    let cranes = cranes(&Harbour::jammed(1), |app| {
        app.decorate::<dyn CraneService>().with(Tracing).with(logging);
    });
    call(cranes).await;
    drop(guard);
    lines.text()
}

#[tokio::test]
async fn a_call_is_logged_with_arguments_time_and_error() {
    let text = logged(tracing::Level::INFO, Logging::at(Level::Info), async |cranes| {
        let _ = cranes.weigh(7).await;
        let _ = cranes.lift(8, Load(1)).await;
    });
    let text = text.await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    let (failed, called) = (lines[0], lines[1]);
    assert!(
        failed.contains(r#"service: failed service="CraneService" method="weigh" arguments="crane=7""#),
        "{failed}"
    );
    assert!(failed.contains(r#"error="the crane is jammed""#), "{failed}");
    assert!(failed.contains("service{service=\"CraneService\" method=\"weigh\"}"), "no span: {failed}");
    assert!(
        called.contains(r#"called service="CraneService" method="lift" arguments="crane=8 load=_" microseconds="#),
        "{called}"
    );
    assert!(!called.contains("error="), "{called}");
}

#[tokio::test]
async fn a_secret_is_in_no_log_and_no_argument_forges_a_line() {
    let text = logged(tracing::Level::TRACE, Logging::at(Level::Debug), async |cranes| {
        assert!(cranes.unlock("north\nERROR forged", "hunter22").await.unwrap());
        let _ = cranes.echo("long ".repeat(1000)).await;
    });
    let text = text.await;
    assert!(text.contains("code=[secret]") && text.contains("north"), "{text}");
    assert!(!text.contains("hunter22"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.len() < 4096, "{}", text.len());
}

#[tokio::test]
async fn nothing_is_logged_below_the_level_in_force() {
    let text = logged(tracing::Level::WARN, Logging::at(Level::Info), async |cranes| {
        let _ = cranes.weigh(7).await;
    });
    assert_eq!(text.await, "");
}
