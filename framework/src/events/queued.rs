use std::time::Duration;

use serde_json::Value;

use super::{AnyEvent, Event, EventBus, ListenerEntry};
use crate::{
    container::{self, ContainerError},
    queue::{Backoff, Body, JobEntry, JobOptions, Queue, unreadable},
    support::BoxError,
};

impl ListenerEntry {
    /// The same as a job of the queue of this name: it runs later and elsewhere, and again until it works. The event waits there
    /// as JSON, and the listener is found by its [name](Self::named). Inside a transaction the job is a part of it, and does not ask what other listeners say.
    pub fn queued(mut self, queue: impl Into<String>) -> Self {
        self.queued = Some(self.queued.unwrap_or_default().on(queue));
        self
    }

    /// How often it is tried at most, where it is [queued](Self::queued), from 1. Default 3.
    pub fn tries(self, tries: u32) -> Self {
        self.with(|options| options.tries(tries))
    }

    /// How long to wait between attempts, where it is [queued](Self::queued).
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.with(|options| options.backoff(backoff))
    }

    /// How long after the event it runs, where it is [queued](Self::queued).
    pub fn delay(self, delay: Duration) -> Self {
        self.with(|options| options.after(delay))
    }

    /// How long one attempt may take, where it is [queued](Self::queued). Default 60 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout(timeout))
    }

    /// Queued at once although a transaction is open that may be rolled back, where it is [queued](Self::queued).
    pub fn before_commit(self) -> Self {
        self.with(JobOptions::before_commit)
    }

    fn with(mut self, options: impl FnOnce(JobOptions) -> JobOptions) -> Self {
        self.queued = Some(options(self.queued.unwrap_or_default()));
        self
    }

    /// The kind of job that it is, for an event of this name.
    fn kind(&self, event: &str) -> String {
        format!("listener:{event}:{}", self.name)
    }

    /// Queues it.
    pub(super) async fn push(&self, event: &AnyEvent, options: &JobOptions) -> Result<(), BoxError> {
        let queue = container::current().map_err(ContainerError::from)?.make::<Queue>()?;
        Ok(queue.dispatch_as(self.kind(&event.name()), &event.json()?, options).await?)
    }

    /// The job that it is, where it is queued.
    fn job(&self) -> Option<JobEntry> {
        let (queue, event, revive) = (self.queued.as_ref()?.queue(), self.hears?, self.revive?);
        let entry = self.clone();
        let check = move |body: Body<'_>| body.read::<Value>().and_then(revive).map(drop);
        Some(JobEntry::other(self.kind(&event.to_string()), queue.to_owned(), check, move |body, app, run| {
            let event = body.read::<Value>().and_then(revive);
            let entry = entry.clone();
            if let Some(scope) = app.current_scope() {
                scope.set(run.clone());
            }
            Box::pin(async move {
                match event {
                    Ok(event) => entry.call(&event, app).await.map(drop),
                    // It would be no other at the next attempt.
                    Err(error) => {
                        run.fail(unreadable(&error));
                        Ok(())
                    }
                }
            })
        }))
    }
}

impl EventBus {
    /// The listeners that run as jobs.
    pub fn jobs(&self) -> impl Iterator<Item = JobEntry> {
        self.listeners.values().flatten().filter_map(ListenerEntry::job)
    }
}

/// The event that this JSON says.
pub(super) fn revive<E: Event>(json: Value) -> Result<AnyEvent, BoxError> {
    Ok(AnyEvent::new(serde_json::from_value::<E>(json)?))
}
