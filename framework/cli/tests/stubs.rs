//! How the templates are made from a repository.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{outcome, paravel, root, walk};

const MANIFEST: &str = r#"[package]
name = "app"
version = "3.2.1"
license = "MIT"
publish = false

[lib]
name = "app"

# paravel-new: leave out
[[bench]]
name = "startup"

# paravel-new: go on
[dependencies]
paravel = { path = "framework", default-features = false }

[dev-dependencies]
paravel = { path = "framework", features = ["testing"] }
"#;

const TEMPLATE: &str = r#"[package]
name = "{{name}}"
version = "0.1.0"
publish = false

[lib]
name = "app"

[dependencies]
paravel = { path = "{{framework_path}}", default-features = false }

[dev-dependencies]
paravel = { path = "{{framework_path}}", features = ["testing"] }
"#;

/// A small repository.
struct Repository(TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("git").args(["init", "--quiet"]).arg(folder.path()).status().unwrap();
        assert!(made.success());
        let repository = Self(folder);
        repository.put("Cargo.toml", MANIFEST);
        repository.put("framework/src/lib.rs", "");
        for (path, text) in files {
            repository.put(path, text);
        }
        repository
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn stubs(&self) -> PathBuf {
        self.path("framework/stubs/app")
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        outcome(&paravel().args(["stubs", "--root"]).arg(self.0.path()).args(arguments).output().unwrap())
    }
}

#[test]
fn the_repository_s_own_are_current() {
    let (code, out, error) = outcome(&paravel().args(["stubs", "--check", "--root"]).arg(root()).output().unwrap());
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.ends_with("templates are current.\n"), "{out}");
}

#[test]
fn the_root_s_files_become_templates_but_not_the_toolkit_s_nor_ignored_ones() {
    let repository = Repository::new(&[
        (".gitignore", "/.env\n"),
        (".env", "APP_KEY=secret\n"),
        ("README.md", "the toolkit\n"),
        ("docs/benchmarks.md", "fast\n"),
        ("app/lib.rs", "//! The application.\n"),
        ("app/{{name}}.html", "{{name}}\n"),
        ("database/factories/.keep", ""),
    ]);
    let (code, out, _) = repository.run(&[]);
    assert_eq!((code, out.as_str()), (0, "5 templates: 5 written, 0 removed.\n"));
    let files = walk::files(&repository.stubs()).unwrap();
    let expected = [
        ".gitignore.stub",
        "Cargo.toml.stub",
        "app/lib.rs.stub",
        "app/{{name}}.html.stub",
        "database/factories/.keep.stub",
    ];
    assert_eq!(files, expected);
    assert_eq!(fs::read_to_string(repository.stubs().join("Cargo.toml.stub")).unwrap(), TEMPLATE);
}

#[test]
fn marked_lines_stay_out_and_so_does_a_file_of_nothing_else() {
    let repository = Repository::new(&[
        ("tests/house.rs", "// paravel-new: leave out\n//! Reads the toolkit's sources.\n"),
        ("CHANGELOG.md", "# Changelog\n<!-- paravel-new: leave out -->\n- The toolkit.\n"),
        (
            "tests/main.rs",
            "mod api;\n    // paravel-new: leave out\nmod house;\n    //paravel-new: go on\nmod web;\n\
             // paravel-new: never\n",
        ),
    ]);
    assert_eq!(repository.run(&[]).0, 0);
    assert_eq!(
        walk::files(&repository.stubs()).unwrap(),
        ["CHANGELOG.md.stub", "Cargo.toml.stub", "tests/main.rs.stub"]
    );
    assert_eq!(fs::read_to_string(repository.stubs().join("CHANGELOG.md.stub")).unwrap(), "# Changelog\n");
    let main = fs::read_to_string(repository.stubs().join("tests/main.rs.stub")).unwrap();
    assert_eq!(main, "mod api;\nmod web;\n// paravel-new: never\n");
}

#[test]
fn check_names_every_template_that_is_not_current_and_writes_nothing() {
    let repository = Repository::new(&[("app/a.rs", "a\n"), ("app/b.rs", "b\n"), ("app/old/c.rs", "c\n")]);
    assert_eq!(repository.run(&[]).0, 0);
    assert_eq!(repository.run(&["--check"]), (0, "4 templates are current.\n".to_owned(), String::new()));

    repository.put("app/a.rs", "another\n");
    repository.put("app/d.rs", "d\n");
    fs::remove_file(repository.path("app/old/c.rs")).unwrap();
    let before = walk::files(&repository.stubs()).unwrap();
    let (code, out, error) = repository.run(&["--check"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(
        error,
        "error: the templates are not current: run `cargo run -p paravel-cli -- stubs`\n  \
         differs: framework/stubs/app/app/a.rs.stub\n  \
         missing: framework/stubs/app/app/d.rs.stub\n  \
         left over: framework/stubs/app/app/old/c.rs.stub\n"
    );
    assert_eq!(walk::files(&repository.stubs()).unwrap(), before);

    assert_eq!(repository.run(&[]), (0, "4 templates: 2 written, 1 removed.\n".to_owned(), String::new()));
    assert!(!repository.stubs().join("app/old").exists());
    assert_eq!(repository.run(&["--check"]).0, 0);
}

#[test]
fn a_template_can_be_run_where_its_file_can() {
    const TEST: &str = "bin/test";
    let repository = Repository::new(&[(TEST, "#!/bin/sh\n")]);
    let is_executable = || {
        let found = fs::metadata(repository.stubs().join("bin/test.stub")).unwrap();
        found.permissions().mode() & 0o111 != 0
    };
    repository.set_mode(TEST, 0o755);
    assert_eq!(repository.run(&[]).0, 0);
    assert!(is_executable());
    repository.set_mode(TEST, 0o644);
    assert!(repository.run(&["--check"]).2.contains("differs: framework/stubs/app/bin/test.stub"));
    assert_eq!(repository.run(&[]).0, 0);
    assert!(!is_executable());
    assert_eq!(repository.run(&["--check"]).0, 0);
}

#[test]
fn what_cannot_become_a_template_is_named() {
    let marker = Repository::new(&[("app/a.rs", "a\n// paravel-new: go on\n")]);
    let twice = Repository::new(&[("app/a.rs", "# paravel-new: leave out\n# paravel-new: leave out\n")]);
    let manifest = Repository::new(&[]);
    manifest.put("Cargo.toml", &MANIFEST.replace("license", "licence"));
    let no_git = Repository::new(&[]);
    fs::remove_dir_all(no_git.path(".git")).unwrap();
    let no_root = Repository::new(&[]);
    fs::remove_dir_all(no_root.path("framework")).unwrap();
    let refused = [
        (marker, "error: app/a.rs:2: `paravel-new: go on` follows no `paravel-new: leave out`\n"),
        (twice, "error: app/a.rs:2: `paravel-new: leave out` follows another one\n"),
        (manifest, "error: Cargo.toml has no line `license = `: "),
        (no_git, "not a git repository"),
        (no_root, " is not the root of the toolkit's repository: pass it by --root\n"),
    ];
    for (repository, said) in refused {
        let (code, out, error) = repository.run(&[]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(error.contains(said), "{error} should say {said}");
        assert!(!repository.stubs().exists());
    }
}
