use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{
        HeaderValue,
        header::{CONTENT_SECURITY_POLICY, Entry, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
    },
};

/// Sets the headers that keep a browser from doing more with a response than was meant. One that a handler has set
/// is left as it is.
#[derive(Debug, Clone, Copy)]
pub struct SecureHeaders;

/// [`SecureHeaders`] around an endpoint.
pub struct SecureHeadersEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for SecureHeaders {
    type Output = SecureHeadersEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SecureHeadersEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for SecureHeadersEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = self.0.call(request).await?.into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ] {
            if let Entry::Vacant(entry) = headers.entry(name) {
                entry.insert(HeaderValue::from_static(value));
            }
        }
        Ok(response)
    }
}
