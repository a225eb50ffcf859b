//! The binary `paravel`, run as its users run it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod names;
mod new;
mod scaffold;
mod server;
mod stubs;
#[path = "../src/walk.rs"]
mod walk;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The binary.
fn paravel() -> Command {
    Command::new(env!("CARGO_BIN_EXE_paravel"))
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The crate `paravel`.
fn framework() -> PathBuf {
    root().join("framework")
}

/// Exit code, standard output and standard error.
fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs `paravel new` in a folder.
fn new_in(folder: &Path, name: &str) -> (i32, String, String) {
    let mut command = paravel();
    command.args(["new", "--framework-path"]).arg(framework()).args(["--", name]).current_dir(folder);
    outcome(&command.output().unwrap())
}
