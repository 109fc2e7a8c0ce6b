//! Header fields of the caller and of responses.

use std::time::{Duration, SystemTime};

use bits_proto::download;
use bits_proto::field::{ContentRange, RetryAfter, SessionId};
use bits_proto::message::{CloseSession, CreateSession, Extras, Fragment, Request};
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, Uri};

use crate::error::{Error, Result};

/// Fields that the client controls.
const RESERVED: [HeaderName; 6] =
    [HOST, CONNECTION, EXPECT, CONTENT_LENGTH, TRANSFER_ENCODING, COOKIE];

/// Parses the name of an additional field.
///
/// # Errors
///
/// [`Error::Option`] if it is invalid, or if the client sets this field itself.
pub(crate) fn parse_name(text: &str) -> Result<HeaderName> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| Error::Option(format!("header {text}: not a valid field")))?;
    if RESERVED.contains(&name) {
        return Err(Error::Option(format!("header {text}: the client sets this field itself")));
    }
    Ok(name)
}

/// Returns the error for an additional field that cannot be sent.
pub(crate) fn invalid_extra(error: bits_proto::Error) -> Error {
    Error::Option(format!("header: {error}"))
}

/// Fails if additional fields conflict with those of some message, so that the conflict is found
/// before the first request.
///
/// # Errors
///
/// [`Error::Option`] with the name of the field.
pub(crate) fn check_headers(headers: &Extras<Vec<u8>>) -> Result<()> {
    let session_id = SessionId::from_random([0; 16]);
    let range = ContentRange::new(0, 0, 1).map_err(Error::internal)?;
    let requests = [
        Request::CreateSession(CreateSession::default()),
        Fragment::new(session_id, range).into(),
        CloseSession::new(session_id).into(),
    ];
    for request in requests {
        request.to_http(Uri::from_static("/"), headers).map_err(invalid_extra)?;
    }
    let download = download::Download::whole(download::Options::DEFAULT, 0);
    let transmit = download.transmit();
    let head = transmit.map(|it| it.to_http(Uri::from_static("/"), headers)).transpose();
    head.map(drop).map_err(invalid_extra)
}

/// Returns the delay that Retry-After requests.
pub(crate) fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
    let value = RetryAfter::try_from(headers.get(RETRY_AFTER)?.as_bytes()).ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Some(value.delay(now))
}
