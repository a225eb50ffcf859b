use std::{fmt, panic::Location};

/// Where in the source a closure was given to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(&'static Location<'static>);

impl Source {
    /// Where the function that calls this was called from, if it is `#[track_caller]`.
    #[track_caller]
    pub(crate) fn caller() -> Self {
        Self(Location::caller())
    }

    /// A number that another place has not.
    #[cfg(feature = "sqlite")]
    pub(in crate::database) fn address(&self) -> u64 {
        // No pointer has more bits.
        std::ptr::from_ref(self.0).addr() as u64
    }

    /// The file, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.0.file()
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.0.line()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.line())
    }
}
