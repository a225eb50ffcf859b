//! The console's `event:list` command.

use std::{borrow::Cow, sync::Arc};

use serde::Serialize;

use super::{EventBus, ListenerEntry};
use crate::console::{Command, Console, Stage};

/// `event:list`
#[derive(clap::Args)]
struct EventList {}

#[derive(Serialize)]
struct Line<'a> {
    event: String,
    /// The event's type with its paths; `None` where the event is a pattern.
    r#type: Option<&'static str>,
    listener: &'a str,
    priority: i32,
    runs: Cow<'static, str>,
}

impl<'a> Line<'a> {
    fn of(entry: &'a ListenerEntry) -> Self {
        let event = match entry.hears {
            Some(event) => event.to_string(),
            None => entry.pattern.as_deref().unwrap_or("*").to_owned(),
        };
        let runs = match &entry.queued {
            Some(options) => format!("queue {}", options.queue()).into(),
            None => "sync".into(),
        };
        let r#type = entry.hears.map(crate::container::Key::full_name);
        Self { event, r#type, listener: &entry.name, priority: entry.priority, runs }
    }
}

impl Command for EventList {
    const NAME: &'static str = "event:list";
    const ABOUT: &'static str =
        "List the events that are listened to, with the listeners in the order in which they run";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<EventBus>,);

    async fn run(self, (bus,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        // Those of any event first, as they run.
        let mut events: Vec<_> = bus.listeners.iter().collect();
        events.sort_by_cached_key(|(event, _)| (event.to_string(), event.full_name()));
        let own = events.into_iter().flat_map(|(_, entries)| entries);
        let lines: Vec<_> = bus.observers.iter().chain(own).map(Line::of).collect();
        let columns = [("Event", "event"), ("Listener", "listener"), ("Priority", "priority"), ("Runs", "runs")];
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(EventList);
