//! Workers that are killed at random moments, under load.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    queue::{Backoff, Chain, Job, JobRun, Queue, UniqueKey},
    support::BoxError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::sleep;

use super::{Process, Records, Store, store::Shared, until};

/// How many workers there are at any time.
const WORKERS: usize = 3;

/// How many are killed, where `KILL_ROUNDS` says nothing.
const ROUNDS: u32 = 5;

/// How far the dispatcher may be ahead of the workers.
const AHEAD: u64 = 2000;

/// A job that writes down that it has run.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Haul {
    number: u64,
}

impl Haul {
    pub fn number(number: u64) -> Self {
        Self { number }
    }

    fn is_unique(self) -> bool {
        self.number % 10 == 4
    }
}

impl Job for Haul {
    const NAME: &'static str = "test.haul";
    const QUEUE: &'static str = "kills";
    const BACKOFF: Backoff = Backoff::Fixed(Duration::from_millis(200));
    type Dependencies = (Arc<Records>,);

    async fn handle(self, (records,): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
        if self.number % 10 == 2 && run.attempt() == 1 {
            return Err("it is to be tried again".into());
        }
        if self.number.is_multiple_of(7) {
            sleep(Duration::from_millis(self.number % 50)).await;
        }
        records.add(&self.number.to_string());
        Ok(())
    }

    fn unique(&self) -> Option<UniqueKey> {
        self.is_unique().then(|| UniqueKey::new(self.number.to_string()))
    }
}

/// Numbers that come out the same from the same seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What the queue has said it has.
#[derive(Default)]
struct Taken {
    numbers: Vec<u64>,
    /// The second steps of chains, by their first.
    follow: HashMap<u64, u64>,
}

/// Dispatches in every way, until it is over.
async fn dispatch(queue: Arc<Queue>, shared: Shared, over: Arc<AtomicBool>, mut random: Random) -> Taken {
    let (mut taken, mut next) = (Taken::default(), 0);
    let records = shared.records();
    while !over.load(SeqCst) {
        let first = next;
        match random.below(8) {
            0 => {
                next += 1;
                queue.dispatch(Haul::number(first)).await.unwrap();
            }
            1 => {
                next += 1;
                queue.dispatch_after(Duration::from_millis(300), Haul::number(first)).await.unwrap();
            }
            2 => {
                next += 2;
                let chain = Chain::new().job(Haul::number(first)).job(Haul::number(first + 1));
                queue.chain(chain).await.unwrap();
                taken.follow.insert(first + 1, first);
            }
            _ => {
                next += 20;
                let stored = queue.dispatch_many((first..next).map(Haul::number)).await.unwrap();
                assert!(stored.iter().all(Option::is_some), "a unique key was taken before");
            }
        }
        taken.numbers.extend(first..next);
        while next > records.count() + AHEAD && !over.load(SeqCst) {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(random.below(10))).await;
    }
    taken
}

/// The numbers of jobs that were put aside; for no other reason than that their workers died.
async fn put_aside(store: &Store, queue: &Queue) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for failed in queue.failed().await.unwrap() {
        assert!(failed.error.starts_with("its worker died "), "{}", failed.error);
        let id = failed.message.id.to_string();
        let shown = store.app.artisan(&["queue:failed", &id, "--json"]).await.unwrap();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let number = shown["payload"]["fields"]["number"].as_u64();
        numbers.insert(number.unwrap_or_else(|| panic!("{shown}")));
    }
    numbers
}

pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn worker(store: &Store) -> Process {
    store.start("queue:work --queue kills,default --grace 10s")
}

pub async fn all_that_was_taken_runs_though_workers_are_killed(store: Store) {
    let rounds = variable("KILL_ROUNDS").unwrap_or(ROUNDS.into());
    let seed = variable("KILL_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("{}: KILL_SEED={seed}", store.shared.backend());
    let (queue, mut random) = (store.app.make::<Queue>().unwrap(), Random(seed));
    let mut workers: Vec<_> = (0..WORKERS).map(|_| worker(&store)).collect();
    let over = Arc::new(AtomicBool::new(false));
    let dispatcher = dispatch(Arc::clone(&queue), store.shared.clone(), Arc::clone(&over), Random(seed ^ 1));
    let dispatcher = paravel::spawn(dispatcher);
    for round in 0..rounds {
        let had = store.records.count();
        until("the workers do nothing", async || (store.records.count() > had).then_some(())).await;
        sleep(Duration::from_millis(200 + random.below(800))).await;
        // One of them lives for longer, so that the dead are found while others die.
        let victim = if round % 40 == 39 { WORKERS - 1 } else { random.below(WORKERS as u64 - 1) as usize };
        workers[victim].kill();
        workers[victim] = worker(&store);
    }
    over.store(true, SeqCst);
    let taken = dispatcher.await.unwrap();
    until("something is left in the queue", async || {
        let depths = queue.depths().await.unwrap();
        depths.iter().all(|(_, depth)| depth.total() == 0).then_some(())
    })
    .await;
    let mut stale = 0;
    for worker in &mut workers {
        worker.signal("TERM");
        let (code, report) = worker.report().await;
        assert_eq!((code, &report["ended"]), (Some(0), &Value::from("stopped")), "{}", worker.said());
        stale += report["stale"].as_u64().unwrap();
    }
    let failed = put_aside(&store, &queue).await;
    let mut ran: BTreeMap<u64, u64> = BTreeMap::new();
    for record in store.records.all() {
        *ran.entry(record.parse().unwrap()).or_default() += 1;
    }
    let came_to_an_end = |number: &u64| ran.contains_key(number) || failed.contains(number);
    for number in &taken.numbers {
        // What follows a job that was put aside never began.
        let is_cut_off = || taken.follow.get(number).is_some_and(|first| failed.contains(first));
        assert!(came_to_an_end(number) || is_cut_off(), "{number} was taken, and is lost");
    }
    let known: BTreeSet<_> = taken.numbers.iter().copied().collect();
    assert!(ran.keys().chain(&failed).all(|number| known.contains(number)), "there is one that nobody dispatched");
    // Those that came to their end have given their keys back.
    let unique = taken.numbers.iter().copied().map(Haul::number).filter(|job| job.is_unique());
    for some in unique.collect::<Vec<_>>().chunks(500) {
        let again = queue.dispatch_many(some.iter().copied()).await.unwrap();
        assert!(again.iter().all(Option::is_some), "a unique key stays taken");
    }
    let twice = ran.values().filter(|times| **times > 1).count();
    let more: u64 = ran.values().map(|times| times - 1).sum();
    println!(
        "{}: {rounds} kills, {} jobs taken, {} ran, {twice} of them more than once ({more} runs more), {} put aside; the last \
         workers had {stale} taken from them",
        store.shared.backend(),
        known.len(),
        ran.len(),
        failed.len(),
    );
}
