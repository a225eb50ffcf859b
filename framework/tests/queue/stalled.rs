//! A process that stood still for longer than its workers live, as one that was stopped and goes on.

use std::time::Duration;

use paravel::queue::{Outcome, Settled, Turn};
use uuid::Uuid;

use super::{
    Stand, message,
    suite::{beat, claim},
};

#[tokio::test(start_paused = true)]
async fn who_stood_still_takes_no_job_from_its_own_workers() {
    let stand = Stand::memory();
    let (me, lives) = (Uuid::new_v4(), Duration::from_secs(12));
    beat(&stand, me, lives).await;
    stand.driver.push(vec![message("a")].into()).await.unwrap();
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(stand.driver.tend(&[]).await.unwrap().rescued, 0);
    assert_eq!(stand.driver.admin().workers().await.unwrap().len(), 1);
    let turn = Turn { worker: me, ends: &[claimed.end(Outcome::DONE)], queues: &[], most: 0 };
    assert_eq!(stand.driver.turn(turn).await.unwrap().settled, [Settled::Done]);
    // Where it is silent although it could beat, it is dead.
    (stand.lapse)(lives).await;
    assert!(stand.driver.admin().workers().await.unwrap().is_empty());
}
