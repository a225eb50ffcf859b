use poem::{
    Endpoint, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderValue, Method, StatusCode, header},
};

use super::Problem;

/// The endpoints of one path by method. `HEAD` falls back to `GET`; another method is answered 405 with `Allow`,
/// and `OPTIONS` 204 with it.
#[derive(Default)]
pub(super) struct Methods(Vec<(Method, BoxEndpoint<'static, Response>)>);

impl Methods {
    /// Adds an endpoint; says whether its method was free.
    pub(super) fn add(&mut self, method: Method, endpoint: BoxEndpoint<'static, Response>) -> bool {
        let free = self.find(&method).is_none();
        self.0.push((method, endpoint));
        free
    }

    fn find(&self, method: &Method) -> Option<&BoxEndpoint<'static, Response>> {
        self.0.iter().find(|(known, _)| known == method).map(|(_, endpoint)| endpoint)
    }

    fn allow(&self) -> HeaderValue {
        let mut allowed: Vec<_> = self.0.iter().map(|(method, _)| method.as_str()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.push("OPTIONS");
        HeaderValue::from_str(&allowed.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
    }
}

impl Endpoint for Methods {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(endpoint) = self.find(request.method()) {
            return endpoint.call(request).await;
        }
        if request.method() == Method::HEAD
            && let Some(endpoint) = self.find(&Method::GET)
        {
            let mut response = endpoint.call(request).await?;
            response.take_body();
            return Ok(response);
        }
        if request.method() == Method::OPTIONS {
            return Ok(Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, self.allow()).finish());
        }
        let detail = format!("{} is not a method of this address", request.method());
        Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with_header(header::ALLOW, self.allow()).into())
    }
}
