use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Message, Push, envelope};
use crate::support::{Timestamp, show_duration};

/// What a stored message says, for people who look at it.
#[derive(Debug, Serialize)]
pub(super) struct MessageView {
    /// Which form its fields have.
    version: u16,
    tries: u32,
    #[serde(serialize_with = "shown")]
    timeout: Duration,
    dispatched_at: Timestamp,
    /// The kinds that follow it.
    next: Vec<String>,
    /// Its fields, where they can be shown.
    fields: Option<Value>,
    /// Why they cannot be.
    hidden: Option<String>,
}

fn shown<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_duration(*duration))
}

impl MessageView {
    /// What a message says; else why nothing of it can be read.
    pub(super) fn of(message: &Message) -> Result<Self, String> {
        let envelope = envelope::open(&message.payload).map_err(|error| error.to_string())?;
        let (header, body) = (envelope.header, envelope.body);
        let fields = match body.is_encrypted() {
            false => body.read::<Value>().map_err(|error| error.to_string()),
            true => Err("they are encrypted".to_owned()),
        };
        let dispatched = chrono::DateTime::from_timestamp_millis(header.at).unwrap_or_default();
        let (fields, hidden) = match fields {
            Ok(fields) => (Some(fields), None),
            Err(why) => (None, Some(why)),
        };
        Ok(Self {
            version: header.version,
            tries: header.tries,
            timeout: header.timeout,
            dispatched_at: dispatched.into(),
            next: header.next.as_ref().map(kinds).unwrap_or_default(),
            fields,
            hidden,
        })
    }
}

/// The kinds of what is pushed.
fn kinds(push: &Push) -> Vec<String> {
    push.messages.iter().map(|message| message.kind.to_string()).collect()
}
