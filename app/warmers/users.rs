use std::sync::Arc;

use paravel::{cache::CacheWarmer, console::Console, database::PageRequest, support::BoxError};

use crate::{
    repositories::{ListRequest, UserRepository, UserSort},
    services::UserService,
};

/// Users in one go.
const BATCH: u32 = 500;

/// Every user, with their roles.
struct UserWarmer;

impl CacheWarmer for UserWarmer {
    const NAME: &'static str = "users";
    const ABOUT: &'static str = "Every user by key and by e-mail address, with their roles";
    type Dependencies = (Arc<dyn UserRepository>, Arc<dyn UserService>);

    async fn warm(&self, (rows, users): Self::Dependencies, console: &mut Console) -> Result<u64, BoxError> {
        let one = PageRequest { page: 1, per_page: 1 };
        let total = rows.page(ListRequest { page: one, sort: UserSort::default(), search: "" }).await?.total;
        let progress = console.progress("users", total);
        let mut warmed = 0;
        let mut batch = rows.after(None, BATCH).await?;
        while let Some((last, _)) = batch.last() {
            warmed += u64::try_from(users.prefetch(&batch).await?)?;
            progress.advance(u64::try_from(batch.len())?);
            batch = rows.after(Some(*last), BATCH).await?;
        }
        Ok(warmed)
    }
}

paravel::warmer!(UserWarmer);
