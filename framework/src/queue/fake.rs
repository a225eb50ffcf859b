use std::{fmt, sync::Arc};

use parking_lot::{Mutex, RwLock};

use super::{
    Job, Message, Push,
    envelope::{self, Codec},
};

/// The fake of a queue, where there is one.
#[derive(Clone, Default)]
pub(super) struct Faked(Arc<RwLock<Option<QueueFake>>>);

impl Faked {
    pub(super) fn begin(&self, codec: Codec) -> QueueFake {
        let fake = QueueFake(Arc::new(State { messages: Mutex::default(), codec }));
        *self.0.write() = Some(fake.clone());
        fake
    }

    pub(super) fn get(&self) -> Option<QueueFake> {
        self.0.read().clone()
    }
}

/// Records jobs in place of their being queued, in a test. `TestApp::fake_queue` and `Queue::fake` begin it, for that test's
/// application alone. A job that is dispatched inside a transaction is recorded when that is committed.
///
/// ```
/// use paravel::{foundation::Application, queue::{Job, JobRun}, support::BoxError, testing::TestApp};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Moor {
///     ship: String,
/// }
///
/// impl Job for Moor {
///     const NAME: &'static str = "moor";
///     type Dependencies = ();
///
///     async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let app = TestApp::boot(Application::builder().job::<Moor>()).await?;
/// let queue = app.fake_queue()?;
/// app.run(paravel::facades::Queue::dispatch(Moor { ship: "Dawn Treader".to_owned() })).await?;
/// queue.assert_pushed::<Moor>(|job| job.ship.starts_with("Dawn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct QueueFake(Arc<State>);

struct State {
    messages: Mutex<Vec<Message>>,
    codec: Codec,
}

impl QueueFake {
    pub(super) fn record(&self, push: Push) {
        self.0.messages.lock().extend(push.messages);
    }

    /// The messages that were pushed, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.0.messages.lock().clone()
    }

    /// The jobs of a kind that were pushed, in order.
    pub fn pushed<J: Job>(&self) -> Vec<J> {
        let messages = self.messages();
        let of_kind = messages.iter().filter(|message| message.kind == J::NAME);
        let read = |message: &Message| {
            let body = envelope::open(&message.payload).ok()?.body;
            self.0.codec.decrypt(body, J::NAME).ok()?.read().ok()
        };
        of_kind.filter_map(read).collect()
    }

    /// Asserts that a job of this kind was pushed for which `holds` is true.
    ///
    /// # Panics
    /// Where not, with all that was pushed.
    #[track_caller]
    pub fn assert_pushed<J: Job>(&self, holds: impl FnMut(&J) -> bool) {
        assert!(self.pushed().iter().any(holds), "no `{}` was pushed for which that holds{self}", J::NAME);
    }

    /// Asserts that so many jobs of this kind were pushed.
    ///
    /// # Panics
    /// Where it were more or fewer, with all that was pushed.
    #[track_caller]
    pub fn assert_pushed_times<J: Job>(&self, times: usize) {
        let found = self.pushed::<J>().len();
        assert!(found == times, "`{}` was pushed {found} time(s), not {times}{self}", J::NAME);
    }

    /// Asserts that no job of this kind was pushed.
    ///
    /// # Panics
    /// Where one was.
    #[track_caller]
    pub fn assert_not_pushed<J: Job>(&self) {
        assert!(self.pushed::<J>().is_empty(), "`{}` was pushed{self}", J::NAME);
    }

    /// Asserts that nothing was pushed.
    ///
    /// # Panics
    /// Where something was.
    #[track_caller]
    pub fn assert_nothing_pushed(&self) {
        assert!(self.0.messages.lock().is_empty(), "something was pushed{self}");
    }
}

/// What was pushed, as the end of a failed assertion's message.
impl fmt::Display for QueueFake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = self.messages();
        if messages.is_empty() {
            return f.write_str("; nothing was pushed");
        }
        f.write_str("; what was pushed:")?;
        messages.iter().try_for_each(|message| write!(f, "\n  {} on {}", message.kind, message.queue))
    }
}
