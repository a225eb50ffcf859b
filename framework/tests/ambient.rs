//! The ambient container: who sees it, and what carries it along.

use std::sync::Arc;

use paravel::container::{self, Ambient, Container, ContainerBuilder, NoApplication, Scope, enter, enter_sync};

fn app(name: &'static str) -> Container {
    let mut app = ContainerBuilder::new();
    app.instance::<str>(Arc::from(name));
    app.freeze().unwrap()
}

fn here() -> Result<String, NoApplication> {
    container::with_current(|app| app.make::<str>().unwrap().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applications_that_run_at_once_see_only_themselves() {
    let names = ["one", "two", "three", "four"];
    let tasks = names.map(|name| {
        app(name).run(async move {
            for _ in 0..100 {
                assert_eq!(here().unwrap(), name);
                tokio::task::yield_now().await;
            }
        })
    });
    let tasks: Vec<_> = tasks.into_iter().map(paravel::spawn).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(here(), Err(NoApplication), "what runs beside them has none");
}

#[tokio::test]
async fn an_inner_application_ends_where_it_began() {
    app("outer")
        .run(async {
            app("inner").run(async { assert_eq!(here().unwrap(), "inner") }).await;
            enter_sync(Ambient::new(app("inner")), || assert_eq!(here().unwrap(), "inner"));
            assert_eq!(here().unwrap(), "outer");
        })
        .await;
}

#[test]
fn where_there_is_no_application_the_error_says_what_to_do() {
    let error = container::current().err().unwrap();
    assert_eq!(
        error.to_string(),
        "no application is running here: call this inside a request, a command, a listener or `TestApp::run`, and \
         start tasks with `paravel::spawn` or `paravel::spawn_blocking`, which carry the application along"
    );
    assert!(Ambient::capture().is_none());
}

#[tokio::test]
async fn spawn_and_spawn_blocking_carry_the_application_along() {
    app("carried")
        .run(async {
            assert_eq!(paravel::spawn(async { here() }).await.unwrap().unwrap(), "carried");
            assert_eq!(paravel::spawn_blocking(here).await.unwrap().unwrap(), "carried");
            let nested = paravel::spawn(async { paravel::spawn(async { here() }).await.unwrap() });
            assert_eq!(nested.await.unwrap().unwrap(), "carried");
        })
        .await;
}

#[tokio::test]
async fn a_bare_thread_or_task_has_no_application() {
    app("not carried")
        .run(async {
            assert_eq!(std::thread::spawn(here).join().unwrap(), Err(NoApplication));
            #[expect(clippy::disallowed_methods, reason = "what it loses is the point")]
            let bare = tokio::spawn(async { here() });
            assert_eq!(bare.await.unwrap(), Err(NoApplication));
        })
        .await;
}

#[tokio::test]
async fn spawning_outside_any_application_is_allowed() {
    assert_eq!(paravel::spawn(async { here() }).await.unwrap(), Err(NoApplication));
    assert_eq!(paravel::spawn_blocking(here).await.unwrap(), Err(NoApplication));
}

#[tokio::test]
async fn the_scope_goes_with_the_application() {
    let scope = Arc::new(Scope::new());
    scope.set("of this request");
    let scoped = app("scoped").with_scope(scope);
    let value = || container::with_current(|app| *app.current_scope().unwrap().get::<&str>().unwrap()).unwrap();
    let there = enter(Ambient::new(scoped), async move { paravel::spawn(async move { value() }).await.unwrap() });
    assert_eq!(there.await, "of this request");
}
