//! The toolkit's layers: a module uses only those that stand before it, and no file is too long to read.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every module of the toolkit, the lowest first.
const LAYERS: [&str; 18] = [
    "support",
    "config",
    "container",
    "console",
    "crypt",
    "database",
    "redis",
    "cache",
    "queue",
    "mail",
    "events",
    "service",
    "auth",
    "http",
    "schedule",
    "foundation",
    "facades",
    "testing",
];

const LONGEST: usize = 500;

/// Every source of the toolkit, by its path below `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    sources.sort();
    sources
}

/// What a source uses that it may not: a line for each, with the file, its line and the import.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let mut path: Vec<_> = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    let Some(rank) = rank(&path[0]) else {
        return vec![format!("{}: `{}` is not in the list of layers", file.display(), path[0])];
    };
    let mut imports = Vec::new();
    find_imports(source.parse().unwrap(), path.len(), &mut imports);
    let faults = imports.into_iter().filter_map(|(line, name)| {
        let why = match name.as_str() {
            "*" => "brings in every module".to_owned(),
            "facades" if path[0] != "facades" => "is for applications, and the toolkit takes arguments".to_owned(),
            name if self::rank(name)? > rank => format!("stands above `{}`", path[0]),
            _ => return None,
        };
        Some(format!("{}:{line}: `crate::{name}` {why}", file.display()))
    });
    faults.collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// The first names of all paths that start at the crate: `crate::x`, `paravel::x`, and enough `super`s to get there.
fn find_imports(tokens: TokenStream, depth: usize, imports: &mut Vec<(usize, String)>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut supers = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if is_path_separator(&tokens, index + 1) => {
                supers = if *name == "super" { supers + 1 } else { 0 };
                if *name == "crate" || *name == "paravel" || (*name == "super" && supers >= depth) {
                    add_first_names(tokens.get(index + 3), imports);
                }
            }
            TokenTree::Ident(_) => supers = 0,
            TokenTree::Group(group) => find_imports(group.stream(), depth, imports),
            _ => {}
        }
    }
}

fn is_path_separator(tokens: &[TokenTree], index: usize) -> bool {
    let colon = |index| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(index) && colon(index + 1)
}

/// What follows `crate::`: a name, a star, or a tree of paths.
fn add_first_names(after: Option<&TokenTree>, imports: &mut Vec<(usize, String)>) {
    match after {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut first = true;
            for token in group.stream() {
                let comma = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
                if first && !comma {
                    add_first_names(Some(&token), imports);
                }
                first = comma;
            }
        }
        Some(token @ (TokenTree::Ident(_) | TokenTree::Punct(_))) => {
            imports.push((token.span().start().line, token.to_string()));
        }
        _ => {}
    }
}

#[test]
fn no_module_uses_one_that_stands_above_it_and_none_uses_a_facade() {
    let mut faults = String::new();
    for (file, source) in sources().iter().filter(|(file, _)| file != Path::new("lib.rs")) {
        for fault in violations(file, source) {
            writeln!(faults, "framework/src/{fault}").unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn a_use_of_a_higher_module_is_found_wherever_it_stands() {
    let source = "
        //! `crate::http` in prose is none.
        use crate::support::Env;
        use crate::http::Router;
        use crate::{config::AppConfig, events::{EventBus, listener}, container::{self, http}, facades::Log as _};
        pub(crate) fn fill(env: &Env) -> usize {
            tracing::info!(\"crate::testing\", table = crate::auth::Gate::new());
            super::super::foundation::run(env);
            super::service::near(env);
            paravel::queue::push(\"\")
        }
        mod tests { use crate::testing::{TestApp}; }
        use crate::*;";
    let found = violations(Path::new("container/graph.rs"), source);
    let expected = [
        "container/graph.rs:4: `crate::http` stands above `container`",
        "container/graph.rs:5: `crate::events` stands above `container`",
        "container/graph.rs:5: `crate::facades` is for applications, and the toolkit takes arguments",
        "container/graph.rs:7: `crate::auth` stands above `container`",
        "container/graph.rs:8: `crate::foundation` stands above `container`",
        "container/graph.rs:10: `crate::queue` stands above `container`",
        "container/graph.rs:12: `crate::testing` stands above `container`",
        "container/graph.rs:13: `crate::*` brings in every module",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_module_may_use_itself_and_what_stands_below_it() {
    let source = "use crate::{container::Scope, database::Db, support}; use super::super::container;";
    assert!(violations(Path::new("database/sqlite/driver.rs"), source).is_empty());
    assert!(violations(Path::new("database/mod.rs"), source).is_empty());
    assert_eq!(violations(Path::new("support/mod.rs"), source).len(), 3);
}

#[test]
fn a_facade_is_refused_even_where_it_stands_below() {
    let source = "fn log() { crate::facades::Log::info(\"\", &[]) }";
    assert_eq!(violations(Path::new("testing/app.rs"), source).len(), 1);
    assert!(violations(Path::new("facades/log.rs"), source).is_empty());
}

#[test]
fn a_module_that_has_no_place_in_the_list_is_refused() {
    let found = violations(Path::new("helpers/mod.rs"), "");
    assert_eq!(found, ["helpers/mod.rs: `helpers` is not in the list of layers"]);
}

#[test]
fn no_file_is_longer_than_can_be_read_in_one_sitting() {
    let lines = |source: &str| source.lines().count();
    let long: Vec<_> = sources().into_iter().filter(|(_, source)| lines(source) > LONGEST).collect();
    let long: Vec<_> = long.iter().map(|(file, source)| format!("{}: {}", file.display(), lines(source))).collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}
