//! What `paravel new` writes, and when it refuses to.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{framework, new_in, outcome, paravel, root, walk};

/// What a new application has not, of what git tracks in the repository's root.
const OF_THE_TOOLKIT: &[&str] = &[
    "ARCHITECTURE.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs/",
    "examples/",
    "framework/",
];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_new_application_is_the_repository_s_root_without_the_toolkit() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(new_in(folder.path(), "blog").0, 0);
    let blog = folder.path().join("blog");

    let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-co", "--exclude-standard"]).output();
    let listed = outcome(&listed.unwrap()).1;
    let is_of_the_app = |path: &&str| {
        !OF_THE_TOOLKIT.iter().any(|of| path.starts_with(of)) && fs::read_to_string(root().join(path)).is_ok()
    };
    let mut expected = vec![".env", "README.md"];
    let is_executable = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0;
    for path in listed.lines().filter(is_of_the_app) {
        if blog.join(path).is_file() {
            assert_eq!(is_executable(blog.join(path)), is_executable(root().join(path)), "{path}");
        }
        let text = fs::read_to_string(root().join(path)).unwrap();
        if text.contains("paravel-new: leave out") || path == "Cargo.toml" {
            // What becomes of these is tested where the templates are made.
            if blog.join(path).is_file() {
                expected.push(path);
            }
            continue;
        }
        assert!(fs::read_to_string(blog.join(path)).ok() == Some(text), "{path} is not the root's");
        expected.push(path);
    }
    expected.sort();
    assert_eq!(walk::files(&blog).unwrap(), expected);
    let some = [
        ".cargo/config.toml",
        ".ci/run",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "app/main.rs",
        "benches/startup.rs",
        "bin/test",
        "build.rs",
        "deny.toml",
        "routes/api.rs",
        "tests/main.rs",
    ];
    for file in some {
        assert!(expected.contains(&file), "{file}");
    }
}

#[test]
fn it_speaks_of_nothing_that_it_has_not() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(new_in(folder.path(), "blog").0, 0);
    let blog = folder.path().join("blog");
    for script in ["bin/test", ".ci/run"] {
        let text = fs::read_to_string(blog.join(script)).unwrap();
        assert!(text.starts_with("#!/usr/bin/env bash\n") && !text.contains("paravel"), "{script}");
        let read = Command::new("bash").arg("-n").arg(blog.join(script)).output().unwrap();
        assert_eq!(outcome(&read), (0, String::new(), String::new()), "{script}");
        let mode = fs::metadata(blog.join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o700, "{script}");
    }
    for document in ["CHANGELOG.md", "CONTRIBUTING.md", "README.md"] {
        let text = fs::read_to_string(blog.join(document)).unwrap();
        for missing in ["framework", "stubs"] {
            assert!(!text.contains(missing), "{document} speaks of {missing}");
        }
    }
    for file in walk::files(&blog).unwrap() {
        let text = fs::read_to_string(blog.join(&file)).unwrap();
        for missing in ["ARCHITECTURE.md", "docs/"] {
            assert!(!text.contains(missing), "{file} speaks of {missing}");
        }
    }
}

#[test]
fn nothing_of_the_toolkit_s_workspace_and_no_placeholder_is_left_in_it() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(new_in(folder.path(), "blog").0, 0);
    let blog = folder.path().join("blog");
    for path in walk::files(&blog).unwrap() {
        let text = fs::read_to_string(blog.join(&path)).unwrap();
        assert!(!text.contains("paravel-new:"), "{path}");
        assert!(!text.contains("{{name}}") && !text.contains("{{framework_path}}"), "{path}");
    }
    let manifest: toml::Table = fs::read_to_string(blog.join("Cargo.toml")).unwrap().parse().unwrap();
    let paths = ["dependencies", "dev-dependencies"].map(|section| manifest[section]["paravel"]["path"].as_str());
    assert_eq!(paths, [framework().to_str(); 2]);
    let package = manifest["package"].as_table().unwrap();
    assert_eq!(package["publish"].as_bool(), Some(false));
    assert!(!package.contains_key("license"));
    assert_eq!(manifest["lib"]["name"].as_str(), Some("app"));
    assert!(manifest["workspace"].get("members").is_none());
    let config: toml::Table = fs::read_to_string(blog.join(".cargo/config.toml")).unwrap().parse().unwrap();
    assert_eq!(config["alias"]["artisan"].as_str(), Some("run --quiet --bin artisan --"));
}

