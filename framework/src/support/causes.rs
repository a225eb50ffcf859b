use std::error::Error;

/// What stands before the backtrace in what an `anyhow::Error` says to those who debug.
const BACKTRACE: &str = "Stack backtrace:\n";

/// An error and all that it was caused by, in one line. What it says already is not said again.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Where an error came from, where one in the chain is an `anyhow::Error` and RUST_BACKTRACE asks for it. Of others it cannot be
/// known: what an error provides is not stable Rust.
pub(crate) fn backtrace_of(error: &(dyn Error + 'static)) -> Option<String> {
    // Of those that tell of each other, the innermost has it by itself.
    let told: Vec<_> = causes(error).map(|cause| format!("{cause:?}")).collect();
    told.iter().rev().find_map(|told| Some(told.split_once(BACKTRACE)?.1.trim_end().to_owned()))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
