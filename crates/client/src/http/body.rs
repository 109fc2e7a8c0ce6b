//! The bodies of responses.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// The body of a response.
pub(crate) type ResponseBody = reqwest::Body;

/// Maximum length of a body that is read in order to reuse the connection, in bytes.
const MAX_DRAIN: usize = 64 * 1024;

/// Maximum time for reading such a body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads the rest of a body that is not needed, so that the connection can be used again.
///
/// A body whose end is the end of the connection is not read: its connection could not be used
/// again, and the server may never close it.
pub(crate) async fn drain(headers: &HeaderMap, mut body: ResponseBody) {
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return;
    }
    let drained = async {
        let mut left = MAX_DRAIN;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, |data| data.len());
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // The connection is closed if the body takes longer.
    let _ = timeout(DRAIN_TIMEOUT, drained).await;
}
