//! `paravel new`

use std::{
    borrow::Cow,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    framework::{self, FrameworkError},
    key,
    name::{NameError, PackageName},
    template::{self, Values},
};

/// Why there is no new application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewError {
    /// It cannot be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The framework is not where it was said to be.
    #[error(transparent)]
    Framework(#[from] FrameworkError),
    /// Something else is in its place.
    #[error("{} is there already and is not an empty folder: choose another name", .0.display())]
    Occupied(PathBuf),
    /// There is no folder to make it in.
    #[error("cannot make {}: there is no folder {}: create it first", folder.display(), parent.display())]
    NoParent {
        /// The new folder.
        folder: PathBuf,
        /// Where it would be.
        parent: PathBuf,
    },
    /// The operating system gives no random bytes.
    #[error("cannot make an APP_KEY: {0}")]
    Key(#[from] getrandom::Error),
    /// The disk is full, the folder is not writable, or the like.
    #[error("cannot write {}: {source}; nothing was left behind", path.display())]
    Write {
        /// What could not be written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Writes a new application to `folder`, which must be missing or empty, and gives its package's name. Where this
/// fails, the disk is as it was before.
///
/// # Errors
/// [`NewError`], by its variants.
pub fn create(folder: &Path, framework_path: &Path) -> Result<PackageName, NewError> {
    let name = PackageName::of(folder)?;
    let framework_path = framework::locate(framework_path)?;
    if !is_free(folder)? {
        return Err(NewError::Occupied(folder.to_owned()));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.is_dir() {
        return Err(NewError::NoParent { folder: folder.to_owned(), parent: parent.to_owned() });
    }
    let failed = |path: PathBuf| move |source| NewError::Write { path, source };

    // A sibling, and so on the same file system: the last step is one rename. Dropped, it is removed.
    let prefix = format!(".{name}-");
    let mut sibling = tempfile::Builder::new();
    // As any new folder: what the umask leaves.
    let sibling = sibling.prefix(&prefix).permissions(Permissions::from_mode(0o777)).tempdir_in(parent);
    let sibling = sibling.map_err(failed(folder.to_owned()))?;

    for file in template::render(Values { name: name.as_str(), framework_path: &framework_path }) {
        let (path, content) = (file.path, &file.content);
        let mode = if file.executable { 0o777 } else { 0o666 };
        write(&sibling.path().join(path), content, mode).map_err(failed(folder.join(path)))?;
        if path == ".env.example" {
            let own = [("APP_NAME", name.as_str()), ("APP_KEY", &key::generate()?)];
            let content = with_values(content, &own);
            // Its owner alone may read it: it holds secrets.
            write(&sibling.path().join(".env"), content.as_bytes(), 0o600).map_err(failed(folder.join(".env")))?;
        }
    }
    // Takes the place of an empty folder, and fails where one has been filled meanwhile.
    fs::rename(sibling.path(), folder).map_err(failed(folder.to_owned()))?;
    // There is nothing to remove any more.
    let _ = sibling.keep();
    Ok(name)
}

/// Whether a folder can be moved there.
fn is_free(folder: &Path) -> Result<bool, NewError> {
    let looked = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Ok(found) if !found.is_dir() => return Ok(false),
        Ok(_) => fs::read_dir(folder).map(|mut entries| entries.next().is_none()),
        Err(error) => Err(error),
    };
    looked.map_err(|source| NewError::Write { path: folder.to_owned(), source })
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(content)
}

/// The lines of `.env.example` with these variables filled in.
fn with_values(example: &[u8], variables: &[(&str, &str)]) -> String {
    let example: Cow<'_, str> = String::from_utf8_lossy(example);
    let mut lines: Vec<String> = example.lines().map(str::to_owned).collect();
    for (name, value) in variables {
        let (start, line) = (format!("{name}="), format!("{name}={value}"));
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(example) => *example = line,
            None => lines.push(line),
        }
    }
    lines.join("\n") + "\n"
}
