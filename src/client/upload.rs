//! The data of an upload, its constructor and getters.

use core::time::Duration;

use super::{Exchange, FragmentSizing, Mode, Options, State, StopReason, poll};
use crate::field::{HostId, ReceivedContentRange, ReplyUrl, SessionId};
use crate::http1::StatusCode;
use crate::util::inline_str::InlineStr;
use crate::util::random::Random;

/// The maximum length of a host id, in bytes. A server's configuration has the same limit.
pub(super) const MAX_HOST: usize = 300;

/// [3.1.1.2] `HTTPUploader`: one upload on the client side.
///
/// [`poll`](Self::poll) returns the next action, and the `handle_*` methods report what happened;
/// see [the driving convention](super#driving-convention). An upload relies on acknowledged bytes
/// only: the next offset always comes from the server's response.
///
/// It is plain data without allocations, and can be copied and compared. With the feature `serde`
/// it can be stored at any time, also while a request is in flight. Another process that loads it
/// calls [`resume`](Self::resume).
///
/// # Example
///
/// An upload of 3,000,000 bytes over a simulated connection:
///
/// ```
/// use std::io;
/// use std::time::Instant;
///
/// use bits_proto::client::{Options, Poll, Upload};
/// use bits_proto::http1::RequestTarget;
/// use bits_proto::message::{Ack, Extras, HeaderSlots, ResponseHead};
///
/// /// A simulated connection to a server.
/// #[derive(Default)]
/// struct Connection {
///     stored: u64,
///     response: String,
/// }
///
/// impl Connection {
///     fn send(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
///         self.stored += body.len() as u64;
///         let head = String::from_utf8_lossy(head);
///         let fields = if head.contains("BITS-Packet-Type: Create-Session") {
///             "BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n".to_owned()
///         } else {
///             format!("BITS-Received-Content-Range: {}\r\n", self.stored)
///         };
///         self.response = format!(
///             "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {{1}}\r\n\
///              Content-Length: 0\r\n{fields}\r\n"
///         );
///         Ok(())
///     }
///
///     fn receive(&mut self) -> io::Result<Vec<u8>> {
///         Ok(self.response.clone().into_bytes())
///     }
/// }
///
/// let entity = vec![7; 3_000_000];
/// let mut connection = Connection::default();
/// let clock = Instant::now();
/// let seed = 7; // from the operating system's random numbers
/// let extras = Extras::from_fields(Vec::new(), [("Host", "server.example")])?;
/// let mut upload = Upload::new(entity.len() as u64, Options::DEFAULT, seed);
/// loop {
///     match upload.poll() {
///         Poll::Send(transmit) => {
///             let target = RequestTarget::try_from("/uploads/report.bin")?;
///             let request = transmit.request();
///             let head = request.encode(target, &extras)?.to_vec();
///             let range = transmit.entity();
///             let body = &entity[range.start as usize..range.end as usize];
///
///             upload.handle_sending(clock.elapsed())?;
///             if connection.send(&head, body).is_err() {
///                 upload.handle_transport_failure(clock.elapsed())?;
///                 continue;
///             }
///             upload.handle_sent(clock.elapsed())?;
///             let Ok(response) = connection.receive() else {
///                 upload.handle_transport_failure(clock.elapsed())?;
///                 continue;
///             };
///
///             let mut slots = HeaderSlots::new();
///             let head = ResponseHead::parse(&response, &mut slots)?.complete();
///             let head = head.ok_or("incomplete head")?;
///             match Ack::from_head(&head, &transmit.ack_context()) {
///                 Ok(ack) => upload.handle_ack(&ack.message, clock.elapsed())?,
///                 Err(_) => upload.handle_unreadable(Some(head.line().status), clock.elapsed())?,
///             }
///         }
///         Poll::Wait(until) => {
///             std::thread::sleep(until.saturating_sub(clock.elapsed()));
///             upload.handle_timeout(clock.elapsed());
///         }
///         Poll::Finished => break,
///         Poll::Suspended(reason) | Poll::Failed(reason) => return Err(reason.into()),
///         other => return Err(format!("not supported: {other:?}").into()),
///     }
/// }
/// assert_eq!(connection.stored, 3_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: \[MC-BUP\] 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::persist::Stored", try_from = "super::persist::Stored")
)]
pub struct Upload {
    pub(super) options: Options,
    /// The length of the entity, in bytes.
    pub(super) total: u64,
    pub(super) state: State,
    pub(super) exchange: Exchange,
    pub(super) session_id: Option<InlineStr<{ SessionId::MAX_LEN }>>,
    pub(super) host_id: Option<InlineStr<MAX_HOST>>,
    /// The time for which the host may be unreachable; `None` without a limit.
    pub(super) fallback_timeout: Option<Duration>,
    /// Time at which the fallback timer expires; `None` while it does not run.
    pub(super) fallback_at: Option<Duration>,
    /// The offset that the server expects next.
    pub(super) next: u64,
    /// The highest offset that the server acknowledged in this session.
    pub(super) max_acked: u64,
    /// The end of the bytes that may have reached the server in this session.
    pub(super) sent_up_to: u64,
    /// The length of the longest fragment that the server accepted in this session, before the length
    /// of fragments changed last.
    pub(super) accepted_len: u64,
    /// The value of `max_acked` when the length of fragments changed last.
    pub(super) acked_before: u64,
    /// The upload was resumed, and the server has not accepted a packet of the session since.
    pub(super) is_unconfirmed: bool,
    /// The URL of the reply, once the server sent it.
    pub(super) reply_url: Option<InlineStr<{ ReplyUrl::MAX_LEN }>>,
    /// The reply was fetched or skipped.
    pub(super) reply_done: bool,
    /// A Close-Session may have reached the server, but its response did not arrive.
    pub(super) maybe_closed: bool,
    /// Time at which the request or response timer expires, or the back-off ends.
    pub(super) deadline: Duration,
    /// Consecutive failures.
    pub(super) failures: u32,
    /// The number of times that the upload started over.
    pub(super) restarts: u32,
    /// Consecutive responses without progress.
    pub(super) stalls: u32,
    pub(super) random: Random,
    /// The reason why the upload is suspended or failed.
    pub(super) stop_reason: Option<StopReason>,
    /// The status of the response that asked for credentials.
    pub(super) challenge: Option<StatusCode>,
}

