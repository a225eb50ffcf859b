use std::time::Duration;

use bytes::Bytes;
use poem::{
    Response,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, DATE, EXPIRES,
            PROXY_AUTHENTICATE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
        },
    },
};
use serde::{Deserialize, Serialize};

use super::{Blob, CacheResponse};
use crate::{
    http::{
        Problem,
        middleware::{etag, whole_body::whole_body},
    },
    support::Timestamp,
};

/// A response as the cache keeps it. Its status is 200.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub(super) struct Kept {
    pub(super) made_at: Timestamp,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The same outside the process.
#[derive(Serialize, Deserialize)]
struct Written(Timestamp, Vec<(String, Blob)>, Blob);

/// Headers that belong to a connection or to one answer (RFC 9111, 3.1), and are not kept.
fn is_of_one_answer(name: &HeaderName) -> bool {
    [AGE, CONNECTION, CONTENT_LENGTH, DATE, PROXY_AUTHENTICATE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name)
        || ["keep-alive", "server-timing", "x-request-id"].contains(&name.as_str())
}

impl Kept {
    /// What is kept of a response to this method; `None`, and the response as it was, where that must not be kept.
    ///
    /// # Errors
    /// What reading the body met.
    pub(super) async fn of(
        response: &mut Response,
        method: &Method,
        policy: &CacheResponse,
        made_at: Timestamp,
    ) -> Result<Option<Self>, Problem> {
        if response.status() != StatusCode::OK || !may_be_kept(response.headers(), policy) {
            return Ok(None);
        }
        let Some(body) = whole_body(response, policy.longest).await? else { return Ok(None) };
        if *method == Method::HEAD && body.is_empty() {
            // Of a handler for HEAD alone: the answer to GET is another.
            return Ok(None);
        }
        let mut headers = response.headers().clone();
        for name in response.headers().keys().filter(|name| is_of_one_answer(name)) {
            headers.remove(name);
        }
        etag::add(&mut headers, &body);
        Ok(Some(Self { made_at, headers, body }))
    }
}

/// Whether the handler lets a response with these headers be given to others, for as long as it would be.
fn may_be_kept(headers: &HeaderMap, policy: &CacheResponse) -> bool {
    // An encoding is for whoever accepts it, and compression belongs outside the cache. An `Expires` says, as a rule, that
    // something has.
    if [SET_COOKIE, CONTENT_ENCODING, EXPIRES].iter().any(|name| headers.contains_key(name)) {
        return false;
    }
    let varies = |name: &str| {
        let known = [&ACCEPT_ENCODING].into_iter().chain(&policy.varying);
        !known.into_iter().any(|known| name.eq_ignore_ascii_case(known.as_str()))
    };
    if listed(headers, &VARY).any(varies) {
        return false;
    }
    let mut fresh = None;
    for directive in listed(headers, &CACHE_CONTROL) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match &*name.trim().to_ascii_lowercase() {
            "no-store" | "no-cache" => return false,
            "private" if !policy.per_actor => return false,
            // It speaks of caches that several share, as this one, and so before the other.
            "s-maxage" => fresh = Some(seconds(value)),
            "max-age" => fresh = fresh.or(Some(seconds(value))),
            _ => {}
        }
    }
    fresh.is_none_or(|fresh| fresh >= policy.ttl)
}

/// What is not a number is not fresh (RFC 9111, 4.2.1).
fn seconds(value: &str) -> Duration {
    Duration::from_secs(value.trim().trim_matches('"').parse().unwrap_or(0))
}

/// The members of a header that is a list.
pub(super) fn listed<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> + use<'h> {
    // What is not text is no member that we know.
    let values = headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or("unknown"));
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|member| !member.is_empty())
}

impl From<Kept> for Written {
    fn from(kept: Kept) -> Self {
        let headers = kept.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), Blob(Bytes::copy_from_slice(value.as_bytes()))));
        Self(kept.made_at, headers.collect(), Blob(kept.body))
    }
}

impl TryFrom<Written> for Kept {
    type Error = poem::http::Error;

    fn try_from(Written(made_at, written, Blob(body)): Written) -> Result<Self, Self::Error> {
        let mut headers = HeaderMap::with_capacity(written.len());
        for (name, Blob(value)) in written {
            headers.append(HeaderName::try_from(name)?, HeaderValue::from_maybe_shared(value)?);
        }
        Ok(Self { made_at, headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_response_is_the_same_after_it_was_written_and_read() {
        let policy = CacheResponse::with_ttl(Duration::from_secs(60));
        let mut response = Response::builder()
            .header("x-ships", "7")
            .header("x-ships", HeaderValue::from_bytes(b"caf\xe9").unwrap())
            .header("connection", "close")
            .body(vec![0, 159, 146, 150]);
        let kept = Kept::of(&mut response, &Method::GET, &policy, Timestamp::from_unix(7)).await.unwrap().unwrap();
        let json = serde_json::to_string(&kept).unwrap();
        assert!(json.contains("\"AJ+Slg==\""), "{json}");
        let read: Kept = serde_json::from_str(&json).unwrap();
        assert_eq!((read.made_at, &read.headers, &read.body), (kept.made_at, &kept.headers, &kept.body));
        assert_eq!((read.headers.get_all("x-ships").iter().count(), read.headers.len()), (2, 3), "and the tag");
        let broken = json.replace("x-ships", "x ships");
        assert!(serde_json::from_str::<Kept>(&broken).unwrap_err().to_string().contains("invalid HTTP header name"));
    }
}
