//! What the cache in memory costs, beside the maps it could be made of.
//!
//! `cargo bench -p paravel --bench cache`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use paravel::cache::{Cache, CacheError};
use tokio::runtime::Builder;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Entries, which is what a busy application's cache has.
const ENTRIES: usize = 100_000;
/// Those of them that are asked for again and again, and so are in the processor's own cache.
const HOT: usize = 1000;
/// Calls that are timed together, so that the clock itself is lost in them.
const CALLS: usize = 1_000_000;
/// The best turn of each counts, which is the one least disturbed.
const TURNS: usize = 7;
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    hits()?;
    misses()?;
    invalidation()?;
    Ok(())
}

fn keys() -> Vec<String> {
    (0..ENTRIES).map(|number| format!("users:{number}")).collect()
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> Result<T> {
    future.now_or_never().ok_or_else(|| "it waited".into())
}

fn per_call(among: usize, mut call: impl FnMut(usize)) -> f64 {
    let best = (0..TURNS).map(|_| {
        let started = Instant::now();
        for number in 0..CALLS {
            // Steps through the keys in no order that a processor would guess.
            call(number.wrapping_mul(7919) % among);
        }
        started.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    });
    best.fold(f64::MAX, f64::min)
}

fn hits() -> Result<()> {
    let keys = keys();
    let value = |number: usize| format!("the value of number {number}");
    let quick = quick_cache::sync::Cache::<Box<str>, Arc<String>>::new(2 * ENTRIES);
    let moka = moka::sync::Cache::<Box<str>, Arc<String>>::builder().max_capacity(2 * ENTRIES as u64).build();
    let (plain, tagged) = (Cache::memory("plain", 1 << 30), Cache::memory("tagged", 1 << 30));
    for (number, key) in keys.iter().enumerate() {
        quick.insert(key.as_str().into(), Arc::new(value(number)));
        moka.insert(key.as_str().into(), Arc::new(value(number)));
        now(plain.put(key, value(number), HOUR))??;
        now(tagged.tags(["users", key.as_str()]).put(key, value(number), HOUR))??;
    }
    moka.run_pending_tasks();
    for (among, budget) in [(HOT, " (budget 100)"), (ENTRIES, "")] {
        let get = |cache: &Cache| per_call(among, |at| drop(black_box(cache.get::<String>(&keys[at]).now_or_never())));
        let in_quick = per_call(among, |at| drop(black_box(quick.get(keys[at].as_str()))));
        let in_moka = per_call(among, |at| drop(black_box(moka.get(keys[at].as_str()))));
        println!("hit among {among} of {ENTRIES} keys, quick_cache alone: {in_quick:.1} ns");
        println!("hit among {among} of {ENTRIES} keys, moka alone: {in_moka:.1} ns");
        println!("hit among {among} of {ENTRIES} keys, Cache::get: {:.1} ns{budget}", get(&plain));
        println!("hit among {among} of {ENTRIES} keys, Cache::get with two tags: {:.1} ns{budget}", get(&tagged));
    }
    Ok(())
}

fn misses() -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (cache, runs) = (Cache::memory("misses", 1 << 20), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let (cache, runs) = (cache.clone(), Arc::clone(&runs));
                paravel::spawn(async move {
                    let load = async || {
                        runs.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        Ok::<_, CacheError>(1)
                    };
                    cache.remember("the same", HOUR, load).await.map(drop)
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let runs = runs.load(Ordering::Relaxed);
    println!(
        "1000 misses of one key at once: {runs} load of 50 ms (budget 1), all answered after {milliseconds:.1} ms"
    );
    Ok(())
}

fn invalidation() -> Result<()> {
    let cache = Cache::memory("tags", 1 << 30);
    let users = cache.tags(["users"]);
    for key in keys() {
        now(users.put(&key, 1, HOUR))??;
    }
    let started = Instant::now();
    now(cache.invalidate(["users"]))??;
    let micros = started.elapsed().as_secs_f64() * 1e6;
    let left = keys().iter().filter(|key| now(cache.has(key)).is_ok_and(|has| has.unwrap_or(true))).count();
    println!("invalidating a tag of {ENTRIES} entries: {micros:.1} us (budget 1000), {left} of them left");
    Ok(())
}
