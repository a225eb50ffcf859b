use std::{
    collections::{HashMap, HashSet},
    future::Future,
    hash::Hash,
    pin::pin,
    time::Duration,
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::CacheSlot;
use crate::{
    cache::{Cache, CacheValue},
    database::{from_primary, in_transaction},
};

/// How long is waited for others who load some of the same before the rest is loaded without those. Two who each wait for
/// the other would never begin.
const PATIENCE: Duration = Duration::from_millis(50);

/// There is nothing to keep.
#[derive(Clone)]
struct Absent;

/// Puts into the cache what a cached method would return for each of many arguments, and loads that at once: `load` gets
/// those for which nothing is kept yet, and what it does not return stays absent. How many it returned. In a transaction
/// nothing is loaded.
///
/// What was changed while it was being loaded is not kept, nor what the method would not keep: `None`, and that for whose
/// arguments `when` does not hold, which is not loaded either.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use paravel::{cache::Cache, container::ContainerError, service, service::prefetch};
///
/// #[service]
/// trait Berths {
///     #[cached(key = "berths:{berth}", ttl = "30m", tags("berths:{berth}"))]
///     async fn ship(&self, berth: u8) -> Result<String, ContainerError>;
/// }
///
/// async fn all(cache: &Cache, harbour: &BTreeMap<u8, String>) -> Result<usize, ContainerError> {
///     // One look into the harbour for all of them.
///     let ships = async |berths: Vec<u8>| {
///         Ok(berths.into_iter().filter_map(|berth| Some((berth, harbour.get(&berth)?.clone()))).collect())
///     };
///     prefetch(cache, 0..100, |berth| <dyn Berths>::cached_ship(*berth), ships).await
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let (cache, harbour) = (Cache::memory("berths", 1 << 20), BTreeMap::from([(7, "Dawn Treader".to_owned())]));
/// # assert_eq!(all(&cache, &harbour).await?, 1);
/// # assert_eq!(*cache.get::<String>("berths:7").await?.ok_or("nothing is kept")?, "Dawn Treader");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of `load`; what was loaded before stays.
pub async fn prefetch<K, T, E, F>(
    cache: &Cache,
    wanted: impl IntoIterator<Item = K>,
    slot: impl Fn(&K) -> CacheSlot<T>,
    load: impl Fn(Vec<K>) -> F,
) -> Result<usize, E>
where
    K: Clone + Eq + Hash,
    T: CacheValue,
    F: Future<Output = Result<Vec<(K, T)>, E>>,
{
    if in_transaction() {
        return Ok(0);
    }
    let (ask, mut asked) = mpsc::unbounded_channel();
    let mut once = HashSet::new();
    let wanted = wanted.into_iter().filter(|key| once.insert(key.clone()));
    // Each notes the versions of its tags before it asks, and nothing is loaded before all have asked.
    let mut open: FuturesUnordered<_> = wanted
        .map(|key| (slot(&key), key))
        .filter(|(slot, _)| slot.when)
        .map(|(slot, key)| {
            let ask = ask.clone();
            async move {
                let load = || async move {
                    let (give, given) = oneshot::channel();
                    let _ = ask.send((key, give));
                    given.await.ok().filter(slot.keep).ok_or(Absent)
                };
                let _ = cache.tags(slot.tags).remember::<T, _, _, _>(&slot.key, slot.ttl, load).await;
            }
        })
        .collect();
    let mut waiting = Vec::new();
    let mut loaded = 0;
    while !open.is_empty() {
        if waiting.len() < open.len() {
            let patience = sleep(PATIENCE);
            tokio::select! {
                biased;
                Some(asks) = asked.recv() => {
                    waiting.push(asks);
                    continue;
                }
                Some(()) = open.next() => continue,
                () = patience, if !waiting.is_empty() => {}
            }
        }
        let keys = waiting.iter().map(|(key, _): &(K, _)| key.clone()).collect();
        let mut batch = pin!(from_primary(load(keys)));
        // Those who asked are polled meanwhile: they lengthen their leases.
        let values = loop {
            tokio::select! {
                biased;
                values = &mut batch => break values?,
                Some(()) = open.next() => {}
            }
        };
        let mut values: HashMap<K, T> = values.into_iter().collect();
        for (key, give) in waiting.drain(..) {
            if let Some(value) = values.remove(&key) {
                loaded += 1;
                let _: Result<(), T> = give.send(value);
            }
        }
    }
    Ok(loaded)
}
