//! [3.1, 3.2] Checks a conversation of two other parties and reports protocol violations.
//!
//! An [`Observer`] receives the heads of requests and responses in the order in which they pass,
//! and reports each [`Violation`] of grammar, presence and sequence. A violation has a stable name,
//! a section, a [`Severity`] and a description. The observer reports every violation of a message
//! and continues after it. The only exception is a head that is not valid HTTP: it has one error.
//!
//! ```text
//!   client  ── request ──►│                │── request ──►  server
//!                         │    Observer    │
//!   client  ◄── response ─│                │◄─ response ──  server
//!                                  │
//!                                  ▼
//!                             Violation …
//! ```
//!
//! # Conversations
//!
//! A conversation consists of the messages between one client and one URL: any number of
//! connections, and one session after another. An observer follows one conversation, in memory of
//! fixed size and without an allocator. A monitor of many conversations keeps one observer for
//! each, in a map with client and URL as key. If several clients share a proxy,
//! [`Observer::session_id`] can be the key.
//!
//! The monitor assigns a number to each connection. The observer remembers the last two sessions.
//! An older session that has not ended is treated as unknown.
//!
//! # Incomplete knowledge
//!
//! An observer can start late ([`Observer::mid_stream`]), and does not see which messages are lost
//! between it and either end. It reports a violation only if no missed message could make the
//! observed one valid, except for rules with the severity [`Suspicious`](Severity::Suspicious).
//! It assumes the following:
//!
//! * A session, its length and its offsets are unknown until a message contains them.
//! * A response may not reach the client. Everything that was allowed before it remains allowed
//!   until the next request on the same connection shows that the client received it.
//! * A request whose connection ended ([`Observer::handle_disconnected`]) may have been executed in
//!   full, in part, or not at all.
//! * Responses on different connections can arrive in any order. Each is compared with the state at
//!   the time of its request.
//!
//! A monitor of one direction calls [`Observer::handle_missed_response`] or its counterpart. One
//! that has missed unknown messages replaces the observer with a new `mid_stream` one.
//!
//! The observer checks neither time nor bodies, which it does not see. It remembers eight pending
//! requests in total, and does not check responses on a connection that exceeds this limit. It
//! compares `BITS-Protocol` with up to 16 offered protocols.
//!
//! # Severities
//!
//! The severity of a rule follows the text of \[MC-BUP\], unless Microsoft's documentation of the
//! packets differs. Windows servers have violations too: IIS sends BITS-Session-Id only in the Ack
//! for Create-Session, and each Ack without it is a violation.
//!
//! The specification does not mention repeated fields. Equal values are suspicious, since a proxy
//! may have repeated or joined them (RFC 9110 section 8.6). Conflicting values are an error.
//!
//! # Downloads
//!
//! A [`DownloadObserver`] does the same for the download of one URL, with rules of its own.
//!
//! # Rules
//!
#![doc = include_str!("rules.md")]
//!
//! # States
//!
//! The diagram shows the events that violate no rule:
//!
#![doc = include_str!("state.md")]

mod authentication;
mod download;
mod missed;
mod pending;
mod request;
mod response;
mod rule;
mod session;
mod single_response;
mod state;
mod violation;

pub use self::download::{DownloadObserver, DownloadRule};
pub use self::rule::{SequenceRule, Severity};
pub use self::state::State;
#[doc(hidden)]
pub use self::state::{Event, TABLE};
pub use self::violation::{Numbers, Violation};

use self::authentication::DeferredError;
use self::pending::{Packet, PendingRequest, PendingRequests};
use self::session::{ClientView, Fingerprint, LastCreate, Session};
use crate::error::Error;
use crate::field::{ReceivedContentRange, SessionId};
use crate::http1::{HeadVisitor as _, RequestLine, StatusLine};
use crate::message::{Fields, HeadSource, MAX_VALUE, ParsedFields, RequestHead, ResponseHead};

