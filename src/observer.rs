//! [3.1, 3.2] Watches both directions of somebody else's conversation, and says which rules are
//! broken.
//!
//! An [`Observer`] is fed the heads of requests and responses in the order in which they go by,
//! and reports each [`Violation`] of grammar, presence and sequence as it happens: each has a name
//! that does not change, a section, a [`Severity`] and a sentence. It never stops at the first one,
//! in a message or in a conversation.
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
//! several go through one proxy. Connections have numbers that the monitor gives them.
//!
//! # Unknown is not wrong
//!
//! An observer may come late ([`Observer::joining`]), and may not see what got lost between it and
//! either end. It reports only what cannot be right whatever it has missed:
//!
//! * The session, its length and the offsets it has not seen are unknown until they go by.
//! * An Ack that went by may not have reached the client. Whatever was allowed before it is allowed
//!   until the client shows that it has it: by its next request on the same connection.
//! * A request whose connection ended ([`Observer::handle_disconnected`]) may have been done, or
//!   done in part, or not.
//!
//! Not judged are: time, as an observer has no clock; bodies, which it does not see; and what
//! answers a request beyond the fourth that is still to be answered. A choice from more than 16
//! protocols is not compared with what was offered.
//!
//! # States
//!
//! The table is [`TABLE`]: where each event leads, or which rule it breaks. The diagram shows what
//! breaks none.
//!
#![doc = include_str!("observer/state.md")]

mod memory;
mod request;
mod response;
mod rule;
mod state;

pub use self::rule::{Sequence, Severity, Violation};
pub use self::state::{Event, State, TABLE};

use self::memory::{
    Answered, Asked, Fingerprint, Offered, Packet, Previous, Session, Unanswered, View,
};
use crate::error::Error;
use crate::field::{ReceivedContentRange, SessionId};
use crate::head::{RequestHead, RequestLine, ResponseHead, StatusLine};
use crate::message::Pairs;

/// Follows one conversation, and reports the rules that are broken in it.
///
/// Plain data of fixed size: it can be copied, compared, and kept in any map.
///
/// # Example
///
/// ```
/// use bits_proto::head::{Progress, RequestHead, Slots};
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
/// let mut slots = Slots::new();
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
///     "Content-Length: digits are expected (byte 134, [MC-BUP] 2.2.1.1)"
/// );
/// ```
///
/// Source: \[MC-BUP\] 2.2, 3.1.5, 3.2.5; Microsoft's pages on the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observer {
    state: State,
    session: Session,
    /// How many sessions were issued.
    sessions: u32,
    answered: Option<Answered>,
    /// What the client may still believe, as nobody knows which of the answers since it has got.
    doubt: Option<View>,
    previous: Option<Previous>,
    offered: Offered,
    /// The name that came with the last Create-Session.
    created_name: Option<Fingerprint>,
    /// The host that the client began with.
    origin: Option<Fingerprint>,
    /// The host that it was told to go on with.
    host: Option<Fingerprint>,
    unanswered: Unanswered,
    /// Whether a request was seen, so that an answer without one is wrong.
    has_begun: bool,
}

const _: () = assert!(size_of::<Observer>() <= 1024, "an observer is small");

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
            state: State::NoSession,
            session: Session::UNKNOWN,
            sessions: 0,
            answered: None,
            doubt: None,
            previous: None,
            offered: Offered::UNKNOWN,
            created_name: None,
            origin: None,
            host: None,
            unanswered: Unanswered::NONE,
            has_begun: true,
        }
    }

    /// For a conversation that has gone on for a while: nothing is known of it.
    #[must_use]
    pub const fn joining() -> Self {
        Self { state: State::Unknown, has_begun: false, ..Self::new() }
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
        self.request(connection, head, &mut report);
    }

    /// The same, for a request that another HTTP stack has read.
    pub fn handle_request_fields<'b>(
        &mut self,
        connection: u32,
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        mut report: impl FnMut(Violation),
    ) {
        self.request(connection, &Pairs { line, fields }, &mut report);
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
        self.unanswered.push(connection, Asked::Packet(Packet::new(None, false)));
    }

    /// A response goes by: it answers the oldest request on this connection that is still to be
    /// answered. Interim responses (1xx) answer nothing.
    pub fn handle_response(
        &mut self,
        connection: u32,
        head: &ResponseHead<'_, '_>,
        mut report: impl FnMut(Violation),
    ) {
        self.response(connection, head, &mut report);
    }

    /// The same, for a response that another HTTP stack has read.
    pub fn handle_response_fields<'b>(
        &mut self,
        connection: u32,
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])> + Clone,
        mut report: impl FnMut(Violation),
    ) {
        self.response(connection, &Pairs { line, fields }, &mut report);
    }

    /// A response goes by whose head is an error.
    pub fn handle_broken_response(
        &mut self,
        connection: u32,
        error: &Error,
        mut report: impl FnMut(Violation),
    ) {
        if let Some(asked) = self.take_asked(connection, &mut report) {
            report(Violation::from(*error));
            self.unreadable(asked);
        }
    }

    /// The connection has ended: what was asked on it will not be answered, and the last answer
    /// may not have reached the client. Its number may be used again.
    pub fn handle_disconnected(&mut self, connection: u32) {
        if self.answered.is_some_and(|answered| answered.connection == connection) {
            self.doubt_answer();
        }
        while self.unanswered.take(connection).is_some() {}
    }

    /// What is known of the session.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The session that the conversation is about.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId<'_>> {
        self.session.id.as_ref().and_then(|id| SessionId::try_from(id.as_bytes()).ok())
    }

    /// The offset that the server named last; `None` if it is not known.
    #[must_use]
    pub fn received(&self) -> Option<ReceivedContentRange> {
        self.session.next.map(ReceivedContentRange)
    }

    /// The length of the entity; `None` if it is not known.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.session.total
    }

    /// The client may not have got the last answer.
    fn doubt_answer(&mut self) {
        let before = self.answered.take().map(|answered| answered.before);
        self.doubt = self.doubt.or(before);
    }

    /// Moves as the table says, or tells the rule that is broken.
    fn apply(&mut self, event: Event) -> Result<(), Sequence> {
        self.state = self.state.follow(event)?;
        Ok(())
    }
}
