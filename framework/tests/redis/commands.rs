//! Commands on a server that works.

use paravel::{
    config::RedisConfig,
    redis::{Redis, RedisError, cmd, pipe},
    support::Env,
};

use super::{OwnServer, redis, shared, soon, until};

#[tokio::test]
async fn commands_and_pipelines_answer_in_types_under_the_prefix() {
    let Some(redis) = shared() else { return };
    let key = redis.key("ship");
    assert!(key.starts_with("test-") && key.ends_with(":ship"), "{key}");
    redis.run(cmd("SET").arg(&key).arg("Dawn Treader").arg("EX").arg(60)).await.unwrap();
    let answer: (String, usize, Option<String>) =
        redis.query(pipe().get(&key).strlen(&key).get(redis.key("none"))).await.unwrap();
    assert_eq!(answer, ("Dawn Treader".to_owned(), 12, None));
    let both: (i64, i64) = redis.query(pipe().atomic().incr(redis.key("n"), 2).incr(redis.key("n"), 3)).await.unwrap();
    assert_eq!(both, (2, 5));
    redis.ping().await.unwrap();
    // A clone is the same; another prefix sees nothing of it.
    assert!(redis.clone().query::<bool>(cmd("EXISTS").arg(redis.clone().key("ship"))).await.unwrap());
    let other = shared().unwrap();
    assert!(!other.query::<bool>(cmd("EXISTS").arg(other.key("ship"))).await.unwrap());
    redis.run(cmd("DEL").arg(redis.key("n"))).await.unwrap();
}

#[tokio::test]
async fn what_the_server_refuses_names_the_command_and_not_its_arguments() {
    let Some(redis) = shared() else { return };
    let key = redis.key("text");
    redis.run(cmd("SET").arg(&key).arg("hunter22").arg("EX").arg(60)).await.unwrap();
    let refused = redis.run(cmd("incr").arg(&key)).await.unwrap_err();
    assert!(matches!(&refused, RedisError::Command { command, .. } if command == "INCR"), "{refused:?}");
    assert!(!refused.is_transient() && !refused.is_uncertain());
    let mistyped = redis.query::<i64>(cmd("GET").arg(&key)).await.unwrap_err();
    assert!(matches!(&mistyped, RedisError::Command { command, .. } if command == "GET"), "{mistyped:?}");
    let piped = redis.run(pipe().get(&key).incr(&key, 1)).await.unwrap_err();
    assert!(piped.to_string().starts_with("a pipeline of GET, INCRBY failed on Redis"), "{piped}");
    assert!(!refused.to_string().contains("hunter22") && !piped.to_string().contains("hunter22"));
}

#[tokio::test]
async fn what_would_hold_up_or_change_the_connection_of_all_is_refused() {
    let Some(redis) = shared() else { return };
    for (command, remedy) in [
        (cmd("BLPOP").arg(redis.key("list")).arg(0), "Redis::blocking"),
        (cmd("SELECT").arg(3), "Redis::blocking"),
        (cmd("SUBSCRIBE").arg("news"), "Redis::subscribe"),
        (&mut cmd("MULTI"), "atomic"),
    ] {
        let refused = redis.run(command).await.unwrap_err();
        assert!(matches!(refused, RedisError::NotShared { .. }), "{refused:?}");
        assert!(refused.to_string().contains(remedy), "{refused}");
    }
    assert!(!redis.in_use(), "nothing was sent");
    redis.ping().await.unwrap();
    assert!(redis.in_use());
}

#[tokio::test]
async fn many_at_once_share_one_connection() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..2000 {
        let redis = redis.clone();
        callers.spawn(async move { (number, redis.query::<i64>(cmd("ECHO").arg(number)).await) });
    }
    for (number, answer) in soon(callers.join_all()).await {
        assert_eq!(answer.unwrap(), number);
    }
    let mut admin = server.admin().await;
    assert_eq!(clients(&mut admin).await, 2, "the one that is asked by, and the one that all shared");
    // The last that goes takes the connection along.
    drop(redis);
    until(async || match clients(&mut admin).await {
        1 => Ok(()),
        others => Err(others),
    })
    .await;
}

async fn clients(admin: &mut paravel::redis::BlockingConnection) -> usize {
    let list: String = admin.query(cmd("CLIENT").arg("LIST")).await.unwrap();
    list.lines().count()
}

#[tokio::test]
async fn the_user_and_the_database_of_the_address_are_taken() {
    let Some(server) = OwnServer::up().await else { return };
    let mut admin = server.admin().await;
    let acl = ["SETUSER", "ada", "on", ">p@ss:w?rd", "~*", "&*", "+@all"];
    admin.run(cmd("ACL").arg(&acl)).await.unwrap();
    let url = format!("redis://ada:p%40ss%3Aw%3Frd@127.0.0.1:{}/5", server.port);
    let redis = redis(&url, &[]);
    assert_eq!(redis.query::<String>(cmd("ACL").arg("WHOAMI")).await.unwrap(), "ada");
    redis.run(cmd("SET").arg("here").arg(1)).await.unwrap();
    admin.run(cmd("SELECT").arg(5)).await.unwrap();
    assert!(admin.query::<bool>(cmd("EXISTS").arg("here")).await.unwrap());
}

#[tokio::test]
async fn a_socket_is_reached_by_its_path() {
    let Some(mut server) = OwnServer::new() else { return };
    let socket = server.path("socket");
    server.start(&["--unixsocket", socket.to_str().unwrap()]).await;
    let redis = redis(&format!("redis+unix://{}?db=2", socket.display()), &[]);
    redis.ping().await.unwrap();
    let info: String = redis.query(cmd("CLIENT").arg("INFO")).await.unwrap();
    assert!(info.contains(" db=2 ") && info.contains("lib-name=paravel") || !info.contains("lib-name"), "{info}");
}

#[test]
fn the_password_is_left_out_wherever_it_is_shown() {
    let env = Env::from_pairs([("REDIS_URL", "rediss://ada:hunter22@cache.example.com:7000/1")]);
    let config = RedisConfig::from_env(&env);
    assert!(config.url.expose().contains("hunter22"));
    let redis = Redis::new(&config).unwrap();
    for text in [format!("{config:?}"), serde_json::to_string(&config).unwrap(), format!("{redis:?}")] {
        assert!(text.contains("rediss://[redacted]@cache.example.com:7000/1") && !text.contains("hunter22"), "{text}");
    }
}
