//! What a new application may be called.

use std::fs;

use crate::new_in;

#[test]
fn a_name_that_cargo_would_take_is_taken() {
    for name in ["blog", "my-blog", "my_blog", "_blog", "blog2", "Blog", "app", "artisan", "x"] {
        let folder = tempfile::tempdir().unwrap();
        let (code, out, error) = new_in(folder.path(), name);
        assert_eq!((code, error.as_str()), (0, ""), "{name}");
        assert!(out.starts_with(&format!("{name} is ready.")), "{out}");
        let manifest = fs::read_to_string(folder.path().join(name).join("Cargo.toml")).unwrap();
        assert!(manifest.starts_with(&format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n")), "{manifest}");
    }
}

#[test]
fn any_other_is_refused_as_a_wrong_command_line_in_one_line_and_nothing_is_written() {
    const FORM: &str = "use the letters a to z, digits, `-` and `_`, starting with a letter or `_`";
    let refused = [
        ("2blog", FORM),
        ("-blog", FORM),
        ("my blog", FORM),
        ("blog.rs", FORM),
        ("bløg", FORM),
        ("b\"log", FORM),
        ("blog\nname", FORM),
        ("{{name}}", FORM),
        ("fn", "a keyword of Rust"),
        ("Self", "a keyword of Rust"),
        ("gen", "a keyword of Rust"),
        ("test", "a crate that comes with Rust"),
        ("core", "a crate that comes with Rust"),
        ("std", "a crate that comes with Rust"),
        ("proc-macro", "a crate that comes with Rust"),
        ("NUL", "a device on Windows"),
        ("paravel", "a package that the new application depends on"),
        ("serde", "a package that the new application depends on"),
        ("tempfile", "a package that the new application depends on"),
        (".", "write the new folder's name, such as `blog`"),
        ("..", "write the new folder's name, such as `blog`"),
        ("blog/..", "write the new folder's name, such as `blog`"),
        ("/", "write the new folder's name, such as `blog`"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, reason) in refused {
        let (code, out, error) = new_in(folder.path(), name);
        assert_eq!((code, out.as_str()), (2, ""), "{name:?}: {error}");
        assert!(error.starts_with("error: ") && error.contains(reason), "{name:?}: {error}");
        assert_eq!(error.matches('\n').count(), 1, "{name:?}: {error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_path_names_the_package_by_its_last_part() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sites")).unwrap();
    for (path, name) in [("sites/blog", "blog"), ("./shop/", "shop"), ("sites/../wiki", "wiki")] {
        let (code, _, error) = new_in(folder.path(), path);
        assert_eq!(code, 0, "{error}");
        let manifest = fs::read_to_string(folder.path().join(path).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")));
    }
    let absolute = folder.path().join("forum");
    let (code, out, _) = new_in(folder.path(), absolute.to_str().unwrap());
    assert_eq!(code, 0);
    assert!(out.contains(&format!("cd {}\n", absolute.display())), "{out}");
    assert!(absolute.join("Cargo.toml").is_file());
}
