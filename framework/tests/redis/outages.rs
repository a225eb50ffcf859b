//! A server that is down, goes away, comes back, is slow, or says nothing at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use paravel::redis::{RedisError, cmd};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

use super::{NEVER, OwnServer, free_port, is_unavailable, redis, soon, until};

#[tokio::test]
async fn a_server_that_is_down_at_first_is_found_when_it_comes_up() {
    let Some(mut server) = OwnServer::new() else { return };
    let redis = server.redis(&[]);
    let down = soon(redis.ping()).await;
    assert!(is_unavailable(&down), "{down:?}");
    let text = down.unwrap_err().to_string();
    assert!(text.contains(&server.url()) && text.contains("refused") && text.contains("REDIS_URL"), "{text}");
    for _ in 0..100 {
        assert!(is_unavailable(&soon(redis.ping()).await));
    }
    server.start(&[]).await;
    until(async || redis.ping().await).await;
}

/// On paused time, which moves only where all wait: that it did not says that a call did not wait.
#[tokio::test(start_paused = true)]
async fn one_that_never_answers_takes_its_time_once_and_none_while_it_is_known() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://ada:hunter22@{}", silent.local_addr().unwrap());
    let redis = redis(&url, &[("REDIS_CONNECT_TIMEOUT", "3s"), ("REDIS_TIMEOUT", NEVER)]);
    let before = Instant::now();
    let calls = (0..50).map(|_| redis.ping());
    for down in futures_util::future::join_all(calls).await {
        assert!(is_unavailable(&down), "{down:?}");
        let text = down.unwrap_err().to_string();
        assert!(text.contains("no answer within 3s") && !text.contains("hunter22"), "{text}");
    }
    assert!(before.elapsed() <= Duration::from_millis(3010), "{:?}", before.elapsed());
    let known = Instant::now();
    for _ in 0..50 {
        assert!(is_unavailable(&redis.ping().await));
    }
    assert_eq!(known.elapsed(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_use_is_used_again_when_it_is_back() {
    let Some(mut server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (redis, over, answered) = (redis.clone(), Arc::clone(&over), Arc::clone(&answered));
        callers.spawn(async move {
            let mut failed = 0;
            while !over.load(Ordering::Relaxed) {
                match soon(redis.query::<i64>(cmd("INCR").arg(redis.key("n")))).await {
                    Ok(_) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                    Err(error) => {
                        assert!(error.is_transient() || error.is_uncertain(), "{error:?}");
                        failed += 1;
                        tokio::task::yield_now().await;
                    }
                }
            }
            failed
        });
    }
    let goes_on = async || {
        let enough = answered.load(Ordering::Relaxed) + 500;
        let is_enough = || answered.load(Ordering::Relaxed) >= enough;
        until(async || is_enough().then_some(()).ok_or("it does not go on")).await;
    };
    for _ in 0..2 {
        goes_on().await;
        server.kill();
        until(async || if redis.ping().await.is_err() { Ok(()) } else { Err("it is still there") }).await;
        server.start(&[]).await;
    }
    goes_on().await;
    over.store(true, Ordering::Relaxed);
    let failed: usize = soon(callers.join_all()).await.into_iter().sum();
    assert!(failed > 0, "no call met an outage");
}

#[tokio::test]
async fn a_slow_server_fails_each_caller_after_its_time_and_is_used_again() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[("REDIS_TIMEOUT", "100ms")]);
    redis.ping().await.unwrap();
    let mut admin = server.admin().await;
    // Longer than any test waits; of writes, because who ends it must not wait, too.
    admin.run(cmd("CLIENT").arg("PAUSE").arg(3_600_000).arg("WRITE")).await.unwrap();
    let key = redis.key("n");
    let calls = (0..50).map(|_| async { redis.run(cmd("INCR").arg(&key)).await });
    for slow in soon(futures_util::future::join_all(calls)).await {
        let slow = slow.unwrap_err();
        let waited = Duration::from_millis(100);
        assert!(matches!(&slow, RedisError::TimedOut { command, waited: w, .. } if command == "INCR" && *w == waited));
        assert!(slow.is_uncertain() && !slow.is_transient());
    }
    admin.run(cmd("CLIENT").arg("UNPAUSE")).await.unwrap();
    until(async || redis.run(cmd("INCR").arg(&key)).await).await;
}

