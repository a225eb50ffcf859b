use std::sync::Arc;

/// What belongs together, under one name: a request, and the jobs that it dispatches. In the scope of each of them.
///
/// ```
/// use paravel::support::TraceId;
///
/// assert_eq!(TraceId::new("0190-abc").as_str(), "0190-abc");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceId(Arc<str>);

impl TraceId {
    /// With this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
