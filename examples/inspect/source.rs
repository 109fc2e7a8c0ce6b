//! Sources of messages. The reader requests one message after another and informs the source where
//! each of them ends. The source knows how much of it was captured.

use std::fmt;

use crate::sniff::{is_response, starts_message};

/// Index of a connection in its input.
pub type ConnectionId = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

/// Time of capture in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i128);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanoseconds = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
    }
}

/// The start of a message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'b> {
    pub connection: ConnectionId,
    pub direction: Direction,
    /// The bytes from the start of the message to the next missing byte. Further messages may
    /// follow in them.
    pub bytes: &'b [u8],
    /// Time at which the head was complete.
    pub time: Option<Time>,
}

/// Bytes of a message whose start was not captured.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    pub connection: ConnectionId,
    pub direction: Direction,
    pub time: Option<Time>,
    /// Known number of bytes that were sent and not captured.
    pub missing: u64,
}

/// The next event of a source.
#[derive(Clone, Copy, Debug)]
pub enum Event<'b> {
    Message(Message<'b>),
    Lost(Loss),
    /// The connection has ended.
    Ended(ConnectionId),
}

/// The body of a message.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    Length(u64),
    /// Extends to the end of the connection, or to the beginning of what looks like a message.
    Open,
    /// The end of the body cannot be determined.
    Unknown,
}

/// Result of consuming a message.
#[derive(Clone, Copy, Debug)]
pub struct Consumed {
    /// True if the input contains the complete body.
    pub is_complete: bool,
    /// Number of bytes that were sent and not captured, if the source can know it.
    pub missing: Option<u64>,
    /// True if other messages may have been skipped together with it.
    pub may_skip_messages: bool,
}

/// The messages of all connections, in the order in which they happened.
pub trait Source<'b> {
    /// Returns the two ends of a connection, the client first. Returns `None` if the source does
    /// not distinguish connections, so that the messages of several may be mixed.
    fn ends(&self, connection: ConnectionId) -> Option<String>;

    /// Returns the next event. After a message, the caller first calls [`consume`](Self::consume).
    fn next_event(&mut self) -> Option<Event<'b>>;

    /// Moves past the message of the last event, which has a head of this length and this body.
    fn consume(&mut self, message: &Message<'b>, head: usize, body: Body) -> Consumed;
}

/// A file of messages back to back.
pub struct PlainFile<'b> {
    rest: &'b [u8],
}

impl<'b> PlainFile<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'b> Source<'b> for PlainFile<'b> {
    fn ends(&self, _: ConnectionId) -> Option<String> {
        None
    }

    fn next_event(&mut self) -> Option<Event<'b>> {
        if self.rest.trim_ascii_start().is_empty() {
            return None;
        }
        let direction =
            if is_response(self.rest) { Direction::Response } else { Direction::Request };
        Some(Event::Message(Message { connection: 0, direction, bytes: self.rest, time: None }))
    }

    fn consume(&mut self, _: &Message<'b>, head: usize, body: Body) -> Consumed {
        let rest = self.rest.get(head..).unwrap_or_default();
        let length = match body {
            Body::Length(length) => length,
            Body::Open if starts_message(rest) => 0,
            Body::Open | Body::Unknown => rest.len() as u64,
        };
        let after = usize::try_from(length).ok().and_then(|length| rest.get(length..));
        self.rest = after.unwrap_or_default();
        Consumed { is_complete: after.is_some(), missing: None, may_skip_messages: false }
    }
}
