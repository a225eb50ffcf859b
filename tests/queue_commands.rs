//! The `queue:` commands through the real binary.

use serde_json::json;

use crate::support::Binary;

#[tokio::test]
async fn queue_work_refuses_jobs_that_it_would_never_see() -> anyhow::Result<()> {
    for connection in ["memory", "sync"] {
        let binary = Binary::seeded().await?.env("QUEUE_CONNECTION", connection);
        let said = binary.refused(1, &["queue:work"]).await?;
        assert!(said.starts_with(&format!("error: QUEUE_CONNECTION={connection}: ")), "{said}");
        assert!(said.ends_with("set QUEUE_CONNECTION to `database` or `redis`, or let `serve` run them\n"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn of_queues_in_memory_each_process_has_its_own_and_says_so() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("QUEUE_CONNECTION", "memory");
    for list in ["queue:failed", "queue:batches"] {
        let ended = binary.done(&[list, "--json"]).await?;
        assert_eq!(ended.out, "[]\n");
        assert!(ended.err.contains("QUEUE_CONNECTION=memory: jobs are in the memory of each process"), "{ended:?}");
    }
    let checked = binary.json(&["queue:check"]).await?;
    assert_eq!(checked, json!({"readable": 0, "unknown": {}, "unreadable": []}));
    assert_eq!(binary.json(&["queue:stats"]).await?, json!({"by_queue": [], "kinds": [], "queues": [], "workers": []}));
    let nothing = json!({"queues": [], "workers": 0, "running": 0, "concurrency": 0, "jobs_per_second": null});
    assert_eq!(binary.json(&["queue:monitor", "--interval", "2s"]).await?, nothing);
    assert_eq!(binary.json(&["queue:restart"]).await?, json!({"workers": 0}));
    for old in ["queue:flush", "queue:prune-failed", "queue:prune-batches"] {
        assert_eq!(binary.json(&[old]).await?, json!({"deleted": 0}));
    }
    let id = "01890000-0000-7000-8000-000000000000";
    let said = binary.refused(1, &["queue:retry", id, "--json"]).await?;
    assert!(said.ends_with(&format!("error: no failed job is `{id}`: `artisan queue:failed` lists those there are\n")));
    Ok(())
}
