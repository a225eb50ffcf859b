//! Why a job failed, as it is kept: what was said, with all that it was caused by, and where it came from.

use std::any::Any;

use super::FailedJob;
use crate::{
    container::panic_message,
    support::{BoxError, PanicPlace, backtrace_of, with_causes},
};

/// How much of it is kept, in bytes.
const MOST: usize = 64 << 10;

/// What stands between the two.
const BACKTRACE: &str = "\n\nStack backtrace:\n";

/// Of an error that it returned.
pub(super) fn returned(error: &BoxError) -> String {
    put_together(with_causes(&**error), backtrace_of(&**error))
}

/// Of a panic that was just caught.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> String {
    let message = panic_message(panic);
    match PanicPlace::of_caught(&message) {
        Some(place) => put_together(format!("it panicked at {place}: {message}"), place.backtrace()),
        None => format!("it panicked: {message}"),
    }
}

fn put_together(reason: String, backtrace: Option<String>) -> String {
    match backtrace {
        Some(backtrace) => format!("{reason}{BACKTRACE}{}", backtrace.trim_end()),
        None => reason,
    }
}

/// What was said.
pub(super) fn reason(kept: &str) -> &str {
    kept.split_once(BACKTRACE).map_or(kept, |(reason, _)| reason)
}

/// As much as is kept.
pub(super) fn cut(kept: String) -> String {
    if kept.len() <= MOST {
        return kept;
    }
    let note = format!("\n[cut off: it was {} bytes long]", kept.len());
    let end = kept.floor_char_boundary(MOST - note.len());
    format!("{}{note}", &kept[..end])
}

impl FailedJob {
    /// Why it failed, without where that came from.
    pub fn reason(&self) -> &str {
        reason(&self.error)
    }

    /// Where it came from: of a panic and of an `anyhow::Error`, where RUST_BACKTRACE was set for the worker.
    pub fn backtrace(&self) -> Option<&str> {
        self.error.split_once(BACKTRACE).map(|(_, backtrace)| backtrace)
    }
}
