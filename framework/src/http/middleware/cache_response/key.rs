use poem::{
    Request,
    http::{
        HeaderMap,
        header::{AUTHORIZATION, COOKIE, HOST},
    },
};

use super::CacheResponse;
use crate::{auth::Actor, http::middleware::etag};

/// Bytes of the longest key. Longer addresses are nobody's, and would fill the cache.
const LONGEST: usize = 2048;

/// Under which key the answer to this request is kept; `None` where it is not for others.
///
/// The host belongs to it, because a handler may put it into links, and whoever could choose it for others would have them
/// follow theirs. `HEAD` shares what is kept for `GET`. The parts stand on lines of their own, which none of them contains.
pub(super) fn key(policy: &CacheResponse, request: &Request, actor: Option<&Actor>) -> Option<String> {
    let (uri, headers) = (request.uri(), request.headers());
    let who = who(policy, headers, actor)?;
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(HOST).map_or(Ok(""), |host| host.to_str()).ok()?,
    };
    let mut key = format!("response:{host}{}", uri.path());
    let mut separator = '?';
    for parameter in sorted(uri.query().unwrap_or_default()) {
        key.push(separator);
        key.push_str(parameter);
        separator = '&';
    }
    for name in &policy.varying {
        key.push('\n');
        for value in headers.get_all(name) {
            key.push_str(value.to_str().ok()?);
            key.push(',');
        }
    }
    key.push('\n');
    key.push_str(&who);
    (key.len() <= LONGEST).then_some(key)
}

/// The parameters by name. Those of one name stay in their order, which may mean something.
fn sorted(query: &str) -> Vec<&str> {
    let mut parameters: Vec<_> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    parameters.sort_by_key(|parameter| parameter.split('=').next());
    parameters
}

/// Whom the answer is for: nobody in particular, or this actor, as long as they may do what they may do now. `None` where
/// it may be for whoever asks alone.
fn who(policy: &CacheResponse, headers: &HeaderMap, actor: Option<&Actor>) -> Option<String> {
    match actor {
        Some(actor) if policy.per_actor => {
            let permissions: Vec<_> = actor.permissions.iter().map(String::as_str).collect();
            Some(format!("{} {}", actor.id.simple(), etag::digest(permissions.join("\n").as_bytes())))
        }
        None if !headers.contains_key(AUTHORIZATION) && !headers.contains_key(COOKIE) => Some(String::new()),
        _ => None,
    }
}
