use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::future::BoxFuture;
use tracing::dispatcher::with_default;

use super::pace::Paces;
use crate::{
    container::spawn_blocking,
    database::db::{source, with_source},
};

/// Where SQLite's calls on a connection run: on the thread that polls, because a query takes microseconds and a hop to
/// another thread more; a reader's long ones elsewhere, because that thread has other tasks.
#[derive(Clone, Default)]
pub struct SqliteCalls {
    // The writer has a thread of its own and no need to look.
    reader: Option<ReaderCalls>,
}

#[derive(Clone)]
struct ReaderCalls {
    paces: Arc<Paces>,
    elsewhere: Arc<AtomicBool>,
}

impl SqliteCalls {
    /// Those of a connection that reads.
    pub(super) fn of_a_reader(paces: Arc<Paces>) -> Self {
        Self { reader: Some(ReaderCalls { paces, elsewhere: Arc::default() }) }
    }

    /// Whether one runs on another thread, although nobody may be waiting for it any more.
    pub(super) fn run_elsewhere(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.elsewhere.load(Ordering::Acquire))
    }
}

impl SpawnBlocking for SqliteCalls {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        // Outside a closure a connection is set up or looked at, which is short.
        let (Some(reader), Some(source)) = (&self.reader, source()) else {
            return Box::pin(async move { Ok(task()) });
        };
        let ReaderCalls { paces, elsewhere } = reader.clone();
        let trusted = paces.is_short(source);
        let timed = move || {
            let started = Instant::now();
            let result = task();
            paces.took(source, started.elapsed(), trusted);
            result
        };
        if trusted {
            return Box::pin(async move { Ok(timed()) });
        }
        // What is logged there belongs to this request, and goes where its other entries go.
        let (span, log) = (tracing::Span::current(), tracing::dispatcher::get_default(Clone::clone));
        Box::pin(async move {
            elsewhere.store(true, Ordering::Release);
            let back = Back(elsewhere);
            let done = spawn_blocking(move || {
                // However it ends.
                let _back = back;
                with_default(&log, || with_source(source, || span.in_scope(timed)))
            });
            match done.await {
                Ok(result) => Ok(result),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => Err(error.into()),
                },
            }
        })
    }

    fn get_runtime() -> Self {
        Self::default()
    }
}

/// Notes, when it is dropped, that nothing runs elsewhere any more.
struct Back(Arc<AtomicBool>);

impl Drop for Back {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
