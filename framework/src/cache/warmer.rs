use std::{collections::BTreeMap, future::Future};

use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;

use crate::{
    console::Console,
    container::{Container, Dependencies, DependencyInfo, GraphFault, Resolver, Root},
    support::{BoxError, did_you_mean, nearest},
};

/// Fills the cache with what will be asked for, before it is: after a start or a deployment, say. `cache:warm` runs it.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use paravel::{cache::{Cache, CacheWarmer}, console::Console, support::BoxError};
///
/// struct Ships;
///
/// impl CacheWarmer for Ships {
///     const NAME: &'static str = "ships";
///     const ABOUT: &'static str = "Every ship, by its berth";
///     type Dependencies = (Arc<Cache>,);
///
///     async fn warm(&self, (cache,): Self::Dependencies, console: &mut Console) -> Result<u64, BoxError> {
///         let progress = console.progress("ships", 100);
///         for berth in 0..100 {
///             cache.put(&format!("berths:{berth}"), "none".to_owned(), Duration::from_secs(60)).await?;
///             progress.advance(1);
///         }
///         Ok(progress.done())
///     }
/// }
///
/// paravel::warmer!(Ships);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` warms no cache",
    note = "implement `paravel::cache::CacheWarmer` for it"
)]
pub trait CacheWarmer: Send + Sync + 'static {
    /// Its name, for `cache:warm`.
    const NAME: &'static str;
    /// What it fills the cache with, in one line.
    const ABOUT: &'static str;
    /// The services that it needs, as a tuple; `()` for none.
    type Dependencies: Dependencies + Send;

    /// Runs it. How many values were put in.
    fn warm(
        &self,
        dependencies: Self::Dependencies,
        console: &mut Console,
    ) -> impl Future<Output = Result<u64, BoxError>> + Send;
}

/// [`CacheWarmer`] as the application keeps it.
trait DynWarmer: Send + Sync {
    fn warm<'a>(&'a self, container: &'a Container, console: &'a mut Console) -> BoxFuture<'a, Result<u64, BoxError>>;
}

impl<W: CacheWarmer> DynWarmer for W {
    fn warm<'a>(&'a self, container: &'a Container, console: &'a mut Console) -> BoxFuture<'a, Result<u64, BoxError>> {
        async move {
            let dependencies = W::Dependencies::resolve(&Resolver::new(container))?;
            CacheWarmer::warm(self, dependencies, console).await
        }
        .boxed()
    }
}

/// A warmer without its type.
#[derive(Clone, Copy)]
pub struct WarmerEntry {
    info: WarmerInfo,
    dependencies: fn() -> Vec<DependencyInfo>,
    warmer: &'static dyn DynWarmer,
}

inventory::collect!(WarmerEntry);

impl WarmerEntry {
    /// The entry of this warmer.
    pub const fn of<W: CacheWarmer>(warmer: &'static W) -> Self {
        let info = WarmerInfo { name: W::NAME, about: W::ABOUT };
        Self { info, dependencies: W::Dependencies::infos, warmer }
    }
}

/// What `cache:warm --list` shows of a warmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WarmerInfo {
    /// Its name.
    pub name: &'static str,
    /// What it fills the cache with.
    pub about: &'static str,
}

/// What a warmer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warmed {
    /// The warmer's name.
    pub name: &'static str,
    /// How many values it put in.
    pub values: u64,
}

/// The application's warmers, by name.
#[derive(Default)]
pub struct Warmers {
    entries: BTreeMap<&'static str, WarmerEntry>,
    duplicates: Vec<&'static str>,
}

impl Warmers {
    /// Those registered by [`warmer!`](crate::warmer) in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = WarmerEntry>) -> Self {
        let mut all = Self::default();
        for entry in inventory::iter::<WarmerEntry>.into_iter().copied().chain(explicit) {
            if all.entries.insert(entry.info.name, entry).is_some() {
                all.duplicates.push(entry.info.name);
            }
        }
        all.duplicates.sort_unstable();
        all
    }

    /// What `cache:warm --list` shows of each.
    pub fn list(&self) -> Vec<WarmerInfo> {
        self.entries.values().map(|entry| entry.info).collect()
    }

    /// A fault for each name that two warmers have.
    pub fn faults(&self) -> Vec<GraphFault> {
        let faults = self.duplicates.iter();
        faults.map(|name| GraphFault::DuplicateName(format!("two cache warmers are called `{name}`"))).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.entries.values().map(|entry| Root {
            kind: "cache warmer",
            name: entry.info.name.to_owned(),
            dependencies: (entry.dependencies)(),
        })
    }

    /// Runs those of these names; all where none is given.
    ///
    /// # Errors
    /// [`UnknownWarmer`], before any has run; the first warmer's error, when those before it have.
    pub async fn run(
        &self,
        only: &[&str],
        container: &Container,
        console: &mut Console,
    ) -> Result<Vec<Warmed>, BoxError> {
        if let Some(unknown) = only.iter().find(|name| !self.entries.contains_key(*name)) {
            return Err(UnknownWarmer::new(unknown, self).into());
        }
        let mut done = Vec::new();
        for (name, entry) in &self.entries {
            if only.is_empty() || only.contains(name) {
                done.push(Warmed { name, values: entry.warmer.warm(container, console).await? });
            }
        }
        Ok(done)
    }
}

/// There is no warmer of that name.
#[derive(Debug, thiserror::Error)]
#[error("no cache warmer is called `{name}`{hint}")]
pub struct UnknownWarmer {
    /// The name.
    pub name: String,
    /// The one that was meant, perhaps, and those that there are.
    hint: String,
}

impl UnknownWarmer {
    fn new(name: &str, warmers: &Warmers) -> Self {
        let names: Vec<_> = warmers.entries.keys().copied().collect();
        let near = did_you_mean(nearest(name, names.iter().copied()));
        let all =
            if names.is_empty() { "there are none".to_owned() } else { format!("there are: {}", names.join(", ")) };
        Self { name: name.to_owned(), hint: format!("{near}; {all}") }
    }
}

/// Registers a [`CacheWarmer`] with the application that this crate is linked into.
///
/// `warmer!(Users)` is, by hand, `inventory::submit! { WarmerEntry::of(&Users) }`; the explicit twin is
/// `ApplicationBuilder::warmer`.
#[macro_export]
macro_rules! warmer {
    ($warmer:expr) => {
        $crate::__private::inventory::submit! {
            $crate::cache::WarmerEntry::of(&$warmer)
        }
    };
}
