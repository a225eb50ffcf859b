//! Requests that need a token, where it cannot be said whose it is.

use std::sync::Arc;

use paravel::{
    async_trait,
    auth::{Actor, TokenGuard, TokenHash},
    database::{DbError, SqliteConn},
    foundation::Application,
    http::{self, Authenticate, Json, Problem, endpoint},
    support::BoxError,
    testing::TestApp,
};

use crate::events::Journal;

/// Fails with what it makes.
struct Failing(fn() -> BoxError);

#[async_trait]
impl TokenGuard for Failing {
    async fn actor(&self, _: &TokenHash) -> Result<Option<Actor>, BoxError> {
        Err((self.0)())
    }
}

#[endpoint]
async fn harbour() -> http::Result<Json<&'static str>> {
    Ok(Json("Cair Paravel"))
}

/// The status, and the header that says when to come again.
async fn answer(error: fn() -> BoxError) -> (u16, String) {
    let builder = Application::builder().database::<SqliteConn>(&[]).routes(|routes| {
        routes.get("/harbour", harbour).middleware(Authenticate);
    });
    let app = TestApp::boot(builder.replace(move |app| {
        app.instance::<dyn TokenGuard>(Arc::new(Failing(error)));
        // What the listeners of other tests need, which every application of this binary has.
        app.instance(Arc::new(Journal::default()));
    }));
    let response = app.await.unwrap().get("/harbour").bearer("a token").send().await;
    (response.status(), response.header("retry-after").to_owned())
}

#[tokio::test]
async fn an_outage_is_no_fault_of_the_servers_and_says_when_to_come_again() {
    let come_again = (503, "1".to_owned());
    assert_eq!(
        answer(|| DbError::Unreachable { name: "db".to_owned(), reason: "down".to_owned() }.into()).await,
        come_again
    );
    assert_eq!(answer(|| DbError::Overloaded { waiting: 9 }.into()).await, come_again);
    #[cfg(feature = "redis")]
    {
        let unavailable = || {
            let (address, reason) = ("redis".to_owned(), "down".to_owned());
            paravel::redis::RedisError::Unavailable { address, reason, source: None }.into()
        };
        assert_eq!(answer(unavailable).await, come_again);
    }
    assert_eq!(answer(|| DbError::Closed.into()).await, (500, String::new()));
    assert_eq!(answer(|| "out of wind".into()).await, (500, String::new()));
    assert_eq!(answer(|| Problem::conflict("two of them").into()).await, (409, String::new()));
}
