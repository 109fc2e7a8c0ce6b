//! An incoming request body, read in pieces.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

/// A request body and its received bytes that are not yet consumed.
pub struct Incoming {
    body: Body,
    rest: Bytes,
}

impl Incoming {
    pub fn new(body: Body) -> Self {
        Self { body, rest: Bytes::new() }
    }

    /// Returns the length of the body, if the request states it.
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Returns the next bytes, at most `most`. Returns `None` at the deadline, at the end of the
    /// body, and if the connection fails.
    pub async fn next(&mut self, most: u64, deadline: Instant) -> Option<Bytes> {
        while self.rest.is_empty() {
            let frame = timeout_at(deadline, self.body.frame()).await.ok()??.ok()?;
            self.rest = frame.into_data().unwrap_or_default();
        }
        let length =
            usize::try_from(most).map_or(self.rest.len(), |most| most.min(self.rest.len()));
        Some(self.rest.split_to(length))
    }

    /// Reads and discards `length` bytes. Returns early at the end of the body, and if no byte
    /// arrives within `read_timeout`.
    pub async fn skip(&mut self, mut length: u64, read_timeout: Duration) {
        while length > 0 {
            let deadline = Instant::now() + read_timeout;
            let Some(bytes) = self.next(length, deadline).await else { return };
            length = length.saturating_sub(bytes.len() as u64);
        }
    }
}
