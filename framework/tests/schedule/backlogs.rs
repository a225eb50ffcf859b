//! What was missed is made up for in its order, and by nobody twice: a scheduler may be stopped in the middle of it, or be cut off
//! from the others for days.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    cache::Cache,
    schedule::{CacheFence, Claim, Fence, FenceError, Missed, ScheduleStore, TaskFailed},
    support::Timestamp,
};
use tokio::{sync::Semaphore, time::sleep};

use super::{HOUR, MINUTE, Moving, SECOND, Seen, Stand};

/// A fence to which something happens before it answers.
struct Before<F>(CacheFence, F);

impl<F: Fn() -> BoxFuture<'static, Result<(), FenceError>> + Send + Sync + 'static> Fence for Before<F> {
    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<bool, FenceError>> {
        self.1().then(async move |before| before.map(|()| self.0.claim(claim))?.await).boxed()
    }

    fn known_until<'a>(&'a self, task: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Timestamp, FenceError>> {
        self.1().then(async move |before| before.map(|()| self.0.known_until(task, now))?.await).boxed()
    }

    fn note<'a>(&'a self, task: &'a str, until: Timestamp) -> BoxFuture<'a, Result<(), FenceError>> {
        self.0.note(task, until)
    }
}

/// A store in this cache, to whose fence that happens.
fn store(
    cache: &Cache,
    before: impl Fn() -> BoxFuture<'static, Result<(), FenceError>> + Send + Sync + 'static,
) -> Arc<ScheduleStore> {
    Arc::new(ScheduleStore::new(Arc::new(Before(CacheFence::new(cache.clone()), before)), cache.clone()))
}

fn sound(cache: &Cache) -> Arc<ScheduleStore> {
    store(cache, || async { Ok(()) }.boxed())
}

/// A task of each half past, that needs a permit for each run and tells at its end for which time it was.
fn stand(clock: &Arc<Moving>, store: &Arc<ScheduleStore>, seen: &Seen, permits: &Arc<Semaphore>) -> Stand {
    Stand::new(Arc::clone(clock) as _, store, |schedule| {
        let (seen, permits) = (seen.clone(), Arc::clone(permits));
        let slow = async move || {
            permits.acquire().await.unwrap().forget();
            Err::<(), _>("its time is to be known")
        };
        let tells = async move |failed: &TaskFailed| seen.add(&failed.due.to_string()[11..16]);
        schedule.call("it", slow).hourly_at(30).missed(Missed::Each { at_most: 100 }).on_failure(tells);
    })
}

/// What a task needs whose four runs from 12:30 to 15:30 were missed at this time.
async fn missed_at(time: &str) -> (Arc<Moving>, Cache, Seen, Arc<Semaphore>) {
    let (clock, cache) = (Moving::at("2026-01-01T12:00:00Z"), Cache::memory("default", 1 << 20));
    let (seen, permits) = (Seen::default(), Arc::new(Semaphore::new(0)));
    stand(&clock, &sound(&cache), &seen, &permits).work_for(MINUTE).await;
    clock.set(time);
    (clock, cache, seen, permits)
}

