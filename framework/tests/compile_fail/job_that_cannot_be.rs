use paravel::{job, queue::JobRun};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Moor;

#[job]
impl Moor {
    async fn sail(self) {}
}

#[derive(Serialize, Deserialize)]
struct Sail;

#[job]
impl Sail {
    async fn handle(&self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Load;

#[job(tries = 3, when = "later")]
impl Load {
    async fn handle(self, _: &JobRun) -> Result<(), std::io::Error> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Weigh;

#[job(backoff = 10)]
impl Weigh {
    async fn handle(self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

struct NotWritable;

#[job]
impl NotWritable {
    async fn handle(self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Needy;

#[job]
impl Needy {
    async fn handle(self, number: u32) -> Result<(), std::io::Error> {
        let _ = number;
        Ok(())
    }
}

fn main() {}
