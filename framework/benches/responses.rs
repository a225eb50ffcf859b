//! What a cached response costs, beside the handler that makes it.
//!
//! `cargo bench -p paravel --bench responses --features testing`
//!
//! The handler makes the JSON of 100 rows that it has in memory, so what is saved where it would ask a database is more. All
//! requests run in process, through the whole kernel, and take turns within one run.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{error::Error, hint::black_box, time::Duration, time::Instant};

use paravel::{
    database::SqliteConn,
    foundation::Application,
    http::{CacheResponse, ConditionalGet, Json, Router, endpoint},
    testing::{TestApp, TestRequest},
};
use serde::Serialize;
use tokio::runtime::Builder;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Requests in a turn.
const REQUESTS: u32 = 20_000;
/// Turns of each; the best counts, which is the one least disturbed.
const TURNS: usize = 7;

#[derive(Serialize)]
struct Ship {
    id: u32,
    name: String,
    crew: u32,
    home: &'static str,
}

/// A hundred ships.
#[endpoint]
async fn ships() -> paravel::http::Result<Json<Vec<Ship>>> {
    let ship = |id| Ship { id, name: format!("ship number {id}"), crew: id * 7, home: "Narrowhaven" };
    Ok(Json((0..100).map(ship).collect()))
}

/// Next to nothing.
#[endpoint]
async fn hello() -> paravel::http::Result<Json<&'static str>> {
    Ok(Json("hello"))
}

fn routes(routes: &mut Router) {
    let kept = || CacheResponse::with_ttl(Duration::from_secs(3600)).tags(["ships"]);
    routes.get("/hello", hello);
    routes.get("/ships", ships);
    routes.get("/known", ships).middleware(ConditionalGet);
    routes.get("/kept", ships).middleware(kept());
}

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = TestApp::boot(Application::builder().database::<SqliteConn>(&[]).routes(routes)).await?;
        let tag = app.get("/kept").send().await.header("etag").to_owned();
        let bytes = app.get("/kept").send().await.text().len();
        let ways: [(&str, &dyn Fn() -> TestRequest); 5] = [
            ("a handler that does nothing", &|| app.get("/hello")),
            ("the handler", &|| app.get("/ships")),
            ("the handler, and 304", &|| app.get("/known").header("if-none-match", &tag)),
            ("a cached response", &|| app.get("/kept")),
            ("a cached response, and 304", &|| app.get("/kept").header("if-none-match", &tag)),
        ];
        let mut best = [f64::INFINITY; 5];
        for _ in 0..TURNS {
            for (best, (_, request)) in best.iter_mut().zip(&ways) {
                let started = Instant::now();
                for _ in 0..REQUESTS {
                    black_box(request().send().await);
                }
                *best = best.min(started.elapsed().as_secs_f64() * 1e6 / f64::from(REQUESTS));
            }
        }
        println!("requests in process, a body of {bytes} bytes:");
        for ((name, _), micros) in ways.iter().zip(best) {
            println!("{name}: {micros:.2} us, {:.2} us over nothing", micros - best[0]);
        }
        Ok(())
    })
}
