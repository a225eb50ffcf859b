//! How long the real binary takes from its start to its first answer, and how much memory it holds when idle.
//!
//! `cargo bench --bench startup`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Starts that are measured; the median counts.
const STARTS: usize = 30;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    artisan(folder.path(), &["migrate", "--seed"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let bare = median((0..STARTS).map(|_| time_version(folder.path())).collect::<Result<_>>()?);
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..STARTS {
        let (time, kib) = start(folder.path())?;
        times.push(time);
        memory.push(kib);
    }
    memory.sort_unstable();
    println!("start of the process alone (artisan --version): {bare:?}, median of {STARTS}");
    println!("start to first answered request, existing database: {:?}, median of {STARTS}", median(times));
    println!("idle memory (VmRSS): {:.1} MiB, median of {STARTS}", memory[STARTS / 2] as f64 / 1024.0);
    println!("machine: {}", machine());
    Ok(())
}

fn artisan(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_artisan"));
    command.current_dir(folder).args(arguments).env_clear().env("APP_ENV", "testing").env("LOG_LEVEL", "error");
    command.env("DATABASE_URL", format!("sqlite://{}", folder.join("bench.sqlite").display()));
    command
}

fn time_version(folder: &Path) -> Result<Duration> {
    let started = Instant::now();
    artisan(folder, &["--version"]).stdout(Stdio::null()).status()?;
    Ok(started.elapsed())
}

/// Starts the server, asks it one thing that reads the database, and looks at its memory.
fn start(folder: &Path) -> Result<(Duration, u64)> {
    let started = Instant::now();
    let mut child = artisan(folder, &["serve", "--port", "0"]).stdout(Stdio::piped()).spawn()?;
    let answered = first_answer(&mut child, started);
    let memory = fs::read_to_string(format!("/proc/{}/status", child.id()));
    child.kill()?;
    child.wait()?;
    let memory = memory?;
    let rss = memory.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
    let kib = rss.trim().trim_end_matches(" kB").parse()?;
    Ok((answered?, kib))
}

fn first_answer(child: &mut Child, started: Instant) -> Result<Duration> {
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let address = BufReader::new(stdout)
        .lines()
        .map_while(std::result::Result::ok)
        .find_map(|line| line.split_once("http://").map(|(_, address)| address.to_owned()))
        .ok_or("the server printed no address")?;
    let mut stream = TcpStream::connect(&address)?;
    stream.write_all(b"GET /up HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(answer.into());
    }
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    format!("{cores} cores,{}", model.trim_start_matches(['\t', ' ', ':']).trim_end())
}
