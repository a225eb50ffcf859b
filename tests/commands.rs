//! Every command that shows or changes something, through the real binary: its effect, and its `--json` output, which
//! other programs rely on.

use app::application;
use insta::assert_json_snapshot;
use paravel::{support::Env, testing::TestApp};
use serde_json::{Value, json};

use crate::support::{ADMIN, Binary, PASSWORD, is_embedded, log_in, redacted};

#[tokio::test]
async fn list_names_every_command() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let list = binary.json(&["list"]).await?;
    let text = binary.done(&["list"]).await?.out;
    assert_eq!(binary.done(&[]).await?.out, text, "no command is `list`");
    for command in list.as_array().into_iter().flatten() {
        for field in ["name", "about"] {
            assert!(text.contains(command[field].as_str().unwrap_or("?")), "{command} in {text}");
        }
    }
    assert_json_snapshot!(list);
    Ok(())
}

#[tokio::test]
async fn about_shows_what_the_application_is() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("APP_NAME", "Harbour").env("APP_URL", "https://harbour.example/");
    let about = binary.json(&["about"]).await?;
    assert_eq!(about["commands"], binary.json(&["list"]).await?.as_array().map_or(0, Vec::len));
    assert_eq!(about["routes"], binary.json(&["route:list"]).await?.as_array().map_or(0, Vec::len));
    assert_eq!(about["bindings"], binary.json(&["container:list"]).await?.as_array().map_or(0, Vec::len));
    assert_json_snapshot!(redacted(about, &["paravel", "bindings", "routes", "commands"]));
    assert!(!binary.path("app.sqlite").exists(), "it opens no database");
    Ok(())
}

#[tokio::test]
async fn config_show_shows_all_of_it_or_a_part() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("HASH_CONCURRENCY", "3").env("APP_NAME", "Harbour");
    let all = binary.json(&["config:show"]).await?;
    assert_eq!(binary.json(&["config:show", "auth"]).await?, all["auth"]);
    let refused = binary.refused(1, &["config:show", "datbase"]).await?;
    assert_eq!(
        refused,
        "error: the configuration has no part `datbase`; there are: alerts, app, auth, cache, database, http, log, mail, \
         queue, redis, schedule, seed\n"
    );
    assert_json_snapshot!(redacted(all, &["url"]));
    Ok(())
}

#[tokio::test]
async fn route_list_shows_what_each_route_takes_and_returns() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let routes = binary.json(&["route:list"]).await?;
    let text = binary.done(&["route:list"]).await?.out;
    assert!(text.contains("/api/v1/users/{id}/roles"), "{text}");
    assert_json_snapshot!(routes);
    Ok(())
}

#[tokio::test]
async fn event_list_shows_who_hears_what() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let events = binary.json(&["event:list"]).await?;
    let text = binary.done(&["event:list"]).await?.out;
    assert!(text.contains("app::listeners::log_welcome::log_welcome"), "{text}");
    assert_json_snapshot!(events);
    Ok(())
}

#[tokio::test]
async fn container_list_shows_every_binding() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: the bindings name the backend's types, and SQLite's are compared");
        return Ok(());
    }
    let mut bindings = Binary::new("testing")?.json(&["container:list"]).await?;
    // It is there where the toolkit is built with it.
    bindings.as_array_mut().into_iter().for_each(|all| all.retain(|binding| binding["key"] != "Redis"));
    for binding in bindings.as_array_mut().into_iter().flatten() {
        let place = binding["registered"].as_str().unwrap_or_default();
        assert!(place.contains(".rs:"), "{binding}");
        *binding = json!({"key": binding["key"], "lifetime": binding["lifetime"], "needs": binding["needs"]});
    }
    assert_json_snapshot!(bindings);
    Ok(())
}

