//! Writes the table of the templates, which `src/template.rs` includes.
//!
//! Forty lines instead of the crate `include_dir`, whose macro does not see on stable Rust that a file was added: the
//! binary would go on to hand out yesterday's templates.

#[path = "src/walk.rs"]
mod walk;

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let stubs = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("stubs");
    let app = stubs.join("app");
    println!("cargo::rerun-if-changed={}", app.display());

    let mut table = String::from("&[\n");
    for name in walk::files(&app)? {
        // The suffix keeps cargo, git and rustfmt from taking a template for the thing itself.
        let path = name.strip_suffix(".stub").ok_or_else(|| format!("stubs/app/{name} does not end in .stub"))?;
        entry(&mut table, path, &app.join(&name))?;
    }
    entry(&mut table, "README.md", &stubs.join("readme.md"))?;
    table.push_str("]\n");
    Ok(fs::write(Path::new(&variable("OUT_DIR")?).join("templates.rs"), table)?)
}

fn entry(table: &mut String, path: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let executable = fs::metadata(file)?.permissions().mode() & 0o111 != 0;
    let file = file.to_str().ok_or("the package lies in a folder whose name is not UTF-8")?;
    Ok(writeln!(table, "    File {{ path: {path:?}, executable: {executable}, content: include_bytes!({file:?}) }},")?)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
