//! How the console takes what it is given, and what it prints to where.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Binary, Ended, KEY, has_terminals, is_embedded};

#[tokio::test]
async fn an_unknown_command_suggests_the_nearest() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    for (wrong, nearest) in [("user:lst", "'user:list'"), ("migrat", "'migrate'"), ("route:lits", "'route:list'")] {
        let said = binary.refused(2, &[wrong]).await?;
        assert!(said.contains(&format!("'{wrong}'")) && said.contains(nearest), "{said}");
    }
    // The nearest first, and not all that is somehow like it.
    let said = binary.refused(2, &["migrat"]).await?;
    assert!(said.contains("'migrate', 'migrate:fresh', 'migrate:reset'\n"), "{said}");
    let said = binary.refused(2, &["launch-the-ship"]).await?;
    assert!(said.contains("launch-the-ship") && !said.contains("similar"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_line_that_a_command_does_not_take_is_a_usage_error() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    for line in [
        &["migrate", "--bogus"][..],
        &["--bogus"],
        &["migrate", "extra"],
        &["user:create"],
        &["user:create", "ada@example.com"],
        &["serve", "--port", "65536"],
        &["serve", "--port", "http"],
        &["migrate:rollback", "--batches", "-1"],
        &["list", "--color", "sometimes"],
    ] {
        let said = binary.refused(2, line).await?;
        assert!(said.starts_with("error: ") && said.contains("--help"), "{line:?}: {said}");
    }
    assert!(!binary.path("app.sqlite").exists(), "nothing was started");
    Ok(())
}

#[tokio::test]
async fn help_is_no_error() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    let help = binary.done(&["--help"]).await?.out;
    assert!(help.contains("user:create") && help.contains("--json"), "{help}");
    let help = binary.done(&["migrate", "--help"]).await?.out;
    assert!(help.contains("Apply the pending migrations") && help.contains("--force"), "{help}");
    assert!(binary.done(&["--version"]).await?.out.starts_with("artisan "));
    Ok(())
}

