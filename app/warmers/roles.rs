use std::sync::Arc;

use paravel::{cache::CacheWarmer, console::Console, database::PageRequest, support::BoxError};

use crate::{
    models::RoleId,
    repositories::{ListRequest, RoleRepository, RoleSort},
    services::RoleService,
};

/// Roles in one go.
const BATCH: u32 = 100;

/// Every role, with its permissions.
struct RoleWarmer;

impl CacheWarmer for RoleWarmer {
    const NAME: &'static str = "roles";
    const ABOUT: &'static str = "Every role by key, with its permissions";
    type Dependencies = (Arc<dyn RoleRepository>, Arc<dyn RoleService>);

    async fn warm(&self, (rows, roles): Self::Dependencies, console: &mut Console) -> Result<u64, BoxError> {
        let request =
            |page| ListRequest { page: PageRequest { page, per_page: BATCH }, sort: RoleSort::default(), search: "" };
        let mut page = rows.page(request(1)).await?;
        let progress = console.progress("roles", page.total);
        let mut warmed = 0;
        while !page.items.is_empty() {
            let ids: Vec<RoleId> = page.items.iter().map(|item| item.role.id).collect();
            warmed += u64::try_from(roles.prefetch(&ids).await?)?;
            progress.advance(u64::try_from(ids.len())?);
            page = rows.page(request(page.page + 1)).await?;
        }
        Ok(warmed)
    }
}

paravel::warmer!(RoleWarmer);
