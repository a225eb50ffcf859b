//! Cached responses: what is kept and for whom, what is sent of it, and what is never kept.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{future::join_all, stream};
use paravel::{
    async_trait,
    auth::{Actor, TokenGuard, TokenHash},
    cache::Cache,
    container::{self, Inject},
    database::{SqliteConn, StickyReads},
    foundation::{Application, ApplicationBuilder},
    http::{Authenticate, CacheResponse, ConditionalGet, Json, Path, Problem, Result, Router, StatusCode, endpoint},
    poem::{
        Body, Endpoint, Middleware, Request, Response,
        http::{Method, Uri, header},
    },
    support::{BoxError, Clock, Env, FakeClock, Timestamp},
    testing::TestApp,
};
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::events::Journal;

const HOUR: Duration = Duration::from_secs(3600);

/// How often handlers ran, and what the slow one waits for.
struct Runs {
    count: AtomicUsize,
    gate: Semaphore,
}

impl Runs {
    fn next(&self) -> usize {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// Who has a token of this text.
struct Sailors;

#[async_trait]
impl TokenGuard for Sailors {
    async fn actor(&self, token: &TokenHash) -> std::result::Result<Option<Actor>, BoxError> {
        let known = ["caspian", "drinian"].into_iter().zip(1..);
        let found = known.into_iter().find(|(name, _)| TokenHash::of(name) == *token);
        Ok(found.map(|(_, number)| sailor(number, &[])))
    }
}

fn sailor(number: u128, permissions: &[&str]) -> Actor {
    let permissions = permissions.iter().map(|&name| name.to_owned()).collect();
    Actor { id: Uuid::from_u128(number), permissions, token: None }
}

#[endpoint]
async fn ships(runs: Inject<Runs>, uri: &Uri) -> Result<Json<serde_json::Value>> {
    Ok(Json(json!({"run": runs.next(), "query": uri.query(), "sticky": StickyReads::in_force()})))
}

#[endpoint]
async fn slow(runs: Inject<Runs>) -> Result<Json<usize>> {
    let run = runs.next();
    runs.gate.acquire().await.map_err(Problem::internal)?.forget();
    Ok(Json(run))
}

/// Fails as often as it has to, slowly.
#[endpoint]
async fn failing(runs: Inject<Runs>) -> Result<Json<usize>> {
    let run = runs.next();
    tokio::task::yield_now().await;
    Err(Problem::not_found(format!("run {run}")))
}

/// A response of each kind, with the number of the run as its body.
#[endpoint]
async fn kinds(Path(kind): Path<String>, runs: Inject<Runs>) -> Result<Response> {
    let run = runs.next().to_string();
    let with = |name: &str, value: &str| Response::builder().header(name, value).body(run.clone());
    Ok(match &*kind {
        "plain" => with("x-ships", "7"),
        "own-etag" => with("etag", "W/\"own\""),
        "long" => with("cache-control", "public, max-age=7200"),
        "by-encoding" => with("vary", "Accept-Encoding"),
        "cookie" => with("set-cookie", "a=b"),
        "no-store" => with("cache-control", "no-store"),
        "no-cache" => with("cache-control", "max-age=7200, No-Cache=\"x-ships\""),
        "private" => with("cache-control", "private"),
        "short" => with("cache-control", "max-age=3599"),
        "short-shared" => with("cache-control", "max-age=7200, s-maxage=60"),
        "expires" => with("expires", "0"),
        "encoded" => with("content-encoding", "gzip"),
        "by-language" => with("vary", "Accept-Encoding, Accept-Language"),
        "by-all" => with("vary", "*"),
        "created" => Response::builder().status(StatusCode::CREATED).body(run),
        "not-found" => return Err(Problem::not_found("no such ship")),
        "error" => return Err(Problem::internal("the mast broke")),
        "stream" => Response::from(Body::from_bytes_stream(stream::iter([Ok::<_, io::Error>(run)]))),
        "large" => Response::from("x".repeat((1 << 20) + 1)),
        "full" => Response::from("x".repeat(1 << 20)),
        // No text, and long enough to be compressed.
        "bytes" => Response::from((0..=255).cycle().take(4096).collect::<Vec<u8>>()),
        other => panic!("{other}"),
    })
}

/// Says who asks by a key, of which no cache knows.
struct ByKey;

struct ByKeyEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for ByKey {
    type Output = ByKeyEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ByKeyEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for ByKeyEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> paravel::poem::Result<Self::Output> {
        if request.headers().contains_key("x-key") {
            container::current().unwrap().current_scope().unwrap().set(sailor(3, &[]));
        }
        self.0.call(request).await
    }
}

fn routes(routes: &mut Router) {
    let kept = || CacheResponse::with_ttl(HOUR);
    routes.middleware(kept().tags(["ships"])).group(|routes| {
        routes.get("/ships", ships);
        routes.post("/ships", ships);
        routes.get("/slow", slow);
        routes.get("/failing", failing);
    });
    routes.get("/kinds/{kind}", kinds).middleware(kept());
    routes.get("/by-language/{kind}", kinds).middleware(kept().varying_by([header::ACCEPT_LANGUAGE]));
    routes.get("/minute", ships).middleware(kept().max_age(Duration::from_secs(60)));
    routes.get("/reloadable", ships).middleware(kept().reloadable());
    routes.get("/known/{kind}", kinds).middleware(ConditionalGet);
    routes.middleware(Authenticate).group(|routes| {
        routes.get("/mine", ships).middleware(kept().per_actor().max_age(2 * HOUR));
        routes.get("/ours", ships).middleware(kept());
    });
    routes.get("/by-key", ships).middleware(kept()).middleware(ByKey);
    // Asks too late who it is.
    routes.get("/too-late", ships).middleware(kept().per_actor()).middleware(Authenticate);
}

fn builder(variables: &[(&str, &str)], clock: &Arc<FakeClock>) -> ApplicationBuilder {
    let (env, clock) = (Env::from_pairs(variables.iter().copied()), Arc::clone(clock));
    Application::builder().env(env).database::<SqliteConn>(&[]).routes(routes).replace(move |app| {
        // What the listeners of other tests need, which every application of this binary has.
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(Runs { count: AtomicUsize::new(0), gate: Semaphore::new(0) }));
        app.instance::<dyn TokenGuard>(Arc::new(Sailors));
        app.instance::<dyn Clock>(clock);
    })
}

async fn app(variables: &[(&str, &str)]) -> (TestApp, Arc<Runs>, Arc<FakeClock>) {
    let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_800_000_000)));
    let app = TestApp::boot(builder(variables, &clock)).await.unwrap();
    let runs = app.make().unwrap();
    (app, runs, clock)
}

