//! A server whose answers get lost.

use std::{sync::Arc, time::Duration};

use paravel::{
    database::{Connection, Db},
    queue::{Beat, Claimed, DatabaseDriver, Driver, DriverError, Outcome, QueueAdmin, Settled, Turn, Turned},
    support::SystemClock,
    testing::TestDatabase,
};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use uuid::Uuid;

use super::number;
use crate::{
    database::config,
    queue::{message, suite::claim},
};

/// Longer than anything here takes; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(60);

/// Stands between an application and its server, and loses an answer where it is told to.
struct Wire {
    url: String,
    loses: Lost,
}

/// When a commit may go on its way whose answer is lost.
type Lost = Arc<Mutex<Option<oneshot::Receiver<()>>>>;

impl Wire {
    /// To the server of this address.
    async fn to(url: &str) -> Self {
        // As the toolkit says it: a query of nothing before it in PostgreSQL, and the byte that begins a query in MySQL.
        let commit: &[u8] = if url.starts_with("postgres") { b"select; commit" } else { b"\x03commit" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (before, rest) = url.split_once('@').unwrap();
        let (server, after) = rest.split_once('/').unwrap();
        let mut here = format!("{before}@{}/{after}", listener.local_addr().unwrap());
        if url.starts_with("mysql") {
            // Its client would go on over the server's socket, where it is on this machine.
            here.push_str(if url.contains('?') { "&prefer_socket=false" } else { "?prefer_socket=false" });
        }
        let (server, loses) = (server.to_owned(), Lost::default());
        let told = Arc::clone(&loses);
        drop(paravel::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                drop(paravel::spawn(pass(client, server.clone(), commit, Arc::clone(&told))));
            }
        }));
        Self { url: here, loses }
    }

    /// Loses the next commit's connection to the client; the server gets it when this is dropped.
    fn lose(&self) -> oneshot::Sender<()> {
        let (late, comes) = oneshot::channel();
        *self.loses.lock() = Some(comes);
        late
    }
}

/// Passes on what both say until the connection is lost.
async fn pass(mut client: TcpStream, server: String, commit: &[u8], loses: Lost) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        let (from, to, bytes) = tokio::select! {
            read = client.read(&mut asked) => (read, &mut server, &asked),
            read = server.read(&mut answered) => (read, &mut client, &answered),
        };
        let Ok(count @ 1..) = from else { return };
        let some = &bytes[..count];
        if some.windows(commit.len()).any(|some| some == commit) {
            let comes = loses.lock().take();
            if let Some(comes) = comes {
                drop(client);
                let _ = comes.await;
                server.write_all(some).await.unwrap();
                // Until it is done.
                let _ = server.read(&mut answered).await;
                return;
            }
        }
        if to.write_all(some).await.is_err() {
            return;
        }
    }
}

/// The queues of one worker, behind a wire.
struct Office<C: Connection> {
    wire: Wire,
    driver: DatabaseDriver<C>,
    worker: Uuid,
    direct: Arc<Db<C>>,
    _own: TestDatabase,
}

impl<C: Connection> Office<C> {
    async fn new() -> Option<Self> {
        let own = TestDatabase::create(C::BACKEND).unwrap()?;
        let direct = Arc::new(Db::<C>::new(config(own.url(), &[])).unwrap());
        super::migrate(&direct).await;
        let wire = Wire::to(own.url()).await;
        let db = Arc::new(Db::<C>::new(config(&wire.url, &[])).unwrap());
        let (driver, worker) = (DatabaseDriver::new(db, Arc::new(SystemClock)), Uuid::new_v4());
        driver.beat(Beat { worker, lives: Duration::from_secs(3600), status: b"{}" }).await.unwrap();
        Some(Self { wire, driver, worker, direct, _own: own })
    }

    async fn push(&self, count: usize) {
        let messages: Vec<_> = (0..count).map(|_| message("a")).collect();
        self.driver.push(messages.into()).await.unwrap();
    }

