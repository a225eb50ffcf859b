use crate::{
    events::{self, EventBus, EventError},
    service::facade,
};

/// The event bus.
#[derive(Debug, Clone, Copy)]
pub struct Event;

impl Event {
    /// [`EventBus::dispatch`].
    ///
    /// # Errors
    /// As [`EventBus::dispatch`].
    pub async fn dispatch<E: events::Event>(event: E) -> Result<(), EventError> {
        facade::<EventBus>()?.dispatch(event).await
    }

    /// Begins to record events in place of their listeners' running, in the application that runs here: a test's.
    ///
    /// # Errors
    /// [`EventError::Container`]: there is no application here.
    #[cfg(feature = "testing")]
    pub fn fake() -> Result<events::EventFake, EventError> {
        Ok(facade::<EventBus>()?.fake())
    }
}
