use std::{any::type_name, collections::HashSet, sync::Arc};

use parking_lot::{Mutex, RwLock};

use super::{AnyEvent, Event, EventBus};
use crate::{container::Key, support::short_name};

/// The fake of a bus, where there is one.
pub(super) type Faked = RwLock<Option<EventFake>>;

/// Records events in place of their listeners' running, in a test. `TestApp::fake_events` and `Event::fake` begin it, for that
/// test's application alone.
///
/// An event raised in a transaction is recorded when that is committed, and not at all where it is rolled back. What the toolkit
/// itself has noticed, such as a slow query, still reaches its listeners and is not recorded.
///
/// ```
/// use paravel::{foundation::Application, testing::TestApp};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct ShipSailed {
///     name: String,
/// }
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let builder = Application::builder().database::<paravel::database::SqliteConn>(&[]);
/// let app = TestApp::boot(builder).await?;
/// let events = app.fake_events()?;
/// app.run(paravel::facades::Event::dispatch(ShipSailed { name: "Dawn Treader".to_owned() })).await?;
/// events.assert_dispatched::<ShipSailed>(|sailed| sailed.name.starts_with("Dawn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct EventFake(Arc<State>);

#[derive(Default)]
struct State {
    only: Mutex<Option<HashSet<Key>>>,
    except: Mutex<HashSet<Key>>,
    recorded: Mutex<Vec<AnyEvent>>,
}

impl EventFake {
    /// Fakes events of this type alone, and of others for which this is said; the rest reach their listeners.
    pub fn only<E: Event>(self) -> Self {
        self.0.only.lock().get_or_insert_default().insert(Key::of::<E>());
        self
    }

    /// Lets events of this type reach their listeners.
    pub fn except<E: Event>(self) -> Self {
        self.0.except.lock().insert(Key::of::<E>());
        self
    }

    /// What was dispatched of a type, in order. One whose transaction is still open is not among them.
    pub fn dispatched<E: Event + Clone>(&self) -> Vec<E> {
        self.0.recorded.lock().iter().filter_map(AnyEvent::downcast_ref).cloned().collect()
    }

    /// Asserts that an event of this type was dispatched for which `holds` is true.
    ///
    /// # Panics
    /// Where not, with all that was dispatched.
    #[track_caller]
    pub fn assert_dispatched<E: Event>(&self, holds: impl FnMut(&E) -> bool) {
        assert!(self.count(holds) > 0, "no `{}` was dispatched for which that holds{self}", name::<E>());
    }

    /// Asserts that so many events of this type were dispatched.
    ///
    /// # Panics
    /// Where it were more or fewer, with all that was dispatched.
    #[track_caller]
    pub fn assert_dispatched_times<E: Event>(&self, times: usize) {
        let found = self.count(|_: &E| true);
        assert!(found == times, "`{}` was dispatched {found} time(s), not {times}{self}", name::<E>());
    }

    /// Asserts that no event of this type was dispatched.
    ///
    /// # Panics
    /// Where one was.
    #[track_caller]
    pub fn assert_not_dispatched<E: Event>(&self) {
        assert!(self.count(|_: &E| true) == 0, "`{}` was dispatched{self}", name::<E>());
    }

    /// Asserts that no event that is faked was dispatched.
    ///
    /// # Panics
    /// Where one was.
    #[track_caller]
    pub fn assert_nothing_dispatched(&self) {
        assert!(self.0.recorded.lock().is_empty(), "something was dispatched{self}");
    }

    fn count<E: Event>(&self, mut holds: impl FnMut(&E) -> bool) -> usize {
        // Without the lock: what is asked of them may dispatch others.
        let recorded = self.0.recorded.lock().clone();
        recorded.iter().filter_map(AnyEvent::downcast_ref).filter(|event| holds(event)).count()
    }

    fn takes(&self, key: Key) -> bool {
        !self.0.except.lock().contains(&key) && self.0.only.lock().as_ref().is_none_or(|only| only.contains(&key))
    }

    pub(super) fn record(&self, event: &AnyEvent) {
        self.0.recorded.lock().push(event.clone());
    }
}

/// What was dispatched, as the end of a failed assertion's message.
impl std::fmt::Display for EventFake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let recorded = self.0.recorded.lock();
        if recorded.is_empty() {
            return f.write_str("; nothing was dispatched");
        }
        f.write_str("; what was dispatched:")?;
        recorded.iter().try_for_each(|event| {
            write!(
                f,
                "\n  {} {}",
                event.name(),
                event.json().map_or_else(|error| error.to_string(), |json| json.to_string())
            )
        })
    }
}

fn name<E>() -> String {
    short_name(type_name::<E>())
}

impl EventBus {
    /// Begins to fake this bus, in place of an earlier fake.
    pub fn fake(&self) -> EventFake {
        let fake = EventFake::default();
        *self.faked.write() = Some(fake.clone());
        fake
    }

    /// The fake that takes events of this type.
    pub(super) fn fake_of(&self, key: Key) -> Option<EventFake> {
        self.faked.read().clone().filter(|fake| fake.takes(key))
    }
}
