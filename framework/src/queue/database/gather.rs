use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    super::{DriverError, Push, Pushed},
    DatabaseDriver,
    push::Prepared,
};
use crate::{
    container::spawn,
    database::{Connection, apart},
};

type Answer = oneshot::Sender<Result<Vec<Pushed>, DriverError>>;

/// How many messages are written together, where each push has few.
const MOST: usize = 1000;

/// How many transactions write at once. SQLite writes one after the other anyway.
const AT_ONCE: usize = 2;

/// Pushes that wait for those before them: one transaction then writes them all, which costs one commit.
#[derive(Default)]
pub(super) struct Gather(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<(Push, Answer)>,
    at_once: usize,
}

/// One that writes. Should it be cut off, whoever waits is told, and another may begin.
struct Writes<'a> {
    gather: &'a Gather,
    is_over: bool,
}

impl Drop for Writes<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.gather.0.lock();
            state.at_once -= 1;
            state.waiting.clear();
        }
    }
}

impl<C: Connection> DatabaseDriver<C> {
    /// Pushes, together with whatever others push at the same time.
    pub(super) async fn gather(&self, push: Push) -> Result<Vec<Pushed>, DriverError> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.inner.pushes.0.lock();
            state.waiting.push((push, answer));
            let begins = state.at_once < if C::BACKEND == "sqlite" { 1 } else { AT_ONCE };
            state.at_once += usize::from(begins);
            begins
        };
        if begins {
            let driver = self.clone();
            // By itself, so that it goes on for the others although whoever began goes away.
            drop(spawn(apart(async move { driver.write_gathered().await })));
        }
        answered
            .await
            .unwrap_or_else(|_| Err(DriverError::Unavailable("it was cut off while it was being written".into())))
    }

    async fn write_gathered(&self) {
        let mut writes = Writes { gather: &self.inner.pushes, is_over: false };
        loop {
            let some: Vec<_> = {
                let mut state = self.inner.pushes.0.lock();
                let mut messages = 0;
                let fits = state.waiting.iter().take_while(|(push, _)| {
                    let fits = messages < MOST;
                    messages += push.messages.len();
                    fits
                });
                let fits = fits.count();
                if fits == 0 {
                    state.at_once -= 1;
                    writes.is_over = true;
                    return;
                }
                state.waiting.drain(..fits).collect()
            };
            self.write_together(some).await;
        }
    }

    async fn write_together(&self, some: Vec<(Push, Answer)>) {
        let alone = some.len() == 1;
        let (pushes, answers): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let kept = if alone { Vec::new() } else { pushes.clone() };
        match self.push_all(pushes).await {
            Ok(pushed) => {
                self.tell();
                for (answer, pushed) in answers.into_iter().zip(pushed) {
                    // Whoever asked may have gone.
                    let _ = answer.send(Ok(pushed));
                }
            }
            Err(error) if alone => answers.into_iter().for_each(|answer| drop(answer.send(Err(copy(&error))))),
            // One of them cannot be written, and the others can.
            Err(DriverError::Refused(_)) => {
                for (push, answer) in kept.into_iter().zip(answers) {
                    let pushed = self.push_all(vec![push]).await.map(|mut pushed| pushed.pop().unwrap_or_default());
                    let _ = answer.send(pushed);
                }
                self.tell();
            }
            Err(error) => answers.into_iter().for_each(|answer| drop(answer.send(Err(copy(&error))))),
        }
    }

    async fn push_all(&self, pushes: Vec<Push>) -> Result<Vec<Vec<Pushed>>, DriverError> {
        let now = self.now();
        let counts: Vec<_> = pushes.iter().map(|push| push.messages.len()).collect();
        let all = pushes.into_iter().reduce(|mut all, push| {
            all.extend(push);
            all
        });
        let prepared = Arc::new(Prepared::new(all.unwrap_or_default(), now).map_err(DriverError::Refused)?);
        let pushed = self.write(async move |c: &mut C| prepared.store(c, now).await);
        let mut pushed = pushed.await?.into_iter();
        Ok(counts.into_iter().map(|count| pushed.by_ref().take(count).collect()).collect())
    }
}

/// The same error for one more who waits.
fn copy(error: &DriverError) -> DriverError {
    match error {
        DriverError::Unavailable(error) => DriverError::Unavailable(error.to_string().into()),
        DriverError::Refused(error) => DriverError::Refused(error.to_string().into()),
    }
}
