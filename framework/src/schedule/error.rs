use super::Tasks;
use crate::{
    container::ContainerError,
    support::{did_you_mean, nearest},
};

/// A task could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// No task has that name.
    #[error("no scheduled task is called `{name}`{}; {}", did_you_mean(nearest.as_deref()), there_are(known))]
    Unknown {
        /// The name.
        name: String,
        /// The one that was meant, perhaps.
        nearest: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is no application here.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

fn there_are(known: &[String]) -> String {
    if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

impl ScheduleError {
    pub(super) fn unknown(name: &str, tasks: &Tasks) -> Self {
        let known: Vec<_> = tasks.entries.iter().map(|entry| entry.name.clone()).collect();
        // Somebody who leaves out the arguments of a command means it.
        let begins = known.iter().find(|known| known.split_whitespace().next() == Some(name)).cloned();
        let nearest = begins.or_else(|| nearest(name, known.iter().map(String::as_str)).map(str::to_owned));
        Self::Unknown { name: name.to_owned(), nearest, known }
    }
}
