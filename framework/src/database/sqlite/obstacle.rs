use std::{
    fmt::Display,
    fs::OpenOptions,
    io::{Error, ErrorKind},
    path::Path,
};

/// An error of opening a file with what stands in its way, of which SQLite says nothing.
pub(super) fn with_obstacle(error: impl Display, path: &Path) -> String {
    obstacle(path).map_or_else(|| error.to_string(), |obstacle| format!("{error}: {obstacle}"))
}

fn obstacle(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    match folder.metadata().map_err(|error| error.kind()) {
        Ok(found) if found.is_dir() => {}
        Ok(_) | Err(ErrorKind::NotADirectory) => return Some(format!("`{shown}` is no folder")),
        Err(ErrorKind::NotFound) => return Some(format!("there is no folder `{shown}`: create it")),
        Err(_) => return Some(format!("this user may not look into `{shown}`: change its permissions")),
    }
    if path.is_dir() {
        return Some("there is a folder in its place".to_owned());
    }
    // What is there is opened and nothing is made.
    let opened = OpenOptions::new().read(true).write(true).open(path);
    Some(match opened.map_err(|error: Error| error.kind()) {
        Err(ErrorKind::NotFound) => format!("no file can be made in `{shown}`: look at its permissions"),
        Err(ErrorKind::PermissionDenied) => "this user may not write it: change its permissions".to_owned(),
        Err(ErrorKind::ReadOnlyFilesystem) => "its file system cannot be written".to_owned(),
        _ => return None,
    })
}
