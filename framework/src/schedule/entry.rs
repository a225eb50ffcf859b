use chrono::SecondsFormat;
use serde::Serialize;

use super::{
    calendar::Calendar,
    task::{Action, Terms},
    window::Window,
};
use crate::support::Timestamp;

/// A task as it runs.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: TaskKind,
    pub(super) expression: String,
    pub(super) calendar: Calendar,
    pub(super) windows: Vec<Window>,
    pub(super) terms: Terms,
    pub(super) action: Action,
}

/// What a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TaskKind {
    /// A console command.
    Command,
    /// A function.
    Call,
    /// A job that is dispatched.
    Job,
    /// Anything else.
    Task,
}

/// What `schedule:list` shows of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TaskKind,
    /// The cron expression that its times are.
    pub expression: String,
    /// When it is due next, in its zone, as RFC 3339.
    pub next_due: Option<String>,
    /// Its zone.
    pub timezone: String,
    /// What else is said of it: `on one server`, `without overlapping`, `between 08:00 and 17:00`.
    pub flags: Vec<String>,
}

impl Entry {
    pub(super) fn info(&self, now: Timestamp) -> TaskInfo {
        let zone = self.calendar.zone();
        let local = |due| zone.local(due).to_rfc3339_opts(SecondsFormat::Secs, true);
        let next_due = self.calendar.next(now).map(local);
        let (name, kind, expression) = (self.name.clone(), self.kind, self.expression.clone());
        TaskInfo { name, kind, expression, next_due, timezone: zone.to_string(), flags: self.flags() }
    }

    fn flags(&self) -> Vec<String> {
        let Terms { environments, conditions, is_alone, is_fenced, missed, .. } = &self.terms;
        let mut flags: Vec<_> = self.windows.iter().map(Window::show).collect();
        if !environments.is_empty() {
            let names: Vec<_> = environments.iter().map(|environment| environment.as_str()).collect();
            flags.push(format!("in {}", names.join(" and ")));
        }
        let said = [
            (!conditions.is_empty(), "on conditions"),
            (*is_fenced, "on one server"),
            (*is_alone, "without overlapping"),
        ];
        flags.extend(said.iter().filter(|(is_said, _)| *is_said).map(|(_, flag)| (*flag).to_owned()));
        flags.extend(missed.show());
        flags
    }
}
