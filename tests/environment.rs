//! `.env`, the process's variables and the secrets among them, through the real binary.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use anyhow::Context;
use app::{application, database::Conn};
use paravel::{
    auth::Hasher,
    database::Connection,
    support::{Env, Secret},
    testing::TestApp,
};

use crate::support::{Binary, Ended, KEY, PASSWORD, is_embedded};

/// The key that a text sets.
fn key(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("APP_KEY="))
}

#[tokio::test]
async fn key_generate_writes_a_key_that_the_application_takes() -> anyhow::Result<()> {
    let binary = Binary::new("production")?;
    let said = binary.done(&["key:generate"]).await?;
    let file = binary.path(".env");
    let text = fs::read_to_string(&file)?;
    let made = key(&text).unwrap_or_default();
    assert!(made.starts_with("base64:") && made.len() == 51, "{text}");
    assert!(!said.out.contains(made) && !said.err.contains(made), "it is written, not shown");
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(binary.json(&["about"]).await?["application_key"], "set");
    assert_eq!(fs::read_dir(binary.path(""))?.count(), 1, "no other file is left");
    Ok(())
}

#[tokio::test]
async fn key_generate_says_in_json_where_it_wrote() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    assert_eq!(binary.json(&["key:generate"]).await?, serde_json::json!({"written": ".env"}));
    let text = fs::read_to_string(binary.path(".env"))?;
    assert!(key(&text).is_some(), "{text}");
    Ok(())
}

#[tokio::test]
async fn key_generate_replaces_a_key_only_where_it_must() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let file = binary.path(".env");
    let before = format!("# Ours\nAPP_NAME=\"The Harbour\"\n\nAPP_KEY={KEY}\nLOG_LEVEL=warn\n");
    fs::write(&file, &before)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    let said = binary.refused(1, &["key:generate"]).await?;
    assert!(said.contains("--force") && !said.contains(KEY), "{said}");
    assert_eq!(fs::read_to_string(&file)?, before);
    binary.done(&["key:generate", "--force"]).await?;
    let after = fs::read_to_string(&file)?;
    let made = key(&after).unwrap_or_default();
    assert_ne!(made, KEY);
    assert_eq!(after.replace(made, KEY), before, "every other line is as it was");
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    Ok(())
}

#[tokio::test]
async fn key_generate_fills_an_empty_key_in_its_place() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    fs::write(binary.path(".env"), "APP_NAME=Harbour\nAPP_KEY=\nLOG_LEVEL=warn")?;
    binary.done(&["key:generate"]).await?;
    let after = fs::read_to_string(binary.path(".env"))?;
    let lines: Vec<_> = after.lines().collect();
    assert!(lines.len() == 3 && lines[0] == "APP_NAME=Harbour" && lines[2] == "LOG_LEVEL=warn", "{after}");
    assert!(lines[1].starts_with("APP_KEY=base64:"), "{after}");
    Ok(())
}

#[tokio::test]
async fn key_generate_knows_a_key_however_its_line_is_written() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let file = binary.path(".env");
    for set in [format!("export APP_KEY={KEY}"), format!("APP_KEY = {KEY}"), format!(" APP_KEY='{KEY}' # ours")] {
        let before = format!("APP_NAME=Harbour\n{set}\nLOG_LEVEL=warn\n");
        fs::write(&file, &before)?;
        assert!(binary.refused(1, &["key:generate"]).await?.contains("--force"), "{set}");
        assert_eq!(fs::read_to_string(&file)?, before);
        binary.done(&["key:generate", "--force"]).await?;
        let after = fs::read_to_string(&file)?;
        assert!(after.lines().count() == 3 && !after.contains(KEY), "{after}");
        assert_eq!(binary.json(&["about"]).await?["application_key"], "set");
    }
    for (empty, kept) in [("APP_KEY= # make one", " # make one"), ("APP_KEY=''", ""), ("export APP_KEY=\nAPP_KEY=", "")]
    {
        fs::write(&file, format!("# APP_KEY={KEY}\n{empty}\n"))?;
        binary.done(&["key:generate"]).await?;
        let after = fs::read_to_string(&file)?;
        assert!(after.starts_with(&format!("# APP_KEY={KEY}\n")) && after.ends_with(&format!("{kept}\n")), "{after}");
        assert_eq!(after.lines().count(), 2, "{after}");
        assert_eq!(binary.json(&["about"]).await?["application_key"], "set");
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_is_no_text_is_refused_by_name() -> anyhow::Result<()> {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let binary = Binary::new("testing")?;
    let mut command = binary.command(env!("CARGO_BIN_EXE_artisan"));
    command.arg("about").env("APP_NAME", OsStr::from_bytes(b"H\xe4fen"));
    command.env("SHIP_COLOUR", OsStr::from_bytes(b"gr\xfcn"));
    let ended = Ended::of(&mut command).await?;
    let said = "error: the configuration has 1 fault(s):\n  - APP_NAME is not Unicode, but must be text\n";
    assert_eq!((ended.code, &*ended.err), (Some(1), said));
    Ok(())
}

#[tokio::test]
async fn a_near_miss_is_told_with_the_fault_it_explains() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APPKEY", KEY);
    let said = binary.refused(1, &["about"]).await?;
    assert!(said.contains("APP_KEY is not set") && said.contains("did you mean APP_KEY?"), "{said}");
    assert!(said.contains("1 fault(s)") && !said.contains(KEY), "{said}");
    Ok(())
}

