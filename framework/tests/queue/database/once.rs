//! Jobs that end in a transaction of their own.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use paravel::{
    config::QueueConfig,
    container::ContainerBuilder,
    database::{Connection, Db, Statement},
    queue::{Backoff, Chain, Job, JobEntry, JobRun, Jobs, Queue, Worker, WorkerLimits, WorkerReport},
    support::{BoxError, Env},
};
use serde::{Deserialize, Serialize};

use super::Own;

/// What the jobs of a test write into, whatever its connection.
trait Ledger: Send + Sync {
    fn book(&self, what: String, run: JobRun) -> BoxFuture<'_, Result<(), BoxError>>;
}

impl<C: Connection> Ledger for Db<C> {
    fn book(&self, what: String, run: JobRun) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            if what == "given away" {
                super::run(self, "update queue_jobs set token = token + 1").await;
            }
            self.write(async move |c| {
                c.run(&Statement::new("insert into ledger (what) values (?)").bind(&*what)).await?;
                run.complete_in(c).await?;
                if what == "rolled back" && run.attempt() == 1 {
                    return Err("not yet".into());
                }
                Ok::<_, BoxError>(())
            })
            .await
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Book {
    what: String,
}

impl Book {
    fn of(what: &str) -> Self {
        Self { what: what.to_owned() }
    }
}

impl Job for Book {
    const NAME: &'static str = "test.book";
    const BACKOFF: Backoff = Backoff::Fixed(Duration::ZERO);
    type Dependencies = (Arc<dyn Ledger>,);

    async fn handle(self, (ledger,): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
        ledger.book(self.what, run.clone()).await?;
        // It is over, whatever comes now.
        Err("too late".into())
    }
}

fn worker<C: Connection>(own: &Own<C>, queue: Queue, limits: WorkerLimits) -> Worker {
    let mut app = ContainerBuilder::new();
    app.instance::<dyn Ledger>(Arc::clone(&own.db) as _);
    let env = Env::from_pairs::<&str, &str>([]);
    let jobs = Arc::new(Jobs::collect([JobEntry::of::<Book>()]));
    Worker::new(queue, jobs, &QueueConfig::from_env(&env), app.freeze().unwrap(), ["default"]).limits(limits)
}

/// Works until nothing is left; how many jobs are done, were tried again, have failed, and had been given to somebody else.
async fn work<C: Connection>(own: &Own<C>, queue: &Queue) -> [u64; 4] {
    let mut all = [0; 4];
    while queue.depth("default").await.unwrap().total() > 0 {
        let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
        let WorkerReport { done, retried, failed, stale, .. } =
            worker(own, queue.clone(), limits).run(std::future::pending()).await;
        all = [all[0] + done, all[1] + retried, all[2] + failed, all[3] + stale];
    }
    all
}

async fn ledger<C: Connection>(own: &Own<C>) -> i64 {
    super::number(&own.db, "select count(*) as n from ledger").await
}

async fn queue<C: Connection>(own: &Own<C>) -> Queue {
    super::run(&own.db, "create table ledger (what varchar(100) not null)").await;
    own.queue()
}

pub async fn a_job_ends_with_its_own_transaction<C: Connection>(own: Own<C>) {
    let queue = queue(&own).await;
    queue.dispatch_many((0..20).map(|number| Book::of(&number.to_string()))).await.unwrap();
    assert_eq!(work(&own, &queue).await, [20, 0, 0, 0]);
    assert_eq!((ledger(&own).await, queue.depth("default").await.unwrap().total()), (20, 0));
    // One that runs where it is dispatched has no row, and one of another queue none here.
    let memory = crate::queue::Stand::memory().queue();
    memory.dispatch(Book::of("elsewhere")).await.unwrap();
    assert_eq!((work(&own, &memory).await, ledger(&own).await), ([0, 2, 1, 0], 20));
    let error = memory.failed().await.unwrap().remove(0).error;
    assert!(
        error.contains("its queue is not in the same database: keep the queue there by `DatabaseDriver`"),
        "{error}"
    );
}

pub async fn a_job_whose_transaction_is_rolled_back_is_tried_again<C: Connection>(own: Own<C>) {
    let queue = queue(&own).await;
    queue.dispatch(Book::of("rolled back")).await.unwrap();
    assert_eq!(work(&own, &queue).await, [1, 1, 0, 0]);
    assert_eq!((ledger(&own).await, queue.depth("default").await.unwrap().total()), (1, 0));
}

pub async fn a_job_that_was_given_away_cannot_end_in_its_transaction<C: Connection>(own: Own<C>) {
    let queue = queue(&own).await;
    queue.dispatch(Book::of("given away")).await.unwrap();
    let limits = WorkerLimits { jobs: Some(1), ..WorkerLimits::default() };
    let report = worker(&own, queue, limits).run(std::future::pending()).await;
    assert_eq!((report.done, report.retried, report.stale), (0, 0, 1));
    assert_eq!(ledger(&own).await, 0);
}

pub async fn what_follows_a_job_comes_with_its_transaction<C: Connection>(own: Own<C>) {
    let queue = queue(&own).await;
    let fleet = paravel::queue::Batch::new("fleet").job(Book::of("in a batch"));
    queue.chain(Chain::new().job(Book::of("first")).job(Book::of("rolled back")).batch(fleet)).await.unwrap();
    assert_eq!(work(&own, &queue).await, [3, 1, 0, 0]);
    assert_eq!(ledger(&own).await, 3);
    assert!(queue.driver().admin().batches().list(None).await.unwrap()[0].finished_at.is_some());
}
