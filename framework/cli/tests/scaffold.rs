//! A new application, built and used.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{new_in, root, server::Server};

#[test]
fn a_new_application_builds_serves_and_lets_people_in() {
    // Not under the repository, whose .cargo/config.toml would apply to it too.
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(new_in(folder.path(), "blog").0, 0);
    let blog = folder.path().join("blog");
    let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let artisan = build(&blog, target.path());

    let list = Command::new(&artisan).arg("list").current_dir(&blog).env_clear().output().unwrap();
    assert!(list.status.success());
    assert!(String::from_utf8(list.stdout).unwrap().contains("user:create"));

    let server = Server::start(&artisan, &blog);
    assert!(blog.join("database/database.sqlite").is_file());
    assert_eq!(server.request("GET", "/up", None, "").0, 200);
    let ada = r#"{"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}"#;
    assert_eq!(server.request("POST", "/api/v1/auth/register", None, ada).0, 201);
    let wrong = r#"{"email": "ada@example.com", "password": "wrong horse battery"}"#;
    assert_eq!(server.request("POST", "/api/v1/auth/login", None, wrong).0, 401);
    let right = r#"{"email": "ada@example.com", "password": "correct horse battery"}"#;
    let (status, body) = server.request("POST", "/api/v1/auth/login", None, right);
    assert_eq!(status, 200, "{body}");
    let token = body.split_once(r#""token":""#).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
    let (status, me) = server.request("GET", "/api/v1/me", Some(token), "");
    assert_eq!(status, 200, "{me}");
    assert!(me.contains("ada@example.com"), "{me}");
    assert_eq!(server.request("GET", "/api/v1/me", None, "").0, 401);
    assert_eq!(server.stop().code(), Some(0));
}

/// Builds its binary; what is made on the way is shared with the workspace's own builds, so that the dependencies need
/// not be compiled again.
///
/// Only the build folder is shared. In the workspace's target folder itself, this `artisan` would take the place of
/// that of the root package, which other tests run at the same time.
fn build(app: &Path, target: &Path) -> PathBuf {
    // The versions that are there already: nothing is downloaded.
    fs::copy(root().join("Cargo.lock"), app.join("Cargo.lock")).unwrap();
    let started = Instant::now();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "--bin", "artisan", "--target-dir"]).arg(target).current_dir(app);
    cargo.env("CARGO_BUILD_BUILD_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
    // Set for this test by the workspace's .cargo/config.toml. The application's own has to set it.
    let output = cargo.env_remove("LIBSQLITE3_FLAGS").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Not by a macro of printing, whose output is kept back from a test that passes.
    let seconds = started.elapsed().as_secs_f32();
    io::stderr().write_all(format!("a new application was built in {seconds:.1} s\n").as_bytes()).unwrap();
    target.join("debug/artisan")
}
