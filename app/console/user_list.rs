use std::sync::Arc;

use paravel::{
    anyhow, clap,
    console::{Command, Console},
    database::PageRequest,
};

use crate::{
    http::{
        requests::{MOST_ROWS, ROWS},
        resources::UserResource,
    },
    repositories::UserSort,
    services::UserService,
};

/// `user:list`
#[derive(clap::Args)]
struct UserList {
    /// Those with this text in their name or e-mail address
    #[arg(long, default_value = "")]
    search: String,
    /// The page, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// Users on a page
    #[arg(long, default_value_t = ROWS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROWS)))]
    per_page: u32,
}

impl Command for UserList {
    const NAME: &'static str = "user:list";
    const ABOUT: &'static str = "List the users and their roles";
    type Dependencies = (Arc<dyn UserService>,);

    async fn run(self, (users,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let request = PageRequest { page: self.page, per_page: self.per_page };
        let page = users.list(request, UserSort::default(), &self.search).await?;
        let (last, total) = (page.last_page(), page.total);
        let rows: Vec<_> = page.items.into_iter().map(UserResource::from).collect();
        console.rows(&[("Name", "name"), ("E-mail", "email"), ("Roles", "roles"), ("Id", "id")], &rows)?;
        if !console.is_json() {
            console.line(format!("Page {} of {last}, {total} user(s) in all.", self.page));
        }
        Ok(())
    }
}

paravel::command!(UserList);