#[tokio::test]
async fn a_hit_sends_the_same_bytes_without_running_the_handler_and_headers_of_its_own_request() {
    let (app, runs, clock) = app(&[]).await;
    let server = app.serve().await.unwrap();
    let made = server.get("/ships").header("x-request-id", "first").send().await.assert_status(200);
    clock.advance(Duration::from_millis(41_900));
    let hit = server.get("/ships").header("x-request-id", "second").send().await.assert_status(200);
    assert_eq!((hit.text(), runs.count()), (made.text(), 1));
    for name in ["content-type", "content-length", "etag", "cache-control", "vary", "x-frame-options"] {
        assert!(!hit.header(name).is_empty(), "{name}");
        assert_eq!(hit.header(name), made.header(name), "{name}");
    }
    assert_eq!(hit.header("content-type"), "application/json");
    assert_eq!((made.header("x-request-id"), hit.header("x-request-id")), ("first", "second"));
    assert_eq!((made.header("age"), hit.header("age")), ("", "41"));
    assert_eq!((hit.header("cache-control"), hit.header("vary")), ("no-cache", "authorization, cookie"));
    clock.set(Timestamp::from_unix(0));
    assert_eq!(server.get("/ships").send().await.header("age"), "0");
}

#[tokio::test]
async fn who_has_it_already_is_told_so_without_a_body() {
    let (app, runs, _) = app(&[]).await;
    let server = app.serve().await.unwrap();
    let tag = server.get("/ships").send().await.header("etag").to_owned();
    assert!(tag.len() == 24 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        for method in [Method::GET, Method::HEAD] {
            let request = server.request(method, "/ships").header("if-none-match", &known);
            let unchanged = request.send().await.assert_status(304);
            assert_eq!((unchanged.text().as_str(), unchanged.header("etag")), ("", tag.as_str()));
            assert_eq!((unchanged.header("content-type"), unchanged.header("age")), ("", "0"));
            assert_eq!(unchanged.header("cache-control"), "no-cache");
            assert!(!unchanged.header("x-request-id").is_empty());
        }
    }
    for other in ["\"other\"", "nonsense", &tag[1..23]] {
        let all = server.get("/ships").header("if-none-match", other).send().await.assert_status(200);
        assert_eq!(all.at("/run"), 1, "{other}");
    }
    assert_eq!(runs.count(), 1);
    // The first request, too, and what is kept of it is the whole.
    let first = server.get("/ships?page=2").header("if-none-match", "*").header("range", "bytes=0-1").send().await;
    let whole = first.assert_status(304).header("etag").to_owned();
    assert_eq!(server.get("/ships?page=2").send().await.assert_status(200).header("etag"), whole);
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn an_answer_is_kept_by_host_path_and_query_whatever_the_querys_order() {
    let (app, _, _) = app(&[]).await;
    let run = async |path: &str, host: &str| app.get(path).header("host", host).send().await.at("/run");
    assert_eq!(run("/ships?a=1&b=2&b=1", "harbour.example").await, 1);
    assert_eq!(run("/ships?b=2&a=1&b=1", "harbour.example").await, 1);
    assert_eq!(run("/ships?b=1&b=2&a=1", "harbour.example").await, 2, "an order that may mean something");
    assert_eq!(run("/ships?a=1&b=2&b=1", "evil.example").await, 3);
    assert_eq!(run("/ships?", "harbour.example").await, 4);
    assert_eq!(run("/ships", "harbour.example").await, 4);
    let long = format!("/ships?q={}", "x".repeat(2048));
    assert_eq!((run(&long, "harbour.example").await, run(&long, "harbour.example").await), (5.into(), 6.into()));
}

#[tokio::test]
async fn only_reads_are_kept_and_head_shares_what_get_has() {
    let (app, runs, _) = app(&[]).await;
    let server = app.serve().await.unwrap();
    let head = server.request(Method::HEAD, "/ships").send().await.assert_status(200);
    assert_eq!((head.text().as_str(), head.header("etag").len()), ("", 24));
    assert_eq!(server.get("/ships").send().await.header("etag"), head.header("etag"));
    assert_eq!(runs.count(), 1);
    for expected in [2, 3] {
        let posted = server.post("/ships").send().await.assert_json("/run", expected);
        assert_eq!((posted.header("etag"), posted.header("vary")), ("", ""));
    }
    server.get("/ships").send().await.assert_json("/run", 1);
}

#[tokio::test]
async fn what_the_handler_forbids_or_cannot_be_for_others_is_not_kept() {
    let (app, runs, _) = app(&[]).await;
    let mut expected = 0;
    for (kind, status) in [
        ("cookie", 200),
        ("no-store", 200),
        ("no-cache", 200),
        ("private", 200),
        ("short", 200),
        ("short-shared", 200),
        ("expires", 200),
        ("encoded", 200),
        ("by-language", 200),
        ("by-all", 200),
        ("created", 201),
        ("not-found", 404),
        ("error", 500),
        ("stream", 200),
        ("large", 200),
    ] {
        for _ in 0..2 {
            let response = app.get(&format!("/kinds/{kind}")).send().await.assert_status(status);
            expected += 1;
            assert_eq!(runs.count(), expected, "{kind}");
            assert_eq!(response.header("age"), "", "{kind}");
            if !["not-found", "error", "large"].contains(&kind) {
                assert_eq!(response.text(), expected.to_string(), "{kind}");
            }
        }
    }
    for kind in ["plain", "own-etag", "long", "by-encoding", "full"] {
        expected += 1;
        for age in ["", "0"] {
            let response = app.get(&format!("/kinds/{kind}")).send().await.assert_status(200);
            assert_eq!((runs.count(), response.header("age")), (expected, age), "{kind}");
            match kind {
                "plain" => assert_eq!(response.header("x-ships"), "7"),
                "own-etag" => assert_eq!(response.header("etag"), "W/\"own\""),
                "long" => assert_eq!(response.header("cache-control"), "public, max-age=7200"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn who_has_credentials_is_answered_by_the_handler_and_their_answer_is_nobody_elses() {
    let (app, _, _) = app(&[]).await;
    let run = async |name: &str, value: &str| {
        let response = app.get("/ships").header(name, value).send().await;
        assert_eq!(response.header("vary"), "authorization, cookie");
        response.at("/run")
    };
    assert_eq!(run("authorization", "Bearer caspian").await, 1);
    assert_eq!(run("cookie", "a=b").await, 2);
    assert_eq!(run("accept", "*/*").await, 3);
    assert_eq!(run("cookie", "a=b").await, 4);
    assert_eq!(run("accept", "*/*").await, 3);
    // A test has said who acts, as another way to log in would.
    assert_eq!(app.get("/ships").acting_as(sailor(1, &[])).send().await.at("/run"), 5);
    for expected in [6, 8] {
        assert_eq!(app.get("/ours").acting_as(sailor(1, &[])).send().await.at("/run"), expected);
        assert_eq!(app.get("/too-late").bearer("caspian").send().await.at("/run"), expected + 1);
    }
    app.get("/ours").send().await.assert_problem(401, None);
    for (header, run) in [("x-key", 10), ("x-other", 11), ("x-other", 11), ("x-key", 11)] {
        assert_eq!(app.get("/by-key").header(header, "secret").send().await.at("/run"), run);
    }
}

#[tokio::test]
async fn each_actor_has_answers_of_their_own_where_that_is_asked_for() {
    let (app, _, _) = app(&[]).await;
    let server = app.serve().await.unwrap();
    let run = async |token: &str| {
        let response = server.get("/mine").bearer(token).header("cookie", "theme=dark").send().await;
        // Longer than it is kept would be longer than asked for.
        assert_eq!(response.header("cache-control"), "private, max-age=3600");
        response.at("/run")
    };
    assert_eq!((run("caspian").await, run("drinian").await), (1.into(), 2.into()));
    assert_eq!((run("caspian").await, run("drinian").await), (1.into(), 2.into()));
    server.get("/mine").bearer("nobody").send().await.assert_problem(401, None);
    server.get("/mine").send().await.assert_problem(401, None);
    let may = async |permissions: &[&str]| app.get("/mine").acting_as(sailor(9, permissions)).send().await.at("/run");
    assert_eq!((may(&["look", "sail"]).await, may(&["look"]).await), (3.into(), 4.into()), "a right was taken away");
    assert_eq!((may(&["look", "sail"]).await, may(&["look"]).await), (3.into(), 4.into()));
}

#[tokio::test]
async fn a_thousand_that_miss_at_once_run_the_handler_once() {
    for (store, later) in [("memory", 1), ("null", 2)] {
        let (app, runs, _) = app(&[("CACHE_STORE", store)]).await;
        let requests = join_all((0..1000).map(|_| app.get("/slow").send()));
        // All wait by then: each has been polled before the gate is opened.
        let open = async {
            tokio::task::yield_now().await;
            assert_eq!((runs.count(), app.make::<Cache>().unwrap().stats().loading), (1, 1));
            runs.gate.add_permits(2);
        };
        let (responses, ()) = tokio::join!(requests, open);
        assert!(responses.iter().all(|response| response.text() == "1" && response.status() == 200), "{store}");
        assert_eq!(responses.iter().filter(|response| response.header("age").is_empty()).count(), 1);
        assert_eq!(runs.count(), 1);
        app.get("/slow").send().await.assert_json("", later);
    }
}

#[tokio::test]
async fn each_of_those_that_waited_for_what_is_not_kept_runs_the_handler() {
    let (app, runs, _) = app(&[]).await;
    let responses = join_all((0..10).map(|_| app.get("/failing").send())).await;
    let mut details: Vec<_> = responses.into_iter().map(|one| one.assert_problem(404, None).at("/detail")).collect();
    details.sort_by_key(ToString::to_string);
    details.dedup();
    assert_eq!((details.len(), runs.count()), (10, 10));
}

#[tokio::test]
async fn tags_and_time_end_what_is_kept() {
    let (app, _, _) = app(&[]).await;
    let cache = app.make::<Cache>().unwrap();
    app.get("/ships").send().await.assert_json("/run", 1).assert_json("/sticky", true);
    app.get("/minute").send().await.assert_json("/run", 2).assert_json("/sticky", false);
    cache.invalidate(["ships"]).await.unwrap();
    app.get("/ships").send().await.assert_json("/run", 3);
    app.get("/minute").send().await.assert_json("/run", 2);
    tokio::time::pause();
    tokio::time::advance(HOUR - Duration::from_secs(1)).await;
    app.get("/ships").send().await.assert_json("/run", 3);
    tokio::time::advance(Duration::from_secs(1)).await;
    app.get("/ships").send().await.assert_json("/run", 4);
}

#[tokio::test]
async fn clients_are_told_how_long_and_make_it_anew_only_where_they_may() {
    let (app, _, _) = app(&[]).await;
    let minute = app.get("/minute").send().await.assert_json("/run", 1);
    assert_eq!(minute.header("cache-control"), "public, max-age=60");
    let reload = async |path: &str| app.get(path).header("cache-control", "max-age=0, No-Cache").send().await;
    reload("/minute").await.assert_json("/run", 1);
    app.get("/reloadable").send().await.assert_json("/run", 2);
    reload("/reloadable").await.assert_json("/run", 3);
    app.get("/reloadable").send().await.assert_json("/run", 3);
    for (language, run) in [("cy", "4"), ("en", "5"), ("cy", "4"), ("en", "5")] {
        let response = app.get("/by-language/by-language").header("accept-language", language).send().await;
        assert_eq!(response.text(), run);
    }
    let plain = app.get("/by-language/plain").send().await;
    assert_eq!(plain.header("vary"), "authorization, cookie, accept-language");
}

#[tokio::test]
async fn without_a_cache_each_request_runs_the_handler_and_a_known_body_is_not_sent() {
    let (app, runs, _) = app(&[("CACHE_STORE", "null")]).await;
    for expected in 1..=3 {
        app.get("/ships").send().await.assert_json("/run", expected);
    }
    app.get("/kinds/full").send().await.assert_status(200);
    let tag = app.get("/kinds/full").send().await.header("etag").to_owned();
    app.get("/kinds/full").header("if-none-match", &tag).send().await.assert_status(304);
    assert_eq!(runs.count(), 6);
}

#[tokio::test]
async fn a_store_outside_the_process_gives_back_the_same_response() {
    for format in ["msgpack", "json"] {
        let (app, runs, _) = app(&[("CACHE_STORE", "database"), ("CACHE_FORMAT", format)]).await;
        for kind in ["plain", "own-etag", "bytes"] {
            let path = format!("/kinds/{kind}");
            let made = app.get(&path).send().await.assert_status(200);
            let hit = app.get(&path).send().await.assert_status(200);
            assert_eq!((made.header("age"), hit.header("age")), ("", "0"), "{format} {kind}");
            assert_eq!(hit.text(), made.text(), "{format} {kind}");
            for name in ["etag", "x-ships", "content-type", "vary"] {
                assert_eq!(hit.header(name), made.header(name), "{format} {kind}");
            }
        }
        assert_eq!(runs.count(), 3, "{format}");
        app.get("/ships").send().await.assert_json("/run", 4);
        app.get("/ships").send().await.assert_json("/run", 4);
        app.make::<Cache>().unwrap().invalidate(["ships"]).await.unwrap();
        app.get("/ships").send().await.assert_json("/run", 5);
    }
}

#[tokio::test]
async fn a_conditional_get_runs_the_handler_and_spares_the_body() {
    let (app, runs, _) = app(&[]).await;
    let server = app.serve().await.unwrap();
    let get = async |kind: &str, known: &str| {
        server.get(&format!("/known/{kind}")).header("if-none-match", known).bearer("anybody").send().await
    };
    let tag = get("full", "\"other\"").await.assert_status(200).header("etag").to_owned();
    let unchanged = get("full", &tag).await.assert_status(304);
    assert_eq!((unchanged.text().as_str(), unchanged.header("etag"), runs.count()), ("", tag.as_str(), 2));
    get("own-etag", "\"own\"").await.assert_status(304);
    for (kind, status) in [("created", 201), ("stream", 200), ("large", 200), ("not-found", 404)] {
        assert_eq!(get(kind, "*").await.assert_status(status).header("etag"), "", "{kind}");
    }
    let head = server.request(Method::HEAD, "/known/full").send().await.assert_status(200);
    assert_eq!(head.header("etag"), tag);
}
