use std::future::Future;

use futures_util::future::{BoxFuture, FutureExt};

use crate::{
    console::Console,
    container::{Container, Dependencies, DependencyInfo, Resolver, Root},
    support::BoxError,
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
pub struct Seeders(Vec<Box<dyn DynSeeder>>);

impl Seeders {
    /// No seeders.
    pub fn new() -> Self {
        Self::default()
    }

    /// These and one more, which runs last.
    #[must_use]
    pub fn with(mut self, seeder: impl Seeder) -> Self {
        self.0.push(Box::new(seeder));
        self
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|seeder| seeder.name()).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.0.iter().map(|seeder| Root {
            kind: "seeder",
            name: seeder.name().to_owned(),
            dependencies: seeder.dependencies(),
        })
    }

    /// Runs all, or the one of this name; says how many.
    ///
    /// # Errors
    /// The first seeder's error; those before it have run.
    pub async fn run(
        &self,
        only: Option<&str>,
        container: &Container,
        console: &mut Console,
    ) -> Result<usize, BoxError> {
        let mut count = 0;
        for seeder in self.0.iter().filter(|seeder| only.is_none_or(|only| only == seeder.name())) {
            seeder.run(container, console).await?;
            count += 1;
        }
        Ok(count)
    }
}
