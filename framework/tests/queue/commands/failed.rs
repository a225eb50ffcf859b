//! What is done about jobs that failed for good.

use std::time::Duration;

use paravel::queue::{JobId, UniqueUntil};
use serde_json::{Value, json};

use super::{Bench, Moor, garbage};

#[tokio::test]
async fn queue_failed_lists_what_failed_and_shows_one_whole() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    assert_eq!(bench.json(&["queue:failed"]).await?, json!([]));
    let ids = bench.with_failed(2).await?;
    let line = |id: &str, second: &str| {
        json!({
            "id": id, "kind": "harbour.moor", "queue": "harbour", "attempts": 1, "error": "it leaks",
            "failed_at": format!("2023-11-14T22:13:{second}.000000Z"),
        })
    };
    assert_eq!(bench.json(&["queue:failed"]).await?, json!([line(&ids[1], "21"), line(&ids[0], "20")]));
    let text = bench.app.artisan(&["queue:failed"]).await?;
    assert!(text.contains(&ids[0]) && text.contains("it leaks"), "{text}");

    let whole = bench.json(&["queue:failed", &ids[0]]).await?;
    let mut expected = line(&ids[0], "20");
    let more = json!({
        "backtrace": null, "priority": "normal", "batch": null, "unique": null, "known": true, "unreadable": null,
        "payload": {
            "version": 1, "tries": 1, "timeout": "1m", "dispatched_at": "2023-11-14T22:13:20.000000Z", "next": [],
            "fields": {"ship": "a leaking one"}, "hidden": null,
        },
    });
    expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(whole, expected);
    let text = bench.app.artisan(&["queue:failed", &ids[0]]).await?;
    assert!(text.contains("ship  a leaking one"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_no_failed_job_has_is_named_with_the_remedy() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let ids = bench.with_failed(1).await?;
    let missing = JobId::new().to_string();
    for command in ["queue:failed", "queue:retry", "queue:forget"] {
        let said = bench.refused(&[command, &missing]).await;
        assert_eq!(said, format!("no failed job is `{missing}`: `artisan queue:failed` lists those there are"));
        assert_eq!(bench.refused(&[command, "7"]).await, "usage: Usage");
    }
    // Of several, nothing is done to those that there are.
    bench.refused(&["queue:forget", &ids[0], &missing]).await;
    assert_eq!(bench.queue.failed().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_encrypted_or_cannot_be_read_is_not_shown() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    // Marked as encrypted, and by nobody's key.
    let fake = bench.app.fake_queue()?;
    bench.queue.dispatch(Moor::of("a leaking one")).await?;
    let mut message = fake.messages().remove(0);
    let mut payload = message.payload.to_vec();
    payload[1] |= 1 << 7;
    message.payload = payload.into();
    bench.stand.driver.push(vec![message.clone(), garbage()].into()).await?;
    bench.app.work().await?;
    let whole = bench.json(&["queue:failed", &message.id.to_string()]).await?;
    assert_eq!((&whole["payload"]["version"], &whole["payload"]["fields"]), (&json!(1), &Value::Null));
    assert!(whole["payload"]["hidden"].as_str().is_some_and(|why| why.contains("encrypted")), "{whole}");
    let garbage = bench.queue.failed().await?.into_iter().find(|job| job.message.kind == "test").unwrap();
    let whole = bench.json(&["queue:failed", &garbage.message.id.to_string()]).await?;
    assert_eq!((&whole["payload"], &whole["known"]), (&Value::Null, &json!(false)));
    assert!(whole["unreadable"].as_str().is_some_and(|why| why.contains("laid out")), "{whole}");
    Ok(())
}

#[tokio::test]
async fn queue_retry_makes_ready_what_is_named_all_of_it_or_what_is_of_a_kind_or_a_time() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    assert_eq!(bench.refused(&["queue:retry"]).await, "usage: Usage");
    let ids = bench.with_failed(4).await?;
    let change = |id: &String| json!({"id": id, "kind": "harbour.moor", "change": "ready again"});
    assert_eq!(bench.json(&["queue:retry", &ids[1]]).await?, json!([change(&ids[1])]));
    assert_eq!(bench.queue.depth("harbour").await?.ready, 1);
    assert_eq!(bench.json(&["queue:retry", "all", "--queue", "sea"]).await?, json!([]));
    assert_eq!(bench.json(&["queue:retry", "--kind", "sea.sail"]).await?, json!([]));
    // They failed 4, 2 and 1 seconds ago.
    assert_eq!(bench.json(&["queue:retry", "--before", "3s"]).await?, json!([change(&ids[0])]));
    let range = ["queue:retry", "--range", "2023-11-14T22:13:22Z", "1s"];
    assert_eq!(bench.json(&range).await?, json!([change(&ids[2])]));
    assert_eq!(
        bench.json(&["queue:retry", "--after", "2s", "--kind", "harbour.moor"]).await?,
        json!([change(&ids[3])])
    );
    assert_eq!((bench.queue.depth("harbour").await?.ready, bench.queue.failed().await?.len()), (4, 0));
    bench.app.work().await?;
    let all = bench.json(&["queue:retry", "all"]).await?;
    assert_eq!(all.as_array().map(Vec::len), Some(4));
    assert_eq!(bench.refused(&["queue:retry", "all", &ids[0]]).await, "`all` stands by itself");
    assert_eq!(bench.refused(&["queue:retry", "--after", "yesterday"]).await, "usage: Usage");
    Ok(())
}

#[tokio::test]
async fn queue_retry_says_what_is_left_since_its_unique_key_is_taken() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let fake = bench.app.fake_queue()?;
    for ship in ["a leaking one", "Dawn Treader"] {
        bench.queue.dispatch(Moor::of(ship)).await?;
    }
    let unique = || paravel::queue::Unique {
        key: "berth".to_owned(),
        lasts: Duration::from_secs(3600),
        until: UniqueUntil::Done,
    };
    let messages: Vec<_> = fake.messages();
    let [first, second] = [0, 1].map(|at| {
        let mut message = messages[at].clone();
        message.unique = Some(unique());
        message
    });
    let id = first.id;
    bench.stand.driver.push(vec![first].into()).await?;
    bench.app.work().await?;
    bench.stand.driver.push(vec![second].into()).await?;
    let retried = bench.json(&["queue:retry", "all"]).await?;
    assert_eq!(retried, json!([{"id": id, "kind": "harbour.moor", "change": "left: its unique key is taken"}]));
    assert_eq!(bench.queue.failed().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn failed_jobs_are_forgotten_flushed_and_pruned() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let ids = bench.with_failed(3).await?;
    let forgotten = bench.json(&["queue:forget", &ids[0], &ids[2]]).await?;
    assert_eq!(forgotten.as_array().map(Vec::len), Some(2));
    assert_eq!(bench.queue.failed().await?[0].message.id.to_string(), ids[1]);
    assert_eq!(bench.json(&["queue:prune-failed"]).await?, json!({"deleted": 0}));
    bench.stand.clock.advance(Duration::from_secs(3 * 3600));
    assert_eq!(bench.json(&["queue:flush", "--hours", "4"]).await?, json!({"deleted": 0}));
    assert_eq!(bench.app.artisan(&["queue:prune-failed", "--hours", "2"]).await?, "1 failed job(s) deleted.\n");
    bench.with_failed(2).await?;
    assert_eq!(bench.json(&["queue:flush"]).await?, json!({"deleted": 2}));
    Ok(())
}

#[tokio::test]
async fn in_production_nothing_is_deleted_unasked() -> anyhow::Result<()> {
    let bench = Bench::in_environment("production").await?;
    bench.with_failed(1).await?;
    bench.queue.dispatch(Moor::of("Dawn Treader")).await?;
    for line in [&["queue:flush"][..], &["queue:clear", "harbour"]] {
        let said = bench.refused(line).await;
        assert!(said.contains("In production that has to be confirmed"), "{said}");
        bench.app.artisan(&[line, &["--force"]].concat()).await?;
    }
    assert_eq!((bench.queue.failed().await?.len(), bench.queue.depth("harbour").await?.total()), (0, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn more_failed_jobs_than_are_looked_at_at_a_time_are_all_listed_and_retried() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let count = 1203;
    bench.queue.dispatch_many((0..count).map(|_| Moor::of("a leaking one"))).await?;
    bench.app.work().await?;
    let listed = bench.json(&["queue:failed"]).await?;
    let keys: Vec<_> = bench.queue.failed_keys().await?.iter().map(ToString::to_string).collect();
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!((listed.len(), listed), (count, keys.iter().map(String::as_str).collect()));
    let retried = bench.json(&["queue:retry", "--kind", "harbour.moor"]).await?;
    assert_eq!(retried.as_array().map(Vec::len), Some(count));
    assert!(bench.queue.failed_keys().await?.is_empty());
    Ok(())
}
