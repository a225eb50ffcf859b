//! What the scripts answer, taken apart.

use bytes::Bytes;

use super::super::{DriverError, Message};
use super::wire;
use crate::redis::{RedisError, Value};

/// Redis has no room for anything more.
#[derive(Debug, thiserror::Error)]
#[error("Redis is full, and takes nothing more before jobs have run; raise its maxmemory: {0}")]
struct Full(#[source] RedisError);

/// Why Redis did not do something.
pub(super) fn failed(error: RedisError) -> DriverError {
    let code = match &error {
        RedisError::Command { source, .. } | RedisError::Script { source, .. } => source.code(),
        RedisError::NotShared { .. } => Some("NOTSHARED"),
        _ => None,
    };
    match code {
        Some("OOM") => DriverError::Unavailable(Full(error).into()),
        // It takes nothing from anybody, or from us: what was written to until now is a replica now, has no disk or too few replicas,
        // or knows other users.
        Some("READONLY" | "MISCONF" | "NOREPLICAS" | "NOAUTH" | "WRONGPASS" | "NOPERM") => {
            DriverError::Unavailable(error.into())
        }
        Some(_) if !error.is_transient() => DriverError::Refused(error.into()),
        None if matches!(error, RedisError::Command { .. } | RedisError::Script { .. }) => {
            DriverError::Refused(error.into())
        }
        _ => DriverError::Unavailable(error.into()),
    }
}

/// What is stored there was not stored by this driver.
pub(super) fn strange() -> DriverError {
    DriverError::Refused("what Redis has of the queue was not written by this release: it is another program's".into())
}

pub(super) fn list(value: Value) -> Result<Vec<Value>, DriverError> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(strange()),
    }
}

/// So many values.
pub(super) fn values<const N: usize>(value: Value) -> Result<[Value; N], DriverError> {
    list(value)?.try_into().map_err(|_| strange())
}

pub(super) fn bytes(value: Value) -> Result<Bytes, DriverError> {
    optional(value)?.ok_or_else(strange)
}

pub(super) fn optional(value: Value) -> Result<Option<Bytes>, DriverError> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes.into())),
        Value::Nil => Ok(None),
        _ => Err(strange()),
    }
}

pub(super) fn text(value: Value) -> Result<String, DriverError> {
    String::from_utf8(bytes(value)?.into()).map_err(|_| strange())
}

/// A number, or a number's text.
pub(super) fn number<T: TryFrom<i64> + std::str::FromStr>(value: Value) -> Result<T, DriverError> {
    match value {
        Value::Int(number) => number.try_into().map_err(|_| strange()),
        Value::BulkString(text) => parsed(&text),
        _ => Err(strange()),
    }
}

/// A number, where there is one.
pub(super) fn maybe<T: TryFrom<i64> + std::str::FromStr>(value: Value) -> Result<Option<T>, DriverError> {
    if value == Value::Nil { Ok(None) } else { number(value).map(Some) }
}

pub(super) fn parsed<T: std::str::FromStr>(text: &[u8]) -> Result<T, DriverError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(strange)
}

/// A message that was put together by a script: as it was pushed, the payload it has since, and when it became due where that was
/// not known when it was written.
pub(super) fn message(stored: &Bytes, payload: Value, due: Value) -> Result<Message, DriverError> {
    let mut message = wire::message(stored).ok_or_else(strange)?;
    if let Some(payload) = optional(payload)? {
        message.payload = payload;
    }
    if let Some(due) = maybe(due)? {
        (message.due, message.delay) = (Some(wire::moment(due)), None);
    }
    Ok(message)
}

/// [`message`] of a script's list of the three.
pub(super) fn shown(value: Value) -> Result<Message, DriverError> {
    let [stored, payload, due] = values(value)?;
    message(&bytes(stored)?, payload, due)
}
