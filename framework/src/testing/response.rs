use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use poem::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::database::QueryWatch;

/// A response that a test looks at. Its assertions panic with the request and the whole body.
#[derive(Debug)]
pub struct TestResponse {
    label: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    queries: Option<Arc<QueryWatch>>,
}

impl TestResponse {
    pub(super) fn new(
        label: String,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        queries: Option<Arc<QueryWatch>>,
    ) -> Self {
        Self { label, status, headers, body, queries }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none of that type.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error} in {}", self.label, self.text()),
        }
    }

    /// The value at a JSON pointer, such as `/data/0/name`; null where there is none.
    ///
    /// # Panics
    /// Where the body is not JSON.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> Value {
        self.json::<Value>().pointer(pointer).cloned().unwrap_or_default()
    }

    /// How many database queries the request ran; known of requests in process.
    ///
    /// # Panics
    /// Of a request over a socket.
    #[track_caller]
    pub fn queries(&self) -> usize {
        self.query_watch().count()
    }

    /// The database queries that the request ran, with how often and how long each; known of requests in process.
    ///
    /// # Panics
    /// Of a request over a socket.
    #[track_caller]
    pub fn query_watch(&self) -> &QueryWatch {
        let watch = self.queries.as_deref();
        watch.unwrap_or_else(|| panic!("{}: only a request in process knows its queries", self.label))
    }

    /// Asserts that the request ran no query as often as `DB_N_PLUS_ONE` says (10 by default): what it did for each row
    /// of a list should be done once for all.
    ///
    /// # Panics
    /// Where it did, with each such query; and of a request over a socket.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end with an assertion")]
    pub fn assert_no_n_plus_one(self) -> Self {
        let watch = self.query_watch();
        assert!(watch.count() == 0 || watch.policy().watching, "{}: DB_WATCH is off", self.label);
        let mut report = String::new();
        for query in watch.repeated() {
            let source = query.source.map(|source| format!(" in {source}")).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(report, "\n  {} times{source}: {}", query.count, query.sql);
        }
        assert!(report.is_empty(), "{}: the same query ran again and again (N+1){report}", self.label);
        self
    }

    /// Asserts the status code.
    ///
    /// # Panics
    /// Where it is another.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end with an assertion")]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}: {}", self.label, self.text());
        self
    }

    /// Asserts the value at a JSON pointer.
    ///
    /// # Panics
    /// Where it is another.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end with an assertion")]
    pub fn assert_json(self, pointer: &str, expected: impl Into<Value>) -> Self {
        assert_eq!(self.at(pointer), expected.into(), "{} at {pointer}: {}", self.label, self.text());
        self
    }

    /// Asserts that it is a `problem+json` of this status, which names this field where one is given.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end with an assertion")]
    pub fn assert_problem(self, status: u16, field: Option<&str>) -> Self {
        let response = self.assert_status(status).assert_json("/status", status);
        assert_eq!(response.header("content-type"), "application/problem+json", "{}", response.label);
        if let Some(field) = field {
            let errors = response.at("/errors");
            let named = errors.as_array().is_some_and(|errors| errors.iter().any(|error| error["field"] == field));
            assert!(named, "{}: no field `{field}` in {}", response.label, response.text());
        }
        response
    }
}
