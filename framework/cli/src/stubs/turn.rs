//! How a file of the repository becomes a template.

use super::StubsError;
use crate::template::{FRAMEWORK_PATH, NAME};

/// From here on, lines stay out of the template.
const LEAVE_OUT: &str = "paravel-new: leave out";

/// From here on, they are in it again.
const GO_ON: &str = "paravel-new: go on";

/// The template of a file; `None` where the markers leave nothing of it.
pub fn into_template(path: &str, content: Vec<u8>) -> Result<Option<Vec<u8>>, StubsError> {
    // What is no text has no markers.
    let text = match String::from_utf8(content) {
        Ok(text) => text,
        Err(error) => return Ok(Some(error.into_bytes())),
    };
    let kept = unmarked(path, &text)?;
    if kept.is_empty() && !text.is_empty() {
        return Ok(None);
    }
    let template = if path == "Cargo.toml" { manifest(&kept)? } else { kept };
    Ok(Some(template.into_bytes()))
}

/// The text without marked lines, and without the markers.
fn unmarked(path: &str, text: &str) -> Result<String, StubsError> {
    let mut kept = String::with_capacity(text.len());
    let mut leaving_out = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let wrong = |marker, problem| StubsError::Marker { path: path.to_owned(), line: index + 1, marker, problem };
        match marker(line) {
            Some(LEAVE_OUT) if leaving_out => return Err(wrong(LEAVE_OUT, "follows another one")),
            Some(GO_ON) if !leaving_out => return Err(wrong(GO_ON, "follows no `paravel-new: leave out`")),
            Some(marker) => leaving_out = marker == LEAVE_OUT,
            None if leaving_out => {}
            None => kept.push_str(line),
        }
    }
    Ok(kept)
}

/// The marker that is the whole line.
fn marker(line: &str) -> Option<&'static str> {
    let line = line.trim();
    let of_markdown = || line.strip_prefix("<!--")?.strip_suffix("-->");
    let comment = line.strip_prefix("//").or_else(|| line.strip_prefix('#')).or_else(of_markdown)?.trim();
    [LEAVE_OUT, GO_ON].into_iter().find(|marker| comment == *marker)
}

/// The manifest with its placeholders. Every line that is turned must be there, so that a change of its form is
/// noticed.
fn manifest(text: &str) -> Result<String, StubsError> {
    const PACKAGE_NAME: &str = "name = \"app\"";
    const VERSION: &str = "version = ";
    const LICENSE: &str = "license = ";
    const FRAMEWORK: &str = "paravel = { path = \"framework\"";

    let mut missing = vec![PACKAGE_NAME, VERSION, LICENSE, FRAMEWORK];
    let mut turned = String::with_capacity(text.len());
    let mut section = "";
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            section = line.trim_end();
        }
        let of_package = |start: &str| section == "[package]" && line.starts_with(start);
        let found = if of_package(PACKAGE_NAME) {
            turned.push_str(&format!("name = \"{NAME}\"\n"));
            PACKAGE_NAME
        } else if of_package(VERSION) {
            // A new application starts anew, whatever the toolkit has come to.
            turned.push_str("version = \"0.1.0\"\n");
            VERSION
        } else if of_package(LICENSE) {
            // The application's own matter.
            LICENSE
        } else if let Some(rest) = line.strip_prefix(FRAMEWORK) {
            turned.push_str(&format!("paravel = {{ path = \"{FRAMEWORK_PATH}\"{rest}"));
            FRAMEWORK
        } else {
            turned.push_str(line);
            continue;
        };
        missing.retain(|expected| *expected != found);
    }
    match missing.first() {
        Some(expected) => Err(StubsError::Manifest { expected }),
        None => Ok(turned),
    }
}