/// Between a client and its server, until it is told to swallow all that comes on the connections that there are.
struct Wire {
    address: String,
    silent: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
    _carried: JoinSet<()>,
}

impl Wire {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (silent, accepted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (until, count) = (Arc::clone(&silent), Arc::clone(&accepted));
        let mut carried = JoinSet::new();
        carried.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let until = Arc::clone(&until);
                connections.spawn(carry(client, port, number, until));
            }
        });
        Self { address, silent, accepted, _carried: carried }
    }
}

async fn carry(client: TcpStream, port: u16, number: usize, silent: Arc<AtomicUsize>) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut buffer = vec![0; 65536];
    loop {
        let (from, to) = tokio::select! {
            _ = client.readable() => (&client, &server),
            _ = server.readable() => (&server, &client),
        };
        let Ok(read) = from.try_read(&mut buffer) else { continue };
        if read == 0 {
            return;
        }
        if silent.load(Ordering::SeqCst) < number {
            to.try_write(&buffer[..read]).unwrap();
        }
    }
}

#[tokio::test]
async fn a_connection_that_has_gone_silent_is_replaced() {
    let Some(server) = OwnServer::up().await else { return };
    let wire = Wire::to(server.port).await;
    let times = [("REDIS_TIMEOUT", "100ms"), ("REDIS_CONNECT_TIMEOUT", "200ms")];
    let redis = redis(&format!("redis://{}", wire.address), &times);
    redis.ping().await.unwrap();
    wire.silent.store(1, Ordering::SeqCst);
    let silent = soon(redis.ping()).await.unwrap_err();
    assert!(matches!(silent, RedisError::TimedOut { .. }), "{silent:?}");
    until(async || redis.ping().await).await;
    assert!(wire.accepted.load(Ordering::SeqCst) > 1);
}

#[tokio::test]
async fn a_slow_command_alone_does_not_cost_the_connection() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[("REDIS_TIMEOUT", "50ms"), ("REDIS_CONNECT_TIMEOUT", "30s")]);
    let id = async || redis.query::<i64>(cmd("CLIENT").arg("ID")).await;
    let before = until(id).await;
    let slow = soon(redis.run(
        cmd("EVAL").arg("local t = redis.call('TIME')[1] + 1 while redis.call('TIME')[1] + 0 <= t do end").arg(0),
    ))
    .await;
    assert!(matches!(slow, Err(RedisError::TimedOut { .. })), "{slow:?}");
    assert_eq!(until(id).await, before);
}

#[tokio::test]
async fn a_password_that_is_refused_is_said_without_it_and_tried_again() {
    let Some(mut server) = OwnServer::new() else { return };
    server.start(&["--requirepass", "right"]).await;
    let at = |login: &str| redis(&format!("redis://{login}127.0.0.1:{}", server.port), &[]);
    let wrong = at(":hunter22@");
    for redis in [&wrong, &at(""), &at("nobody:hunter22@")] {
        let refused = soon(redis.ping()).await.unwrap_err();
        assert!(matches!(refused, RedisError::Authentication { .. }), "{refused:?}");
        assert!(!refused.is_transient() && !refused.is_uncertain());
        let text = format!("{refused} {refused:?}");
        assert!(text.contains("REDIS_URL") && !text.contains("hunter22"), "{text}");
    }
    let right = at(":right@");
    right.ping().await.unwrap();
    right.run(cmd("CONFIG").arg("SET").arg("requirepass").arg("hunter22")).await.unwrap();
    until(async || wrong.ping().await).await;
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_so() {
    for host in ["127.0.0.1", "host.invalid"] {
        let redis = redis(&format!("redis://ada:hunter22@{host}:{}", free_port()), &[]);
        for answer in [soon(redis.ping()).await, soon(redis.blocking()).await.map(drop)] {
            assert!(is_unavailable(&answer), "{answer:?}");
            let text = answer.unwrap_err().to_string();
            assert!(text.contains(&format!("redis://[redacted]@{host}")) && !text.contains("hunter22"), "{text}");
        }
    }
}
