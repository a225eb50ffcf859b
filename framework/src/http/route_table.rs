use std::fmt::Display;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::Operation;
use crate::container::ContainerError;

/// What is known of a route.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The method.
    pub method: String,
    /// The path, parameters written `{name}`.
    pub path: String,
    /// The name.
    pub name: Option<String>,
    /// What the handler takes and returns.
    #[serde(flatten)]
    pub operation: Operation,
    /// The middleware around it, outermost first; the kernel's own is around all.
    pub middleware: Vec<String>,
}

/// All routes; the `Route` facade asks it.
#[derive(Debug, Default)]
pub struct RouteTable(Vec<RouteInfo>);

/// No address could be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no application whose routes they could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// No route has this name.
    #[error("no route is called `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownRoute {
        /// The name.
        name: String,
        /// A route's name that it may have been meant for.
        nearest: Option<String>,
    },
    /// The path has a parameter that was not given.
    #[error("the route `{name}` needs the parameter `{parameter}`")]
    MissingParameter {
        /// The route.
        name: String,
        /// The parameter.
        parameter: String,
    },
}

impl RouteTable {
    pub(super) fn new(routes: Vec<RouteInfo>) -> Self {
        Self(routes)
    }

    /// All routes, in the order in which they were added.
    pub fn routes(&self) -> &[RouteInfo] {
        &self.0
    }

    /// Whether a route has this name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The route that answers this method and path. Where several match, it is the one with the most that is fixed.
    pub fn find_by_path(&self, method: &str, path: &str) -> Option<&RouteInfo> {
        // Whatever answers GET answers HEAD.
        let method = if method == "HEAD" { "GET" } else { method };
        let matching = self.0.iter().filter(|route| route.method == method && matches(&route.path, path));
        matching.min_by_key(|route| route.path.matches(['{', '*']).count())
    }

    /// The path of the route of this name, with its parameters filled in and escaped.
    ///
    /// # Errors
    /// [`UrlError`], naming what is unknown or missing.
    pub fn path(&self, name: &str, parameters: &[(&str, &dyn Display)]) -> Result<String, UrlError> {
        let Some(route) = self.find(name) else {
            let names = self.0.iter().filter_map(|route| route.name.as_deref());
            let nearest = crate::support::nearest(name, names).map(str::to_owned);
            return Err(UrlError::UnknownRoute { name: name.to_owned(), nearest });
        };
        let mut path = String::new();
        for segment in route.path.split('/').skip(1) {
            path.push('/');
            let Some(parameter) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                path.push_str(segment);
                continue;
            };
            let given = parameters.iter().find(|(known, _)| *known == parameter);
            let (_, value) = given
                .ok_or_else(|| UrlError::MissingParameter { name: name.to_owned(), parameter: parameter.to_owned() })?;
            path.extend(utf8_percent_encode(&value.to_string(), UNRESERVED));
        }
        Ok(path)
    }

    fn find(&self, name: &str) -> Option<&RouteInfo> {
        self.0.iter().find(|route| route.name.as_deref() == Some(name))
    }
}

/// Whether a route's path, with its parameters, is this one.
fn matches(route: &str, path: &str) -> bool {
    let mut found = path.split('/');
    for segment in route.split('/') {
        let Some(found) = found.next() else { return false };
        let parameter = segment.starts_with('{') && segment.ends_with('}') && !found.is_empty();
        if segment.starts_with('*') {
            return true;
        }
        if !parameter && segment != found {
            return false;
        }
    }
    found.next().is_none()
}

/// RFC 3986, 2.3: everything but letters, digits and these is escaped.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