    async fn claim(&self, most: usize) -> Vec<Claimed> {
        claim(&self.driver, self.worker, &["a"], most).await
    }

    /// Ends what was claimed, and claims more.
    async fn turn(&self, ends: &[Claimed], most: usize) -> Result<Turned, DriverError> {
        let ends: Vec<_> = ends.iter().map(|claimed| claimed.end(Outcome::DONE)).collect();
        self.driver.turn(Turn { worker: self.worker, ends: &ends, queues: &["a".to_owned()], most }).await
    }

    /// Claims so many, and does not hear of it.
    async fn claim_unheard(&self, most: usize) -> oneshot::Sender<()> {
        let late = self.wire.lose();
        let lost = self.turn(&[], most).await;
        assert!(matches!(&lost, Err(DriverError::Unavailable(_))), "{lost:?}");
        late
    }

    /// Waits until so many are claimed.
    async fn until_claimed(&self, count: i64) {
        let claimed = "select count(*) as n from queue_jobs where worker is not null";
        let comes = async {
            while number(&self.direct, claimed).await != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, comes).await.expect("they are not claimed");
    }
}

fn tokens(claimed: &[Claimed]) -> Vec<u64> {
    claimed.iter().map(|claimed| claimed.receipt.token).collect()
}

async fn what_was_claimed_by_an_answer_that_was_lost_goes_back<C: Connection>() {
    let Some(office) = Office::<C>::new().await else { return };
    office.push(5).await;
    let known = office.claim(2).await;
    for _ in 0..2 {
        drop(office.claim_unheard(2).await);
        office.until_claimed(4).await;
    }
    // It lives, and so nobody else would look for them.
    assert_eq!(office.driver.tend(&["a".to_owned()]).await.unwrap().rescued, 0);
    let again = office.claim(9).await;
    assert!(again.iter().all(|claimed| (claimed.attempt, claimed.crashes) == (1, 0)), "{again:?}");
    assert_eq!(tokens(&again), [3, 3, 1], "each claim of theirs has a token of its own");
    for all in [known, again] {
        assert_eq!(office.turn(&all, 0).await.unwrap().settled, vec![Settled::Done; all.len()]);
    }
    // An end whose answer was lost was an end.
    office.push(2).await;
    let last = office.claim(2).await;
    drop(office.wire.lose());
    assert!(matches!(office.turn(&last, 0).await, Err(DriverError::Unavailable(_))));
    assert_eq!(office.turn(&last, 0).await.unwrap().settled, [Settled::Stale; 2]);
    assert!(office.driver.depths().await.unwrap().iter().all(|(_, depth)| depth.total() == 0));
}

async fn what_is_claimed_after_its_answer_was_given_up_goes_back_too<C: Connection>() {
    let Some(office) = Office::<C>::new().await else { return };
    office.push(2).await;
    let late = office.claim_unheard(2).await;
    office.push(1).await;
    // MySQL waits here for what it is about to be told.
    let (one, ()) = tokio::join!(office.claim(1), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(late);
    });
    assert_eq!(one.len(), 1);
    let rest = async {
        let mut claimed = Vec::new();
        while claimed.len() < 2 {
            claimed.extend(office.claim(9).await);
        }
        claimed
    };
    let rest = tokio::time::timeout(DEADLINE, rest).await.expect("they stay with a worker that knows nothing of them");
    assert_eq!((rest.len(), office.turn(&rest, 0).await.unwrap().settled), (2, vec![Settled::Done; 2]));
}

/// The tests of these names on each server.
macro_rules! on_servers {
    ($($test:ident,)*) => {
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test::<paravel::database::PgConn>().await;
            })*
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test::<paravel::database::MysqlConn>().await;
            })*
        }
    };
}

on_servers! {
    what_was_claimed_by_an_answer_that_was_lost_goes_back,
    what_is_claimed_after_its_answer_was_given_up_goes_back_too,
}
