use bytes::Bytes;
use http_body_util::{BodyExt, combinators::BoxBody};
use hyper::body::Body as _;
use poem::{Body, Response};

use crate::http::Problem;

/// The longest body that is looked at as a whole, by default: 1 MiB.
pub(super) const LONGEST: usize = 1 << 20;

/// Takes the body out of a response, where its length is known and at most `longest`. Another is left where it is: a stream
/// may have no end, and has to reach the client as it comes.
///
/// # Errors
/// What reading it met.
pub(super) async fn whole_body(response: &mut Response, longest: usize) -> Result<Option<Bytes>, Problem> {
    let body: BoxBody<Bytes, std::io::Error> = response.take_body().into();
    let known = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    if known.is_none_or(|length| length > longest) {
        response.set_body(Body::from(body));
        return Ok(None);
    }
    let collected = body.collect().await.map_err(Problem::internal)?;
    Ok(Some(collected.to_bytes()))
}