impl Upload {
    /// Creates an upload of `total` bytes. `seed` randomizes the back-off, so that many clients do
    /// not retry at the same time: it should differ between uploads.
    #[must_use]
    pub const fn new(total: u64, options: Options, seed: u64) -> Self {
        Self {
            options,
            total,
            state: State::CreateSession,
            exchange: Exchange::Ready,
            session_id: None,
            host_id: None,
            fallback_timeout: None,
            fallback_at: None,
            next: 0,
            max_acked: 0,
            sent_up_to: 0,
            accepted_len: 0,
            acked_before: 0,
            is_unconfirmed: false,
            reply_url: None,
            reply_done: false,
            maybe_closed: false,
            deadline: Duration::ZERO,
            failures: 0,
            restarts: 0,
            stalls: 0,
            random: Random(seed),
            stop_reason: None,
            challenge: None,
        }
    }

    /// Returns the state: the packet to send next.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Returns the progress of the current request.
    #[must_use]
    pub const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// Returns the number of bytes that the server acknowledged.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.next)
    }

    /// Returns the length of the entity, in bytes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the session id; `None` before the server created a session.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        poll::session_id(self.session_id.as_ref())
    }

    /// Returns the URL of the reply; `None` before the server sent one.
    #[must_use]
    pub fn reply_url(&self) -> Option<ReplyUrl<'_>> {
        self.reply_url.as_ref().and_then(|url| ReplyUrl::try_from(url.as_bytes()).ok())
    }

    /// Returns the host that requests go to, instead of that of the destination URL; `None` for the
    /// origin server. [`HostId::rewrite`] replaces the host of a URL.
    #[must_use]
    pub fn host(&self) -> Option<HostId<'_>> {
        self.host_id.as_ref().and_then(|host| HostId::try_from(host.as_bytes()).ok())
    }

    /// Returns the current length of fragments and its bounds.
    #[must_use]
    pub const fn fragments(&self) -> FragmentSizing {
        self.options.fragments
    }

    /// Returns how many times the upload started over since it was created or resumed: by itself,
    /// because its session was lost, or with [`restart`](Self::restart).
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Returns the number of consecutive failures.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn expects_reply(&self) -> bool {
        self.options.mode == Mode::UploadReply && !self.reply_done
    }
}
