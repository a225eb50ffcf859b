//! The documents: what they link to is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The documents of this repository, by path.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [root.clone(), root.join("docs")];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The Rust sources in a file or folder, all of them in one.
fn sources(path: &Path) -> String {
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    let Ok(entries) = fs::read_dir(path) else { return String::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| sources(&path))
        .collect()
}

/// What a document links to, but for addresses elsewhere.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let targets = ends.map(|(target, _)| target.split('#').next().unwrap_or(target));
    targets.filter(|target| !target.is_empty() && !target.contains("://")).collect()
}

#[test]
fn every_link_leads_somewhere() {
    assert_eq!(links("[a](docs/a.md#b) [c](#d) [e](https://e.example) ![f](g.svg)"), ["docs/a.md", "g.svg"]);
    let documents = documents();
    assert!(documents.len() >= 5, "{documents:?}");
    let mut dead = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        dead.extend(missing.map(|link| format!("{}: {link}", document.display())));
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_test_that_is_named_is_there() {
    let framework = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(framework.join("../docs/queue-states.md")).unwrap();
    let rows =
        text.split("## What has gone wrong elsewhere").nth(1).unwrap().lines().filter(|line| line.starts_with("| "));
    let (mut missing, mut found) = (Vec::new(), 0);
    // Past the heads of the two tables.
    for row in rows.filter(|row| !row.ends_with("| tests |")) {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let (mut path, mut of_path) = (None, 0);
        for word in cell.split('`').skip(1).step_by(2) {
            if word.ends_with(".rs") || word.ends_with('/') {
                missing.extend(path.filter(|_| of_path == 0).map(|path| format!("{path}: it is not said which tests")));
                (path, of_path) = (Some(word), 0);
                continue;
            }
            let file = path.unwrap_or_else(|| panic!("it is not said where `{word}` is"));
            let is_there = sources(&framework.join("tests").join(file)).contains(&format!("fn {word}"));
            missing.extend((!is_there).then(|| format!("{file}: {word}")));
            (of_path, found) = (of_path + 1, found + 1);
        }
        missing.extend((of_path == 0).then(|| format!("no test is named at the end of: {row}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(found >= 40, "{found}");
}
