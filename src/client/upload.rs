//! An upload: what it holds, and what it says is to be done.

use core::ops::Range;
use core::time::Duration;

use super::random::Random;
use super::{Exchange, FragmentSizing, Mode, Options, State, StopReason};
use crate::field::{ContentRange, HostId, ReceivedContentRange, ReplyUrl, SessionId};
use crate::http1::StatusCode;
use crate::message::{
    AckContext, CancelSession, CloseSession, CreateSession, Fragment, Ping, Request,
};
use crate::util::inline_str::InlineStr;

/// The longest host that a server's configuration takes, in bytes.
pub(super) const MAX_HOST: usize = 300;

/// [3.1.1.2] `HTTPUploader`: one upload, as the client sees it.
///
/// It is asked with [`poll`](Self::poll) what to do, and told what became of it: nothing counts
/// before the server has acknowledged it, and the next offset comes from the server's answer
/// alone. It has no sockets, no files and no clock: each call that needs the time is given it, as
/// the duration since any moment the caller likes.
///
/// It is plain data, without an allocator, and can be compared; with the feature `serde` it can be
/// stored, also in the middle of a request, and taken up by another process, which calls
/// [`resume`](Self::resume).
///
/// # Example
///
/// ```
/// use bits_proto::client::{Options, Poll, Upload};
/// use bits_proto::message::{Ack, AckContext, Request};
/// # use bits_proto::field::{Protocol, SessionId};
/// # use bits_proto::message::{CreateSessionAck, FragmentAck, CloseSessionAck};
/// # use core::time::Duration;
/// # let now = Duration::ZERO;
/// # fn answer(request: &Request<'_>) -> Ack<'static> {
/// #     let session_id = SessionId::from_random([7; 16]);
/// #     match request {
/// #         Request::CreateSession(_) => {
/// #             CreateSessionAck::new(Protocol::BITS_1_5, session_id).into()
/// #         }
/// #         Request::Fragment(it) => {
/// #             FragmentAck::new(session_id, it.content_range.received()).into()
/// #         }
/// #         _ => CloseSessionAck { session_id: Some(session_id) }.into(),
/// #     }
/// # }
///
/// let entity = vec![0; 3_000_000];
/// let seed = 7; // from the operating system
/// let mut upload = Upload::new(entity.len() as u64, Options::DEFAULT, seed);
/// let mut sent = Vec::new();
/// loop {
///     match upload.poll() {
///         Poll::Send(outgoing) => {
///             // ... write outgoing.request's head, and these bytes of the entity:
///             let body = &entity[outgoing.entity.start as usize..outgoing.entity.end as usize];
///             sent.push(body.len());
///             let ack = answer(&outgoing.request); // ... read in the light of the request
///             upload.handle_sending(now)?;
///             upload.handle_sent(now)?;
///             upload.handle_ack(&ack, now)?;
///         }
///         Poll::Finished => break,
///         other => panic!("{other:?}"),
///     }
/// }
/// assert_eq!(sent, [0, 1_048_576, 1_048_576, 902_848, 0]);
/// # Ok::<(), bits_proto::client::EventError>(())
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
    /// The length of the entity.
    pub(super) total: u64,
    pub(super) state: State,
    pub(super) exchange: Exchange,
    pub(super) session_id: Option<InlineStr<{ SessionId::MAX_LEN }>>,
    pub(super) host_id: Option<InlineStr<MAX_HOST>>,
    /// How long the host may be out of reach.
    pub(super) fallback_timeout: Option<Duration>,
    /// When the host has been out of reach for too long.
    pub(super) fallback_at: Option<Duration>,
    /// The offset of the next byte, as the server has it.
    pub(super) next: u64,
    /// The max_acked offset that the server has acknowledged in this session.
    pub(super) max_acked: u64,
    /// How much may have reached the server in this session.
    pub(super) sent_up_to: u64,
    /// Where the reply is, once the server has said so.
    pub(super) reply_url: Option<InlineStr<{ ReplyUrl::MAX_LEN }>>,
    /// Whether the reply was fetched, or is done without.
    pub(super) reply_done: bool,
    /// Whether a Close-Session may have reached the server without an answer reaching us.
    pub(super) maybe_closed: bool,
    /// When the request or the answer is too late, or the time to wait is over.
    pub(super) deadline: Duration,
    /// Failures in a row.
    pub(super) failures: u32,
    pub(super) restarts: u32,
    /// Answers without progress, in a row.
    pub(super) stalls: u32,
    pub(super) random: Random,
    /// Why it is suspended, or has failed.
    pub(super) stop: Option<StopReason>,
    /// The status with which the server asked for credentials.
    pub(super) challenge: Option<StatusCode>,
}

/// What to do next. It changes only when the upload is told something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Poll<'u> {
    /// Send a request: [`handle_sending`](Upload::handle_sending) before its first byte,
    /// [`handle_sent`](Upload::handle_sent) behind its last, and then one of
    /// [`handle_ack`](Upload::handle_ack), [`handle_unreadable`](Upload::handle_unreadable) and
    /// [`handle_transport_failure`](Upload::handle_transport_failure).
    Send(Transmit<'u>),
    /// Fetch the reply, and report [`handle_reply_fetched`](Upload::handle_reply_fetched) or
    /// [`handle_reply_failed`](Upload::handle_reply_failed). The server deletes it with the
    /// session.
    ///
    /// The URL may be relative: [`ReplyUrl::resolve_into`] makes it one to fetch.
    FetchReply(ReplyUrl<'u>),
    /// There should be a reply, and the server sent no URL. Decide:
    /// [`close_without_reply`](Upload::close_without_reply), or [`cancel`](Upload::cancel).
    ReplyMissing,
    /// Nothing, until something arrives, or until this time: then
    /// [`handle_timeout`](Upload::handle_timeout).
    Wait(Duration),
    /// The server wants credentials, and asked with this status: give them with the same request
    /// after [`provide_credentials`](Upload::provide_credentials).
    Credentials(StatusCode),
    /// Nothing, until the caller calls [`resume`](Upload::resume).
    Suspended(StopReason),
    /// Nothing any more: the entity is uploaded and the session closed.
    Finished,
    /// Nothing any more: the upload is cancelled.
    Cancelled,
    /// Nothing: the server will not have it. A caller that has seen to the cause can
    /// [`resume`](Upload::resume).
    Failed(StopReason),
}

/// A request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit<'u> {
    /// The request. The caller may add a name, or offer other protocols.
    pub request: Request<'u>,
    /// Which bytes of the entity are its body.
    pub entity: Range<u64>,
    /// The host to send it to, in place of the destination's; see [`HostId::rewrite`]. `None` for
    /// the origin server.
    pub host: Option<HostId<'u>>,
    sent_up_to: u64,
}

