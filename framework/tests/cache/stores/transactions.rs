//! What a cache does where a transaction is open: of the database that it keeps its values in, where it is one.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    cache::{Cache, CacheError, Limit},
    container::ContainerBuilder,
    database::{Connection, Db, DbError, SqliteConn},
};

use super::{super::HOUR, stand::Stand};
use crate::conformance::empty;

/// A database of any backend.
pub trait Transactions: Send + Sync {
    /// Does something in a transaction, which is then committed or rolled back.
    fn within(&self, commits: bool, work: BoxFuture<'static, ()>) -> BoxFuture<'_, ()>;
}

impl<C: Connection> Transactions for Db<C> {
    fn within(&self, commits: bool, work: BoxFuture<'static, ()>) -> BoxFuture<'_, ()> {
        async move {
            let done = self.write(async move |_| {
                work.await;
                if commits { Ok(()) } else { Err(DbError::Closed) }
            });
            match done.await {
                Ok(()) => assert!(commits),
                Err(DbError::Closed) => assert!(!commits),
                Err(error) => panic!("{error}"),
            }
        }
        .boxed()
    }
}

/// Does something in a transaction of this database, or of any where it is none.
pub fn within(
    database: Option<&Arc<dyn Transactions>>,
    commits: bool,
    work: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> {
    let work = work.boxed();
    async move {
        let app = ContainerBuilder::new().freeze().unwrap().scope();
        match database {
            Some(database) => app.run(database.within(commits, work)).await,
            None => {
                let db = empty::<SqliteConn>(&[]).await.unwrap();
                app.run(db.within(commits, work)).await;
            }
        }
    }
}

impl Stand {
    fn within(&self, commits: bool, work: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> {
        within(self.database.as_ref(), commits, work)
    }
}

async fn value(cache: &Cache, key: &str) -> Option<u8> {
    cache.get::<u8>(key).await.unwrap().as_deref().copied()
}

pub async fn changes_wait_for_the_commit(stand: Stand) {
    let (cache, keys) = (stand.cache().await, ["changed", "tagged", "forgotten"]);
    for commits in [false, true] {
        for key in keys {
            cache.tags([key]).put(key, 1_u8, HOUR).await.unwrap();
        }
        cache.forget("new").await.unwrap();
        let inside = cache.clone();
        stand
            .within(commits, async move {
                inside.put("changed", 2_u8, HOUR).await.unwrap();
                inside.forever("new", 3_u8).await.unwrap();
                inside.invalidate(["tagged"]).await.unwrap();
                assert!(!inside.forget("forgotten").await.unwrap(), "it is not done yet");
            })
            .await;
        assert_eq!(value(&cache, "changed").await, Some(if commits { 2 } else { 1 }));
        assert_eq!(value(&cache, "new").await, commits.then_some(3));
        assert_eq!(value(&cache, "tagged").await, (!commits).then_some(1));
        assert_eq!(value(&cache, "forgotten").await, (!commits).then_some(1));

        cache.put("flushed", 1_u8, HOUR).await.unwrap();
        let inside = cache.clone();
        stand.within(commits, async move { inside.flush().await.unwrap() }).await;
        assert_eq!(value(&cache, "flushed").await, (!commits).then_some(1));
    }
}

pub async fn what_is_loaded_in_one_was_not_found_and_is_not_kept(stand: Stand) {
    let cache = stand.cache().await;
    cache.put("there", 1_u8, HOUR).await.unwrap();
    for commits in [false, true] {
        let inside = cache.clone();
        stand
            .within(commits, async move {
                for key in ["there", "absent"] {
                    let load = async || Ok::<_, CacheError>(2_u8);
                    assert_eq!(*inside.remember(key, HOUR, load).await.unwrap(), 2);
                    assert_eq!(*inside.remember_forever(key, load).await.unwrap(), 2);
                    let load = || async { Ok::<_, CacheError>(2_u8) };
                    assert_eq!(*inside.flexible(key, HOUR, HOUR, load).await.unwrap(), 2);
                }
            })
            .await;
        assert_eq!((value(&cache, "there").await, value(&cache, "absent").await), (Some(1), None));
    }
}

pub async fn what_is_kept_is_found_in_one_unless_the_database_has_it(stand: Stand) {
    let (cache, is_elsewhere) = (stand.cache().await, stand.database.is_none());
    cache.put("a", 1_u8, HOUR).await.unwrap();
    let inside = cache.clone();
    stand
        .within(true, async move {
            inside.put("a", 2_u8, HOUR).await.unwrap();
            // What was there before, as others see it.
            assert_eq!(value(&inside, "a").await, is_elsewhere.then_some(1));
            assert_eq!(inside.has("a").await.unwrap(), is_elsewhere);
            let many = inside.many::<u8>(&["a", "b"]).await.unwrap();
            assert_eq!((many[0].as_deref(), many[1].as_deref()), (is_elsewhere.then_some(&1), None));
        })
        .await;
    assert_eq!(value(&cache, "a").await, Some(2));
}

pub async fn what_answers_at_once_is_done_for_good_or_is_an_error(stand: Stand) {
    fn failed<T>(answer: &Result<T, CacheError>) -> bool {
        matches!(answer, Err(CacheError::Store { .. }))
    }
    let (cache, is_elsewhere) = (stand.cache().await, stand.database.is_none());
    for commits in [false, true] {
        cache.flush().await.unwrap();
        for key in ["pulled", "touched"] {
            cache.put(key, 1_u8, HOUR).await.unwrap();
        }
        cache.put("count", 1_i64, HOUR).await.unwrap();
        let limiter = cache.limiter("logins", Limit::per_hour(5));
        limiter.clear("ada").await.unwrap();
        let (lock, held) = (cache.lock("reports", HOUR), cache.lock("held", HOUR));
        assert!(held.acquire().await.unwrap());
        let (inside, inner, taken, released) = (cache.clone(), limiter.clone(), lock.clone(), held.clone());
        stand
            .within(commits, async move {
                let (added, pulled) = (inside.add("added", 1_u8, HOUR).await, inside.pull::<u8>("pulled").await);
                let (count, touched) = (inside.increment("count", 1).await, inside.touch("touched", HOUR).await);
                let (attempt, remaining) = (inner.attempt("ada").await, inner.remaining("ada").await);
                let (acquired, freed) = (taken.acquire().await, released.release().await);
                if is_elsewhere {
                    assert!(added.unwrap() && pulled.unwrap().is_some() && touched.unwrap());
                    assert!(attempt.unwrap().is_allowed() && acquired.unwrap() && freed.unwrap());
                    assert_eq!((count.unwrap(), remaining.unwrap()), (2, 4));
                } else {
                    assert!(failed(&added) && failed(&pulled) && failed(&count) && failed(&touched));
                    assert!(failed(&attempt) && failed(&remaining) && failed(&acquired) && failed(&freed));
                }
            })
            .await;
        // Where it was an error nothing is changed, and the store is as good as before.
        assert_eq!(value(&cache, "added").await, is_elsewhere.then_some(1));
        assert_eq!(value(&cache, "pulled").await, (!is_elsewhere).then_some(1));
        assert_eq!(value(&cache, "touched").await, Some(1));
        assert_eq!(cache.increment("count", 1).await.unwrap(), if is_elsewhere { 3 } else { 2 });
        assert_eq!(limiter.remaining("ada").await.unwrap(), if is_elsewhere { 4 } else { 5 });
        assert_eq!((lock.release().await.unwrap(), held.release().await.unwrap()), (is_elsewhere, !is_elsewhere));
    }
}
