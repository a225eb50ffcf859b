use std::{sync::Arc, time::Duration};

use paravel::{
    anyhow, clap,
    console::{Command, Console},
    serde::Serialize,
    support::Clock,
};

use crate::repositories::TokenRepository;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `tokens:prune`
#[derive(clap::Args)]
struct TokensPrune {
    /// For how many days a token is kept after it has ended
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    days: u32,
}

#[derive(Serialize)]
struct Pruned {
    pruned: usize,
}

impl Command for TokensPrune {
    const NAME: &'static str = "tokens:prune";
    const ABOUT: &'static str = "Delete the tokens that expired or were revoked some time ago";
    type Dependencies = (Arc<dyn TokenRepository>, Arc<dyn Clock>);

    async fn run(self, (tokens, clock): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let pruned = tokens.prune(clock.now().minus(DAY * self.days)).await?;
        Ok(console.value(&Pruned { pruned })?)
    }
}

paravel::command!(TokensPrune);
