//! `bin/test`, where something that it needs is missing.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

/// What it uses of a system before it starts anything.
const SYSTEM: [&str; 8] = ["chmod", "dirname", "grep", "id", "ls", "mkdir", "mktemp", "rm"];

fn found(program: &str) -> PathBuf {
    let places = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(program));
    places.into_iter().find(|path| path.exists()).unwrap()
}

/// Runs it where there are the programs it uses of any system and these, which do nothing: its exit code and what it said.
fn run(programs: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    for program in SYSTEM {
        symlink(found(program), folder.path().join(program)).unwrap();
    }
    for program in programs {
        let path = folder.path().join(program);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bin/test");
    let mut bash = Command::new(found("bash"));
    bash.arg(script).env_clear().env("PATH", folder.path()).env("TMPDIR", folder.path());
    let ended = bash.envs(variables.iter().copied()).output().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), SYSTEM.len() + programs.len(), "it leaves nothing behind: {left:?}");
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let (code, said) = run(&["cargo"], &[]);
    let expected = "bin/test needs cc: install it (Debian's package is build-essential) and run this again\n";
    assert_eq!((code, &*said), (Some(1), expected));
    let (code, said) = run(&["cc"], &[]);
    assert_eq!((code, &*said), (Some(1), "bin/test needs Rust: install it with rustup and run this again\n"));
}

#[test]
fn a_missing_server_is_a_failure_where_servers_are_required_and_left_out_elsewhere() {
    let programs = ["cargo", "cc", "git", "script", "strace"];
    // Whether or not this machine has them, PostgreSQL and Redis are not looked for.
    let given = [("TEST_POSTGRES_URL", "postgres://given"), ("TEST_REDIS_URL", "redis://given")];
    let expected =
        "bin/test has no MariaDB: install it (Debian's package is mariadb-server), or give the address of one\n";
    let (code, said) = run(&programs, &[&given[..], &[("TEST_REQUIRE_SERVERS", "1")]].concat());
    assert_eq!((code, &*said), (Some(1), expected));
    let (code, said) = run(&programs, &given);
    assert_eq!((code, &*said), (Some(0), expected));
}
