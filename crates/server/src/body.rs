//! Request bodies, read with timeouts.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use sync_wrapper::SyncWrapper;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Limits};

/// Time for which the rest of a refused body is read after the response. If the connection were closed
/// while bytes arrive, the client might lose the response.
const LINGER: Duration = Duration::from_secs(5);

/// A request body with its timeouts.
pub(crate) struct RequestBody {
    body: SyncWrapper<UnsyncBoxBody<Bytes, BoxError>>,
    /// Received bytes that are not yet consumed.
    buffer: Bytes,
    /// Number of bytes that are not yet consumed, if it is known.
    length: Option<u64>,
    idle_timeout: Duration,
    /// End of the time for the whole body.
    deadline: Instant,
    /// Cancelled when requests are interrupted at shutdown.
    interrupt: CancellationToken,
    is_touched: bool,
}

/// Result of waiting for bytes.
pub(crate) enum Received {
    Bytes(Bytes),
    /// The time of the caller has come.
    Pause,
    End(End),
}

/// Reasons why no more bytes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The body is shorter than its length, or the connection failed.
    Disconnected,
    /// No byte arrived in time.
    Idle,
    /// The body took too long.
    Slow,
    /// The server shuts down.
    Shutdown,
}

impl End {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Idle => "idle-timeout",
            Self::Slow => "body-timeout",
            Self::Shutdown => "shutdown",
        }
    }
}

impl RequestBody {
    pub(crate) fn new<B>(body: B, limits: &Limits, interrupt: CancellationToken) -> Self
    where
        B: Body + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let length = body.size_hint().exact();
        let body = body
            .map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
            .map_err(Into::into)
            .boxed_unsync();
        Self {
            body: SyncWrapper::new(body),
            buffer: Bytes::new(),
            length,
            idle_timeout: limits.idle_timeout,
            deadline: Instant::now() + limits.body_timeout,
            interrupt,
            is_touched: false,
        }
    }

    /// Returns the length of the rest of the body, if it is known.
    pub(crate) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns `true` if the whole body was consumed.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.buffer.is_empty() && self.body.get_mut().is_end_stream()
    }

    /// Returns `true` if a part of the body was requested from the client.
    pub(crate) const fn is_touched(&self) -> bool {
        self.is_touched
    }

    /// Returns the next bytes, at most `most`, or [`Received::Pause`] at the time `pause`.
    pub(crate) async fn next(&mut self, most: u64, pause: Option<Instant>) -> Received {
        self.is_touched = true;
        let idle = Instant::now() + self.idle_timeout;
        let limit = pause.into_iter().chain([idle, self.deadline]).min().unwrap_or(idle);
        while self.buffer.is_empty() {
            let frame = tokio::select! {
                biased;
                () = self.interrupt.cancelled() => return Received::End(End::Shutdown),
                frame = timeout_at(limit, self.body.get_mut().frame()) => frame,
            };
            match frame {
                Ok(Some(Ok(frame))) => self.buffer = frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_)) | None) => return Received::End(End::Disconnected),
                Err(_) if limit == self.deadline => return Received::End(End::Slow),
                Err(_) if limit == idle => return Received::End(End::Idle),
                Err(_) => return Received::Pause,
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        self.length = self.length.map(|length| length.saturating_sub(most as u64));
        Received::Bytes(self.buffer.split_to(most))
    }

    /// Reads and drops at most `length` bytes, in the background: a client may wait for the response before
    /// it sends the rest.
    pub(crate) fn drain(mut self, mut length: u64) {
        tokio::spawn(async move {
            while length > 0 {
                let Received::Bytes(bytes) = self.next(length, None).await else { return };
                length = length.saturating_sub(bytes.len() as u64);
            }
        });
    }

    /// Reads and drops bytes for a moment, in the background, so that the client can read the response
    /// before the connection is closed.
    pub(crate) fn linger(mut self) {
        tokio::spawn(async move {
            let rest = async { while let Received::Bytes(_) = self.next(u64::MAX, None).await {} };
            let _ = timeout(LINGER, rest).await;
        });
    }
}
