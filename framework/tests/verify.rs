//! `container:verify` where the graph has faults: what it says, and its exit code.

use std::{ffi::OsString, sync::Arc};

use paravel::{
    console::Exit,
    container::ContainerBuilder,
    foundation::{Application, ApplicationBuilder, run},
    http::{Authenticate, Json, Result, Router, endpoint},
    support::Env,
};

use crate::events::Journal;

#[endpoint]
async fn ships() -> Result<Json<Vec<String>>> {
    Ok(Json(Vec::new()))
}

struct Harbour;

fn bindings(app: &mut ContainerBuilder) {
    // What the listeners of other tests need, which every application of this binary has.
    app.instance(Arc::new(Journal::default()));
    app.singleton(|_: Arc<u16>| Arc::new(Harbour));
}

fn builder(routes: fn(&mut Router)) -> ApplicationBuilder {
    Application::builder().env(Env::default()).routes(routes)
}

#[tokio::test]
async fn all_faults_are_said_and_the_exit_code_is_one() {
    let faulty = || builder(|routes| _ = routes.get("/ships", ships).middleware(Authenticate)).replace(bindings);
    let said = faulty().build().err().unwrap().to_string();
    let expected = "the container has 2 fault(s):
  - missing: nothing is bound to `dyn TokenGuard`, needed by route GET /ships
  - missing: nothing is bound to `u16`, needed by Harbour";
    assert_eq!(said, expected);
    let line = ["artisan", "container:verify"].map(OsString::from);
    assert_eq!(run(faulty(), line).await, Exit::Failed);
    // A command that starts nothing works all the same.
    assert_eq!(run(faulty(), ["artisan", "list"].map(OsString::from)).await, Exit::Done);
}
