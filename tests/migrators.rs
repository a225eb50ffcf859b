//! Migrations through the real binary: what is shown before, by steps, back and forth, and by several processes at once.

use std::cmp::Ordering;

use app::database::{Conn, MIGRATIONS};
use insta::assert_json_snapshot;
use paravel::database::{Connection, Migration, TOOLKIT_MIGRATIONS};
use serde_json::json;

use crate::support::{Binary, KEY, is_embedded};

/// The names of all migrations: the toolkit's, and then the application's.
fn names() -> Vec<&'static str> {
    TOOLKIT_MIGRATIONS.iter().chain(MIGRATIONS).map(Migration::name).collect()
}

#[tokio::test]
async fn migrate_pretend_prints_the_sql_and_changes_nothing() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: the scripts differ by backend, and SQLite's are compared");
        return Ok(());
    }
    // In production, too, it has nothing to ask.
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    let pending = binary.json(&["migrate", "--pretend"]).await?;
    let text = binary.done(&["migrate", "--pretend"]).await?.out;
    assert!(binary.tables().await?.is_empty());
    for migration in pending.as_array().into_iter().flatten() {
        let (name, sql) = (migration["name"].as_str().unwrap_or("?"), migration["sql"].as_str().unwrap_or("?"));
        assert!(text.contains(&format!("-- {name}\n{}\n", sql.trim_end())), "{name} in {text}");
    }
    for other in ["--seed", "--step"] {
        binary.refused(2, &["migrate", "--pretend", other]).await?;
    }
    binary.done(&["migrate", "--force"]).await?;
    assert_eq!(binary.json(&["migrate", "--pretend"]).await?, json!([]));
    assert_eq!(binary.done(&["migrate", "--pretend"]).await?.out, "Nothing to do.\n");
    assert_json_snapshot!(pending);
    Ok(())
}

#[tokio::test]
async fn migrate_step_makes_batches_that_are_taken_back_one_by_one() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate", "--step"]).await?;
    let status = binary.json(&["migrate:status"]).await?;
    let batches: Vec<_> = status.as_array().into_iter().flatten().map(|line| line["batch"].clone()).collect();
    let names = names();
    assert_eq!(batches, (1..=names.len()).collect::<Vec<_>>());
    let back = |back: usize| json!([{"name": names[names.len() - back], "change": "rolled back"}]);
    assert_eq!(binary.json(&["migrate:rollback"]).await?, back(1));
    assert_eq!(binary.json(&["migrate:rollback", "--step", "1"]).await?, back(2));
    binary.refused(2, &["migrate:rollback", "--step", "1", "--batches", "1"]).await?;
    binary.refused(2, &["migrate:rollback", "--step", "0"]).await?;
    Ok(())
}

#[tokio::test]
async fn migrate_refresh_goes_back_and_forth() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let last = binary.json(&["migrate:refresh", "--step", "1"]).await?;
    assert_eq!(last.as_array().map(Vec::len), Some(2), "{last}");
    assert_eq!(binary.count("users").await?, 1, "what was not taken back is as it was");
    let all = binary.json(&["migrate:refresh"]).await?;
    assert_eq!((binary.count("users").await?, usize::try_from(binary.count("migrations").await?)?), (0, names().len()));
    binary.done(&["migrate:refresh", "--seed"]).await?;
    assert_eq!(binary.count("users").await?, 1);
    assert_json_snapshot!(all);
    Ok(())
}

#[tokio::test]
async fn migrate_reset_takes_everything_back() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate", "--step"]).await?;
    let reset = binary.json(&["migrate:reset"]).await?;
    assert_eq!(binary.tables().await?, ["migrations"]);
    assert_eq!(binary.done(&["migrate:reset"]).await?.out, "Nothing to do.\n");
    assert_json_snapshot!(reset);
    Ok(())
}

#[tokio::test]
async fn two_processes_that_migrate_at_once_end_well_and_apply_each_migration_once() -> anyhow::Result<()> {
    for round in 0..10 {
        let binary = Binary::new("testing")?;
        let (one, other) = tokio::join!(binary.json(&["migrate"]), binary.json(&["migrate"]));
        let mut applied: Vec<_> = [one?, other?]
            .iter()
            .flat_map(|report| report.as_array().into_iter().flatten())
            .map(|line| line["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        applied.sort_unstable();
        assert_eq!(applied, names(), "in round {round}");
        let status = binary.json(&["migrate:status"]).await?;
        assert!(status.as_array().into_iter().flatten().all(|line| line["state"] == "applied"), "{status}");
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_that_fails_says_how_to_go_on_and_the_next_run_does() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let names = names();
    let roles = names.iter().position(|name| name.ends_with("create_roles")).unwrap_or_default();
    binary.change("create table roles (in_the_way integer)").await?;
    let said = binary.refused(1, &["migrate"]).await?;
    // A change of the schema belongs to the transaction, except on MySQL and MariaDB.
    let keeps_half = Conn::BACKEND == "mysql";
    let (what, how, state) = match keeps_half {
        false => ("failed, and nothing of it was kept: ", "correct it and run `migrate` again\n", "pending"),
        true => ("failed half-way, and this database keeps ", "and run `migrate` again\n", "unfinished"),
    };
    assert!(said.starts_with(&format!("error: the migration `{}` {what}", names[roles])), "{said}");
    assert!(said.ends_with(how), "{said}");
    let status = binary.json(&["migrate:status"]).await?;
    let states: Vec<_> = status.as_array().into_iter().flatten().map(|line| line["state"].clone()).collect();
    let expected = (0..names.len()).map(|index| match index.cmp(&roles) {
        Ordering::Less => "applied",
        Ordering::Equal => state,
        Ordering::Greater => "pending",
    });
    assert_eq!(states, expected.collect::<Vec<_>>());
    binary.change("drop table roles").await?;
    if keeps_half {
        binary.change(&format!("delete from migrations where name = '{}'", names[roles])).await?;
    }
    assert_eq!(binary.json(&["migrate"]).await?.as_array().map(Vec::len), Some(names.len() - roles));
    Ok(())
}

#[tokio::test]
async fn a_migration_that_was_left_half_way_is_reported_and_refused() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let names = names();
    let (last, name) = (names.len() - 1, names[names.len() - 1]);
    binary.change(&format!("update migrations set checksum = 'unfinished' where name = '{name}'")).await?;
    assert_eq!(binary.json(&["migrate:status"]).await?[last]["state"], "unfinished");
    for command in ["migrate", "migrate:rollback", "migrate:reset", "migrate:refresh"] {
        let said = binary.refused(1, &[command]).await?;
        let expected = format!("error: the migration `{name}` was left half-way by an earlier run: ");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{command}: {said}");
    }
    assert_eq!(binary.count("users").await?, 1, "nothing was taken back");
    Ok(())
}
