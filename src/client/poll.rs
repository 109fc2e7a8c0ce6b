//! The next action of an upload.

use core::ops::Range;
use core::time::Duration;

use super::{Exchange, State, StopReason, Upload};
use crate::field::{ContentName, ContentRange, SessionId};
use crate::http1::StatusCode;
use crate::message::{
    AckContext, CancelSession, CloseSession, CreateSession, Fragment, Ping, Request,
};
use crate::util::inline_str::InlineStr;

/// The next action of an upload. It changes only with the next input or command.
///
/// The value is owned, so the upload can be changed while the action is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Poll {
    /// Send a request to [`host`](Upload::host), or to the origin server if that is `None`.
    ///
    /// Call [`handle_sending`](Upload::handle_sending) before its first byte and
    /// [`handle_sent`](Upload::handle_sent) after its last. Then report the response with
    /// [`handle_ack`](Upload::handle_ack) or [`handle_unreadable`](Upload::handle_unreadable), or
    /// its absence with [`handle_transport_failure`](Upload::handle_transport_failure). If the
    /// response has a Retry-After, call [`handle_retry_after`](Upload::handle_retry_after) then.
    Send(Transmit),
    /// Fetch the reply from [`reply_url`](Upload::reply_url) with GET. Then call
    /// [`handle_reply_fetched`](Upload::handle_reply_fetched) or
    /// [`handle_reply_failed`](Upload::handle_reply_failed).
    ///
    /// The URL may be relative:
    /// [`ReplyUrl::resolve_into`](crate::field::ReplyUrl::resolve_into) makes it absolute. The
    /// server deletes the reply when the session is closed.
    FetchReply,
    /// The upload expects a reply, but the server sent no URL. Call
    /// [`close_without_reply`](Upload::close_without_reply) or [`cancel`](Upload::cancel).
    ReplyMissing,
    /// Wait for an input. If none arrives by this time, call
    /// [`handle_timeout`](Upload::handle_timeout).
    Wait(Duration),
    /// The server responded with this status and wants credentials. Obtain them, call
    /// [`provide_credentials`](Upload::provide_credentials), and send them with the same request.
    Credentials(StatusCode),
    /// The upload is suspended. [`resume`](Upload::resume) continues it.
    Suspended(StopReason),
    /// The entity is uploaded and the session is closed.
    Finished,
    /// The upload is cancelled.
    Cancelled,
    /// The server rejected the upload. Once the cause is removed, [`resume`](Upload::resume)
    /// continues it.
    Failed(StopReason),
}

/// A request to send, its body, and the context for parsing its response.
///
/// The value is owned: it does not borrow the [`Upload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    packet: Packet,
    session_id: Option<InlineStr<{ SessionId::MAX_LEN }>>,
    sent_up_to: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    /// With the name of the entity, or without.
    CreateSession {
        has_name: bool,
    },
    Ping,
    Fragment(ContentRange),
    CloseSession,
    CancelSession,
}