#[test]
fn its_environment_is_the_example_s_with_its_name_and_a_key_of_its_own_that_its_owner_alone_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys = ["blog", "shop"].map(|name| {
        assert_eq!(new_in(folder.path(), name).0, 0);
        let env = folder.path().join(name).join(".env");
        assert_eq!(fs::metadata(&env).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(env).unwrap();
        let key = text.lines().find_map(|line| line.strip_prefix("APP_KEY=")).unwrap().to_owned();
        let example = fs::read_to_string(folder.path().join(name).join(".env.example")).unwrap();
        let named = example.replace("APP_NAME=Paravel\n", &format!("APP_NAME={name}\n"));
        assert_ne!(named, example);
        assert_eq!(text.replace(&key, ""), named);
        key
    });
    assert_ne!(keys[0], keys[1]);
    for key in keys {
        // 32 bytes are 43 characters of base64 and one of padding.
        assert_eq!((key.len(), key.starts_with("base64:"), key.ends_with('=')), (7 + 44, true, true));
    }
    // The folder is as `mkdir` makes one, not as private as the temporary one it was written to.
    let plain = folder.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&folder.path().join("blog")), mode(&plain));
}

#[test]
fn what_is_in_its_place_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let full = folder.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("diary"), "dear").unwrap();
    fs::write(folder.path().join("file"), "text").unwrap();
    symlink("nowhere", folder.path().join("broken")).unwrap();
    for name in ["full", "file", "broken"] {
        let (code, out, error) = new_in(folder.path(), name);
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(error, format!("error: {name} is there already and is not an empty folder: choose another name\n"));
    }
    assert_eq!(names(&full), ["diary"]);
    assert_eq!(names(folder.path()).len(), 3);

    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(new_in(folder.path(), "empty").0, 0);
    assert!(folder.path().join("empty/Cargo.toml").is_file());
}

#[test]
fn a_folder_that_is_not_the_framework_s_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, manifest) in [("workspace", "[workspace]\n"), ("broken", "[package\n")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("Cargo.toml"), manifest).unwrap();
    }
    let remedy = "pass the folder of the crate `paravel`";
    let refused = [
        (folder.path().join("missing"), vec!["missing", "No such file", remedy]),
        (folder.path().to_owned(), vec!["Cargo.toml", "No such file", remedy]),
        (folder.path().join("broken"), vec!["broken/Cargo.toml is no manifest", remedy]),
        (folder.path().join("workspace"), vec!["is of no package", "pass that crate's folder"]),
        (framework().join("macros"), vec!["is of `paravel-macros`, not of the crate `paravel`"]),
        (root(), vec!["is of `app`, not of the crate `paravel`: pass ", framework().to_str().unwrap()]),
    ]
    .map(|(path, said)| (path, said.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    for (path, said) in refused {
        let output = paravel().args(["new", "blog", "--framework-path"]).arg(&path).current_dir(folder.path()).output();
        let (code, out, error) = outcome(&output.unwrap());
        assert_eq!((code, out.as_str()), (1, ""), "{error}");
        assert_eq!(error.matches('\n').count(), 1, "{error}");
        assert!(error.starts_with("error: --framework-path: "), "{error}");
        assert!(said.iter().all(|part| error.contains(part)), "{error} should say {said:?}");
    }
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn a_path_with_quotes_reaches_the_manifest_whole() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("my \"best\" \\ {{name}}");
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("Cargo.toml"), "[package]\nname = \"paravel\"\n").unwrap();
    // What is passed may be relative and a link; what is stored is not.
    symlink(&odd, folder.path().join("link")).unwrap();
    let output = paravel().args(["new", "blog", "--framework-path", "link"]).current_dir(folder.path()).output();
    assert_eq!(outcome(&output.unwrap()).0, 0);
    let manifest = fs::read_to_string(folder.path().join("blog/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    assert_eq!(manifest["dependencies"]["paravel"]["path"].as_str(), odd.canonicalize().unwrap().to_str());
}

#[test]
fn a_failure_half_way_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // No file may become longer than 512 bytes (1,024 in some shells): the limit stands in for a full disk.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1; exec '{}' new blog --framework-path '{}'",
        env!("CARGO_BIN_EXE_paravel"),
        framework().display()
    );
    let output = Command::new("sh").args(["-c", &limited]).current_dir(folder.path()).output();
    let (code, out, error) = outcome(&output.unwrap());
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert!(error.starts_with("error: cannot write blog/") && error.contains("File too large"), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);

    let (code, _, error) = new_in(folder.path(), "missing/blog");
    assert_eq!(code, 1);
    assert_eq!(error, "error: cannot make missing/blog: there is no folder missing: create it first\n");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_wrong_command_line_exits_with_2_and_help_with_0() {
    for line in [
        &["new"][..],
        &["new", "blog"],
        &["new", "blog", "--framework-path"],
        &["nwe"],
        &[],
        &["new", "", "--framework-path", "."],
    ] {
        assert_eq!(outcome(&paravel().args(line).output().unwrap()).0, 2, "{line:?}");
    }
    for line in [&["--help"][..], &["--version"], &["new", "--help"], &["stubs", "--help"]] {
        assert_eq!(outcome(&paravel().args(line).output().unwrap()).0, 0, "{line:?}");
    }
}
