use std::sync::Arc;

use poem::{Endpoint, Request, Response};
use serde::Serialize;

use super::{Handler, Json, Operation, Problem};
use crate::{
    container::{self, ContainerError},
    database::{DatabaseAdmin, Statement},
};

/// `GET /up`: 200 while the application and its database work, else 503.
#[expect(non_camel_case_types, reason = "named as the handlers that the attribute makes")]
#[derive(Debug, Clone, Copy)]
pub struct up;

#[derive(Serialize)]
struct Up {
    status: &'static str,
}

impl Endpoint for up {
    type Output = Response;

    async fn call(&self, _request: Request) -> poem::Result<Response> {
        let app = container::current().map_err(|error| Problem::from(ContainerError::from(error)))?;
        if app.bound::<dyn DatabaseAdmin>() {
            let database: Arc<dyn DatabaseAdmin> = app.make().map_err(Problem::from)?;
            database.fetch(Statement::new("select 1 as up")).await.map_err(Problem::overloaded)?;
        }
        Ok(poem::IntoResponse::into_response(Json(Up { status: "up" })))
    }
}

impl Handler for up {
    fn operation(&self) -> Operation {
        Operation::new(concat!(module_path!(), "::up"), "Says whether the application works.", "Json<Up>")
    }
}
