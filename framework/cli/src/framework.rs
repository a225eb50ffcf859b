//! The folder of the crate `paravel`, on which a new application depends.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The name of the crate.
const PACKAGE: &str = "paravel";

/// A folder is not that of the crate `paravel`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameworkError {
    /// Its manifest cannot be read.
    #[error("--framework-path: {}: {source}: pass the folder of the crate `paravel`", path.display())]
    Read {
        /// The folder or the manifest.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Its manifest is not one.
    #[error("--framework-path: {} is no manifest ({message}): pass the folder of the crate `paravel`", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// It is another package.
    #[error(
        "--framework-path: {} is of {found}, not of the crate `paravel`: pass {}",
        path.display(),
        nearby.as_ref().map_or_else(|| "that crate's folder".to_owned(), |nearby| nearby.display().to_string())
    )]
    Other {
        /// The manifest.
        path: PathBuf,
        /// What it is a manifest of.
        found: String,
        /// The crate's folder, where it lies in this one: the repository's root is what people pass by mistake.
        nearby: Option<PathBuf>,
    },
    /// A manifest can only name paths of UTF-8.
    #[error("--framework-path: {} is not UTF-8, so that no Cargo.toml can name it: move it", .0.display())]
    NotUtf8(PathBuf),
}

/// The absolute path of the crate's folder, links resolved.
///
/// # Errors
/// [`FrameworkError`] where `folder` is not the crate's.
pub fn locate(folder: &Path) -> Result<String, FrameworkError> {
    let absolute = folder.canonicalize().map_err(|source| FrameworkError::Read { path: folder.to_owned(), source })?;
    match package(&absolute)? {
        Some(name) if name == PACKAGE => {}
        found => {
            let nearby = absolute.join("framework");
            return Err(FrameworkError::Other {
                path: absolute.join("Cargo.toml"),
                found: found.map_or_else(|| "no package".to_owned(), |name| format!("`{name}`")),
                nearby: matches!(package(&nearby), Ok(Some(name)) if name == PACKAGE).then_some(nearby),
            });
        }
    }
    match absolute.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(FrameworkError::NotUtf8(absolute)),
    }
}

/// The name of the package in a folder; `None` where its manifest is of a workspace alone.
fn package(folder: &Path) -> Result<Option<String>, FrameworkError> {
    let path = folder.join("Cargo.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(FrameworkError::Read { path, source }),
    };
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            return Err(FrameworkError::Manifest { path, message: toml::de::Error::message(&error).to_owned() });
        }
    };
    let name = manifest.get("package").and_then(|package| package.get("name"));
    Ok(name.and_then(toml::Value::as_str).map(str::to_owned))
}
