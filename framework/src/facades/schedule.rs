use crate::{
    console::Console,
    container::{self, ContainerError},
    schedule::{Ran, ScheduleError, Scheduler, TaskInfo, Tasks},
    service::facade,
    support::Clock,
};

/// The schedule.
#[derive(Debug, Clone, Copy)]
pub struct Schedule;

impl Schedule {
    /// [`Tasks::list`], as of now.
    ///
    /// # Errors
    /// [`ContainerError`]: there is no application here.
    pub fn list() -> Result<Vec<TaskInfo>, ContainerError> {
        Ok(facade::<Tasks>()?.list(facade::<dyn Clock>()?.now()))
    }

    /// [`Scheduler::run_now`], without a word: a task by its name, whatever time it is.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn run(name: &str) -> Result<Ran, ScheduleError> {
        let app = container::current().map_err(ContainerError::from)?;
        facade::<Scheduler>()?.run_now(name, &app, &mut Console::silent()).await
    }
}
