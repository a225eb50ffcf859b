use std::fmt::Display;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{
    Operation,
    pattern::{Pattern, Segment},
};
use crate::{
    container::ContainerError,
    support::{did_you_mean, nearest},
};

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
    #[serde(skip)]
    pub(super) pattern: Pattern,
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
    #[error("no route is called `{name}`{}", did_you_mean(nearest.as_deref()))]
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
    /// A parameter's value that would make the address another one.
    #[error("the route `{name}` cannot have {value:?} as its parameter `{parameter}`: it would be another address")]
    UnusableParameter {
        /// The route.
        name: String,
        /// The parameter.
        parameter: String,
        /// The value: empty, or dots that mean another folder.
        value: String,
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

    /// The route that answers this method and path. Where several match, it is the one that poem tries first: part by part, text
    /// comes before a parameter, and that before all that is left.
    pub fn find_by_path(&self, method: &str, path: &str) -> Option<&RouteInfo> {
        // Whatever answers GET answers HEAD.
        let method = if method == "HEAD" { "GET" } else { method };
        let matching = self.0.iter().filter(|route| route.method == method && route.pattern.matches(path));
        matching.min_by(|one, other| one.pattern.order(&other.pattern))
    }

    /// The path of the route of this name, with its parameters filled in and escaped. What is given and no parameter of
    /// the path becomes its query, in the order given.
    ///
    /// # Errors
    /// [`UrlError`], naming what is unknown, missing or unusable.
    pub fn path(&self, name: &str, parameters: &[(&str, &dyn Display)]) -> Result<String, UrlError> {
        let Some(route) = self.find(name) else {
            let names = self.0.iter().filter_map(|route| route.name.as_deref());
            let nearest = nearest(name, names).map(str::to_owned);
            return Err(UrlError::UnknownRoute { name: name.to_owned(), nearest });
        };
        let mut left = parameters.to_vec();
        let mut take = |parameter: &str| {
            let given = left.iter().position(|(known, _)| *known == parameter).map(|index| left.remove(index).1);
            let missing = || UrlError::MissingParameter { name: name.to_owned(), parameter: parameter.to_owned() };
            given.map(ToString::to_string).ok_or_else(missing)
        };
        let unusable = |parameter: &str, value: &str| UrlError::UnusableParameter {
            name: name.to_owned(),
            parameter: parameter.to_owned(),
            value: value.to_owned(),
        };
        let mut path = String::new();
        for segment in route.pattern.segments() {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Parameter(parameter) => {
                    let value = take(parameter)?;
                    if matches!(&*value, "" | "." | "..") {
                        return Err(unusable(parameter, &value));
                    }
                    path.extend(utf8_percent_encode(&value, UNRESERVED));
                }
                Segment::Rest(parameter) => {
                    let value = take(parameter)?;
                    if value.split('/').any(|part| matches!(part, "." | "..")) {
                        return Err(unusable(parameter, &value));
                    }
                    let parts = value.split('/').map(|part| utf8_percent_encode(part, UNRESERVED).to_string());
                    path.push_str(&parts.collect::<Vec<_>>().join("/"));
                }
            }
        }
        if !left.is_empty() {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(left.iter().map(|(name, value)| (name, value.to_string())));
            path = format!("{path}?{}", query.finish());
        }
        Ok(path)
    }

    fn find(&self, name: &str) -> Option<&RouteInfo> {
        self.0.iter().find(|route| route.name.as_deref() == Some(name))
    }
}

/// RFC 3986, 2.3: everything but letters, digits and these is escaped.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
