//! A body as it comes in, in pieces of no particular size.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

/// A body, and what came in of it and was not yet used.
pub struct Incoming {
    body: Body,
    rest: Bytes,
}

impl Incoming {
    pub fn new(body: Body) -> Self {
        Self { body, rest: Bytes::new() }
    }

    /// How long it is, where the request says so.
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next bytes, at most so many. `None` if none come until then, or none at all any more;
    /// that the connection broke is no different from an end before its time.
    pub async fn next(&mut self, most: u64, until: Instant) -> Option<Bytes> {
        while self.rest.is_empty() {
            let frame = timeout_at(until, self.body.frame()).await.ok()??.ok()?;
            self.rest = frame.into_data().unwrap_or_default();
        }
        let length =
            usize::try_from(most).map_or(self.rest.len(), |most| most.min(self.rest.len()));
        Some(self.rest.split_to(length))
    }

    /// Reads so many bytes and throws them away; fewer only if none come for so long.
    pub async fn skip(&mut self, mut length: u64, patience: Duration) {
        while length > 0 {
            let Some(bytes) = self.next(length, Instant::now() + patience).await else { return };
            length = length.saturating_sub(bytes.len() as u64);
        }
    }
}
