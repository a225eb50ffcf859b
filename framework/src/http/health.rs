use std::sync::Arc;

use poem::{Endpoint, Request, Response};
use serde::Serialize;

use super::{Handler, Json, Operation, Problem};
#[cfg(feature = "redis")]
use crate::redis::Redis;
use crate::{
    container::{self, Container, ContainerError},
    database::{DatabaseAdmin, Statement},
};

/// `GET /up`: 200 while the application and its database work, else 503. Whether Redis works is told where the application
/// uses it, and decides nothing: a server that does without it for a while is not to be taken out of service.
#[expect(non_camel_case_types, reason = "named as the handlers that the attribute makes")]
#[derive(Debug, Clone, Copy)]
pub struct up;

#[derive(Serialize)]
struct Up {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
}

impl Endpoint for up {
    type Output = Response;

    async fn call(&self, _request: Request) -> poem::Result<Response> {
        let app = container::current().map_err(|error| Problem::from(ContainerError::from(error)))?;
        let body = Up { status: "up", database: database(&app).await?, redis: redis(&app).await };
        Ok(poem::IntoResponse::into_response(Json(body)))
    }
}

/// How the database is, where there is one.
async fn database(app: &Container) -> Result<Option<&'static str>, Problem> {
    if !app.bound::<dyn DatabaseAdmin>() {
        return Ok(None);
    }
    let database: Arc<dyn DatabaseAdmin> = app.make()?;
    database.fetch(Statement::new("select 1 as up")).await.map_err(Problem::overloaded)?;
    Ok(Some("up"))
}

/// How Redis is, where it is used.
#[cfg(feature = "redis")]
async fn redis(app: &Container) -> Option<&'static str> {
    let redis = app.bound::<Redis>().then(|| app.make::<Redis>().ok()).flatten().filter(|redis| redis.in_use())?;
    Some(if redis.ping().await.is_ok() { "up" } else { "down" })
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &Container) -> Option<&'static str> {
    None
}

impl Handler for up {
    fn operation(&self) -> Operation {
        let summary = "Says whether the application works.";
        let mut operation = Operation::new(concat!(module_path!(), "::up"), summary, "Json<Up>");
        operation.needs::<Option<Arc<dyn DatabaseAdmin>>>();
        #[cfg(feature = "redis")]
        operation.needs::<Option<Arc<Redis>>>();
        operation
    }
}
