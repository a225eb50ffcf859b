use std::fmt;

use super::{BatchId, Job, JobOptions, NewBatch, PartOf, Push, Queue, QueueError, message::Message};

type Seal = Box<dyn FnOnce(&Queue, Place) -> Result<Message, QueueError> + Send>;

/// Where a job stands among others.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// What follows it.
    pub(super) next: Option<Push>,
    /// The batch that it is a member of.
    pub(super) batch: Option<BatchId>,
}

fn seal<J: Job>(job: J, options: JobOptions) -> Seal {
    Box::new(move |queue, place| queue.member(&job, &options, place))
}

/// Jobs of which each begins when the one before it is done. One that fails for good ends the chain.
///
/// What is in it is stored with its first job, and pushed in one step with the end of the one before it: a chain neither loses a
/// step nor takes one twice. Unique keys keep no others out here.
///
/// ```
/// use paravel::queue::{Batch, Chain, Job, Queue, QueueError};
///
/// # async fn example<Load: Job, Weigh: Job, Sail: Job>(queue: &Queue, load: Load, weigh: Weigh, boats: Vec<Sail>)
/// # -> Result<(), QueueError> {
/// let fleet = Batch::new("fleet").jobs(boats);
/// queue.chain(Chain::new().job(load).job(weigh).batch(fleet)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it is dispatched by `Queue::chain`"]
#[derive(Default)]
pub struct Chain {
    steps: Vec<Step>,
}

enum Step {
    Job(Seal),
    Batch(Batch),
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("steps", &self.steps.len()).finish()
    }
}

impl Chain {
    /// A chain of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Then this job.
    pub fn job<J: Job>(self, job: J) -> Self {
        self.job_with(job, |options| options)
    }

    /// Then this job, with other options than its kind's.
    pub fn job_with<J: Job>(mut self, job: J, options: impl FnOnce(JobOptions) -> JobOptions) -> Self {
        self.steps.push(Step::Job(seal(job, options(JobOptions::of::<J>()))));
        self
    }

    /// Then all that is in this batch. What follows begins when it is done.
    pub fn batch(mut self, batch: Batch) -> Self {
        self.steps.push(Step::Batch(batch));
        self
    }

    /// What to push for it to begin.
    pub(super) fn seal(self, queue: &Queue, batch: Option<BatchId>) -> Result<Push, QueueError> {
        let mut next = None;
        for step in self.steps.into_iter().rev() {
            next = Some(match step {
                Step::Job(seal) => Push::from(vec![seal(queue, Place { next, batch })?]),
                Step::Batch(inner) => inner.seal(queue, next, batch)?.1,
            });
        }
        Ok(next.unwrap_or_default())
    }
}

/// Jobs that run beside each other, and what comes when all of them have ended.
///
/// A member that fails for good cancels the batch, so that those that wait are not run any more, unless it
/// [allows failures](Self::allow_failures). Unique keys keep no others out here.
///
/// ```
/// use paravel::queue::{Batch, Chain, Job, Queue, QueueError};
///
/// # async fn example<Sail: Job, Fetch: Job, Tell: Job>(queue: &Queue, boats: Vec<Sail>, fetch: [Fetch; 2], tell: Tell)
/// # -> Result<(), QueueError> {
/// let [first, second] = fetch;
/// let batch = Batch::new("fleet").jobs(boats).chain(Chain::new().job(first).job(second)).then(tell);
/// let id = queue.batch(batch).await?;
/// let share = queue.find_batch(id).await?.map(|batch| batch.progress());
/// # Ok(())
/// # }
/// ```
#[must_use = "it is dispatched by `Queue::batch`"]
pub struct Batch {
    name: String,
    members: Vec<Member>,
    allows_failures: bool,
    then: Vec<Seal>,
    catch: Vec<Seal>,
    finally: Vec<Seal>,
}

enum Member {
    Job(Seal),
    Chain(Chain),
    Batch(Batch),
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("name", &self.name).field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl Batch {
    /// A batch of nothing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            members: Vec::new(),
            allows_failures: false,
            then: Vec::new(),
            catch: Vec::new(),
            finally: Vec::new(),
        }
    }

    /// With this job.
    pub fn job<J: Job>(self, job: J) -> Self {
        self.job_with(job, |options| options)
    }

    /// With this job, with other options than its kind's.
    pub fn job_with<J: Job>(mut self, job: J, options: impl FnOnce(JobOptions) -> JobOptions) -> Self {
        self.members.push(Member::Job(seal(job, options(JobOptions::of::<J>()))));
        self
    }

    /// With these jobs.
    pub fn jobs<J: Job>(mut self, jobs: impl IntoIterator<Item = J>) -> Self {
        self.members.extend(jobs.into_iter().map(|job| Member::Job(seal(job, JobOptions::of::<J>()))));
        self
    }

    /// With a chain, which is one member however long it is.
    pub fn chain(mut self, chain: Chain) -> Self {
        self.members.push(Member::Chain(chain));
        self
    }

    /// With another batch, which is one member.
    pub fn batch(mut self, batch: Self) -> Self {
        self.members.push(Member::Batch(batch));
        self
    }

    /// A member that fails does not cancel the batch, and it is done when all have ended.
    pub fn allow_failures(self) -> Self {
        Self { allows_failures: true, ..self }
    }

    /// When it is done, this job.
    pub fn then<J: Job>(mut self, job: J) -> Self {
        self.then.push(seal(job, JobOptions::of::<J>()));
        self
    }

    /// When the first member has failed for good, this job.
    pub fn catch<J: Job>(mut self, job: J) -> Self {
        self.catch.push(seal(job, JobOptions::of::<J>()));
        self
    }

    /// When all members have ended, however they have, this job.
    pub fn finally<J: Job>(mut self, job: J) -> Self {
        self.finally.push(seal(job, JobOptions::of::<J>()));
        self
    }

    /// Its key, and what to push for it to begin; `rest` comes when it is done.
    pub(super) fn seal(
        self,
        queue: &Queue,
        rest: Option<Push>,
        outer: Option<BatchId>,
    ) -> Result<(BatchId, Push), QueueError> {
        let id = BatchId::new();
        let callbacks = |seals: Vec<Seal>| {
            let messages: Result<Vec<_>, _> = seals.into_iter().map(|seal| seal(queue, Place::default())).collect();
            messages.map(Push::from)
        };
        let mut then = callbacks(self.then)?;
        let goes_on = outer.is_some_and(|outer| rest.as_ref().is_some_and(|rest| rest.carries(outer)));
        then.extend(rest.unwrap_or_default());
        let (catch, finally) = (callbacks(self.catch)?, callbacks(self.finally)?);
        let (mut push, mut total) = (Push::NOTHING, 0);
        for member in self.members {
            let member = match member {
                Member::Job(seal) => Push::from(vec![seal(queue, Place { next: None, batch: Some(id) })?]),
                Member::Chain(chain) => chain.seal(queue, Some(id))?,
                Member::Batch(batch) => batch.seal(queue, None, Some(id))?.1,
            };
            // One that is empty has no end that could be waited for.
            total += u64::from(member.carries(id));
            push.extend(member);
        }
        if total == 0 {
            // It is done as it begins.
            push.extend(then);
            push.extend(finally);
            return Ok((id, push));
        }
        let part_of = outer.map(|batch| PartOf { batch, goes_on });
        let batch = NewBatch {
            id,
            name: self.name,
            total,
            allows_failures: self.allows_failures,
            part_of,
            then,
            catch,
            finally,
        };
        push.batches.push(batch);
        Ok((id, push))
    }
}
