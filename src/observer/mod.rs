//! [3.1, 3.2] Watches both directions of somebody else's conversation, and says which rules are
//! broken.
//!
//! An [`Observer`] is fed the heads of requests and responses in the order in which they go by,
//! and reports each [`Violation`] of grammar, presence and sequence as it happens: each has a name
//! that does not change, a section, a [`Severity`] and a sentence. It never stops at the first one,
//! in a message or in a conversation; only of a head that is no head there is nothing more to say.
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
//! # What a conversation is
//!
//! What one client has to say to one URL, over any number of connections, one session after
//! another. An observer follows one, in memory of fixed size and without an allocator; a monitor
//! of many keeps one for each, in a map by client and URL, or by [`Observer::session_id`] where
//! several go through one proxy. Connections have numbers that the monitor gives them. Of the
//! sessions, the last two are followed: an older one that had not ended is unknown again.
//!
//! # Unknown is not wrong
//!
//! An observer may come late ([`Observer::mid_stream`]), and does not see what got lost between it and
//! either end. But for what is only suspicious, it reports what cannot be right whatever it has
//! missed:
//!
//! * The session, its length and the offsets it has not seen are unknown until they go by.
//! * An Ack that went by may not have reached the client. Whatever was allowed before it is allowed
//!   until the client shows that it has it: by its next request on the same connection.
//! * A request whose connection ended ([`Observer::handle_disconnected`]) may have been done, or
//!   done in part, or not.
//! * Answers on different connections come in any order: each is compared with what was so when its
//!   request was sent.
//!
//! A monitor that has missed something on the way begins anew with `mid_stream`.
//!
//! Not judged are: time, as an observer has no clock; bodies, which it does not see; and answers on
//! a connection with more requests under way than it remembers, which is eight in all. A choice
//! from more than 16 protocols is not compared with what was offered.
//!
//! # Severities
//!
//! A rule weighs what the text of \[MC-BUP\] says, unless a page of Microsoft's says otherwise.
//! Windows' own servers are not without fault: IIS leaves BITS-Session-Id out of all Acks but that
//! for Create-Session, and each is a violation.
//!
//! # Rules
//!
#![doc = include_str!("rules.md")]
//!
//! # States
//!
//! The table is [`TABLE`]: where each event leads, or which rule it breaks. The diagram shows what
//! breaks none.
//!
#![doc = include_str!("state.md")]

mod pending;
mod request;
mod response;
mod rule;
mod session;
mod state;

pub use self::rule::{SequenceRule, Severity, Violation};
pub use self::state::{Event, State, TABLE};

use self::pending::{Packet, PendingRequest, PendingRequests};
use self::session::{Creation, Fingerprint, Session, View};
use crate::error::Error;
use crate::field::{ReceivedContentRange, SessionId};
use crate::http1::{HeadVisitor as _, RequestLine, StatusLine};
use crate::message::{Fields, HeadSource, MAX_VALUE, ParsedFields, RequestHead, ResponseHead};

/// Follows one conversation, and reports the rules that are broken in it.
///
/// Plain data of fixed size: it can be copied, compared, and kept in any map.
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
/// let mut seen = Vec::new();
/// let connection = 1;
///
/// let mut slots = HeaderSlots::new();
/// match RequestHead::parse(bytes, &mut slots) {
///     Ok(Progress::Complete(head)) => {
///         observer.handle_request(connection, &head, |violation| seen.push(violation));
///     }
///     Ok(Progress::Partial) => unreachable!("the head is whole"),
///     Err(error) => {
///         observer.handle_broken_request(connection, &error, |violation| seen.push(violation));
///     }
/// }
/// assert_eq!(seen.len(), 1);
/// assert_eq!(seen[0].rule(), "not-decimal");
/// assert_eq!(seen[0].severity(), Severity::Must);
/// assert_eq!(
///     seen[0].to_string(),
///     "Content-Length: expected decimal digits, received \"zero\" (byte 134, [MC-BUP] 2.2.1.1)"
/// );
/// ```
///
/// Source: \[MC-BUP\] 2.2, 3.1.5, 3.2.5; Microsoft's pages on the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observer {
    /// The session that the conversation is about.
    current: Session,
    /// The one before it, which may be alive.
    previous: Option<Session>,
    /// How many sessions were followed.
    sessions: u32,
    /// How many packets were seen.
    packets: u32,
    /// Whether the observer was there from the beginning.
    from_start: bool,
    /// Whether every session that may be alive is known.
    knows_all: bool,
    answered: Option<Answered>,
    creation: Creation,
    /// The host that the client began with.
    origin: Option<Fingerprint>,
    /// The host that it was told to go on with.
    host: Option<Fingerprint>,
    unanswered: PendingRequests,
    /// The connection of the last request: what answers none on it is wrong.
    heard: Option<u32>,
}

/// The last answer: the next request shows whether the client has got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answered {
    connection: u32,
    /// The session it is about.
    serial: u32,
    /// What the client believes that has not got it.
    before: View,
    /// Whether it says where the session stands, whatever the client offset_bounds before.
    settles: bool,
}