#[tokio::test]
async fn container_verify_finds_no_faults() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let verified = binary.json(&["container:verify"]).await?;
    let text = binary.done(&["container:verify"]).await?.out;
    assert_eq!(text, format!("{} bindings verified: no faults.\n", verified["bindings"]));
    assert_json_snapshot!(redacted(verified, &["bindings"]));
    Ok(())
}

#[tokio::test]
async fn db_show_counts_the_rows_of_every_table() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: each server shows its own settings, and SQLite's are compared");
        return Ok(());
    }
    let binary = Binary::seeded().await?;
    let show = binary.json(&["db:show"]).await?;
    assert_eq!(show["url"], format!("sqlite://{}", binary.path("app.sqlite").display()));
    assert_json_snapshot!(redacted(show, &["url", "version", "page_count"]));
    Ok(())
}

#[tokio::test]
async fn db_table_shows_columns_indexes_and_keys() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: each server names types in its own way, and SQLite's are compared");
        return Ok(());
    }
    let binary = Binary::seeded().await?;
    let tokens = binary.json(&["db:table", "personal_access_tokens"]).await?;
    let text = binary.done(&["db:table", "user_roles"]).await?.out;
    assert!(text.starts_with("user_roles, 1 row(s)\n\n Column"), "{text}");
    assert!(text.contains("\n Key") && text.contains("\n user_id  users") && text.contains("\n Index"), "{text}");
    let said = binary.refused(1, &["db:table", "user"]).await?;
    assert_eq!(said, "error: no table is called `user`; did you mean `users`?\n");
    binary.refused(2, &["db:table"]).await?;
    assert_json_snapshot!(tokens);
    Ok(())
}

#[tokio::test]
async fn db_monitor_shows_connections_and_what_waits() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a server has other pools, and SQLite's are compared");
        return Ok(());
    }
    let binary = Binary::seeded().await?.env("DB_READERS", "2");
    let load = binary.json(&["db:monitor"]).await?;
    assert_eq!(load["url"], format!("sqlite://{}", binary.path("app.sqlite").display()));
    assert!(load["file_bytes"].as_u64() > Some(4096), "{load}");
    assert_json_snapshot!(redacted(load, &["url", "file_bytes", "wal_bytes"]));
    Ok(())
}

#[tokio::test]
async fn db_wipe_drops_every_table() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let dropped = binary.json(&["db:wipe"]).await?;
    assert!(binary.tables().await?.is_empty());
    assert_eq!(binary.done(&["db:wipe"]).await?.out, "Nothing to do.\n");
    assert_json_snapshot!(dropped);
    Ok(())
}

#[tokio::test]
async fn user_create_makes_a_user_who_can_log_in() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let line = ["user:create", "Ada@Example.com", "--name", "Ada", "--role", "editor", "--role", "member"];
    let made = binary.json(&line).await?;
    let chosen = ["user:create", "grace@example.com", "--name", "Grace", "--password", "another horse"];
    let chosen = binary.json(&chosen).await?;
    assert_json_snapshot!("user_create", redacted(made.clone(), &["id", "created_at", "updated_at", "password"]));
    assert_json_snapshot!("user_create_with_password", redacted(chosen, &["id", "created_at", "updated_at"]));

    assert_eq!(binary.count("users").await?, 3);
    let hashes = binary.rows("select password_hash from users").await?;
    assert!(hashes.iter().all(|row| row.text("password_hash").starts_with("$argon2id$")), "{hashes:?}");
    let url = binary.url().to_owned();
    let app = TestApp::boot(application().env(Env::from_pairs([("DATABASE_URL", url)]))).await?;
    log_in(&app, "ada@example.com", made["password"].as_str().unwrap_or_default()).await?;
    log_in(&app, "grace@example.com", "another horse").await?;
    Ok(())
}

