//! What a new application may be called.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::template;

/// Rust's keywords, strict and reserved: <https://doc.rust-lang.org/reference/keywords.html>.
const KEYWORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The crates that come with Rust.
const BUILT_IN: &[&str] = &["alloc", "core", "proc-macro", "proc_macro", "std", "test"];

/// Folders that Windows refuses, in whatever case.
const DEVICES: &[&str] = &[
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1", "lpt2", "lpt3",
    "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
];

/// A name for a cargo package. `app` is one: the new package's library is called so anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageName(String);

/// Why a new application cannot be called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// `..`, `/` and the like.
    #[error("{} does not end in a name: write the new folder's name, such as `blog`", .0.display())]
    None(PathBuf),
    /// Cargo takes no such name.
    #[error(
        "{0:?} cannot be a package's name: use the letters a to z, digits, `-` and `_`, starting with a letter or `_`"
    )]
    Form(String),
    /// It means something else already.
    #[error("`{name}` cannot be a package's name, being {what}: choose another")]
    Taken {
        /// The name.
        name: String,
        /// What it is.
        what: &'static str,
    },
}

impl PackageName {
    /// The name of the package in this folder: the path's last part.
    ///
    /// # Errors
    /// [`NameError`] where there is none, or it cannot name a package.
    pub fn of(folder: &Path) -> Result<Self, NameError> {
        let name = folder.file_name().ok_or_else(|| NameError::None(folder.to_owned()))?.to_string_lossy();
        if !has_the_form(&name) {
            return Err(NameError::Form(name.into_owned()));
        }
        match taken(&name) {
            Some(what) => Err(NameError::Taken { name: name.into_owned(), what }),
            None => Ok(Self(name.into_owned())),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn has_the_form(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
}

fn taken(name: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&name) {
        Some("a keyword of Rust")
    } else if BUILT_IN.contains(&name) {
        Some("a crate that comes with Rust")
    } else if DEVICES.contains(&name.to_ascii_lowercase().as_str()) {
        Some("a device on Windows")
    } else if template::dependencies().contains(name) {
        // Cargo would take it, and `cargo update -p NAME` would not know which is meant.
        Some("a package that the new application depends on")
    } else {
        None
    }
}
