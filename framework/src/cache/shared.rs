use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use tokio::runtime::Handle;

use super::{
    absence::Absence,
    counts::Counts,
    family::Families,
    far::Far,
    flight::Flights,
    memory::Memory,
    store::{Changes, LockStore},
    tags::{Snapshot, Tags},
};

/// What all clones of one cache share.
pub(super) struct Shared {
    pub(super) name: Box<str>,
    /// Values as they are. Where there is a store behind them, they are used only while what others change is heard of.
    pub(super) near: Option<Memory>,
    /// Values as bytes, for all processes. With neither, nothing is kept and everything is loaded.
    pub(super) far: Option<Arc<Far>>,
    pub(super) families: Arc<Families>,
    pub(super) flights: Flights,
    pub(super) tags: Tags,
    pub(super) locks: Arc<dyn LockStore>,
    /// Counts of limits, where no store has them: what else is cached must not push them out.
    pub(super) counts: Counts,
    /// Whether what others change is heard of.
    hears: AtomicBool,
    follows: AtomicBool,
    absence: Absence,
}

impl Shared {
    pub(super) fn new(
        name: &str,
        near: Option<Memory>,
        far: Option<Arc<Far>>,
        families: Arc<Families>,
        locks: Arc<dyn LockStore>,
    ) -> Self {
        Self {
            name: name.into(),
            hears: AtomicBool::new(far.is_none()),
            near,
            far,
            families,
            flights: Flights::default(),
            tags: Tags::default(),
            locks,
            counts: Counts::default(),
            follows: AtomicBool::new(false),
            absence: Absence::default(),
        }
    }

    /// The values in this process, while they can be trusted.
    #[inline]
    pub(super) fn near(&self) -> Option<&Memory> {
        self.near.as_ref().filter(|_| self.hears.load(Ordering::Acquire))
    }

    /// The store, while what it has can be trusted: not while it is away, nor right after it.
    pub(super) fn trusted(&self) -> Option<&Arc<Far>> {
        self.far.as_ref().filter(|_| !self.absence.is_recent())
    }

    /// Whether what others change is heard of, where they share a store.
    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Acquire)
    }

    /// The versions that these tags have in this process.
    pub(super) fn snapshot(&self, tags: &[Box<str>]) -> Snapshot {
        self.tags.snapshot(tags)
    }

    /// Lets no load of this key that is under way be kept, nor what is here under it.
    pub(super) fn drop_here(&self, key: &str) {
        let mut stripe = self.flights.stripe(key);
        stripe.cancel(key);
        if let Some(near) = &self.near {
            near.forget(key);
        }
    }

    /// Lets nothing that is here, or being loaded, be used any more.
    pub(super) fn drop_all_here(&self) {
        self.flights.cancel_all();
        if let Some(near) = &self.near {
            near.flush();
        }
    }

    /// Sees to it that what others change is heard of, from the first use on.
    pub(super) fn follow(self: &Arc<Self>) {
        let Some(far) = &self.far else { return };
        if self.follows.load(Ordering::Relaxed) || Handle::try_current().is_err() {
            return;
        }
        if !self.follows.swap(true, Ordering::Relaxed) {
            let changes = Arc::downgrade(self) as Weak<dyn Changes>;
            far.store.follow(far.prefix(), changes);
        }
    }
}

impl Changes for Shared {
    fn key(&self, key: &str) {
        if let Some(key) = self.far.as_ref().and_then(|far| key.strip_prefix(far.prefix())) {
            self.drop_here(key);
        }
    }

    fn tags(&self, tags: &[String]) {
        let prefix = self.far.as_ref().map_or("", |far| far.prefix());
        self.tags.invalidate(tags.iter().filter_map(|tag| tag.strip_prefix(prefix)));
    }

    fn all(&self) {
        self.drop_all_here();
    }

    fn over(&self) {
        self.heard(false);
        self.follows.store(false, Ordering::Release);
    }

    fn heard(&self, heard: bool) {
        // First no more is read here, then what is here goes; and the other way round, so that nothing old stays.
        if !heard {
            self.hears.store(false, Ordering::Release);
            self.absence.begins();
        }
        self.drop_all_here();
        if heard {
            self.absence.ends();
            self.hears.store(true, Ordering::Release);
        }
    }
}