impl<'u> Transmit<'u> {
    /// What its answer is to be read in the light of.
    #[must_use]
    pub fn ack_context(&self) -> AckContext<'u> {
        match AckContext::from(&self.request) {
            AckContext::Fragment { session_id, content_range, .. } => AckContext::Fragment {
                session_id,
                content_range,
                sent_up_to: Some(self.sent_up_to),
            },
            ack_context => ack_context,
        }
    }
}

impl Upload {
    /// An upload of `total` bytes. `seed` spreads the waiting times of many clients: any number
    /// that is not the same for all of them.
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
            reply_url: None,
            reply_done: false,
            maybe_closed: false,
            deadline: Duration::ZERO,
            failures: 0,
            restarts: 0,
            stalls: 0,
            random: Random(seed),
            stop: None,
            challenge: None,
        }
    }

    /// What to do next.
    pub fn poll(&self) -> Poll<'_> {
        match (self.state, self.stop) {
            (State::Finished, _) => return Poll::Finished,
            (State::Cancelled, _) => return Poll::Cancelled,
            (State::Failed, stop) => return Poll::Failed(stop.unwrap_or(StopReason::Paused)),
            _ => {}
        }
        match self.exchange {
            Exchange::Ready => self.due(),
            Exchange::Sending | Exchange::Awaiting | Exchange::BackOff => {
                Poll::Wait(self.next_timeout().unwrap_or(self.deadline))
            }
            Exchange::Unauthorized => {
                Poll::Credentials(self.challenge.unwrap_or(StatusCode::UNAUTHORIZED))
            }
            Exchange::Suspended => Poll::Suspended(self.stop.unwrap_or(StopReason::Paused)),
        }
    }

    /// What is due, and can be sent.
    fn due(&self) -> Poll<'_> {
        let session_id = self.session_id();
        let request: Request<'_> = match (self.state, session_id) {
            (State::GetReply, _) => {
                return self.reply_url().map_or(Poll::ReplyMissing, Poll::FetchReply);
            }
            (State::Ping, _) => Ping::default().into(),
            (State::Fragment, Some(session_id)) => match self.next_range() {
                Some(range) => Fragment::new(session_id, range).into(),
                None => CloseSession::new(session_id).into(),
            },
            (State::Close, Some(session_id)) => CloseSession::new(session_id).into(),
            (State::Cancel, Some(session_id)) => CancelSession::new(session_id).into(),
            _ => CreateSession::default().into(),
        };
        let entity = match &request {
            Request::Fragment(it) => it.content_range.first()..it.content_range.end(),
            _ => 0..0,
        };
        let sent_up_to = self.sent_up_to;
        Poll::Send(Transmit { request, entity, host: self.host(), sent_up_to })
    }

    /// The range of the fragment that is due.
    pub(super) fn next_range(&self) -> Option<ContentRange> {
        let end = self.next.saturating_add(self.options.fragments.length).min(self.total);
        ContentRange::new(self.next, end.checked_sub(1)?, self.total).ok()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if nothing happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Duration> {
        if self.state.has_ended() {
            return None;
        }
        let deadline = match self.exchange {
            Exchange::Sending | Exchange::Awaiting => return Some(self.deadline),
            Exchange::BackOff => Some(self.deadline),
            Exchange::Ready | Exchange::Unauthorized | Exchange::Suspended => None,
        };
        match (deadline, self.fallback_at) {
            (Some(deadline), Some(fallback_at)) => Some(deadline.min(fallback_at)),
            (deadline, fallback_at) => deadline.or(fallback_at),
        }
    }

    /// What is sent next.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether it can be sent.
    #[must_use]
    pub const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// How many bytes the server holds, as far as it has said.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.next)
    }

    /// The length of the entity, in bytes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The session, once there is one.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        self.session_id.as_ref().and_then(|id| SessionId::try_from(id.as_bytes()).ok())
    }

    /// Where the reply is, once the server has said so.
    #[must_use]
    pub fn reply_url(&self) -> Option<ReplyUrl<'_>> {
        self.reply_url.as_ref().and_then(|url| ReplyUrl::try_from(url.as_bytes()).ok())
    }

    /// The host that requests go to; `None` for the origin server.
    #[must_use]
    pub fn host(&self) -> Option<HostId<'_>> {
        self.host_id.as_ref().and_then(|host| HostId::try_from(host.as_bytes()).ok())
    }

    /// How long fragments are, by now.
    #[must_use]
    pub const fn fragments(&self) -> FragmentSizing {
        self.options.fragments
    }

    /// How many times it started over.
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// How many times in a row it failed.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn wants_reply(&self) -> bool {
        self.options.mode == Mode::UploadReply && !self.reply_done
    }
}
