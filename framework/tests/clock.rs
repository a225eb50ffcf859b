//! The clock that the application binds, and who goes by it.

use std::{sync::Arc, time::Duration};

use paravel::{
    cache::Cache,
    database::SqliteConn,
    foundation::Application,
    support::{Clock, Env, FakeClock, Timestamp},
    testing::TestApp,
};

use crate::events::Journal;

#[tokio::test]
async fn a_clock_that_was_replaced_is_that_of_a_shared_cache_too() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000)));
    let bound: Arc<dyn Clock> = Arc::<FakeClock>::clone(&clock);
    let env = Env::from_pairs([("CACHE_STORE", "database")]);
    let builder = Application::builder().env(env).database::<SqliteConn>(&[]).replace(|app| {
        app.instance(bound);
        // What the listeners of other tests need, which every application of this binary has.
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(builder).await.unwrap();
    let cache: Arc<Cache> = app.make().unwrap();
    cache.put("tide", 7, Duration::from_secs(60)).await.unwrap();
    clock.advance(Duration::from_secs(59));
    assert_eq!(cache.get::<i32>("tide").await.unwrap().as_deref(), Some(&7));
    clock.advance(Duration::from_secs(1));
    assert_eq!(cache.get::<i32>("tide").await.unwrap(), None);
}
