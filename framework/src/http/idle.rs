//! When a connection was last of use. hyper's own timeout begins with a request's first bytes on HTTP/1: it knows nothing of
//! a client that says nothing at all, breaks off in HTTP/2's preface, or keeps a connection of HTTP/2 for nothing.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// What a connection does; one a connection, and no timer or wake-up a request.
#[derive(Clone)]
pub(super) struct Activity(Arc<Inner>);

struct Inner {
    began: Instant,
    open: AtomicUsize,
    // Milliseconds after `began` at which the last request ended.
    idle_since: AtomicU64,
}

impl Activity {
    /// A connection that was just accepted.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Inner { began: Instant::now(), open: AtomicUsize::new(0), idle_since: AtomicU64::new(0) }))
    }

    /// A request, open until what is returned is dropped.
    pub(super) fn request(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::AcqRel);
        Open(Arc::clone(&self.0))
    }

    /// Returns once no request has been open for this long, and before it has been for twice as long.
    pub(super) async fn idle_for(&self, limit: Duration) {
        let mut end = self.0.began + limit;
        loop {
            sleep_until(end).await;
            let now = Instant::now();
            end = match self.0.open.load(Ordering::Acquire) {
                0 => self.0.began + Duration::from_millis(self.0.idle_since.load(Ordering::Acquire)) + limit,
                _ => now + limit,
            };
            if end <= now {
                return;
            }
        }
    }
}

/// A request that is open.
pub(super) struct Open(Arc<Inner>);

impl Drop for Open {
    fn drop(&mut self) {
        let since = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.idle_since.store(since, Ordering::Release);
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A response's body, whose request is open until all of it has been taken.
pub(super) struct Answering<B> {
    pub(super) body: B,
    pub(super) _open: Open,
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