const ALL: [&str; 5] = ["12:30", "13:30", "14:30", "15:30", "16:30"];

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_while_it_makes_up_leaves_the_rest_to_the_next() {
    let (clock, cache, seen, permits) = missed_at("2026-01-01T16:10:00Z").await;
    let working = stand(&clock, &sound(&cache), &seen, &permits).work();
    permits.add_permits(1);
    // Another one becomes due while the second runs.
    sleep(30 * MINUTE).await;
    assert_eq!(seen.all(), ALL[..1]);
    working.ask();
    sleep(SECOND).await;
    permits.add_permits(1);
    assert_eq!(working.work.await.unwrap().failed, 2);
    permits.add_permits(100);
    stand(&clock, &sound(&cache), &seen, &permits).work_for(MINUTE).await;
    assert_eq!(seen.all(), ALL);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_or_was_slept_over_is_left_to_the_next_as_well() {
    let (clock, cache, seen, permits) = missed_at("2026-01-01T12:10:00Z").await;
    let is_down = Arc::new(AtomicBool::new(false));
    for is_owed in [false, true] {
        let down = Arc::clone(&is_down);
        let store = store(&cache, move || {
            let answer = if down.load(SeqCst) { Err(FenceError::new("cut off")) } else { Ok(()) };
            async { answer }.boxed()
        });
        let working = stand(&clock, &store, &seen, &permits).work();
        is_down.store(is_owed, SeqCst);
        match is_owed {
            true => sleep(2 * HOUR + 30 * MINUTE).await,
            false => {
                sleep(SECOND).await;
                clock.set("2026-01-01T15:10:00Z");
            }
        }
        is_down.store(false, SeqCst);
        sleep(30 * MINUTE).await;
        working.ask();
        sleep(SECOND).await;
        permits.add_permits(1);
        working.work.await.unwrap();
    }
    permits.add_permits(100);
    stand(&clock, &sound(&cache), &seen, &permits).work_for(MINUTE).await;
    assert_eq!(seen.all(), [ALL.as_slice(), &["17:30", "18:30"]].concat());
}

#[tokio::test(start_paused = true)]
async fn what_becomes_due_meanwhile_comes_after_it() {
    let (clock, cache, seen, permits) = missed_at("2026-01-01T16:10:00Z").await;
    let working = stand(&clock, &sound(&cache), &seen, &permits).work();
    sleep(30 * MINUTE).await;
    permits.add_permits(100);
    sleep(SECOND).await;
    assert_eq!(seen.all(), ALL);
    working.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_before_it_is_known_what_was_missed() {
    let (clock, cache, seen, permits) = missed_at("2026-01-01T16:29:00Z").await;
    permits.add_permits(100);
    let answers = Arc::new(Semaphore::new(0));
    let waits = Arc::clone(&answers);
    let store = store(&cache, move || {
        let waits = Arc::clone(&waits);
        async move { waits.acquire().await.map(drop).map_err(FenceError::new) }.boxed()
    });
    let working = stand(&clock, &store, &seen, &permits).work();
    sleep(2 * MINUTE).await;
    answers.add_permits(1);
    sleep(SECOND).await;
    assert_eq!(seen.all(), ALL);
    working.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_goes_on_where_making_up_for_it_breaks_off() {
    let (clock, cache, seen, permits) = missed_at("2026-01-01T16:29:00Z").await;
    permits.add_permits(100);
    let is_first = AtomicBool::new(true);
    let store = store(&cache, move || {
        assert!(!is_first.swap(false, SeqCst), "overboard");
        async { Ok(()) }.boxed()
    });
    stand(&clock, &store, &seen, &permits).work_for(2 * MINUTE).await;
    assert_eq!(seen.all(), ["16:30"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_cut_off_for_days_runs_nothing_that_others_have() {
    let (clock, cache) = (Moving::at("2026-01-01T12:00:00Z"), Cache::memory("default", 1 << 20));
    let (others, own, permits) = (Seen::default(), Seen::default(), Arc::new(Semaphore::new(1000)));
    let is_cut_off = Arc::new(AtomicBool::new(false));
    let cut_off = Arc::clone(&is_cut_off);
    let cut = store(&cache, move || {
        let answer = if cut_off.load(SeqCst) { Err(FenceError::new("cut off")) } else { Ok(()) };
        async { answer }.boxed()
    });
    let other = stand(&clock, &sound(&cache), &others, &permits).work();
    let cut = stand(&clock, &cut, &own, &permits).work();
    sleep(SECOND).await;
    is_cut_off.store(true, SeqCst);
    sleep(50 * HOUR).await;
    is_cut_off.store(false, SeqCst);
    sleep(MINUTE).await;
    assert_eq!(others.all().len(), 50);
    // That it could not find out, once.
    assert_eq!(own.all(), [] as [&str; 0]);
    assert_eq!((other.stop().await.failed, cut.stop().await.failed), (50, 1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_ran_for_days_is_made_up_for() {
    let (clock, cache, seen, permits) = missed_at("2026-01-04T12:00:00Z").await;
    permits.add_permits(1000);
    for _ in 0..2 {
        stand(&clock, &sound(&cache), &seen, &permits).work_for(MINUTE).await;
        assert_eq!(seen.all().len(), 72);
    }
}
