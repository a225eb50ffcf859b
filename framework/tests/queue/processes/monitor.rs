//! `queue:monitor` on a terminal.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use paravel::queue::Queue;

use super::{Orders, Process, Store, kills::Haul, until};

/// What a terminal is told to begin its screen anew with.
const ANEW: &str = "\x1b[H\x1b[2J";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_is_drawn_anew_until_it_is_interrupted() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("TEST_REQUIRE_SERVERS").is_none(), "`script` is not installed");
        println!("left out: `script` is not installed (Debian's package is bsdutils)");
        return;
    }
    let store = Store::new("sqlite").await.unwrap();
    let queue = store.app.make::<Queue>().unwrap();
    queue.dispatch_many((0..7001).map(Haul::number)).await.unwrap();
    let line = "queue:monitor --interval 50ms".split(' ').map(str::to_owned).collect();
    let orders = Orders { shared: store.shared.clone(), line };
    let inner = Process::command(&orders);
    // It gives a shell a terminal of its own. A shell that stays beside the command has the interrupt too, and some die of it.
    let mut script = Command::new("script");
    let words = [inner.get_program()].into_iter().chain(inner.get_args());
    let quoted: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    script
        .args(["-qec", &format!("exec {}", quoted.join(" ")), "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped());
    for (name, value) in inner.get_envs() {
        script.env(name, value.unwrap());
    }
    let mut terminal = Process::of(script, &store.shared);
    let frames = |terminal: &Process| terminal.said().split(ANEW).skip(1).map(str::to_owned).collect::<Vec<_>>();
    let shown = async |terminal: &Process, what: &str| {
        let shows = async || frames(terminal).iter().any(|frame| frame.contains(what)).then_some(());
        until(&format!("it does not show {what}"), shows).await;
    };
    shown(&terminal, "7001").await;
    shown(&terminal, "0 worker(s), 0 of 0 jobs at once; 0 jobs/s").await;
    queue.dispatch(Haul::number(7001)).await.unwrap();
    shown(&terminal, "7002").await;
    assert!(frames(&terminal).len() > 2);
    // As the key is typed.
    terminal.child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(terminal.ended().await.code(), Some(0), "{}", terminal.said());
}
