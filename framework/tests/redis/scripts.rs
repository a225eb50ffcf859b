//! Scripts, which a server forgets.

use paravel::redis::{RedisError, Script, cmd};

use super::{OwnServer, shared, until};

static ADD: Script = Script::new("add", "return redis.call('INCRBY', KEYS[1], ARGV[1] + ARGV[2])");
static FAIL: Script = Script::new("fail", "return redis.call('INCRBY', KEYS[1], 'hunter22')");
static NAMES: Script = Script::new("names", "return {KEYS[1], KEYS[2], ARGV[1]}");

#[tokio::test]
async fn a_script_gets_its_keys_under_the_prefix_and_its_arguments_as_they_are() {
    let Some(redis) = shared() else { return };
    let names: (String, String, String) = redis.script(&NAMES).key("a").key("b").arg("c").query().await.unwrap();
    assert_eq!(names, (redis.key("a"), redis.key("b"), "c".to_owned()));
    let failed = redis.script(&FAIL).key("n").run().await.unwrap_err();
    assert!(matches!(failed, RedisError::Script { name: "fail", .. }), "{failed:?}");
    assert!(failed.to_string().starts_with("the script `fail` failed on Redis"), "{failed}");
}

#[tokio::test]
async fn a_server_that_has_forgotten_a_script_is_told_it_again() {
    let Some(mut server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    let add = async |by: i64| redis.script(&ADD).key("n").arg(by).arg(1).query::<i64>().await;
    assert_eq!(add(1).await.unwrap(), 2, "it was never there");
    redis.run(cmd("SCRIPT").arg("FLUSH")).await.unwrap();
    assert_eq!(add(2).await.unwrap(), 5);
    assert_eq!(add(3).await.unwrap(), 9);
    let stats: String = redis.query(cmd("INFO").arg("commandstats")).await.unwrap();
    let calls = |name: &str| {
        let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:"))).unwrap();
        line.split(['=', ',']).nth(1).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((calls("eval"), calls("evalsha")), (2, 3), "it is sent whole where it is not there");
    server.kill();
    server.start(&[]).await;
    assert_eq!(until(async || add(1).await).await, 2, "it began anew, without the number");
}
