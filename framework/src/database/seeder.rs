use std::future::Future;

use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;

use crate::{
    console::Console,
    container::{Container, Dependencies, DependencyInfo, Resolver, Root},
    support::{BoxError, did_you_mean, nearest},
};

/// Fills the database with what the application needs, or with something to look at. It may run again, and must
/// then leave what is there alone.
pub trait Seeder: Send + Sync + 'static {
    /// Its name, for `db:seed --class`.
    const NAME: &'static str;
    /// The services that it needs, as a tuple; `()` for none.
    type Dependencies: Dependencies + Send;

    /// Runs it.
    fn run(
        &self,
        dependencies: Self::Dependencies,
        console: &mut Console,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// [`Seeder`] as the application keeps it; implemented for every seeder.
pub trait DynSeeder: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it needs.
    fn dependencies(&self) -> Vec<DependencyInfo>;

    /// Runs it.
    fn run<'a>(&'a self, container: &'a Container, console: &'a mut Console) -> BoxFuture<'a, Result<(), BoxError>>;
}

impl<S: Seeder> DynSeeder for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn dependencies(&self) -> Vec<DependencyInfo> {
        S::Dependencies::infos()
    }

    fn run<'a>(&'a self, container: &'a Container, console: &'a mut Console) -> BoxFuture<'a, Result<(), BoxError>> {
        async move {
            let dependencies = S::Dependencies::resolve(&Resolver::new(container))?;
            Seeder::run(self, dependencies, console).await
        }
        .boxed()
    }
}

/// The application's seeders, in the order in which they run.
#[derive(Default)]
pub struct Seeders(Vec<Entry>);

struct Entry {
    seeder: Box<dyn DynSeeder>,
    optional: bool,
}

/// A seeder, as `db:seed --list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeederInfo {
    /// Its name.
    pub name: &'static str,
    /// Whether it runs only where it is asked for by name.
    pub optional: bool,
}

impl Seeders {
    /// No seeders.
    pub fn new() -> Self {
        Self::default()
    }

    /// These and one more, which runs last.
    #[must_use]
    pub fn with(mut self, seeder: impl Seeder) -> Self {
        self.0.push(Entry { seeder: Box::new(seeder), optional: false });
        self
    }

    /// These and one more, which runs only where it is asked for by name: data to look at, say.
    #[must_use]
    pub fn optional(mut self, seeder: impl Seeder) -> Self {
        self.0.push(Entry { seeder: Box::new(seeder), optional: true });
        self
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|entry| entry.seeder.name()).collect()
    }

    /// What `db:seed --list` shows of each.
    pub fn list(&self) -> Vec<SeederInfo> {
        self.0.iter().map(|entry| SeederInfo { name: entry.seeder.name(), optional: entry.optional }).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.0.iter().map(|entry| Root {
            kind: "seeder",
            name: entry.seeder.name().to_owned(),
            dependencies: entry.seeder.dependencies(),
        })
    }

    /// Runs those of these names, in the seeders' own order; where none is given, all but the optional ones. Says how
    /// many.
    ///
    /// # Errors
    /// [`UnknownSeeder`], before any has run; the first seeder's error, when those before it have.
    pub async fn run(&self, only: &[&str], container: &Container, console: &mut Console) -> Result<usize, BoxError> {
        if let Some(unknown) = only.iter().find(|name| !self.names().contains(name)) {
            return Err(UnknownSeeder::new(unknown, &self.names()).into());
        }
        let mut count = 0;
        for Entry { seeder, optional } in &self.0 {
            let wanted = if only.is_empty() { !optional } else { only.contains(&seeder.name()) };
            if wanted {
                seeder.run(container, console).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// There is no seeder of that name.
#[derive(Debug, thiserror::Error)]
#[error("no seeder is called `{name}`{hint}")]
pub struct UnknownSeeder {
    /// The name.
    pub name: String,
    /// The one that was meant, perhaps, and those that there are.
    hint: String,
}

impl UnknownSeeder {
    fn new(name: &str, there_are: &[&str]) -> Self {
        let near = nearest(name, there_are.iter().copied());
        let all = there_are.join(", ");
        let hint = match near {
            Some(_) => format!("{} There are: {all}", did_you_mean(near)),
            None if all.is_empty() => "; there are none".to_owned(),
            None => format!("; there are: {all}"),
        };
        Self { name: name.to_owned(), hint }
    }
}
