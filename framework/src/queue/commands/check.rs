use std::{collections::BTreeMap, sync::Arc};

use anyhow::bail;
use serde::Serialize;

use super::warn_of_memory;
use crate::{
    console::{Command, Console},
    queue::{JobId, Jobs, Message, Push, Queue, QueueError, envelope},
};

/// `queue:check`
#[derive(clap::Args)]
struct QueueCheck {}

/// What was found.
#[derive(Default, Serialize)]
struct Checked {
    /// How many jobs can be read here.
    readable: u64,
    /// How many are of a kind that this build does not have, and are left to others, by kind.
    unknown: BTreeMap<String, u64>,
    /// Those that would fail here.
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct Unreadable {
    id: JobId,
    kind: String,
    queue: String,
    error: String,
}

impl Checked {
    fn message(&mut self, message: &Message, queue: &Queue, jobs: &Jobs) {
        match self.read(message, queue, jobs) {
            Ok(()) => {}
            Err(error) => self.unreadable.push(Unreadable {
                id: message.id,
                kind: message.kind.to_string(),
                queue: message.queue.clone(),
                error,
            }),
        }
    }

    fn read(&mut self, message: &Message, queue: &Queue, jobs: &Jobs) -> Result<(), String> {
        let envelope = envelope::open(&message.payload).map_err(|error| error.to_string())?;
        if let Some(next) = &envelope.header.next {
            self.push(next, queue, jobs);
        }
        let kind = &envelope.header.kind;
        match jobs.find(kind) {
            Some(entry) => {
                let body = queue.codec().decrypt(envelope.body, kind);
                let body = body.map_err(|error| format!("it cannot be decrypted: {error}"))?;
                entry.check(body).map_err(|error| error.to_string())?;
                self.readable += 1;
            }
            None => *self.unknown.entry(envelope.header.kind.into_owned()).or_default() += 1,
        }
        Ok(())
    }

    /// What is pushed when a job is done.
    fn push(&mut self, push: &Push, queue: &Queue, jobs: &Jobs) {
        for message in &push.messages {
            self.message(message, queue, jobs);
        }
        for batch in &push.batches {
            for callback in [&batch.then, &batch.catch, &batch.finally] {
                self.push(callback, queue, jobs);
            }
        }
    }

    /// All that is stored, but for what comes at the end of a batch that is under way, which nobody can ask for.
    async fn all(queue: &Queue, jobs: &Jobs) -> Result<Self, QueueError> {
        let mut checked = Self::default();
        for (name, _) in queue.depths().await? {
            let mut from = None;
            loop {
                let page = queue.peek(&name, from).await?;
                page.messages.iter().for_each(|message| checked.message(message, queue, jobs));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        queue.failed().await?.iter().for_each(|job| checked.message(&job.message, queue, jobs));
        Ok(checked)
    }
}

impl Command for QueueCheck {
    const NAME: &'static str = "queue:check";
    const ABOUT: &'static str = "Check that this build can read the jobs that are stored, failed ones included";
    type Dependencies = (Arc<Queue>, Arc<Jobs>);

    async fn run(self, (queue, jobs): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let checked = Checked::all(&queue, &jobs).await?;
        if console.is_json() {
            console.value(&checked)?;
        } else {
            for (kind, count) in &checked.unknown {
                console.warn(format!(
                    "{count} job(s) of the kind `{kind}` are left to other builds: this one has none such"
                ));
            }
            if !checked.unreadable.is_empty() {
                let columns = [("Id", "id"), ("Kind", "kind"), ("Queue", "queue"), ("Error", "error")];
                console.rows(&columns, &checked.unreadable)?;
            }
            console.line(format!("{} job(s) can be read.", checked.readable));
        }
        match checked.unreadable.len() {
            0 => Ok(()),
            count => bail!("{count} stored job(s) cannot be read by this build, and would fail: see `Job::upcast`"),
        }
    }
}

crate::command!(QueueCheck);
