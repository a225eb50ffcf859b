use std::{
    collections::BTreeSet,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::{
    far::Far,
    store::{Store, StoreError},
};
use crate::container::spawn;

/// How often a store that is down is tried, so that it hears of what became old as soon as it is back.
const PERIOD: Duration = Duration::from_millis(250);

/// More than so many keys and tags, and everything is said to be old.
const MOST: usize = 10_000;

/// What became old while the store could not be told. Until it is, nothing of the store is used in this process.
#[derive(Default)]
pub(super) struct Owed {
    // Whether there is any, without the lock.
    any: AtomicBool,
    debt: Mutex<Debt>,
    // Held by whoever pays, so that nobody reads what the payment makes old.
    paying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Debt {
    tags: BTreeSet<String>,
    keys: BTreeSet<String>,
    // All that begins so.
    all: Option<String>,
    is_tried: bool,
}

impl Debt {
    fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.keys.is_empty() && self.all.is_none()
    }
}

impl Owed {
    /// Notes tags and keys that the store was not told of, and sees to it that it will be.
    fn add(far: &Arc<Far>, tags: &[String], keys: &[String]) {
        Self::note(far, |debt| {
            debt.tags.extend(tags.iter().cloned());
            debt.keys.extend(keys.iter().cloned());
            if debt.tags.len() + debt.keys.len() > MOST {
                debt.all = Some(far.prefix().to_owned());
            }
        });
    }

    /// Notes that everything was to be taken out.
    fn add_all(far: &Arc<Far>) {
        Self::note(far, |debt| debt.all = Some(far.prefix().to_owned()));
    }

    fn note(far: &Arc<Far>, note: impl FnOnce(&mut Debt)) {
        let owed = &far.owed;
        let mut debt = owed.debt.lock();
        note(&mut debt);
        if debt.all.is_some() {
            debt.tags.clear();
            debt.keys.clear();
        }
        owed.any.store(true, Ordering::Release);
        // Outside a runtime nobody can be sent; whoever asks the store next pays.
        if !debt.is_tried && tokio::runtime::Handle::try_current().is_ok() {
            debt.is_tried = true;
            spawn(pay(Arc::downgrade(far)));
        }
    }

    /// Tells the store, where there is something to tell.
    pub(super) async fn settle(&self, store: &dyn Store) -> Result<(), StoreError> {
        if !self.any.load(Ordering::Acquire) {
            return Ok(());
        }
        let _paying = self.paying.lock().await;
        loop {
            let (tags, keys, all) = {
                let mut debt = self.debt.lock();
                if debt.is_empty() {
                    self.any.store(false, Ordering::Release);
                    return Ok(());
                }
                let tags: Vec<_> = std::mem::take(&mut debt.tags).into_iter().collect();
                (tags, std::mem::take(&mut debt.keys), debt.all.take())
            };
            // Whoever goes away in the middle of this still owes it.
            let mut unpaid = Unpaid { owed: self, tags, keys, all };
            if let Some(prefix) = &unpaid.all {
                store.flush(prefix).await?;
                unpaid.all = None;
            }
            if !unpaid.tags.is_empty() {
                store.invalidate(&unpaid.tags).await?;
                unpaid.tags.clear();
            }
            while let Some(key) = unpaid.keys.first() {
                store.take(key).await?;
                unpaid.keys.pop_first();
            }
        }
    }
}

/// A change that the store is being told of. Where that fails, or whoever tells it goes away in the middle of it, the change is
/// owed. Whichever way it ends, `here` lets this process know: meanwhile somebody may have read here what the store still had.
pub(super) struct Due<'a, F: Fn()> {
    far: &'a Arc<Far>,
    tags: &'a [String],
    keys: &'a [String],
    all: bool,
    is_told: bool,
    here: F,
}

impl<'a, F: Fn()> Due<'a, F> {
    /// These tags and keys are old.
    pub(super) fn of(far: &'a Arc<Far>, tags: &'a [String], keys: &'a [String], here: F) -> Self {
        Self { far, tags, keys, all: false, is_told: false, here }
    }

    /// Everything is.
    pub(super) fn all(far: &'a Arc<Far>, here: F) -> Self {
        Self { far, tags: &[], keys: &[], all: true, is_told: false, here }
    }

    /// Ends it: the store was told, or not.
    pub(super) fn end(mut self, is_told: bool) {
        self.is_told = is_told;
    }
}

impl<F: Fn()> Drop for Due<'_, F> {
    fn drop(&mut self) {
        (self.here)();
        match (self.is_told, self.all) {
            (true, _) => {}
            (false, true) => Owed::add_all(self.far),
            (false, false) => Owed::add(self.far, self.tags, self.keys),
        }
    }
}

/// What was taken out of the debt to be paid; what is left of it goes back.
struct Unpaid<'a> {
    owed: &'a Owed,
    tags: Vec<String>,
    keys: BTreeSet<String>,
    all: Option<String>,
}

impl Drop for Unpaid<'_> {
    fn drop(&mut self) {
        let mut debt = self.owed.debt.lock();
        debt.tags.extend(self.tags.drain(..));
        debt.keys.append(&mut self.keys);
        debt.all = debt.all.take().or(self.all.take());
    }
}

/// Tries until everything is paid, or the cache is gone.
async fn pay(far: Weak<Far>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let Some(far) = far.upgrade() else { return };
        let _ = far.ask("hear what became old", std::future::ready(Ok(()))).await;
        let mut debt = far.owed.debt.lock();
        if debt.is_empty() {
            debt.is_tried = false;
            return;
        }
    }
}
