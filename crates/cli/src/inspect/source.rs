//! Sources of messages. The reader requests one message after another and informs the source where
//! each of them ends. The source knows how much of it was captured, and reports the bytes that
//! belong to no message. Messages and skipped bytes cover each stream exactly once.

use std::fmt;

use crate::inspect::sniff::{find_head, head_direction};

/// Index of a connection in its input.
pub type ConnectionId = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

impl Direction {
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
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
    /// True if the sender of a request had received a response that was not captured, or may have.
    pub follows_missed_response: bool,
}

/// Bytes that belong to no message.
#[derive(Clone, Copy, Debug)]
pub struct Skipped<'b> {
    pub connection: ConnectionId,
    /// Direction of the bytes; `None` at the beginning of a file of messages.
    pub direction: Option<Direction>,
    pub reason: SkipReason,
    /// The captured bytes at their beginning. Empty if the first byte is missing.
    pub bytes: &'b [u8],
    /// Position of the first byte in the stream of its direction, or in the file.
    pub offset: u64,
    /// Number of skipped bytes, including those that were not captured.
    pub length: u64,
    /// Number of bytes that were sent and not captured, if the source can know it.
    pub missing: Option<u64>,
    /// Time of the last byte.
    pub time: Option<Time>,
}

/// Reason why bytes belong to no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The start of their message was not captured.
    NotCaptured,
    /// They follow a message whose end its head does not determine.
    UnknownEnd,
    /// The message before them is complete.
    AfterMessage,
    /// The message before them switched the connection to another protocol.
    OtherProtocol,
    /// They precede the first message.
    BeforeMessage,
}

impl SkipReason {
    pub fn name(self) -> &'static str {
        match self {
            Self::NotCaptured => "not-captured",
            Self::UnknownEnd => "unknown-end",
            Self::AfterMessage => "after-message",
            Self::OtherProtocol => "other-protocol",
            Self::BeforeMessage => "before-message",
        }
    }

    /// Describes bytes with this reason, as in "5 bytes that are not HTTP".
    pub fn description(self) -> &'static str {
        match self {
            Self::NotCaptured => "of a message whose start was not captured",
            Self::UnknownEnd => "after a message whose end is unknown",
            Self::AfterMessage => "that are not HTTP, after a complete message",
            Self::OtherProtocol => "after a switch to another protocol",
            Self::BeforeMessage => "that are not HTTP",
        }
    }

    /// Returns whether such bytes must not occur on an HTTP connection. The end of a message is
    /// also unknown in valid traffic.
    pub fn is_unexpected(self) -> bool {
        matches!(self, Self::AfterMessage | Self::BeforeMessage)
    }
}

/// The next event of a source.
#[derive(Clone, Copy, Debug)]
pub enum Event<'b> {
    Message(Message<'b>),
    Skipped(Skipped<'b>),
    /// The connection has ended.
    Ended(Ended),
}

/// The end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub connection: ConnectionId,
    pub end: End,
    pub time: Option<Time>,
}

/// The way in which a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both sides closed it (FIN).
    Closed,
    /// One side broke it (RST).
    Reset,
    /// Another connection uses the same pair of ports.
    Replaced,
}

/// The body of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Length(u64),
    /// Extends to the end of the connection.
    UntilClose,
    /// The end of the body cannot be determined, so the next head after it is searched for.
    Unknown,
    /// The rest of the message is missing in the input.
    Cut,
    /// The connection continues with another protocol in both directions.
    OtherProtocol,
}

/// Result of consuming a message.
#[derive(Clone, Copy, Debug)]
pub struct Consumed {
    /// Number of bytes of the message, including those that were not captured.
    pub length: u64,
    /// True if the input contains the complete body.
    pub is_complete: bool,
    /// Number of bytes that were sent and not captured, if the source can know it.
    pub missing: Option<u64>,
    /// Number of bytes of the body that the sender did not send before it closed its side, or
    /// before the connection broke.
    pub unsent: u64,
    /// True if the sender closed its side after the last byte, so that the capture lacks none
    /// after it.
    pub is_closed: bool,
    /// True if other messages may have been skipped together with it.
    pub may_skip_messages: bool,
}

/// The messages of all connections, in the order in which they happened.
pub trait Source<'b> {
    /// Returns the two ends of a connection, the client first. Returns `None` if the source does
    /// not distinguish connections, so that the messages of several may be mixed.
    fn ends(&self, connection: ConnectionId) -> Option<String>;

    /// Returns whether the input contains one direction of a connection.
    fn is_captured(&self, connection: ConnectionId, direction: Direction) -> bool;

    /// Returns the next event. After a message, the caller first calls [`consume`](Self::consume).
    fn next_event(&mut self) -> Option<Event<'b>>;

    /// Moves past the message of the last event, which has a head of this length and this body.
    fn consume(&mut self, message: &Message<'b>, head: usize, body: Body) -> Consumed;
}

/// A file of messages back to back.
pub struct PlainFile<'b> {
    bytes: &'b [u8],
    /// Position of the next message.
    at: usize,
    /// Direction of the last message.
    direction: Option<Direction>,
    /// Reason to skip bytes before the next message.
    reason: SkipReason,
    has_responses: bool,
}

impl<'b> PlainFile<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        let has_responses = find_head(bytes, Some(Direction::Response)).is_some();
        Self { bytes, at: 0, direction: None, reason: SkipReason::BeforeMessage, has_responses }
    }

    fn rest(&self) -> &'b [u8] {
        &self.bytes[self.at..]
    }
}

impl<'b> Source<'b> for PlainFile<'b> {
    fn ends(&self, _: ConnectionId) -> Option<String> {
        None
    }

    fn is_captured(&self, _: ConnectionId, direction: Direction) -> bool {
        direction == Direction::Request || self.has_responses
    }

    fn next_event(&mut self) -> Option<Event<'b>> {
        let rest = self.rest();
        if rest.trim_ascii_start().is_empty() {
            return None;
        }
        if let Some(direction) = head_direction(rest) {
            self.direction = Some(direction);
            return Some(Event::Message(Message {
                connection: 0,
                direction,
                bytes: rest,
                time: None,
                follows_missed_response: !self.has_responses,
            }));
        }
        let length = find_head(rest, None).map_or(rest.len(), |found| found.at);
        let offset = self.at as u64;
        self.at += length;
        Some(Event::Skipped(Skipped {
            connection: 0,
            direction: self.direction,
            reason: self.reason,
            bytes: &rest[..length],
            offset,
            length: length as u64,
            missing: None,
            time: None,
        }))
    }

    fn consume(&mut self, _: &Message<'b>, head: usize, body: Body) -> Consumed {
        let rest = self.rest().get(head..).unwrap_or_default();
        let (length, reason) = match body {
            Body::Length(length) => (length, SkipReason::AfterMessage),
            // The end of a connection is not visible in the file, but the next message is.
            Body::UntilClose if find_head(rest, None).is_some() => (0, SkipReason::UnknownEnd),
            Body::UntilClose | Body::Cut => (rest.len() as u64, SkipReason::AfterMessage),
            Body::Unknown => (0, SkipReason::UnknownEnd),
            Body::OtherProtocol => (0, SkipReason::OtherProtocol),
        };
        let captured = usize::try_from(length).map_or(rest.len(), |it| it.min(rest.len()));
        let consumed = head + captured;
        self.at += consumed;
        self.reason = reason;
        Consumed {
            length: consumed as u64,
            is_complete: captured as u64 == length && body != Body::Cut,
            missing: None,
            unsent: 0,
            is_closed: false,
            may_skip_messages: false,
        }
    }
}
