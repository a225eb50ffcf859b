//! Running an application in a test: in a container, a scope and a database of its own, so that all tests run at once.
//!
//! ```
//! use paravel::foundation::Application;
//! use paravel::http::{Json, Result, Router, endpoint};
//! use paravel::testing::TestApp;
//!
//! /// Greets the world.
//! #[endpoint]
//! async fn hello() -> Result<Json<&'static str>> {
//!     Ok(Json("hello"))
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let builder = Application::builder()
//!     .database::<paravel::database::SqliteConn>(&[])
//!     .routes(|routes| {
//!         routes.get("/", hello).name("hello");
//!     });
//! let app = TestApp::boot(builder).await?;
//! app.get("/").send().await.assert_status(200).assert_json("", "hello");
//! # Ok::<(), paravel::foundation::StartError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod app;
mod database;
mod external;
mod log;
mod request;
mod response;
mod server;

pub use app::TestApp;
pub use database::TestDatabase;
pub use external::external_server;
pub use log::{LogEntry, MemoryLog};
pub use request::TestRequest;
pub use response::TestResponse;
pub use server::TestServer;

pub use crate::{events::EventFake, mail::MailFake};
