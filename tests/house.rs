//! The rules of this source tree that no compiler checks.

use std::{fs, io, path::Path};

/// What belongs to one backend. It stands in `database/` alone, so that a change of backend is a change there.
const BACKENDS: [&str; 10] = [
    "sqlite",
    "postgres",
    "mysql",
    "mariadb",
    "diesel::pg",
    "pgconnection",
    "rusqlite",
    "sqlx",
    "returning",
    "on_conflict",
];

/// Every Rust file below a folder of the application, by its path, in lower case and without its comments.
fn sources(folder: &str) -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
                let code = code.collect::<Vec<_>>().join("\n").to_lowercase();
                files.push((path.strip_prefix(root).unwrap_or(&path).display().to_string(), code));
            }
        }
    }
    Ok(files)
}

#[test]
fn a_backend_is_named_in_the_database_folder_alone() -> io::Result<()> {
    let mut found = Vec::new();
    for folder in ["app", "routes", "config"] {
        let files = sources(folder)?;
        assert!(!files.is_empty(), "{folder} has sources");
        for (path, code) in files {
            found.extend(BACKENDS.iter().filter(|word| code.contains(**word)).map(|word| format!("{path}: {word}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn a_module_outside_its_folder_is_named_in_lib_rs_alone() -> io::Result<()> {
    let mut found = Vec::new();
    for folder in ["app", "routes", "config", "database", "tests"] {
        let with_path = sources(folder)?.into_iter().filter(|(_, code)| code.contains(&format!("#[{}", "path")));
        found.extend(with_path.map(|(path, _)| path));
    }
    assert_eq!(found, ["app/lib.rs"]);
    Ok(())
}
