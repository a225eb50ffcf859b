//! The commands that change the schema or fill the database, through the real binary.

use app::database::MIGRATIONS;
use insta::assert_json_snapshot;
use paravel::database::TOOLKIT_MIGRATIONS;

use crate::support::{ADMIN, Binary, KEY, is_embedded};

const TABLES: [&str; 21] = [
    "audit_log",
    "cache_entries",
    "cache_locks",
    "cache_tags",
    "migrations",
    "permissions",
    "personal_access_tokens",
    "queue_batches",
    "queue_failed",
    "queue_inbox",
    "queue_jobs",
    "queue_keys",
    "queue_outbox",
    "queue_scheduled",
    "queue_states",
    "queue_workers",
    "role_permissions",
    "roles",
    "schedule_runs",
    "user_roles",
    "users",
];

#[tokio::test]
async fn migrate_makes_the_tables_once() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let applied = binary.json(&["migrate"]).await?;
    assert_eq!(binary.tables().await?, TABLES);
    assert_eq!(binary.json(&["migrate"]).await?, serde_json::json!([]));
    assert_eq!(binary.done(&["migrate"]).await?.out, "Nothing to do.\n");
    let all = TOOLKIT_MIGRATIONS.len() + MIGRATIONS.len();
    assert_eq!(usize::try_from(binary.count("migrations").await?)?, all);
    assert_eq!(binary.count("roles").await?, 0, "it seeds nothing where it was not asked to");
    assert_json_snapshot!(applied);
    Ok(())
}

#[tokio::test]
async fn migrate_status_says_where_each_migration_stands() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    assert_json_snapshot!("migrate_status_before", binary.json(&["migrate:status"]).await?);
    binary.done(&["migrate"]).await?;
    assert_json_snapshot!("migrate_status_after", binary.json(&["migrate:status"]).await?);
    Ok(())
}

#[tokio::test]
async fn who_looks_at_a_missing_database_makes_none() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server has a database that is there");
        return Ok(());
    }
    let binary = Binary::new("testing")?;
    for line in [&["db:show"][..], &["db:monitor"], &["db:table", "users"]] {
        let said = binary.refused(1, line).await?;
        let missing = format!("there is no database yet at {}: `artisan migrate` makes it", binary.url());
        assert!(said.contains(&missing), "{line:?}: {said}");
        assert!(!binary.path("app.sqlite").exists(), "{line:?}");
    }
    Ok(())
}

#[tokio::test]
async fn migrate_status_makes_no_file_and_says_that_there_is_none() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a database on a server is there before it is migrated");
        return Ok(());
    }
    let binary = Binary::new("testing")?;
    let said = binary.done(&["migrate:status"]).await?.out;
    let missing = format!("There is no database yet at {}: `artisan migrate` makes it.", binary.url());
    assert!(said.contains("create_users") && said.contains("pending") && said.contains(&missing), "{said}");
    assert!(!binary.path("app.sqlite").exists());
    binary.done(&["migrate"]).await?;
    let said = binary.done(&["migrate:status"]).await?.out;
    assert!(said.contains("applied") && !said.contains("no database"), "{said}");
    Ok(())
}

#[tokio::test]
async fn migrate_rollback_takes_back_the_last_batch() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let taken_back = binary.json(&["migrate:rollback"]).await?;
    assert_eq!(binary.tables().await?, ["migrations"]);
    assert_eq!(binary.count("migrations").await?, 0);
    assert_eq!(binary.done(&["migrate:rollback"]).await?.out, "Nothing to do.\n");
    binary.refused(2, &["migrate:rollback", "--batches", "0"]).await?;
    binary.done(&["migrate"]).await?;
    assert_eq!(binary.tables().await?, TABLES);
    assert_eq!(binary.count("users").await?, 0);
    assert_json_snapshot!(taken_back);
    Ok(())
}

#[tokio::test]
async fn migrate_fresh_drops_everything_first() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let fresh = binary.json(&["migrate:fresh"]).await?;
    assert_eq!(binary.tables().await?, TABLES);
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (0, 0));
    binary.done(&["migrate:fresh", "--seed"]).await?;
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (1, 3));
    assert_json_snapshot!(fresh);
    Ok(())
}

#[tokio::test]
async fn db_seed_runs_the_seeders_and_leaves_what_is_there() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate"]).await?;
    let first = binary.done(&["db:seed"]).await?;
    let password =
        first.out.lines().find_map(|line| line.split_once("has the password ")).map(|(_, password)| password);
    assert_eq!(password.map(str::len), Some(43), "{first:?}");
    assert!(first.out.contains(ADMIN) && first.out.ends_with("2 seeder(s) have run.\n"), "{first:?}");
    assert_eq!(binary.done(&["db:seed"]).await?.out, "2 seeder(s) have run.\n");
    let tables = ["users", "user_roles", "roles", "permissions", "role_permissions"];
    let mut counts = Vec::new();
    for table in tables {
        counts.push((table, binary.count(table).await?));
    }
    assert_eq!(counts, [("users", 1), ("user_roles", 1), ("roles", 3), ("permissions", 3), ("role_permissions", 4)]);
    Ok(())
}

