//! `paravel stubs`: keeps framework/stubs/app equal to the repository's root.

mod source;
mod turn;

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::walk;

/// Where the templates are, from the repository's root.
const FOLDER: &str = "framework/stubs/app";

/// Keeps cargo, git and rustfmt from taking a template for the thing itself.
const SUFFIX: &str = ".stub";

/// Why the templates cannot be made, or are not current.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StubsError {
    /// There is no such repository.
    #[error("{} is not the root of the toolkit's repository: pass it by --root", .0.display())]
    NoRoot(PathBuf),
    /// Git does not say which files there are.
    #[error("cannot ask git for the files of {}: {message}", root.display())]
    Git {
        /// The repository.
        root: PathBuf,
        /// What went wrong.
        message: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A marker stands where it has no meaning.
    #[error("{path}:{line}: `{marker}` {problem}")]
    Marker {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The marker.
        marker: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The manifest has changed its form.
    #[error("Cargo.toml has no line `{expected}`: change it, or how framework/cli/src/stubs/turn.rs turns it")]
    Manifest {
        /// How the line starts.
        expected: &'static str,
    },
    /// The templates are not current.
    #[error("the templates are not current: run `cargo run -p paravel-cli -- stubs`\n  {}", .0.join("\n  "))]
    Stale(Vec<String>),
}

/// What [`write()`] did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Written {
    /// How many templates there are.
    pub templates: usize,
    /// How many were new or had changed.
    pub written: usize,
    /// How many were left over.
    pub removed: usize,
}

/// Makes the templates what the repository at `root` says; touches only those that are not.
///
/// # Errors
/// [`StubsError`], by its variants.
pub fn write(root: &Path) -> Result<Written, StubsError> {
    let (wanted, found) = (wanted(root)?, found(root)?);
    let folder = root.join(FOLDER);
    let mut written = Written { templates: wanted.len(), ..Written::default() };
    for path in found.keys().filter(|path| !wanted.contains_key(*path)) {
        remove(&folder, path)?;
        written.removed += 1;
    }
    for (path, template) in &wanted {
        if found.get(path) != Some(template) {
            put(&folder.join(path), template)?;
            written.written += 1;
        }
    }
    Ok(written)
}

/// Compares without writing, and gives the number of templates.
///
/// # Errors
/// [`StubsError::Stale`] where a template differs, is missing or is left over.
pub fn check(root: &Path) -> Result<usize, StubsError> {
    let (wanted, found) = (wanted(root)?, found(root)?);
    let mut stale = Vec::new();
    for (path, template) in &wanted {
        match found.get(path) {
            None => stale.push(format!("missing: {FOLDER}/{path}")),
            Some(found) if found != template => stale.push(format!("differs: {FOLDER}/{path}")),
            Some(_) => {}
        }
    }
    stale.extend(
        found.keys().filter(|path| !wanted.contains_key(*path)).map(|path| format!("left over: {FOLDER}/{path}")),
    );
    if stale.is_empty() { Ok(wanted.len()) } else { Err(StubsError::Stale(stale)) }
}

type Files = BTreeMap<String, Template>;

/// One file: what is in it, and whether it can be run.
#[derive(PartialEq, Eq)]
struct Template {
    content: Vec<u8>,
    executable: bool,
}

/// The bits that let a file be run.
const EXECUTABLE: u32 = 0o111;

/// The templates as the repository says.
fn wanted(root: &Path) -> Result<Files, StubsError> {
    if !root.join("Cargo.toml").is_file() || !root.join("framework").is_dir() {
        return Err(StubsError::NoRoot(root.to_owned()));
    }
    let mut wanted = Files::new();
    for path in source::files(root)? {
        let Template { content, executable } = read(&root.join(&path))?;
        if let Some(content) = turn::into_template(&path, content)? {
            wanted.insert(path + SUFFIX, Template { content, executable });
        }
    }
    Ok(wanted)
}

/// The templates as they are.
fn found(root: &Path) -> Result<Files, StubsError> {
    let folder = root.join(FOLDER);
    let paths = match walk::files(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        paths => paths.map_err(|source| StubsError::File { path: folder.clone(), source })?,
    };
    paths.into_iter().map(|path| Ok((path.clone(), read(&folder.join(path))?))).collect()
}

fn read(path: &Path) -> Result<Template, StubsError> {
    let read = fs::metadata(path).and_then(|found| {
        Ok(Template { content: fs::read(path)?, executable: found.permissions().mode() & EXECUTABLE != 0 })
    });
    read.map_err(|source| StubsError::File { path: path.to_owned(), source })
}

fn put(path: &Path, template: &Template) -> Result<(), StubsError> {
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, &template.content)?;
        let mut permissions = fs::metadata(path)?.permissions();
        let mode = permissions.mode() & !EXECUTABLE;
        permissions.set_mode(if template.executable { mode | EXECUTABLE } else { mode });
        fs::set_permissions(path, permissions)
    };
    write().map_err(|source| StubsError::File { path: path.to_owned(), source })
}

/// Removes a template, and the folders that are empty then.
fn remove(folder: &Path, path: &str) -> Result<(), StubsError> {
    let file = folder.join(path);
    fs::remove_file(&file).map_err(|source| StubsError::File { path: file.clone(), source })?;
    let parents = file.ancestors().skip(1).take_while(|parent| *parent != folder);
    // The first that is not empty stays, and so do those above it.
    for parent in parents {
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
    Ok(())
}
