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
}