/// Starts the application in this environment as far as it goes: to an answer over a socket and a password's hash.
async fn start(variables: &[(&str, &str)]) -> anyhow::Result<Option<String>> {
    let app = match TestApp::boot(application().env(Env::from_pairs(variables.iter().copied()))).await {
        Ok(app) => app,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let hasher: Arc<dyn Hasher> = app.make()?;
    let password = Secret::new(PASSWORD.to_owned());
    let work = async {
        let hash = hasher.make(password.clone()).await?;
        anyhow::ensure!(hasher.check(password, Some(hash)).await?);
        let server = app.serve().await?;
        server.get("/up").send().await.assert_status(200);
        server.stop().await;
        Ok(())
    };
    app.run(work).await.map(|()| None)
}

#[tokio::test]
async fn every_variable_is_refused_by_name_or_works_whatever_it_is_set_to() -> anyhow::Result<()> {
    let variables = Binary::new("testing")?.json(&["env"]).await?;
    let names: Vec<_> = variables.as_array().into_iter().flatten().filter_map(|line| line["name"].as_str()).collect();
    assert!(names.len() > 20, "{names:?}");
    let days = format!("{}d", u64::MAX / 86_400);
    let values =
        ["0", "1", "18446744073709551615", "65536", "-1", "garbage", "0s", "1s", &days, "1.5", "\u{0}", "ä=\n"];
    let (mut refused, mut worked) = (0, 0);
    for name in names.iter().copied() {
        for value in values {
            match start(&[(name, value)]).await.with_context(|| format!("{name}={value:?}"))? {
                // Whether it can be opened or reached is the database's to say.
                Some(said) => {
                    let of_database = ["cannot open the database", "cannot reach the database"];
                    let named = said.contains(name) || of_database.iter().any(|start| said.starts_with(start));
                    assert!(named, "{name}={value:?}: {said}");
                    refused += 1;
                }
                None => worked += 1,
            }
        }
    }
    assert!(refused > names.len() * 3 && worked > names.len(), "{refused} refused, {worked} worked");
    Ok(())
}

#[tokio::test]
async fn key_generate_show_writes_nothing() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let (one, two) =
        (binary.done(&["key:generate", "--show"]).await?.out, binary.json(&["key:generate", "--show"]).await?);
    assert!(one.starts_with("base64:") && one.trim_end().len() == 51, "{one}");
    assert_ne!(two["key"], one.trim_end());
    assert!(!binary.path(".env").exists());
    insta::assert_json_snapshot!(crate::support::redacted(two, &["key"]));
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_in_the_file_is_refused_with_the_nearest() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    fs::write(binary.path(".env"), "APP_NMAE=Harbour\nSHIP_COLOUR=red\n")?;
    let said = binary.refused(1, &["about"]).await?;
    assert!(said.contains("APP_NMAE in ./.env is read by nothing; did you mean APP_NAME?"), "{said}");
    assert!(said.contains("SHIP_COLOUR in ./.env is read by nothing\n"), "{said}");
    Ok(())
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?
        .env("HTTP_PORT", "70000")
        .env("APP_ENV", "prod")
        .env("AUTH_TOKEN_TTL", "soon")
        .env("ADMIN_EMAIL", "nobody")
        .env("ADMIN_PASSWORD", "hunter2")
        .env("APP_KEY", "base64:hunter22")
        .env("APP_URL", "harbour");
    fs::write(binary.path(".env"), "LOG_LEVEL=loud\nDB_READERS=0\nUNKNOWN=1\n")?;
    let said = binary.refused(1, &["serve", "--port", "0"]).await?;
    for fault in [
        "APP_ENV is \"prod\", but must be local, testing or production",
        "HTTP_PORT is \"70000\", but must be a whole number from 0 to 65535",
        "AUTH_TOKEN_TTL is \"soon\", but must be a duration",
        "APP_KEY is [redacted], but must be `base64:` and 32 bytes",
        "APP_URL is \"harbour\", but must be an address",
        "LOG_LEVEL is \"loud\", but must be",
        "DB_READERS is \"0\", but must be",
        "UNKNOWN in ./.env is read by nothing",
        "ADMIN_EMAIL is \"nobody\", but must be an e-mail address",
        "ADMIN_PASSWORD is [redacted], but must be a password of 8 to 128 characters",
    ] {
        assert!(said.contains(fault), "{fault} in {said}");
    }
    assert!(said.contains("10 fault(s)") && !said.contains("hunter2"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_line_of_the_file_that_cannot_be_read_is_named_by_number() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    fs::write(binary.path(".env"), "APP_NAME=Harbour\nADMIN_PASSWORD=correct horse staple\n")?;
    let said = binary.refused(1, &["about"]).await?;
    assert!(said.contains(".env: line 2 ") && !said.contains("staple"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_near_miss_in_the_process_is_warned_of_and_a_stranger_is_not() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("APP_NAMES", "Harbour").env("SHIP_COLOUR", "red");
    let about = binary.done(&["about"]).await?;
    assert!(about.err.contains("APP_NAMES is set but read by nothing; did you mean APP_NAME?"), "{about:?}");
    assert!(!about.err.contains("SHIP_COLOUR"), "{about:?}");
    Ok(())
}

#[tokio::test]
async fn production_does_not_start_without_a_key() -> anyhow::Result<()> {
    let binary = Binary::new("production")?;
    for line in [&["serve", "--port", "0"][..], &["migrate", "--force"], &["about"]] {
        let said = binary.refused(1, line).await?;
        assert!(said.contains("APP_KEY is not set") && said.contains("key:generate"), "{line:?}: {said}");
    }
    assert!(!binary.path("app.sqlite").exists());
    let short = binary.env("APP_KEY", "base64:aHVudGVyMjI=");
    let said = short.refused(1, &["about"]).await?;
    assert!(said.contains("APP_KEY is [redacted]") && !said.contains("aHVudGVyMjI"), "{said}");
    Ok(())
}

#[tokio::test]
async fn secrets_are_never_shown() -> anyhow::Result<()> {
    let binary =
        Binary::new("production")?.env("APP_KEY", KEY).env("ADMIN_PASSWORD", PASSWORD).env("LOG_LEVEL", "trace");
    fs::write(binary.path(".env"), format!("APP_KEY={KEY}\n"))?;
    for line in [
        &["env"][..],
        &["config:show"],
        &["config:show", "app"],
        &["config:show", "seed"],
        &["about"],
        &["container:list"],
        &["migrate", "--force", "--seed"],
        &["db:show"],
        &["user:list"],
    ] {
        for flags in [&[][..], &["--json"]] {
            let ended = binary.done(&[line, flags].concat()).await?;
            for secret in [KEY, &KEY[7..], PASSWORD, "$argon2"] {
                assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{line:?}: {ended:?}");
            }
        }
    }
    let config = binary.json(&["config:show"]).await?;
    assert_eq!(
        (&config["app"]["key"], &config["seed"]["admin_password"]),
        (&"[redacted]".into(), &"[redacted]".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_server_elsewhere_without_tls_is_warned_of_in_production() -> anyhow::Result<()> {
    if is_embedded() {
        println!("left out: a file is not reached over a network");
        return Ok(());
    }
    let said = async |environment: &str, query: &str| {
        // An address for documentation (RFC 5737), where nobody is.
        let url = format!("{}://somebody@192.0.2.1/app{query}", Conn::BACKEND);
        let binary = Binary::new(environment)?.env("APP_KEY", KEY).env("DATABASE_URL", &url);
        let ended = binary.env("DB_ACQUIRE_TIMEOUT", "50ms").run(&["migrate:status"]).await?;
        anyhow::Ok(format!("{}{}", ended.out, ended.err))
    };
    let warned = said("production", "").await?;
    assert_eq!(warned.matches("without TLS").count(), 1, "{warned}");
    for (environment, query) in [("production", "?sslmode=require"), ("local", "")] {
        let quiet = said(environment, query).await?;
        assert!(!quiet.contains("without TLS") && quiet.contains("192.0.2.1"), "{quiet}");
    }
    Ok(())
}
