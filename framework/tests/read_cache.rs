//! Cached reads, by a cache that keeps them in this process: when it is asked, and when not.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use paravel::{
    container::{Container, ContainerBuilder},
    database::{CachedRead, Db, DbError, ReadCache, ReadKey, ReadValue, SqliteConn},
    facades,
};

use crate::database::{TestDb, add, ships, with_ships};

/// Keeps values, or their bytes.
#[derive(Default)]
struct Kept {
    values: Mutex<HashMap<String, ReadValue>>,
    bytes: Mutex<HashMap<String, Vec<u8>>>,
    as_bytes: bool,
    asked: Mutex<Vec<ReadKey>>,
}

impl Kept {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn find(&self, read: &CachedRead<'_>) -> Option<ReadValue> {
        let name = read.key().name();
        if self.as_bytes {
            return read.codec().decode(self.bytes.lock().unwrap().get(name)?);
        }
        self.values.lock().unwrap().get(name).cloned()
    }
}

impl ReadCache for Kept {
    fn remember<'a>(
        &'a self,
        read: CachedRead<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<ReadValue, DbError>> + Send + 'a>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(read.key().clone());
            if let Some(value) = self.find(&read) {
                return Ok(value);
            }
            let (name, codec) = (read.key().name().to_owned(), read.codec());
            let value = read.load().await?;
            assert!(codec.is(&value));
            let bytes = codec.encode(&value).unwrap();
            self.bytes.lock().unwrap().insert(name.clone(), bytes);
            self.values.lock().unwrap().insert(name, Arc::clone(&value));
            Ok(value)
        })
    }
}

async fn app(as_bytes: bool) -> (TestDb, Arc<Kept>, Container) {
    let db = with_ships(&[]).await;
    let cache = Arc::new(Kept { as_bytes, ..Kept::default() });
    let mut app = ContainerBuilder::new();
    app.instance::<dyn ReadCache>(Arc::clone(&cache) as _);
    app.instance::<Db<SqliteConn>>(Arc::clone(&db.db));
    let app = app.freeze().unwrap();
    (db, cache, app)
}

fn key() -> ReadKey {
    ReadKey::new("ships:count", Duration::from_secs(60)).tag("ships")
}

async fn count(db: &Db<SqliteConn>) -> Result<Arc<i64>, DbError> {
    // It may borrow, as any read.
    let nobody = String::from("nobody");
    db.read_cached(&key(), async |c| Ok(ships::table.filter(ships::name.ne(&nobody)).count().get_result(c).await?))
        .await
}

#[tokio::test]
async fn a_read_is_answered_by_the_cache_until_the_request_writes() {
    for as_bytes in [false, true] {
        let (db, cache, app) = app(as_bytes).await;
        app.scope()
            .run(async {
                assert_eq!(*count(&db).await.unwrap(), 0);
                assert_eq!((*count(&db).await.unwrap(), cache.asked()), (0, 2));
            })
            .await;
        app.scope()
            .run(async {
                add(&db, "x".to_owned()).await.unwrap();
                assert_eq!((*count(&db).await.unwrap(), cache.asked()), (1, 2), "it sees what it wrote");
            })
            .await;
        app.scope()
            .run(async {
                assert_eq!((*count(&db).await.unwrap(), cache.asked()), (0, 3), "others get what is kept");
                let first = cache.asked.lock().unwrap()[0].clone();
                assert_eq!((first.name(), first.tags(), first.ttl()), (key().name(), key().tags(), key().ttl()));
            })
            .await;
    }
}

#[tokio::test]
async fn a_write_that_was_rolled_back_is_none() {
    let (db, cache, app) = app(false).await;
    let one = async {
        count(&db).await.unwrap();
        db.write(async |_| Err::<(), _>(DbError::Closed)).await.unwrap_err();
        count(&db).await.unwrap();
        assert_eq!(cache.asked(), 2);
    };
    app.scope().run(one).await;
}

#[tokio::test]
async fn inside_a_closure_the_cache_is_not_asked_even_where_it_has_the_answer() {
    let (db, cache, app) = app(false).await;
    let inside = async {
        count(&db).await.unwrap();
        let read = db.read(async |_| count(&db).await).await;
        assert!(matches!(read, Err(DbError::NestedTransaction)), "{read:?}");
        let other = Arc::clone(&db.db);
        let written = db.write(async move |_| count(&other).await).await;
        assert!(matches!(written, Err(DbError::NestedTransaction)), "{written:?}");
        assert_eq!(cache.asked(), 1);
    };
    app.scope().run(inside).await;
}

#[tokio::test]
async fn without_a_cache_or_an_application_each_read_is_made() {
    let db = with_ships(&[]).await;
    let app = ContainerBuilder::new().freeze().unwrap();
    for expected in 0..2 {
        assert_eq!(*count(&db).await.unwrap(), expected);
        assert_eq!(*app.scope().run(count(&db)).await.unwrap(), expected);
        add(&db, expected.to_string()).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_that_failed_is_not_kept_and_its_error_comes_through() {
    let (db, cache, app) = app(false).await;
    let failing = async {
        let failed = db.read_cached::<i64, _>(&key(), async |_| Err(DbError::Unfinished)).await;
        assert!(matches!(failed, Err(DbError::Unfinished)), "{failed:?}");
        assert_eq!((*count(&db).await.unwrap(), cache.asked()), (0, 2));
    };
    app.scope().run(failing).await;
}

#[tokio::test]
async fn what_is_kept_for_another_type_is_an_error_that_names_the_key_or_is_read_anew() {
    let text = async |db: &TestDb| db.read_cached::<String, _>(&key(), async |_| Ok("text".to_owned())).await;
    let (db, _cache, app_of_values) = app(false).await;
    let clash = async {
        count(&db).await.unwrap();
        let error = text(&db).await.unwrap_err();
        let expected = "what is kept of the read `ships:count` is no alloc::string::String: \
                        give each type of result a key of its own";
        assert_eq!(error.to_string(), expected);
    };
    app_of_values.scope().run(clash).await;
    let (db, _cache, app_of_bytes) = app(true).await;
    let anew = async {
        count(&db).await.unwrap();
        assert_eq!(*text(&db).await.unwrap(), "text", "bytes of another type are none");
    };
    app_of_bytes.scope().run(anew).await;
}

#[tokio::test]
async fn the_facade_asks_it_too() {
    let (db, cache, app) = app(false).await;
    let key = key();
    for _ in 0..2 {
        let read = app.scope().run(facades::Db::<SqliteConn>::read_cached(&key, async |c| {
            Ok(ships::table.count().get_result::<i64>(c).await?)
        }));
        assert_eq!(*read.await.unwrap(), 0);
        app.scope().run(add(&db, cache.asked().to_string())).await.unwrap();
    }
    assert_eq!(cache.asked(), 2);
}