const _: () = assert!(size_of::<Observer>() <= 2048, "an observer is small");

impl Default for Observer {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer {
    /// For a conversation that is watched from its beginning: there is no session yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            current: Session::none(State::NoSession),
            previous: None,
            sessions: 0,
            packets: 0,
            from_start: true,
            knows_all: true,
            answered: None,
            creation: Creation::NONE,
            origin: None,
            host: None,
            unanswered: PendingRequests::NONE,
            heard: None,
        }
    }

    /// For a conversation that has gone on for a while: nothing is known of it.
    #[must_use]
    pub const fn mid_stream() -> Self {
        let current = Session::none(State::Unknown);
        Self { current, from_start: false, knows_all: false, ..Self::new() }
    }

    /// A request goes by, on a connection that the caller has given this number: a packet, a
    /// notification of the server application, or anything else, which is passed over.
    ///
    /// What was seen is taken into account whatever is wrong with it.
    pub fn handle_request(
        &mut self,
        connection: u32,
        head: &RequestHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        self.request(
            connection,
            &HeadSource { head, max_value: MAX_VALUE },
            head.fields(),
            &mut report,
        );
    }

    /// The same, for a request that another HTTP stack has read.
    pub fn handle_request_fields<'b>(
        &mut self,
        connection: u32,
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        mut report: impl FnMut(Violation),
    ) {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields.clone(), MAX_VALUE);
        self.request(connection, &source, fields, &mut report);
    }

    /// A request goes by whose head is an error; it is taken for a packet.
    pub fn handle_broken_request(
        &mut self,
        connection: u32,
        error: &Error,
        mut report: impl FnMut(Violation),
    ) {
        self.begin_packet(connection, &mut report);
        report(Violation::from(*error));
        self.ask(connection, PendingRequest::Packet(Packet::new(self.packets, None, false)));
    }

    /// A request goes by that is known to be none of this protocol, though its head may be an
    /// error: what answers it is passed over.
    pub fn handle_foreign_request(&mut self, connection: u32) {
        self.ask(connection, PendingRequest::Foreign);
    }

    /// A response goes by: it answers the oldest request on this connection that is still to be
    /// answered. Interim responses (1xx) answer nothing.
    pub fn handle_response(
        &mut self,
        connection: u32,
        head: &ResponseHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        self.response(connection, &HeadSource { head, max_value: MAX_VALUE }, &mut report);
    }

    /// The same, for a response that another HTTP stack has read.
    pub fn handle_response_fields<'b>(
        &mut self,
        connection: u32,
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        mut report: impl FnMut(Violation),
    ) {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, MAX_VALUE);
        self.response(connection, &source, &mut report);
    }

    /// A response goes by whose head is an error.
    pub fn handle_broken_response(
        &mut self,
        connection: u32,
        error: &Error,
        mut report: impl FnMut(Violation),
    ) {
        match self.take_asked(connection, None, &mut report) {
            None | Some(PendingRequest::Foreign) => {}
            Some(PendingRequest::Notification { .. }) => report(Violation::from(*error)),
            Some(PendingRequest::Packet(packet)) => {
                report(Violation::from(*error));
                self.unreadable(&packet);
            }
        }
    }

    /// The connection has ended: what was asked on it will not be answered, and the last answer
    /// may not have reached the client. Its number may be used again.
    pub fn handle_disconnected(&mut self, connection: u32) {
        if self.answered.is_some_and(|answered| answered.connection == connection) {
            self.doubt_answer();
        }
        if self.unanswered.end(connection) {
            // The host could not be reached: the client may go back to the origin server.
            self.host = None;
        }
        self.heard = self.heard.filter(|heard| *heard != connection);
    }

    /// What is known of the session.
    #[must_use]
    pub const fn state(&self) -> State {
        self.current.state
    }

    /// The session that the conversation is about.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        self.current.id()
    }

    /// The offset that the server named last; `None` if it is not known.
    #[must_use]
    pub fn received(&self) -> Option<ReceivedContentRange> {
        self.current.next.map(ReceivedContentRange)
    }

    /// The length of the entity; `None` if it is not known.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.current.total
    }

    /// A session that is still followed.
    fn session(&mut self, serial: u32) -> Option<&mut Session> {
        if self.current.serial == serial {
            return Some(&mut self.current);
        }
        self.previous.as_mut().filter(|previous| previous.serial == serial)
    }

    /// The client may not have got the last answer.
    fn doubt_answer(&mut self) {
        if let Some(Answered { serial, before, .. }) = self.answered.take() {
            if let Some(session) = self.session(serial) {
                session.unconfirmed = session.unconfirmed.or(Some(before));
            }
        }
    }

    /// A request is to be answered.
    fn ask(&mut self, connection: u32, asked: PendingRequest) {
        self.heard = Some(connection);
        if self.unanswered.push(connection, asked) {
            // What was under way is forgotten, and may have changed anything.
            self.lose_track();
        }
    }

    fn lose_track(&mut self) {
        self.knows_all = false;
        self.current.lose_track();
        self.previous.iter_mut().for_each(Session::lose_track);
    }
}
