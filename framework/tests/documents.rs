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
