//! The console's `service:list` command.

use std::sync::Arc;

use serde::Serialize;

use super::ServiceChain;
use crate::{
    console::{Command, Console, Stage},
    container,
};

/// `service:list`
#[derive(clap::Args)]
struct ServiceList {}

#[derive(Serialize)]
struct Line<'a> {
    service: &'a str,
    chain: String,
    left_out: String,
}

impl Command for ServiceList {
    const NAME: &'static str = "service:list";
    const ABOUT: &'static str = "List the services that are decorated, and by what, from the outside in";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        let mut chains: Vec<Arc<ServiceChain>> = container::current()?.tagged()?;
        // A later statement goes around an earlier one; both are printed, the outer first.
        chains.reverse();
        chains.sort_by_key(|chain| chain.service);
        if console.is_json() {
            return Ok(console.value(&chains.iter().map(|chain| &**chain).collect::<Vec<_>>())?);
        }
        let show = |names: &[String]| if names.is_empty() { "-".to_owned() } else { names.join(" > ") };
        let lines: Vec<_> = chains
            .iter()
            .map(|chain| Line { service: chain.service, chain: show(&chain.chain), left_out: show(&chain.left_out) })
            .collect();
        Ok(console.rows(&[("Service", "service"), ("Chain", "chain"), ("Left out", "left_out")], &lines)?)
    }
}

crate::command!(ServiceList);
