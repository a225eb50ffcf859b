//! Which of the repository's files a new application has.

use std::{path::Path, process::Command};

use super::StubsError;

/// What belongs to the toolkit and not to an application. Whatever else is added to the root comes along.
const LEFT_OUT: &[&str] = &[
    // The toolkit, and applications that show it.
    "framework/",
    "examples/",
    // Made by the first build; the toolkit's own names packages that a new application does not need.
    "Cargo.lock",
    // What the toolkit is and costs; a new application has a README of its own, stubs/readme.md.
    "ARCHITECTURE.md",
    "README.md",
    "docs/",
    // The owner's choice.
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// The paths, from the root, of the files that a new application has: those that git tracks or would track.
pub fn files(root: &Path) -> Result<Vec<String>, StubsError> {
    let failed = |message: String| StubsError::Git { root: root.to_owned(), message };
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let listed = String::from_utf8(output.stdout).map_err(|_| failed("a name is not UTF-8".to_owned()))?;
    // One that was removed is listed until that is staged, and one in conflict several times.
    let mut files: Vec<_> = listed
        .split_terminator('\0')
        .filter(|path| !is_left_out(path) && root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.dedup();
    Ok(files)
}

fn is_left_out(path: &str) -> bool {
    LEFT_OUT.iter().any(|out| if out.ends_with('/') { path.starts_with(out) } else { path == *out })
}
