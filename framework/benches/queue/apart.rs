//! Workers in processes of their own, and what such a process takes.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use paravel::{
    queue::{Driver, Queue, WorkerLimits},
    support::{SystemClock, WireFormat},
};

use super::{Result, Subject, app, worker};

/// What a process of a worker's own is told first.
pub const WORKER: &str = "worker";

/// A worker in a process of its own, which says on its output how long each [`Ping`] has waited, and ends with its input.
pub struct Apart {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Apart {
    pub async fn begin(subject: &Subject, place: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([WORKER, subject.name, place]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let says = BufReader::new(process.stdout.take().ok_or("its output is piped")?);
        // It is there once it has beaten, and nobody is told of that.
        while subject.queue.workers().await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { process, says })
    }

    /// What a process that was begun so does.
    pub async fn work(name: &str, place: &str) -> Result<()> {
        let app = app(|waited| println!("{waited}"))?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            drop(stop);
        });
        worker(&queue_at(name, place)?, &app, WorkerLimits::default()).run(async { drop(stopped.await) }).await;
        Ok(())
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How long the next one has waited.
    pub fn next_wait(&mut self) -> Result<Duration> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(Duration::from_nanos(line.trim().parse()?))
    }

    pub fn end(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        self.process.wait()?;
        Ok(())
    }
}

/// The queues of another process.
fn queue_at(name: &str, place: &str) -> Result<Queue> {
    let driver: Arc<dyn Driver> = match name {
        #[cfg(all(feature = "sqlite", feature = "testing"))]
        "sqlite" => super::database::driver::<paravel::database::SqliteConn>(place)?,
        #[cfg(all(feature = "postgres", feature = "testing"))]
        "postgres" => super::database::driver::<paravel::database::PgConn>(place)?,
        #[cfg(all(feature = "mysql", feature = "testing"))]
        "mysql" => super::database::driver::<paravel::database::MysqlConn>(place)?,
        #[cfg(feature = "redis")]
        "redis" => super::redis::driver(place)?.1,
        _ => return Err(format!("{name}, {place}: there are no such queues").into()),
    };
    Ok(Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock)))
}

/// What a process has in memory, in bytes.
pub fn resident(process: u32) -> Option<u64> {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    Some(pages.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

/// For how long a process has had a core to itself.
pub fn computed(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which is in brackets: the 14th and 15th, in hundredths of a second.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}