/// Follows one conversation and reports the rules that its messages violate.
///
/// Plain data of fixed size, at most 2048 bytes: it can be copied, compared, and kept in a map.
///
/// # Example
///
/// ```
/// use bits_proto::http1::Progress;
/// use bits_proto::message::{HeaderSlots, RequestHead};
/// use bits_proto::observer::{Observer, Severity};
///
/// let bytes = b"BITS_POST /entity HTTP/1.1\r\n\
///     BITS-Packet-Type: Close-Session\r\n\
///     BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}\r\n\
///     Content-Length: zero\r\n\r\n";
/// let mut observer = Observer::new();
/// let mut violations = Vec::new();
/// let connection = 1;
///
/// let mut slots = HeaderSlots::new();
/// match RequestHead::parse(bytes, &mut slots) {
///     Ok(Progress::Complete(head)) => {
///         observer.handle_request(connection, &head, |it| violations.push(it));
///     }
///     Ok(Progress::Partial) => panic!("the head is incomplete: read more bytes"),
///     Err(error) => {
///         observer.handle_malformed_request(connection, &error, |it| violations.push(it));
///     }
/// }
/// assert_eq!(violations.len(), 1);
/// assert_eq!(violations[0].rule(), "not-decimal");
/// assert_eq!(violations[0].severity(), Severity::Must);
/// assert_eq!(
///     violations[0].to_string(),
///     "Content-Length: expected decimal digits, received \"zero\" (byte 134, [MC-BUP] 2.2.1.1)"
/// );
/// ```
///
/// Source: \[MC-BUP\] 2.2, 3.1.5, 3.2.5; Microsoft's documentation of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observer {
    /// The session of the latest messages.
    current: Session,
    /// The session before it. It may still be open.
    previous: Option<Session>,
    /// Number of sessions so far.
    session_count: u32,
    /// Number of packets so far.
    packet_count: u32,
    /// True if the observer started with the conversation.
    from_start: bool,
    /// True if every session that may be open is known.
    all_sessions_known: bool,
    last_response: Option<LastResponse>,
    last_create: LastCreate,
    /// The host of the first Create-Session.
    origin_host: Option<Fingerprint>,
    /// The host in the last BITS-Host-Id.
    assigned_host: Option<Fingerprint>,
    pending: PendingRequests,
    /// The error of the last Fragment without a body, until its response is known.
    deferred_error: Option<DeferredError>,
    /// The connection of the last request. After a late start, only there is an unsolicited
    /// response certain.
    last_connection: Option<u32>,
}

/// The last response about a session. The next request shows whether the client received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastResponse {
    connection: u32,
    /// The serial number of the session.
    serial: u32,
    /// The client's view if the response does not reach it.
    previous_view: ClientView,
    /// True if the response determines state and offset of the session, and so replaces all earlier
    /// responses.
    is_definitive: bool,
    /// The fragment that it accepts, if the body of the fragment may still end early.
    accepted: Option<Accepted>,
}

/// A fragment that the server accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accepted {
    packet: Packet,
    /// The offset in the Ack.
    received: u64,
}

const _: () = assert!(size_of::<Observer>() <= 2048, "an observer is small");

