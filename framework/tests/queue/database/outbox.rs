//! What transactions push into queues elsewhere, and what consumers have had.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt, join};
use paravel::{
    container::ContainerBuilder,
    database::{Connection, DbError},
    queue::{
        Batch, Beat, Driver, DriverError, Durability, Inbox, Orders, Outbox, Push, Pushed, Queue, QueueAdmin, Relay,
        Tended, Turn, Turned,
    },
    support::{Clock, WireFormat},
};

use super::Own;
use crate::queue::{Stand, forwards::forwards, undone, worker::Count};

/// Queues elsewhere, which may be down.
struct Elsewhere {
    inner: Arc<dyn Driver>,
    is_down: AtomicBool,
    pushes: AtomicU64,
    /// Before so many it goes down.
    most: AtomicU64,
    /// The most messages that came at once.
    largest: AtomicUsize,
}

/// The queue that it takes nothing for.
const REFUSED: &str = "refused";

impl Driver for Elsewhere {
    forwards!(inner: turn, beat, tend, wait, durability, admin);

    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        async move {
            if self.is_down.load(SeqCst) {
                return Err(DriverError::Unavailable("it is down".into()));
            }
            if push.messages.iter().any(|message| message.queue == REFUSED) {
                return Err(DriverError::Refused("it is too long".into()));
            }
            if self.pushes.fetch_add(1, SeqCst) >= self.most.load(SeqCst) {
                return Err(DriverError::Unavailable("it has gone down".into()));
            }
            self.largest.fetch_max(push.messages.len(), SeqCst);
            // Whoever else relays has its chance.
            tokio::task::yield_now().await;
            self.inner.push(push).await
        }
        .boxed()
    }
}

struct Office<C: Connection> {
    own: Own<C>,
    elsewhere: Arc<Elsewhere>,
    outbox: Outbox<C>,
    queue: Queue,
}

impl<C: Connection> Office<C> {
    fn new(own: Own<C>) -> Self {
        let inner = Stand::memory().driver;
        let elsewhere = Arc::new(Elsewhere {
            inner,
            is_down: AtomicBool::new(false),
            pushes: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
            largest: AtomicUsize::new(0),
        });
        let clock: Arc<dyn Clock> = Arc::clone(&own.clock) as _;
        let driver: Arc<dyn Driver> = Arc::clone(&elsewhere) as _;
        let outbox = Outbox::new(Arc::clone(&own.db), Arc::clone(&driver), Arc::clone(&clock));
        let queue = Queue::new(driver, WireFormat::MessagePack, clock).within(Arc::new(outbox.clone()));
        Self { own, elsewhere, outbox, queue }
    }

    async fn dispatch(&self, commits: bool) {
        let done = self.in_transaction(async move |queue| {
            queue.dispatch(Count::of("x")).await.unwrap();
            if commits { Ok(()) } else { Err(undone()) }
        });
        assert_eq!(done.await.is_ok(), commits);
    }

    /// Dispatches inside a transaction.
    async fn in_transaction<F>(&self, dispatch: impl FnOnce(Queue) -> F + Send + 'static) -> Result<(), DbError>
    where
        F: Future<Output = Result<(), DbError>> + Send,
    {
        let queue = self.queue.clone();
        let done = self.own.db.write(async move |_| dispatch(queue).await);
        ContainerBuilder::new().freeze().unwrap().scope().run(done).await
    }

    /// Goes down, and has something left in the outbox that it takes as soon as it is there again.
    async fn left<F>(&self, dispatch: impl FnOnce(Queue) -> F + Send + 'static)
    where
        F: Future<Output = Result<(), DbError>> + Send,
    {
        self.elsewhere.is_down.store(true, SeqCst);
        self.in_transaction(dispatch).await.unwrap();
        self.elsewhere.is_down.store(false, SeqCst);
        self.own.advance(Duration::from_secs(11));
    }

    /// How much is in the outbox, and how much is there where it was to go.
    async fn found(&self) -> (i64, u64) {
        let rows = super::number(&self.own.db, "select count(*) as n from queue_outbox").await;
        (rows, self.queue.depth("count").await.unwrap().total())
    }
}

pub async fn what_is_pushed_elsewhere_comes_with_the_commit<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office.dispatch(false).await;
    assert_eq!(office.found().await, (0, 0));
    office.dispatch(true).await;
    assert_eq!(office.found().await, (0, 1));
    assert_eq!(office.outbox.relay().await.unwrap(), 0);
}

pub async fn what_could_not_be_relayed_is_relayed_later<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office.elsewhere.is_down.store(true, SeqCst);
    office.dispatch(true).await;
    assert_eq!(office.found().await, (1, 0));
    assert_eq!(office.outbox.relay().await.unwrap(), 0, "whoever wrote it may be at it");
    office.own.advance(Duration::from_secs(11));
    let error = office.outbox.relay().await.unwrap_err().to_string();
    assert_eq!(error, "the queue could not relay its outbox: it is down");
    office.elsewhere.is_down.store(false, SeqCst);
    office.own.advance(Duration::from_secs(11));
    assert_eq!(office.outbox.relay().await.unwrap(), 1);
    assert_eq!(office.found().await, (0, 1));
}

