//! Waiting for what becomes ready.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::redis::Redis;

/// How long to leave the server alone after it could not be listened to.
const PAUSE: Duration = Duration::from_millis(250);

/// What was heard of, on one connection for all who wait; made when somebody first does.
pub(super) struct Wake {
    redis: Arc<Redis>,
    // Under the application's prefix.
    channel: &'static str,
    news: watch::Sender<News>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

/// What has been heard.
#[derive(Default)]
struct News {
    // Grows with each message.
    count: u64,
    // The last that a queue was named in.
    queues: HashMap<String, u64>,
    // The first that could be heard since it is listened to without a break; none while it is not.
    since: Option<u64>,
    // The last that the queue was seen empty after.
    empty: HashMap<String, u64>,
}

/// Up to where all had been heard at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard(Option<u64>);

impl News {
    fn is_quiet(&self, queue: &str) -> bool {
        let (Some(since), Some(empty)) = (self.since, self.empty.get(queue)) else { return false };
        *empty >= since && self.queues.get(queue).is_none_or(|named| named <= empty)
    }
}

impl Wake {
    pub(super) fn new(redis: Arc<Redis>, channel: &'static str) -> Self {
        Self { redis, channel, news: watch::Sender::default(), listener: Mutex::default() }
    }

    /// To be asked before it is looked whether a queue is empty.
    pub(super) fn heard(&self) -> Heard {
        let news = self.news.borrow();
        Heard(news.since.map(|_| news.count))
    }

    /// These were empty at some moment after that.
    pub(super) fn were_empty(&self, heard: Heard, queues: &[String]) {
        let Heard(Some(count)) = heard else { return };
        self.news.send_if_modified(|news| {
            for queue in queues {
                match news.empty.get_mut(queue) {
                    Some(empty) => *empty = count.max(*empty),
                    None => drop(news.empty.insert(queue.clone(), count)),
                }
            }
            // Nobody waits for it.
            false
        });
    }

    /// Waits until one of these may have something. `look` says whether one has, and is asked once it would be heard if that changed:
    /// what is missed before is seen then.
    pub(super) async fn wait<F>(&self, queues: &[String], longest: Duration, look: impl Fn() -> F)
    where
        F: Future<Output = bool>,
    {
        let mut news = self.news.subscribe();
        let waits = async {
            self.listen();
            loop {
                // A connection that is lost makes none of them quiet.
                if news.wait_for(|news| news.since.is_some()).await.is_err() {
                    return;
                }
                let quiet = |news: &News| queues.iter().all(|queue| news.is_quiet(queue));
                if !quiet(&news.borrow()) {
                    let heard = self.heard();
                    if look().await {
                        return;
                    }
                    self.were_empty(heard, queues);
                }
                if news.wait_for(|news| !quiet(news)).await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(longest, waits).await;
    }

    /// Sees that somebody listens.
    fn listen(&self) {
        let mut listener = self.listener.lock();
        if listener.as_ref().is_none_or(JoinHandle::is_finished) {
            *listener = Some(start(Arc::clone(&self.redis), self.channel, self.news.clone()));
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.lock().take() {
            listener.abort();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it listens for all, and belongs to no caller's scope")]
fn start(redis: Arc<Redis>, channel: &'static str, news: watch::Sender<News>) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Forgotten when this ends, however it does.
        let news = Deaf(news);
        loop {
            if let Ok(mut messages) = redis.subscribe(channel).await {
                news.0.send_modify(|news| news.since = Some(news.count));
                while let Some(message) = messages.next().await {
                    heard(&news.0, &message.payload);
                }
                news.deafen();
            }
            sleep(PAUSE).await;
        }
    })
}

fn heard(news: &watch::Sender<News>, queue: &[u8]) {
    let Ok(queue) = std::str::from_utf8(queue) else { return };
    news.send_modify(|news| {
        news.count += 1;
        let count = news.count;
        match news.queues.get_mut(queue) {
            Some(named) => *named = count,
            None => drop(news.queues.insert(queue.to_owned(), count)),
        }
    });
}

struct Deaf(watch::Sender<News>);

impl Deaf {
    fn deafen(&self) {
        self.0.send_modify(|news| {
            // What was empty before the break may not be after it.
            news.count += 1;
            news.since = None;
        });
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.deafen();
    }
}