#[tokio::test]
async fn a_command_that_fails_says_why_on_one_line_of_standard_error() -> anyhow::Result<()> {
    if !is_embedded() {
        println!("left out: a path that leads nowhere is for a file alone");
        return Ok(());
    }
    let binary = Binary::new("testing")?.env("DATABASE_URL", "sqlite://missing/app.sqlite");
    let opening = [
        &["migrate"][..],
        &["migrate:status"],
        &["migrate:rollback"],
        &["migrate:fresh"],
        &["db:seed"],
        &["db:show"],
        &["user:list"],
        &["user:create", "ada@example.com", "--name", "Ada"],
        &["role:assign", "ada@example.com", "admin"],
        &["serve", "--port", "0"],
    ];
    for line in opening {
        let said = binary.refused(1, line).await?;
        assert!(said.starts_with("error: ") && said.contains("missing/app.sqlite"), "{line:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{line:?}: {said}");
    }
    // Those that need no database work without one.
    for line in ["list", "about", "env", "config:show", "route:list", "container:list", "container:verify"] {
        binary.done(&[line]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn another_backends_address_is_refused_by_name() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("DATABASE_URL", "mongodb://u:hunter22@db/app");
    let said = binary.refused(1, &["migrate"]).await?;
    assert!(said.contains("DATABASE_URL is for `mongodb`, but must be for `") && !said.contains("hunter22"), "{said}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_coloured_where_there_is_no_terminal() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?;
    for line in [
        &["list"][..],
        &["about"],
        &["env"],
        &["config:show"],
        &["route:list"],
        &["container:list"],
        &["container:verify"],
        &["migrate:status"],
        &["db:show"],
        &["db:seed"],
        &["user:list"],
        &["user:create", "ada@example.com", "--name", "Ada"],
        &["key:generate", "--show"],
        &["--help"],
        &["nonsense"],
        &["migrate", "--nonsense"],
        &["config:show", "nonsense"],
    ] {
        let Ended { out, err, .. } = binary.run(line).await?;
        assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{line:?}: {out:?} {err:?}");
    }
    let coloured = binary.done(&["container:verify", "--color", "always"]).await?.out;
    assert!(coloured.contains('\x1b'), "{coloured:?}");
    let json = binary.done(&["container:verify", "--color", "always", "--json"]).await?.out;
    assert!(!json.contains('\x1b'), "{json:?}");
    Ok(())
}

#[tokio::test]
async fn on_a_terminal_it_is_coloured_unless_no_color_says_otherwise() -> anyhow::Result<()> {
    if !has_terminals().await? {
        return Ok(());
    }
    let artisan = env!("CARGO_BIN_EXE_artisan");
    for (no_color, flag, coloured) in [
        (None, "", true),
        (Some("1"), "", false),
        // An empty one says nothing: https://no-color.org.
        (Some(""), "", true),
        (None, " --color never", false),
        (Some("1"), " --color always", true),
    ] {
        let mut binary = Binary::new("testing")?.env("TERM", "xterm");
        if let Some(no_color) = no_color {
            binary = binary.env("NO_COLOR", no_color);
        }
        // It runs a command on a terminal of its own.
        let mut script = binary.command("script");
        script.args(["-qec", &format!("{artisan} container:verify{flag}"), "/dev/null"]);
        let ended = Ended::of(&mut script).await?;
        assert!(ended.code == Some(0) && ended.out.contains("no faults"), "{ended:?}");
        assert_eq!(ended.out.contains("\x1b[32m"), coloured, "NO_COLOR={no_color:?}{flag}: {ended:?}");
    }
    Ok(())
}

#[tokio::test]
async fn json_is_all_that_stands_on_standard_output() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    binary.json(&["migrate", "--seed"]).await?;
    binary.json(&["migrate:fresh", "--seed"]).await?;
    let seeded = binary.done(&["db:seed", "--json"]).await?;
    assert!(seeded.err.contains("2 seeder(s) have run"), "{seeded:?}");
    assert_eq!(serde_json::from_str::<Value>(&seeded.out)?, json!({"seeders": 2}));
    Ok(())
}

#[tokio::test]
async fn output_that_cannot_be_written_is_a_failure() -> anyhow::Result<()> {
    if !std::path::Path::new("/dev/full").exists() {
        println!("left out: there is no /dev/full here");
        return Ok(());
    }
    let binary = Binary::new("testing")?;
    for line in [
        "list",
        "list --json",
        "about",
        "env",
        "config:show --json",
        "completions bash",
        "--help",
        "key:generate --show",
    ] {
        let mut shell = binary.command("sh");
        shell.args(["-c", &format!("exec {} {line} >/dev/full", env!("CARGO_BIN_EXE_artisan"))]);
        let ended = Ended::of(&mut shell).await?;
        assert_eq!(ended.code, Some(1), "{line}: {ended:?}");
        assert!(!ended.err.contains("panicked"), "{line}: {ended:?}");
        assert!(line == "--help" || ended.err.contains("what it printed could not be written: "), "{line}: {ended:?}");
        // And where nothing can be said at all, there is still the exit code.
        let mut shell = binary.command("sh");
        shell.args(["-c", &format!("exec {} {line} >/dev/full 2>/dev/full", env!("CARGO_BIN_EXE_artisan"))]);
        assert_eq!(Ended::of(&mut shell).await?.code, Some(1), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?;
    for line in ["list", "route:list --json", "completions bash", "completions zsh", "--help"] {
        let mut command = binary.command(env!("CARGO_BIN_EXE_artisan"));
        let mut child = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        drop(child.stdout.take());
        let ended = child.wait_with_output().await?;
        let err = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(0) && err.is_empty(), "{line}: {ended:?}");
    }
    Ok(())
}

#[tokio::test]
async fn on_a_terminal_what_cannot_be_undone_is_asked_about() -> anyhow::Result<()> {
    let binary = Binary::new("production")?.env("APP_KEY", KEY);
    if !has_terminals().await? {
        return Ok(());
    }
    let said = binary.refused(1, &["migrate"]).await?;
    assert!(said.starts_with("error: Migrate the database? In production that has to be confirmed, and"), "{said}");
    for (answer, code, done) in [("n", 1, false), ("", 1, false), ("nonsense", 1, false), ("yes", 0, true)] {
        let mut shell = binary.command("sh");
        let line = format!("{} migrate", env!("CARGO_BIN_EXE_artisan"));
        // The answer stands in the terminal's input before it is asked for, and the input stays open.
        let script =
            format!("{{ echo '{answer}'; cat pipe; }} | script -qec '{line}; code=$?; : > pipe; exit $code' /dev/null");
        shell.args(["-c", &format!("mkfifo pipe; {script}; code=$?; rm pipe; exit $code")]);
        let ended = Ended::of(&mut shell).await?;
        assert_eq!(ended.code, Some(code), "{answer}: {ended:?}");
        let asked = "The application is in production. Migrate the database? [y/N] ";
        assert!(ended.out.contains(asked), "{answer}: {ended:?}");
        assert_eq!(ended.out.contains("not confirmed: nothing was done"), !done, "{answer}: {ended:?}");
        assert_eq!(binary.tables().await?.is_empty(), !done, "{answer}");
    }
    // Who wants never to be asked is refused here, too.
    let mut shell = binary.command("sh");
    let line = format!("{} migrate:fresh --no-interaction", env!("CARGO_BIN_EXE_artisan"));
    shell.args(["-c", &format!("script -qec '{line}' /dev/null < /dev/null")]);
    let ended = Ended::of(&mut shell).await?;
    assert!(ended.code == Some(1) && ended.out.contains("pass --force"), "{ended:?}");
    Ok(())
}