impl Default for Observer {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer {
    /// Creates an observer for a conversation from its beginning. No session exists yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            current: Session::empty(State::NoSession),
            previous: None,
            session_count: 0,
            packet_count: 0,
            from_start: true,
            all_sessions_known: true,
            last_response: None,
            last_create: LastCreate::NONE,
            origin_host: None,
            assigned_host: None,
            pending: PendingRequests::EMPTY,
            deferred_error: None,
            last_connection: None,
        }
    }

    /// Creates an observer for a conversation that has already begun. Nothing is known about it.
    #[must_use]
    pub const fn mid_stream() -> Self {
        let current = Session::empty(State::Unknown);
        Self { current, from_start: false, all_sessions_known: false, ..Self::new() }
    }

    /// Handles the head of a request on a connection, whose number the caller assigns.
    ///
    /// The request can be a packet, a notification of a server application, or anything else, which
    /// is ignored. The observer uses the valid fields of an invalid packet.
    pub fn handle_request(
        &mut self,
        connection: u32,
        head: &RequestHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        let source = HeadSource { head, max_value: MAX_VALUE };
        self.observe_request(connection, &source, head.fields(), &mut report);
    }

    /// Handles a request that another HTTP stack has parsed.
    ///
    /// See [`handle_request`](Self::handle_request) for the head of a request.
    pub fn handle_request_fields<'b>(
        &mut self,
        connection: u32,
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        mut report: impl FnMut(Violation),
    ) {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields.clone(), MAX_VALUE);
        self.observe_request(connection, &source, fields, &mut report);
    }

    /// Handles a request whose head cannot be parsed, with the error of parsing.
    ///
    /// The request is assumed to be a packet. In mixed traffic,
    /// [`Request::is_bits_head`](crate::message::Request::is_bits_head) decides between this method
    /// and [`handle_unrelated_request`](Self::handle_unrelated_request).
    pub fn handle_malformed_request(
        &mut self,
        connection: u32,
        error: &Error,
        mut report: impl FnMut(Violation),
    ) {
        self.begin_packet(connection, &mut report);
        report(Violation::from(*error));
        let packet = Packet::new(self.packet_count, None, false);
        self.add_pending(connection, PendingRequest::Packet(packet));
    }

    /// Handles a request that does not belong to this protocol, as the caller knows.
    ///
    /// Its head need not be valid. The response to it is ignored.
    pub fn handle_unrelated_request(&mut self, connection: u32) {
        self.add_pending(connection, PendingRequest::Unrelated);
    }

    /// Handles the head of a response, which answers the oldest pending request on its connection.
    ///
    /// Interim responses (1xx) are ignored. A violation is one of the request if
    /// [`Violation::is_in_request`] returns true.
    pub fn handle_response(
        &mut self,
        connection: u32,
        head: &ResponseHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        let source = HeadSource { head, max_value: MAX_VALUE };
        self.observe_response(connection, &source, &mut report);
    }

    /// Handles a response that another HTTP stack has parsed.
    ///
    /// See [`handle_response`](Self::handle_response) for the head of a response.
    pub fn handle_response_fields<'b>(
        &mut self,
        connection: u32,
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        mut report: impl FnMut(Violation),
    ) {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, MAX_VALUE);
        self.observe_response(connection, &source, &mut report);
    }

    /// Handles a response whose head cannot be parsed, with the error of parsing.
    ///
    /// The error is reported if the response answers a packet or a notification.
    pub fn handle_malformed_response(
        &mut self,
        connection: u32,
        error: &Error,
        mut report: impl FnMut(Violation),
    ) {
        match self.take_pending(connection, None, &mut report) {
            None | Some(PendingRequest::Unrelated | PendingRequest::Missed) => {}
            Some(PendingRequest::Notification { .. }) => report(Violation::from(*error)),
            Some(PendingRequest::Packet(packet)) => {
                report(Violation::from(*error));
                self.forget_outcome(&packet);
            }
        }
    }

    /// Handles the end of a connection.
    ///
    /// Its pending requests get no response, and the client may not have received the last one. The
    /// number of the connection can be used again.
    pub fn handle_disconnected(&mut self, connection: u32) {
        if self.last_response.is_some_and(|response| response.connection == connection) {
            self.mark_unconfirmed();
        }
        if self.pending.remove_connection(connection) {
            // The host may be unreachable: the client may return to the origin server.
            self.assigned_host = None;
        }
        self.last_connection = self.last_connection.filter(|last| *last != connection);
    }

    /// Returns the state of the current session.
    #[must_use]
    pub const fn state(&self) -> State {
        self.current.state
    }

    /// Returns the id of the current session; `None` if there is none or it is unknown.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        self.current.id()
    }

    /// Returns the offset that the server expects next; `None` if it is unknown.
    #[must_use]
    pub fn received(&self) -> Option<ReceivedContentRange> {
        self.current.next.map(ReceivedContentRange)
    }

    /// Returns the end of the bytes of the current session that were sent without a gap, for
    /// [`AckContext::Fragment`](crate::message::AckContext::Fragment); `None` if it is unknown.
    #[must_use]
    pub const fn sent_up_to(&self) -> Option<u64> {
        self.current.sent_up_to
    }

    /// Returns the length of the entity in bytes; `None` if it is unknown.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.current.total
    }

    /// Returns the session with this serial number, if it is still remembered.
    fn session(&mut self, serial: u32) -> Option<&mut Session> {
        if self.current.serial == serial {
            return Some(&mut self.current);
        }
        self.previous.as_mut().filter(|previous| previous.serial == serial)
    }

    /// Records that the last response may not have reached the client.
    fn mark_unconfirmed(&mut self) {
        if let Some(LastResponse { serial, previous_view, .. }) = self.last_response.take() {
            if let Some(session) = self.session(serial) {
                session.unconfirmed = session.unconfirmed.or(Some(previous_view));
            }
        }
    }

    fn add_pending(&mut self, connection: u32, request: PendingRequest) {
        self.last_connection = Some(connection);
        let response = self.last_response.as_mut();
        if let Some(response) = response.filter(|response| response.connection == connection) {
            response.accepted = None;
        }
        if self.pending.push(connection, request) {
            // The dropped requests may have changed any session.
            self.forget_progress();
        }
    }

    /// Forgets everything that an unobserved request may have changed.
    fn forget_progress(&mut self) {
        self.all_sessions_known = false;
        self.current.forget_progress();
        self.previous.iter_mut().for_each(Session::forget_progress);
    }
}
