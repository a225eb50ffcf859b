//! Redis in an application: bound, behind its facade, and in `GET /up`.

use std::sync::Arc;

use paravel::{
    database::SqliteConn,
    facades,
    foundation::{Application, ApplicationBuilder, StartError},
    http::{Problem, StatusCode},
    redis::{Redis, RedisError, Script, cmd},
    support::Env,
    testing::TestApp,
};

use super::{OwnServer, free_port, soon, until};
use crate::events::Journal;

static ECHO: Script = Script::new("echo", "return {KEYS[1], ARGV[1]}");

fn builder(url: &str) -> ApplicationBuilder {
    let env = Env::from_pairs([("REDIS_URL", url)]);
    // What the listeners of other tests need, which every application of this binary has.
    Application::builder().env(env).database::<SqliteConn>(&[]).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    })
}

#[tokio::test]
async fn an_application_has_it_and_its_facade_reaches_it() {
    let Some(server) = OwnServer::up().await else { return };
    let (one, other) =
        (TestApp::boot(builder(&server.url())).await.unwrap(), TestApp::boot(builder(&server.url())).await.unwrap());
    let set = async {
        let key = facades::Redis::key("ship")?;
        facades::Redis::run(cmd("SET").arg(&key).arg("Dawn Treader")).await?;
        facades::Redis::ping().await?;
        let echoed: (String, String) = facades::Redis::script(&ECHO, &["ship"], "a").await?;
        assert_eq!(echoed, (key.clone(), "a".to_owned()));
        let mut heard = facades::Redis::subscribe("news").await?;
        assert_eq!(facades::Redis::publish("news", "land").await?, 1);
        assert_eq!(soon(heard.next()).await.unwrap().payload, b"land");
        facades::Redis::blocking().await?.run(&cmd("PING")).await?;
        facades::Redis::query::<Option<String>>(cmd("GET").arg(key)).await
    };
    assert_eq!(one.run(set).await.unwrap().as_deref(), Some("Dawn Treader"));
    let get = async { facades::Redis::query::<Option<String>>(cmd("GET").arg(facades::Redis::key("ship")?)).await };
    assert_eq!(other.run(get).await.unwrap(), None, "each test's application has a prefix of its own");
    let outside = facades::Redis::ping().await.unwrap_err();
    assert!(matches!(outside, RedisError::Container(_)), "{outside:?}");
}

#[tokio::test]
async fn up_tells_how_redis_is_where_it_is_used_and_stays_up_without_it() {
    let Some(mut server) = OwnServer::up().await else { return };
    let app = TestApp::boot(builder(&server.url())).await.unwrap();
    let up = async || app.get("/up").send().await.assert_status(200).text();
    assert_eq!(up().await, r#"{"status":"up","database":"up"}"#, "nobody has used it, and nobody asks");
    let redis = app.make::<Redis>().unwrap();
    assert!(!redis.in_use());
    redis.mark_in_use();
    assert_eq!(up().await, r#"{"status":"up","database":"up","redis":"up"}"#);
    server.kill();
    assert_eq!(up().await, r#"{"status":"up","database":"up","redis":"down"}"#);
    server.start(&[]).await;
    until(async || match up().await {
        text if text == r#"{"status":"up","database":"up","redis":"up"}"# => Ok(()),
        text => Err(text),
    })
    .await;
}

#[tokio::test]
async fn an_outage_that_a_handler_passes_on_is_a_503() {
    let app = TestApp::boot(builder(&format!("redis://127.0.0.1:{}", free_port()))).await.unwrap();
    let down = app.make::<Redis>().unwrap().ping().await.unwrap_err();
    assert_eq!(Problem::from(down).status(), StatusCode::SERVICE_UNAVAILABLE);
    let refused = app.make::<Redis>().unwrap().run(cmd("SELECT").arg(1)).await.unwrap_err();
    assert_eq!(Problem::from(refused).status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_a_fault_of_the_start() {
    let wrong = builder("redis://:hunter22@cache.example.com?sslrootcert=/ca.pem").build();
    let Err(error @ StartError::Configuration(_)) = wrong else { panic!("it starts") };
    let text = error.to_string();
    assert!(text.contains("REDIS_URL is redis://[redacted]@cache.example.com, but must be"), "{text}");
    assert!(text.contains("say `rediss://`") && !text.contains("hunter22"), "{text}");
}
