use std::{
    pin::Pin,
    task::{Context, Poll},
};

use ::redis::{
    Msg,
    aio::{PubSub, PubSubStream},
};
use futures_util::{Stream, StreamExt};

/// What comes on a channel, as a stream; made by [`Redis::subscribe`](super::Redis::subscribe).
///
/// It ends where the connection is lost. What was published until one listens again is lost: see then what may have
/// changed.
///
/// ```no_run
/// use paravel::redis::{Redis, RedisError};
///
/// async fn listen(redis: &Redis) -> Result<(), RedisError> {
///     let mut arrivals = redis.subscribe("arrivals").await?;
///     while let Some(message) = arrivals.next().await {
///         println!("{}", String::from_utf8_lossy(&message.payload));
///     }
///     Ok(())
/// }
/// ```
pub struct Subscription {
    messages: PubSubStream,
    prefix: Box<str>,
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The channel, without `REDIS_PREFIX`.
    pub channel: String,
    /// What was published.
    pub payload: Vec<u8>,
}

impl Subscription {
    pub(super) fn new(connection: PubSub, prefix: &str) -> Self {
        Self { messages: connection.into_on_message(), prefix: prefix.into() }
    }

    /// The next message; `None` where the connection was lost.
    pub async fn next(&mut self) -> Option<Message> {
        StreamExt::next(self).await
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let message = self.messages.poll_next_unpin(cx);
        message.map(|message| message.map(|message| of(&message, &self.prefix)))
    }
}

fn of(message: &Msg, prefix: &str) -> Message {
    let channel = message.get_channel_name();
    let channel = channel.strip_prefix(prefix).unwrap_or(channel).to_owned();
    Message { channel, payload: message.get_payload_bytes().to_vec() }
}