pub async fn two_who_relay_push_nothing_twice<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office.elsewhere.is_down.store(true, SeqCst);
    for _ in 0..250 {
        office.dispatch(true).await;
    }
    office.elsewhere.is_down.store(false, SeqCst);
    office.own.advance(Duration::from_secs(11));
    let (one, other) = join(office.outbox.relay(), office.outbox.relay()).await;
    assert_eq!(one.unwrap() + other.unwrap(), 250);
    assert_eq!((office.found().await, office.elsewhere.pushes.load(SeqCst)), ((0, 250), 250));
}

pub async fn what_a_queue_refuses_is_in_nobodys_way<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office
        .left(async move |queue| {
            queue.job(Count::of("x")).on(REFUSED).dispatch().await.unwrap();
            queue.dispatch(Count::of("x")).await.unwrap();
            Ok(())
        })
        .await;
    assert_eq!(office.found().await, (2, 0));
    assert_eq!(office.outbox.relay().await.unwrap(), 1);
    assert_eq!(office.found().await, (1, 1));
    // It may be taken another time.
    office.own.advance(Duration::from_secs(11));
    assert_eq!(office.outbox.relay().await.unwrap(), 0);
    assert_eq!(office.found().await, (1, 1));
}

pub async fn what_is_large_is_relayed_in_parts_and_goes_on_where_it_was<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office
        .left(async move |queue| {
            let batch = Batch::new("many").jobs((0..2500).map(|_| Count::of("x")));
            queue.batch(batch).await.unwrap();
            Ok(())
        })
        .await;
    office.elsewhere.most.store(2, SeqCst);
    office.outbox.relay().await.unwrap_err();
    assert_eq!(office.found().await, (1, 2000));
    office.elsewhere.most.store(u64::MAX, SeqCst);
    assert_eq!(office.outbox.relay().await.unwrap(), 0, "whoever is at it may go on");
    office.own.advance(Duration::from_secs(11));
    assert_eq!(office.outbox.relay().await.unwrap(), 1);
    assert_eq!((office.found().await, office.elsewhere.largest.load(SeqCst)), ((0, 2500), 1000));
    let batches = office.queue.batches().await.unwrap();
    assert_eq!((batches.len(), batches[0].pending), (1, 2500));
}

pub async fn an_idle_outbox_is_only_read<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    let (over, mut held) = tokio::sync::watch::channel(false);
    let begun = Arc::new(tokio::sync::Notify::new());
    let (db, begins) = (Arc::clone(&office.own.db), Arc::clone(&begun));
    // Nobody else writes to SQLite meanwhile.
    let busy = paravel::spawn(async move {
        let busy = db.write(async move |_| {
            begins.notify_one();
            let _ = held.wait_for(|over| *over).await;
            Ok::<_, DbError>(())
        });
        busy.await
    });
    begun.notified().await;
    let relayed = tokio::time::timeout(Duration::from_secs(60), office.outbox.relay()).await;
    assert_eq!(relayed.expect("it waits for whoever writes").unwrap(), 0);
    over.send(true).unwrap();
    busy.await.unwrap().unwrap();
}

pub async fn what_was_left_is_relayed_some_at_a_time<C: Connection>(own: Own<C>) {
    let office = Office::new(own);
    office
        .left(async move |queue| {
            queue.dispatch(Count::of("x")).await.unwrap();
            Ok(())
        })
        .await;
    for _ in 0..9 {
        let more = "insert into queue_outbox (claimed_until, push) select claimed_until, push from queue_outbox";
        super::run(&office.own.db, more).await;
    }
    let mut relayed = Vec::new();
    while relayed.last() != Some(&0) {
        relayed.push(office.outbox.relay().await.unwrap());
    }
    assert_eq!((relayed, office.found().await), (vec![500, 12, 0], (0, 512)));
}

pub async fn a_consumer_has_everything_once<C: Connection>(own: Own<C>) {
    let clock: Arc<dyn Clock> = Arc::clone(&own.clock) as _;
    let inbox = Inbox::new(clock);
    let first = async |consumer: &str, id: &str, commits: bool| {
        let (inbox, consumer, id) = (inbox.clone(), consumer.to_owned(), id.to_owned());
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let done = own.db.write(async move |c| {
            told.send(inbox.first(c, &consumer, &id).await?).unwrap();
            if commits { Ok(()) } else { Err(undone()) }
        });
        assert_eq!(done.await.is_ok(), commits);
        heard.recv().await.unwrap()
    };
    assert!(first("mail", "1", false).await);
    assert!(first("mail", "1", true).await, "it was not had when that was rolled back");
    assert!(!first("mail", "1", true).await);
    assert!(first("mail", "2", true).await && first("book", "1", true).await);
    own.advance(Duration::from_secs(60));
    let (forgets, before) = (inbox.clone(), own.clock.now());
    let pruned = own.db.write(async move |c| Ok::<_, DbError>(forgets.prune(c, before).await?)).await.unwrap();
    assert_eq!(pruned, 3);
    assert!(first("mail", "1", true).await);
}