#[tokio::test]
async fn user_create_refuses_what_the_api_would() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    let create = |email, name, password| ["user:create", email, "--name", name, "--password", password];
    let said = binary.refused(1, &create("ada", " ", "short")).await?;
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in ["name must not be blank", "email", "password must have 8 to 128 characters"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let said = binary.refused(1, &create("a..b@example.com", "Ada", PASSWORD)).await?;
    assert_eq!(said, "error: email is not a valid e-mail address\n");
    let said = binary.refused(1, &create("ADMIN@example.com", "Ada", PASSWORD)).await?;
    assert_eq!(said, "error: the e-mail address is taken\n");
    for (role, advice) in [("captain", ""), ("editr", "; did you mean `editor`?")] {
        let said = binary
            .refused(1, &["user:create", "ada@example.com", "--name", "Ada", "--role", "member", "--role", role])
            .await?;
        assert_eq!(said, format!("error: there is no role `{role}`{advice}\n"));
    }
    assert_eq!(binary.count("users").await?, 1, "nobody is half made");
    Ok(())
}

#[tokio::test]
async fn the_administrator_is_made_whole_or_not_at_all() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.done(&["migrate"]).await?;
    let said = binary.run(&["db:seed", "--class", "admin"]).await?;
    assert!(said.code == Some(1) && said.err.contains("there is no role `admin`"), "{said:?}");
    assert!(!said.out.contains("password"), "a password that is nobody's is not shown: {said:?}");
    assert_eq!(binary.count("users").await?, 0);
    binary.done(&["db:seed", "--class", "roles"]).await?;
    let made = binary.done(&["db:seed", "--class", "admin"]).await?;
    assert!(made.out.contains("admin@example.com has the password "), "{made:?}");
    let again = binary.done(&["db:seed"]).await?;
    assert!(!again.out.contains("password"), "{again:?}");
    Ok(())
}

#[tokio::test]
async fn seeding_does_not_call_somebody_an_administrator_who_is_none() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    binary.done(&["user:create", "ada@example.com", "--name", "Ada"]).await?;
    let binary = binary.env("ADMIN_EMAIL", "Ada@example.com");
    let said = binary.refused(1, &["db:seed"]).await?;
    assert!(
        said.contains("Ada@example.com is a user without the role `admin`: run `cargo artisan role:assign"),
        "{said}"
    );
    binary.done(&["role:assign", "ada@example.com", "admin"]).await?;
    binary.done(&["db:seed"]).await?;
    Ok(())
}

#[tokio::test]
async fn user_list_shows_a_page_of_users() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    for name in ["Ada", "Grace"] {
        binary.done(&["user:create", &format!("{name}@example.org"), "--name", name]).await?;
    }
    let list = binary.json(&["user:list", "--search", "EXAMPLE.ORG"]).await?;
    let page = binary.json(&["user:list", "--page", "2", "--per-page", "2"]).await?;
    assert_eq!(
        page.as_array().map(|page| page.iter().map(|user| &user["name"]).collect()),
        Some(vec![&json!("Grace")])
    );
    let text = binary.done(&["user:list"]).await?.out;
    assert!(text.contains(ADMIN) && text.ends_with("Page 1 of 1, 3 user(s) in all.\n"), "{text}");
    for wrong in [["--page", "0"], ["--per-page", "101"], ["--per-page", "x"]] {
        binary.refused(2, &[&["user:list"], wrong.as_slice()].concat()).await?;
    }
    assert_json_snapshot!(redacted(list, &["id", "created_at", "updated_at"]));
    Ok(())
}

