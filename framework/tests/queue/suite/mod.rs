//! What every driver keeps: one suite, which all of them pass and broken ones do not.

mod admin;
mod batches;
mod claims;
mod jumps;
mod pushes;

use std::time::Duration;

use paravel::{
    queue::{Beat, Claimed, Depth, Driver, Message, Outcome, Pushed, Settled, Turn},
    support::Clock,
};
use uuid::Uuid;

use super::Stand;
pub use admin::*;
pub use batches::*;
pub use claims::*;
pub use jumps::*;
pub use pushes::*;

const LIVES: Duration = Duration::from_secs(12);

pub async fn claim(driver: &dyn Driver, worker: Uuid, queues: &[&str], most: usize) -> Vec<Claimed> {
    let queues: Vec<_> = queues.iter().map(|queue| (*queue).to_owned()).collect();
    driver.turn(Turn { worker, ends: &[], queues: &queues, most }).await.unwrap().claimed
}

async fn worker(stand: &Stand) -> Uuid {
    let worker = Uuid::new_v4();
    beat(stand, worker, LIVES).await;
    worker
}

pub async fn beat(stand: &Stand, worker: Uuid, lives: Duration) {
    stand.driver.beat(Beat { worker, lives, status: b"{}" }).await.unwrap();
}

async fn push(stand: &Stand, messages: Vec<Message>) {
    let count = messages.len();
    assert_eq!(stand.driver.push(messages.into()).await.unwrap(), vec![Pushed::Stored; count]);
}

async fn settle(stand: &Stand, claimed: &Claimed, outcome: Outcome) -> Settled {
    let turn = Turn { worker: Uuid::new_v4(), ends: &[claimed.end(outcome)], queues: &[], most: 0 };
    stand.driver.turn(turn).await.unwrap().settled[0]
}

fn outcomes(stand: &Stand) -> [Outcome; 4] {
    let now = stand.clock.now();
    [
        Outcome::DONE,
        Outcome::Retry { due: now, payload: None },
        Outcome::Release { due: None, payload: None },
        Outcome::Fail { error: "no".to_owned(), at: now },
    ]
}

fn fail(stand: &Stand) -> Outcome {
    Outcome::Fail { error: "no".to_owned(), at: stand.clock.now() }
}

async fn tend(stand: &Stand, queue: &str) -> (u64, u64) {
    let tended = stand.driver.tend(&[queue.to_owned()]).await.unwrap();
    (tended.due, tended.rescued)
}

/// Ready, scheduled and running.
async fn depth(stand: &Stand, queue: &str) -> (u64, u64, u64) {
    let depth = depths(stand, queue).await;
    (depth.ready, depth.scheduled, depth.running)
}

async fn depths(stand: &Stand, queue: &str) -> Depth {
    let depths = stand.driver.admin().depths().await.unwrap();
    depths.into_iter().find(|(name, _)| name == queue).map(|(_, depth)| depth).unwrap_or_default()
}
