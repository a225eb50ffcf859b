//! What the application runs by itself, and the `schedule:` commands through the real binary.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{Binary, redacted};

const PRUNE: &str = "tokens:prune --days 30";

#[tokio::test]
async fn schedule_list_shows_what_runs_and_when() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let list = binary.json(&["schedule:list"]).await?;
    let next = list[0]["next_due"].as_str().unwrap_or_default().to_owned();
    assert!(next.ends_with("T03:17:00Z"), "{next}");
    let text = binary.done(&["schedule:list"]).await?.out;
    assert!(text.contains(PRUNE) && text.contains("T03:17:00Z"), "{text}");
    assert_json_snapshot!(redacted(list, &["next_due"]));
    let elsewhere = binary.env("SCHEDULE_TIMEZONE", "Asia/Tokyo");
    let list = elsewhere.json(&["schedule:list"]).await?;
    assert!(list[0]["next_due"].as_str().is_some_and(|next| next.ends_with("T03:17:00+09:00")), "{list}");
    Ok(())
}

#[tokio::test]
async fn schedule_test_runs_one_task_and_suggests_near_names() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let ran = binary.json(&["schedule:test", PRUNE]).await?;
    assert_eq!((&ran["task"], &ran["outcome"]), (&json!(PRUNE), &json!("done")));
    let text = binary.done(&["schedule:test", PRUNE]).await?.out;
    assert_eq!(text, format!("pruned  0\n`{PRUNE}` is done.\n"));
    let said = binary.refused(1, &["schedule:test", "tokens:prune"]).await?;
    let expected =
        format!("error: no scheduled task is called `tokens:prune`; did you mean `{PRUNE}`?; there are: {PRUNE}\n");
    assert_eq!(said, expected);
    Ok(())
}

#[tokio::test]
async fn schedule_run_does_what_is_due_and_no_more() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let ran = binary.json(&["schedule:run"]).await?;
    // Unless it happens to be 3:17.
    let tasks: Vec<_> = ran.as_array().into_iter().flatten().filter(|ran| ran["task"] != PRUNE).collect();
    assert!(tasks.is_empty(), "{ran}");
    Ok(())
}

#[tokio::test]
async fn schedule_work_stays_until_it_is_stopped() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    for signal in ["TERM", "INT"] {
        let working = binary.stay(&["schedule:work"]).await?;
        assert!(working.printed.starts_with("1 task(s) are scheduled.\n"), "{}", working.printed);
        working.signal(signal).await?;
        let ended = working.ended().await?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains("\nfailed   0\n"), "{ended:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_zone_that_is_none_is_refused_at_start() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("SCHEDULE_TIMEZONE", "Middle-earth").env("SCHEDULE_GRACE", "2h");
    let said = binary.refused(1, &["schedule:list"]).await?;
    assert!(
        said.contains("SCHEDULE_TIMEZONE is \"Middle-earth\", but must be a time zone such as Europe/Vienna or UTC"),
        "{said}"
    );
    assert!(said.contains("SCHEDULE_GRACE is \"2h\", but must be"), "{said}");
    Ok(())
}