#[tokio::test]
async fn role_assign_replaces_the_roles_in_the_database() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    binary.done(&["user:create", "ada@example.com", "--name", "Ada"]).await?;
    let assigned = binary.json(&["role:assign", "ADA@example.com", "editor", "admin"]).await?;
    let roles = "select r.name from roles r join user_roles ur on ur.role_id = r.id \
                 join users u on u.id = ur.user_id where u.name = 'Ada' order by r.name";
    let names = async || -> anyhow::Result<Vec<String>> {
        Ok(binary.rows(roles).await?.iter().map(|row| row.text("name").to_owned()).collect())
    };
    assert_eq!(names().await?, ["admin", "editor"]);
    let said = binary.refused(1, &["role:assign", "nobody@example.com", "editor"]).await?;
    assert_eq!(said, "error: no user has the e-mail address nobody@example.com\n");
    let said = binary.refused(1, &["role:assign", "ada@example.com", "captain"]).await?;
    assert_eq!(said, "error: there is no role `captain`\n");
    binary.refused(2, &["role:assign", "ada@example.com"]).await?;
    assert_eq!(names().await?, ["admin", "editor"]);
    assert_json_snapshot!(redacted(assigned, &["id", "created_at", "updated_at"]));
    Ok(())
}

#[tokio::test]
async fn completions_know_every_command() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let list = binary.json(&["list"]).await?;
    for shell in ["bash", "zsh", "fish"] {
        let script = binary.done(&["completions", shell]).await?.out;
        for command in list.as_array().into_iter().flatten() {
            let name = command["name"].as_str().unwrap_or("?");
            // zsh's separator has to be escaped.
            let known = script.contains(name) || script.contains(&name.replace(':', r"\:"));
            assert!(known, "{name} in the script for {shell}");
        }
        assert!(script.contains("--json") || script.contains("-l json"), "{shell}");
    }
    let bash = binary
        .command("bash")
        .arg("-n")
        .arg("-c")
        .arg(binary.done(&["completions", "bash"]).await?.out)
        .output()
        .await?;
    assert!(bash.status.success(), "{bash:?}");
    binary.refused(2, &["completions", "cmd"]).await?;
    Ok(())
}

#[tokio::test]
async fn env_lists_every_variable_with_its_meaning() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("HTTP_PORT", "8080").env("HASH_CONCURRENCY", "3");
    std::fs::write(binary.path(".env"), "HTTP_PORT=1\nLOG_LEVEL=warn\n")?;
    let mut variables = binary.json(&["env"]).await?;
    let lines: Vec<Value> = variables.as_array().cloned().unwrap_or_default();
    let line = |name| lines.iter().find(|line| line["name"] == name).cloned().unwrap_or_default();
    assert_eq!((&line("HTTP_PORT")["value"], &line("HTTP_PORT")["source"]), (&json!("8080"), &json!("process")));
    assert_eq!((&line("LOG_LEVEL")["value"], &line("LOG_LEVEL")["source"]), (&json!("warn"), &json!(".env")));
    for line in variables.as_array_mut().into_iter().flatten().filter(|line| line["name"] == "DATABASE_URL") {
        line["value"] = "[url]".into();
    }
    assert_json_snapshot!(variables);
    Ok(())
}

#[tokio::test]
async fn service_list_shows_what_stands_around_each_service() -> anyhow::Result<()> {
    let quiet = Binary::new("testing")?.json(&["service:list"]).await?;
    let logged = Binary::new("testing")?.env("LOG_SERVICES", "true").json(&["service:list"]).await?;
    assert_json_snapshot!(json!({"by default": quiet, "with LOG_SERVICES": logged}));
    Ok(())
}

#[tokio::test]
async fn calls_of_services_are_logged_where_that_is_configured_and_no_password_is() -> anyhow::Result<()> {
    let create = ["user:create", "ada@example.com", "--name", "Ada", "--password", "correct horse"];
    let called = "UserService";
    let quiet = Binary::seeded().await?.done(&create).await?;
    assert!(!quiet.out.contains(called) && !quiet.err.contains(called), "{}{}", quiet.out, quiet.err);
    let logged =
        Binary::seeded().await?.env("LOG_SERVICES", "true").env("LOG_LEVEL", "service=info").done(&create).await?;
    assert!(logged.err.contains("UserService") && logged.err.contains("create"), "{}", logged.err);
    assert!(logged.err.contains("[redacted]") && !logged.err.contains("correct horse"), "{}", logged.err);
    Ok(())
}