impl Transmit {
    /// Returns the request without Content-Name. Prefer
    /// [`request_with_name`](Self::request_with_name) if the entity has a name: Windows sends it with
    /// every fragment. The caller may offer other protocols.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        match (self.packet, session_id(self.session_id.as_ref())) {
            (Packet::Fragment(range), Some(session_id)) => Fragment::new(session_id, range).into(),
            (Packet::CloseSession, Some(session_id)) => CloseSession::new(session_id).into(),
            (Packet::CancelSession, Some(session_id)) => CancelSession::new(session_id).into(),
            (Packet::Ping, _) => Ping::default().into(),
            _ => CreateSession::default().into(),
        }
    }

    /// [2.2.6.1] Returns the request with the name of the entity, which is usually that of the file. A
    /// Fragment carries it as Content-Name, and with
    /// [`Options::name_on_create`](super::Options::name_on_create) so does Create-Session. The other
    /// requests have no name.
    ///
    /// # Example
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use bits_proto::client::{Options, Poll, Upload};
    /// use bits_proto::field::ContentName;
    ///
    /// let options = Options::DEFAULT.with_name_on_create(true);
    /// let upload = Upload::new(1_000_000, options, 7);
    /// let Poll::Send(transmit) = upload.poll() else { panic!() };
    /// let name = ContentName::try_from("report.bin")?;
    /// assert_eq!(transmit.request_with_name(name).content_name(), Some(name));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    ///
    /// Source: \[MC-BUP\] 2.2.6.1 and note 11; 2.2.2.1 and note 5.
    #[must_use]
    pub fn request_with_name<'r>(&'r self, name: ContentName<'r>) -> Request<'r> {
        match self.request() {
            Request::Fragment(fragment) => Fragment { content_name: Some(name), ..fragment }.into(),
            Request::CreateSession(create) if self.is_create_with_name() => {
                CreateSession { content_name: Some(name), ..create }.into()
            }
            request => request,
        }
    }

    const fn is_create_with_name(&self) -> bool {
        matches!(self.packet, Packet::CreateSession { has_name: true })
    }

    /// Returns the bytes of the entity that follow the head as the body; empty for all requests
    /// but fragments.
    #[must_use]
    pub const fn entity(&self) -> Range<u64> {
        match self.packet {
            Packet::Fragment(range) => range.first()..range.end(),
            _ => 0..0,
        }
    }

    /// Returns the context for parsing the response.
    ///
    /// A caller that offers other protocols in its Create-Session uses
    /// [`AckContext::from`] with the request that it sent.
    #[must_use]
    pub fn ack_context(&self) -> AckContext<'_> {
        match self.packet {
            Packet::Fragment(range) => AckContext::Fragment {
                session_id: session_id(self.session_id.as_ref()),
                content_range: Some(range),
                sent_up_to: Some(self.sent_up_to),
            },
            _ => AckContext::from(&self.request()),
        }
    }
}

impl Upload {
    /// Returns the next action. Calling it changes nothing.
    #[inline]
    pub fn poll(&self) -> Poll {
        match (self.state, self.stop_reason) {
            (State::Finished, _) => return Poll::Finished,
            (State::Cancelled, _) => return Poll::Cancelled,
            (State::Failed, stop) => return Poll::Failed(stop.unwrap_or(StopReason::Paused)),
            _ => {}
        }
        match self.exchange {
            Exchange::Ready => self.next_action(),
            Exchange::Sending | Exchange::Awaiting | Exchange::BackOff => {
                Poll::Wait(self.poll_timeout().unwrap_or(self.deadline))
            }
            Exchange::Unauthorized => {
                Poll::Credentials(self.challenge.unwrap_or(StatusCode::UNAUTHORIZED))
            }
            Exchange::Suspended => Poll::Suspended(self.stop_reason.unwrap_or(StopReason::Paused)),
        }
    }

    /// Returns the action of an upload that is ready to send.
    fn next_action(&self) -> Poll {
        let packet = match self.state {
            State::GetReply if self.reply_url.is_some() => return Poll::FetchReply,
            State::GetReply => return Poll::ReplyMissing,
            State::Ping => Packet::Ping,
            State::Fragment => self.next_range().map_or(Packet::CloseSession, Packet::Fragment),
            State::Close => Packet::CloseSession,
            State::Cancel => Packet::CancelSession,
            _ => Packet::CreateSession { has_name: self.options.name_on_create },
        };
        Poll::Send(Transmit { packet, session_id: self.session_id, sent_up_to: self.sent_up_to })
    }

    /// Returns the length of the next fragment; 0 if there is none.
    pub(super) fn next_len(&self) -> u64 {
        self.options.fragments.length.min(self.total.saturating_sub(self.next))
    }

    /// Returns the range of the next fragment.
    pub(super) fn next_range(&self) -> Option<ContentRange> {
        let end = self.next.saturating_add(self.options.fragments.length).min(self.total);
        ContentRange::new(self.next, end.checked_sub(1)?, self.total).ok()
    }
}

/// Returns a stored session id. It was validated when it was received or loaded.
pub(super) fn session_id(
    text: Option<&InlineStr<{ SessionId::MAX_LEN }>>,
) -> Option<SessionId<'_>> {
    text.map(|text| SessionId::from_validated(text.as_bytes()))
}
