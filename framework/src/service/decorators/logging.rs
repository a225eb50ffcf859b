use std::{
    fmt::{self, Write},
    time::Instant,
};

use async_trait::async_trait;

use crate::{
    service::{Call, Decorator, MethodInfo, Outcome, ServiceError},
    support::Level,
};

/// How many bytes of arguments an entry has at most.
const LONGEST: usize = 1024;

/// Logs each call once it is over: the method, its arguments, how long it took, and its error where it has one. The entries
/// have the target `service`. Where their level is not logged, nothing is made of the arguments either.
#[derive(Debug, Clone, Copy)]
pub struct Logging(Level);

impl Logging {
    /// Logs at this level.
    pub const fn at(level: Level) -> Self {
        Self(level)
    }

    fn is_on(self) -> bool {
        match self.0 {
            Level::Debug => tracing::enabled!(target: "service", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "service", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "service", tracing::Level::WARN),
            Level::Error => tracing::enabled!(target: "service", tracing::Level::ERROR),
        }
    }

    fn write(self, entry: &Entry<'_>) {
        let Entry { method: MethodInfo { service, name: method, .. }, arguments, microseconds, error } = *entry;
        macro_rules! write {
            ($level:ident) => {
                match error {
                    Some(error) => tracing::event!(
                        target: "service", tracing::Level::$level, service, method, arguments, microseconds, error, "failed"
                    ),
                    None => tracing::event!(
                        target: "service", tracing::Level::$level, service, method, arguments, microseconds, "called"
                    ),
                }
            };
        }
        match self.0 {
            Level::Debug => write!(DEBUG),
            Level::Info => write!(INFO),
            Level::Warn => write!(WARN),
            Level::Error => write!(ERROR),
        }
    }
}

struct Entry<'a> {
    method: &'a MethodInfo,
    // As text, which the log escapes: no argument can forge an entry.
    arguments: &'a str,
    microseconds: u64,
    error: Option<&'a str>,
}

#[async_trait]
impl Decorator for Logging {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        if !self.is_on() {
            return call.proceed().await.map(drop);
        }
        let mut arguments = Bounded(String::new());
        // It fails where they are too long, and then what fits is there.
        let _ = write!(arguments, "{}", call.arguments());
        let began = Instant::now();
        let outcome = call.proceed().await;
        let microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let refused = outcome.as_ref().err().map(ToString::to_string);
        let error = outcome.as_ref().ok().and_then(Outcome::failure).map(|failure| failure.text.as_str());
        let error = error.or(refused.as_deref());
        self.write(&Entry { method: call.method(), arguments: &arguments.0, microseconds, error });
        outcome.map(drop)
    }

    fn refuses(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        format!("Logging at {:?}", self.0)
    }
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST - self.0.len().min(LONGEST);
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push('…');
        Err(fmt::Error)
    }
}
