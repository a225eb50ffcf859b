use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    fmt,
    panic::{PanicHookInfo, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    static LAST: RefCell<Option<PanicPlace>> = const { RefCell::new(None) };
}

/// Where a panic came from, which whoever catches it is not told.
#[derive(Debug)]
pub(crate) struct PanicPlace {
    message: String,
    place: String,
    backtrace: Backtrace,
}

/// Has the places of panics noted from now on, beside whatever is done about panics already.
pub(crate) fn note_panics() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or_default().to_owned();
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    // Which is nothing, and costs nothing, where RUST_BACKTRACE does not ask for it.
    let backtrace = Backtrace::capture();
    // The thread may be at its end.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(PanicPlace { message, place, backtrace });
        }
    });
}

impl PanicPlace {
    /// Where the panic came from that this thread has just caught, and which said this. `None` where it came from another thread, or
    /// where [nobody notes](note_panics).
    pub(crate) fn of_caught(message: &str) -> Option<Self> {
        LAST.with(|last| last.borrow_mut().take()).filter(|last| last.message == message)
    }

    /// Its backtrace, where RUST_BACKTRACE asks for one.
    pub(crate) fn backtrace(&self) -> Option<String> {
        (self.backtrace.status() == BacktraceStatus::Captured).then(|| self.backtrace.to_string())
    }
}

impl fmt::Display for PanicPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}
