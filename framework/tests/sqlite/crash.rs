//! Processes that are killed in the middle of their commits, and what the system is asked before a write is answered.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use diesel_async::SimpleAsyncConnection;
use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};

use crate::database::{config, with_ships};

/// Says to the process that writes where and how.
const FILE: &str = "PARAVEL_TEST_FILE";
const ROUNDS: &str = "PARAVEL_TEST_ROUNDS";
const CLIENTS: &str = "PARAVEL_TEST_CLIENTS";

/// What stands before each name whose write was answered.
const ACKNOWLEDGED: &str = "acknowledged ";

/// What is said once all that was under way at once has been answered, and nothing more is.
const ROUND_ENDS: &str = "all were answered";

fn open(file: &Path) -> Arc<Db<SqliteConn>> {
    Arc::new(Db::new(config(&format!("sqlite://{}", file.display()), &[])).unwrap())
}

/// This program again, to run [`the_process_that_writes`] alone, with so many writes at once, so many times.
fn writer(before: &[&str], file: &Path, clients: usize, rounds: usize) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut words = before.iter().map(std::ffi::OsStr::new).chain([this.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", "sqlite::crash::the_process_that_writes", "--ignored", "--nocapture"]);
    command
        .env(FILE, file)
        .env(CLIENTS, clients.to_string())
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the tests below, in a process of its own"]
async fn the_process_that_writes() {
    let Ok(file) = std::env::var(FILE) else { return };
    let [clients, rounds] = [CLIENTS, ROUNDS].map(|name| std::env::var(name).unwrap().parse::<usize>().unwrap());
    let db = open(Path::new(&file));
    for round in 0..rounds {
        let tasks: Vec<_> = (0..clients)
            .map(|client| {
                let db = Arc::clone(&db);
                paravel::spawn(async move {
                    let name = format!("{}-{round}-{client}", std::process::id());
                    crate::database::add(&db, name.clone()).await.unwrap();
                    println!("{ACKNOWLEDGED}{name}");
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        println!("{ROUND_ENDS}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_hundred_kills() {
    let test = with_ships(&[]).await;
    let file = test.folder.path().join("test.sqlite");
    test.close().await;
    let mut acknowledged = Vec::new();
    for round in 0..100 {
        let mut child = writer(&[], &file, 16, usize::MAX).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            // What the test harness says stands on the same line as the first.
            let Some((_, name)) = line.split_once(ACKNOWLEDGED) else { continue };
            acknowledged.push(name.to_owned());
            seen += 1;
            if seen == 1 + round * 37 % 200 {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        let db = open(&file);
        let there = crate::database::names(&db).await;
        let lost: Vec<_> = acknowledged.iter().filter(|name| there.binary_search(name).is_err()).collect();
        assert!(seen > 0 && lost.is_empty(), "lost in round {round}: {lost:?}");
        let check =
            db.read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("pragma integrity_check")).await?)).await;
        assert_eq!(check.unwrap()[0].text("integrity_check"), "ok", "in round {round}");
        db.close().await;
    }
}

#[tokio::test]
async fn two_processes_on_one_file_wait_for_each_other() {
    let test = with_ships(&[]).await;
    let file = test.folder.path().join("test.sqlite");
    let children = [(); 2].map(|()| writer(&[], &file, 16, 50).spawn().unwrap());
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(crate::database::names(&test).await.len(), 2 * 16 * 50);
    test.write(async |c| Ok::<_, DbError>(c.batch_execute("delete from ships").await?)).await.unwrap();
}

#[tokio::test]
async fn the_log_is_on_the_disk_before_its_writes_are_answered() {
    let test = with_ships(&[]).await;
    let (file, trace) = (test.folder.path().join("test.sqlite"), test.folder.path().join("trace"));
    test.close().await;
    let calls = "trace=pwrite64,fdatasync,fsync,write";
    let strace = ["strace", "-f", "-y", "-e", calls, "-o", trace.to_str().unwrap()];
    // One at a time, where each answer has a commit of its own, and many, which share them.
    for (clients, rounds) in [(1, 50), (16, 20)] {
        let output = writer(&strace, &file, clients, rounds).spawn().and_then(|child| child.wait_with_output());
        let calls = std::fs::read_to_string(&trace).unwrap_or_default();
        if output.is_err() || calls.is_empty() {
            assert!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "strace is not there, or may not trace");
            println!("left out: strace is not there, or may not trace");
            return;
        }
        assert!(output.unwrap().status.success());
        // What stands at a moment when nothing is being written.
        let still = if clients == 1 { ACKNOWLEDGED } else { ROUND_ENDS };
        let (mut answers, mut written, mut synced) = (0, 0, 0);
        for call in calls.lines() {
            let in_log = call.contains("test.sqlite-wal>");
            if call.contains("pwrite64(") && in_log {
                written += 1;
            } else if (call.contains("fdatasync(") || call.contains("fsync(")) && in_log {
                (written, synced) = (0, synced + 1);
            } else if call.contains("write(1<") && call.contains(still) {
                assert!(synced > 0 && written == 0, "answered before the disk was: {call}");
                (answers, synced) = (answers + 1, 0);
            }
        }
        assert_eq!(answers, rounds);
    }
}
