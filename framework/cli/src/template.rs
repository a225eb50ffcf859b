//! The files of a new application, embedded by the build script.

use std::{borrow::Cow, collections::BTreeSet};

/// A file of the new application, in which placeholders may stand yet.
struct File {
    path: &'static str,
    executable: bool,
    content: &'static [u8],
}

/// Every file; made by build.rs.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// Stands for the new package's name.
pub const NAME: &str = "{{name}}";

/// Stands for the path of the crate `paravel`.
pub const FRAMEWORK_PATH: &str = "{{framework_path}}";

/// What the placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The new package's name.
    pub name: &'a str,
    /// The path of the crate `paravel`.
    pub framework_path: &'a str,
}

/// A file of the new application.
pub struct Rendered {
    /// Where, from the application's root.
    pub path: &'static str,
    /// Whether it can be run.
    pub executable: bool,
    /// What is in it.
    pub content: Cow<'static, [u8]>,
}

/// Every file of the new application.
pub fn render(values: Values<'_>) -> impl Iterator<Item = Rendered> {
    FILES.iter().map(move |&File { path, executable, content }| {
        let content = fill(path, content, values);
        Rendered { path, executable, content }
    })
}

/// Only these two have placeholders: elsewhere, double braces are the application's own.
fn fill<'a>(path: &str, content: &'a [u8], values: Values<'_>) -> Cow<'a, [u8]> {
    match (path, std::str::from_utf8(content)) {
        ("Cargo.toml" | "README.md", Ok(text)) => {
            // A name has no braces, so the path, which may, comes last.
            let text = text.replace(NAME, values.name).replace(FRAMEWORK_PATH, &toml_escaped(values.framework_path));
            Cow::Owned(text.into_bytes())
        }
        _ => Cow::Borrowed(content),
    }
}

/// The text as it stands between the quotes of a basic string: <https://toml.io/en/v1.0.0#string>.
fn toml_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if character.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

/// The names of the packages that a new application depends on itself.
pub fn dependencies() -> BTreeSet<String> {
    let manifest = FILES.iter().find(|file| file.path == "Cargo.toml").map_or(&b""[..], |file| file.content);
    // The tests build what this is the manifest of, so it is one.
    let manifest: toml::Table = str::from_utf8(manifest).unwrap_or_default().parse().unwrap_or_default();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let sections = sections.iter().filter_map(|section| manifest.get(*section)?.as_table());
    sections.flat_map(|section| section.keys().cloned()).collect()
}
