//! A new application, built and used.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
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
    let artisan = target.path().join("debug/artisan");
    // The versions that are there already: nothing is downloaded.
    fs::copy(root().join("Cargo.lock"), blog.join("Cargo.lock")).unwrap();
    let build = ["build", "--quiet", "--bin", "artisan"];
    timed(
        "built",
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(build),
        &blog,
        target.path(),
    );

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

    // All of it, but no server: the application's database is a file.
    let tests = timed("tested", &mut Command::new("bin/test"), &blog, target.path());
    assert!(tests.contains("== on sqlite\n") && tests.contains("test result: ok."), "{tests}");
}

/// Runs what builds the application, and gives what it printed. What is made on the way is shared with the workspace's own
/// builds, so that the dependencies need not be compiled again.
///
/// Only the build folder is shared. In the workspace's target folder itself, this `artisan` would take the place of
/// that of the root package, which other tests run at the same time.
fn timed(what: &str, command: &mut Command, app: &Path, target: &Path) -> String {
    let started = Instant::now();
    command.current_dir(app).env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target);
    command.env("CARGO_BUILD_BUILD_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
    // Set for this test by the workspace's .cargo/config.toml. The application's own has to set it.
    let output = command.env_remove("LIBSQLITE3_FLAGS").output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{printed}");
    // Not by a macro of printing, whose output is kept back from a test that passes.
    let seconds = started.elapsed().as_secs_f32();
    io::stderr().write_all(format!("a new application was {what} in {seconds:.1} s\n").as_bytes()).unwrap();
    printed
}
