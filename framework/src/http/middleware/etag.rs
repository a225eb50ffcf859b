use base64ct::{Base64UrlUnpadded, Encoding};
use poem::{
    Response,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{AGE, CACHE_CONTROL, CONTENT_LOCATION, DATE, ETAG, EXPIRES, VARY},
    },
    web::headers::{ETag, HeaderMapExt, IfNoneMatch},
};
use sha2::{Digest, Sha256};

/// Bytes of SHA-256 that are kept: 128 bits, of which no two bodies are alike by accident.
const LENGTH: usize = 16;

/// What a 304 has of the headers that the 200 would have had (RFC 9110, 15.4.5); `Age` says how old they are.
const OF_UNCHANGED: [HeaderName; 7] = [AGE, CACHE_CONTROL, CONTENT_LOCATION, DATE, ETAG, EXPIRES, VARY];

/// These bytes' name, as text that may stand in a header and in a key.
pub(super) fn digest(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(bytes)[..LENGTH])
}

/// Gives the headers of a response a strong tag of its body, where they have none of their own.
pub(super) fn add(headers: &mut HeaderMap, body: &[u8]) {
    if !headers.contains_key(ETAG)
        && let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", digest(body)))
    {
        headers.insert(ETAG, tag);
    }
}

/// What the request says it has already.
pub(super) fn asked(request: &HeaderMap) -> Option<IfNoneMatch> {
    request.typed_get()
}

/// The answer to a request that has already what would be sent with these headers: 304, without it. Tags are compared
/// weakly, as `If-None-Match` is (RFC 9110, 13.1.2).
pub(super) fn unchanged(asked: Option<&IfNoneMatch>, headers: &HeaderMap) -> Option<Response> {
    let tag = headers.typed_get::<ETag>()?;
    if asked?.precondition_passes(&tag) {
        return None;
    }
    let mut response = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
    for name in OF_UNCHANGED {
        for value in headers.get_all(&name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    Some(response)
}
