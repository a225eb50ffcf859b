//! What waits and listens, on connections of its own.

use futures_util::StreamExt;
use paravel::redis::{RedisError, cmd};

use super::{OwnServer, shared, soon, until};

#[tokio::test]
async fn a_read_that_waits_stalls_no_other_command_and_has_no_time_to_answer_in() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    // By this one's time no wait could be answered.
    let mut hasty = server.redis(&[("REDIS_TIMEOUT", "1ms")]).blocking().await.unwrap();
    let empty: Option<(String, String)> = hasty.query(cmd("BLPOP").arg("none").arg(0.1)).await.unwrap();
    assert_eq!(empty, None);

    let mut waiting = redis.blocking().await.unwrap();
    let list = redis.key("list");
    let waits = async { waiting.query::<(String, String)>(cmd("BLPOP").arg(&list).arg(0)).await };
    let others = async {
        until(async || {
            let info: String = redis.query(cmd("INFO").arg("clients")).await.unwrap();
            info.contains("blocked_clients:1").then_some(()).ok_or(info)
        })
        .await;
        for number in 0..100 {
            assert_eq!(redis.query::<i64>(cmd("ECHO").arg(number)).await.unwrap(), number);
        }
        redis.run(cmd("RPUSH").arg(&list).arg("first")).await.unwrap();
    };
    let (got, ()) = soon(async { tokio::join!(waits, others) }).await;
    assert_eq!(got.unwrap(), (list, "first".to_owned()));
    let refused = waiting.run(cmd("SUBSCRIBE").arg("news")).await.unwrap_err();
    assert!(refused.to_string().contains("Redis::subscribe"), "{refused}");
}

#[tokio::test]
async fn a_read_that_waits_is_told_of_the_end_of_its_server() {
    let Some(mut server) = OwnServer::up().await else { return };
    let mut waiting = server.admin().await;
    let mut admin = server.admin().await;
    let wait = async { waiting.run(cmd("BLPOP").arg("list").arg(0)).await };
    let end = async {
        until(async || {
            let info: String = admin.query(cmd("INFO").arg("clients")).await.unwrap();
            info.contains("blocked_clients:1").then_some(()).ok_or(info)
        })
        .await;
        server.kill();
    };
    let (told, ()) = soon(async { tokio::join!(wait, end) }).await;
    assert!(matches!(told.unwrap_err(), RedisError::Lost { command, .. } if command == "BLPOP"));
    assert!(soon(server.redis(&[]).blocking()).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn messages_reach_those_who_listen_to_the_channel_of_their_prefix() {
    let (Some(redis), Some(other)) = (shared(), shared()) else { return };
    let mut listeners = [redis.subscribe("news").await.unwrap(), redis.subscribe("news").await.unwrap()];
    let mut stranger = other.subscribe("news").await.unwrap();
    assert_eq!(redis.publish("news", "land").await.unwrap(), 2);
    assert_eq!(redis.publish("weather", "fair").await.unwrap(), 0);
    assert_eq!(other.publish("news", [0_u8, 255].as_slice()).await.unwrap(), 1);
    for listener in &mut listeners {
        let message = soon(listener.next()).await.unwrap();
        assert_eq!((&*message.channel, &*message.payload), ("news", b"land".as_slice()));
    }
    // It is a stream, too.
    let message = soon(StreamExt::next(&mut stranger)).await.unwrap();
    assert_eq!(message.payload, [0, 255], "the other prefix's first is its own");
}

#[tokio::test]
async fn a_subscription_ends_with_its_connection() {
    let Some(mut server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    let mut listening = redis.subscribe("news").await.unwrap();
    redis.publish("news", 1).await.unwrap();
    assert!(soon(listening.next()).await.is_some());
    server.kill();
    assert_eq!(soon(listening.next()).await, None);
}
