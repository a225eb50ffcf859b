//! The console's `service:list` command.

use std::sync::Arc;

use serde::Serialize;

use super::{
    ServiceChain,
    measure::{Cost, measure},
};
use crate::{
    config::LogConfig,
    console::{Command, Console, Stage},
    container,
};

/// `service:list`
#[derive(clap::Args)]
struct ServiceList {
    /// Say what each decorator costs a call, by some thousand calls of a method that does nothing
    #[arg(long)]
    measure: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    service: &'a str,
    chain: String,
    left_out: String,
}

#[derive(Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    chain: &'a ServiceChain,
    measured: Vec<Cost>,
}

#[derive(Serialize)]
struct CostLine<'a> {
    service: &'a str,
    decorator: &'a str,
    nanoseconds: u64,
}

impl Command for ServiceList {
    const NAME: &'static str = "service:list";
    const ABOUT: &'static str = "List the services that are decorated, and by what, from the outside in";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<LogConfig>,);

    async fn run(self, (log,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let mut chains: Vec<Arc<ServiceChain>> = container::current()?.tagged()?;
        // A later statement goes around an earlier one; both are printed, the outer first.
        chains.reverse();
        chains.sort_by_key(|chain| chain.service);
        if self.measure {
            return measured(&chains, &log, console).await;
        }
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

async fn measured(chains: &[Arc<ServiceChain>], log: &LogConfig, console: &mut Console) -> anyhow::Result<()> {
    let mut all = Vec::with_capacity(chains.len());
    for chain in chains {
        all.push(Measured { chain, measured: measure(chain.layers.clone(), log.level.clone()).await });
    }
    if console.is_json() {
        return Ok(console.value(&all)?);
    }
    let lines: Vec<_> = all
        .iter()
        .flat_map(|Measured { chain, measured }| {
            measured.iter().map(|cost| CostLine {
                service: chain.service,
                decorator: &cost.decorator,
                nanoseconds: cost.nanoseconds,
            })
        })
        .collect();
    Ok(console.rows(&[("Service", "service"), ("Decorator", "decorator"), ("ns a call", "nanoseconds")], &lines)?)
}
