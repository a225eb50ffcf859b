use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use parking_lot::Mutex;

/// Marks of a whole bar.
const WIDTH: u64 = 30;

/// How far something has come, as a bar on standard error; nothing where that is no terminal, or the command was asked for
/// JSON. Its clones share the bar, which stays as it is when the last of them is dropped.
///
/// ```
/// use paravel::console::Console;
///
/// let (mut console, _) = Console::memory(false);
/// let progress = console.progress("users", 1000);
/// progress.advance(500);
/// assert_eq!(progress.done(), 500);
/// ```
#[derive(Clone)]
pub struct Progress(Arc<Mutex<Bar>>);

struct Bar {
    label: String,
    total: u64,
    done: u64,
    drawn: Option<u64>,
    // Where it is drawn; `None` where nobody looks.
    out: Option<Box<dyn Write + Send>>,
}

impl Progress {
    /// On standard error, where that is a terminal and it is not to be silent.
    pub(super) fn on_terminal(label: impl fmt::Display, total: u64, silent: bool) -> Self {
        let seen = !silent && io::stderr().is_terminal();
        Self::new(label, total, seen.then(|| Box::new(io::stderr()) as _))
    }

    fn new(label: impl fmt::Display, total: u64, out: Option<Box<dyn Write + Send>>) -> Self {
        let bar = Bar { label: label.to_string(), total, done: 0, drawn: None, out };
        let progress = Self(Arc::new(Mutex::new(bar)));
        progress.advance(0);
        progress
    }

    /// So much more is done.
    pub fn advance(&self, by: u64) {
        let mut bar = self.0.lock();
        bar.done = bar.done.saturating_add(by);
        bar.draw();
    }

    /// How much is done.
    pub fn done(&self) -> u64 {
        self.0.lock().done
    }
}

impl Bar {
    /// Draws where something is to be seen of the change: a percent, or the end.
    fn draw(&mut self) {
        let percent = self.parts(100);
        if self.drawn == Some(percent) {
            return;
        }
        self.drawn = Some(percent);
        let text = self.text();
        if let Some(out) = &mut self.out {
            // A bar that cannot be drawn is no reason to stop the work itself.
            let _ = write!(out, "\r{text}").and_then(|()| out.flush());
        }
    }

    /// What is done, in so many parts of the whole.
    fn parts(&self, whole: u64) -> u64 {
        let done = u128::from(self.done.min(self.total)) * u128::from(whole);
        done.checked_div(self.total.into()).and_then(|parts| u64::try_from(parts).ok()).unwrap_or(whole)
    }

    fn text(&self) -> String {
        let marks = usize::try_from(self.parts(WIDTH)).unwrap_or_default();
        let rest = usize::try_from(WIDTH).unwrap_or_default() - marks;
        let bar = format!("[{}{}]", "#".repeat(marks), ".".repeat(rest));
        format!("{} {bar} {}/{}", self.label, grouped(self.done), grouped(self.total))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(out) = &mut self.out {
            let _ = writeln!(out);
        }
    }
}

/// The number with a comma after each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Progress, grouped};
    use crate::console::Written;

    fn drawn(total: u64, steps: &[u64]) -> String {
        let written = Written::default();
        let progress = Progress::new("users", total, Some(Box::new(written.clone())));
        let same = progress.clone();
        steps.iter().for_each(|by| same.advance(*by));
        drop((progress, same));
        written.text()
    }

    #[test]
    fn a_bar_is_drawn_anew_in_its_line_which_it_ends() {
        let empty = ".".repeat(30);
        let half = format!("{}{}", "#".repeat(15), ".".repeat(15));
        let full = "#".repeat(30);
        assert_eq!(
            drawn(100_000, &[50_000, 50_000]),
            format!("\rusers [{empty}] 0/100,000\rusers [{half}] 50,000/100,000\rusers [{full}] 100,000/100,000\n")
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_drawn() {
        let draws = drawn(100_000, &[1; 100_000]).matches('\r').count();
        assert_eq!(draws, 101, "each percent once");
    }

    #[test]
    fn a_bar_of_nothing_or_of_too_much_is_full() {
        assert!(drawn(0, &[]).contains(&"#".repeat(30)));
        assert!(drawn(2, &[u64::MAX, 5]).ends_with("] 18,446,744,073,709,551,615/2\n"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 7, 999, 1000, 123_456, 1_234_567].map(grouped).join(" "), "0 7 999 1,000 123,456 1,234,567");
    }
}