#[tokio::test]
async fn db_seed_runs_one_seeder_alone() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate"]).await?;
    assert_eq!(binary.done(&["db:seed", "--class", "roles"]).await?.out, "1 seeder(s) have run.\n");
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (0, 3));
    let said = binary.refused(1, &["db:seed", "--class", "rolls"]).await?;
    assert_eq!(said, "error: no seeder is called `rolls`; did you mean `roles`? There are: roles, admin, demo\n");
    let said = binary.refused(1, &["db:seed", "--class", "admin", "--class", "everything"]).await?;
    assert_eq!(said, "error: no seeder is called `everything`; there are: roles, admin, demo\n");
    assert_eq!(binary.count("users").await?, 0, "none has run where one is not there");
    let both = binary.done(&["db:seed", "--class", "admin", "--class", "roles"]).await?;
    assert!(both.out.ends_with("2 seeder(s) have run.\n"), "{both:?}");
    Ok(())
}

#[tokio::test]
async fn db_seed_lists_the_seeders_and_runs_none() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate"]).await?;
    assert_json_snapshot!(binary.json(&["db:seed", "--list"]).await?);
    assert_eq!(binary.count("roles").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_administrators_password_that_is_too_weak_is_refused_without_being_shown() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("ADMIN_PASSWORD", "weak123");
    for line in [&["db:seed"][..], &["migrate", "--seed"], &["serve", "--port", "0"]] {
        let said = binary.refused(1, line).await?;
        assert!(said.contains("ADMIN_PASSWORD is [redacted], but must be a password of 8 to 128 char"), "{said}");
        assert!(!said.contains("weak123"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_that_was_edited_after_it_was_applied_is_refused() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    // As if the file had been another one then.
    let name = "2026_01_01_000002_create_roles";
    binary.change(&format!("update migrations set checksum = 'x' where name = '{name}'")).await?;
    let said = binary.refused(1, &["migrate"]).await?;
    assert!(said.starts_with(&format!("error: the migration `{name}` was edited")), "{said}");
    let status = binary.json(&["migrate:status"]).await?;
    let states = status.as_array().into_iter().flatten().filter(|line| line["state"] == "edited");
    assert_eq!(states.map(|line| &line["name"]).collect::<Vec<_>>(), [name]);
    Ok(())
}

/// The destructive commands and what each says that it would do.
const DESTRUCTIVE: [(&str, &str); 7] = [
    ("db:wipe", "Drop every table, with all data"),
    ("migrate", "Migrate the database"),
    ("migrate:refresh", "Take back migrations, with the data they hold"),
    ("migrate:reset", "Take back migrations, with the data they hold"),
    ("migrate:fresh", "Drop every table, with all data"),
    ("migrate:rollback", "Take back migrations, with the data they hold"),
    ("db:seed", "Seed the database"),
];

#[tokio::test]
async fn without_a_terminal_nothing_destructive_is_done_in_production() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    let empty = binary.refused(1, &["migrate"]).await?;
    assert!(empty.contains("--force"), "{empty}");
    assert_eq!(binary.tables().await?.len(), 0);
    binary.done(&["migrate", "--force"]).await?;
    binary.done(&["db:seed", "--class", "roles", "--force"]).await?;
    for (command, action) in DESTRUCTIVE {
        for flags in [&[][..], &["--no-interaction"], &["--json"]] {
            let said = binary.refused(1, &[&[command], flags].concat()).await?;
            let needs = "In production that has to be confirmed, and there is no terminal to ask on: pass --force";
            assert_eq!(said, format!("error: {action}? {needs}\n"));
        }
    }
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (0, 3));
    Ok(())
}

#[tokio::test]
async fn with_force_it_is_done_in_production() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    binary.done(&["migrate", "--force", "--seed"]).await?;
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (1, 3));
    binary.done(&["migrate:fresh", "--force"]).await?;
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (0, 0));
    binary.done(&["db:seed", "--force"]).await?;
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (1, 3));
    binary.done(&["migrate:rollback", "--force"]).await?;
    assert_eq!(binary.tables().await?, ["migrations"]);
    binary.done(&["migrate:refresh", "--force", "--seed"]).await?;
    assert_eq!((binary.count("users").await?, binary.count("roles").await?), (1, 3));
    binary.done(&["migrate:reset", "--force"]).await?;
    assert_eq!(binary.tables().await?, ["migrations"]);
    binary.done(&["db:wipe", "--force"]).await?;
    assert!(binary.tables().await?.is_empty());
    Ok(())
}
