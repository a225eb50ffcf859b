use serde::Serialize;

/// What a method returns that `#[audited]` asks for what something was, before or after.
#[diagnostic::on_unimplemented(
    message = "what `{Self}` holds cannot be kept in the audit log",
    note = "`before` and `after` call methods that return a `Result` whose value derives `serde::Serialize`"
)]
pub trait State {
    /// The value as JSON; `None` where there is none.
    fn state(&self) -> Option<String>;
}

impl<T: Serialize, E> State for Result<T, E> {
    fn state(&self) -> Option<String> {
        self.as_ref().ok().and_then(json)
    }
}

/// The state that a method returned.
pub fn state_of(returned: &impl State) -> Option<String> {
    returned.state()
}

/// The value as JSON, where it is anything.
pub(in crate::service) fn json(value: &impl Serialize) -> Option<String> {
    match serde_json::to_string(value) {
        Ok(text) => Some(text).filter(|text| text != "null"),
        Err(error) => {
            tracing::error!(%error, of = std::any::type_name_of_val(value), "it cannot be written as JSON for the audit log");
            None
        }
    }
}
