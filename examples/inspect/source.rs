//! Where messages come from. What reads them asks for one after another, and says where each ends:
//! only the source knows how much of it was captured.

use std::fmt;

use crate::sniff::{is_response, starts_message};

/// Which connection of its input a message belongs to.
pub type ConnectionId = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

/// When a packet was captured: nanoseconds since the epoch.
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
    /// From its first byte as far as there is no byte missing; what comes behind it follows.
    pub bytes: &'b [u8],
    /// When its head was complete.
    pub time: Option<Time>,
}

/// Bytes between two messages that cannot be read: their start was not captured.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    pub connection: ConnectionId,
    pub direction: Direction,
    pub time: Option<Time>,
    /// How many bytes were sent and not captured, as far as is known.
    pub missing: u64,
}

/// What happened next.
#[derive(Clone, Copy, Debug)]
pub enum Event<'b> {
    Message(Message<'b>),
    Lost(Loss),
    /// The connection carries nothing more.
    Ended(ConnectionId),
}

/// What follows a head.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    Length(u64),
    /// Until the connection ends, or what looks like the next message.
    Open,
    /// Nobody can tell.
    Unknown,
}

/// What the input held of a message.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Whether all of its body was there.
    pub is_whole: bool,
    /// How many of its bytes were sent and not captured; nothing where nobody can know.
    pub missing: Option<u64>,
    /// Whether other messages may have been passed over together with it.
    pub is_astray: bool,
}

/// Messages in the order in which they happened, those of all connections.
pub trait Source<'b> {
    /// The two ends of a connection, the client first; nothing where connections are not told
    /// apart, and the messages of several may be mixed.
    fn ends(&self, connection: ConnectionId) -> Option<String>;

    fn next_event(&mut self) -> Option<Event<'b>>;

    /// Moves on behind the message that the last event was: so many bytes of a head, and its body.
    fn pass(&mut self, message: &Message<'b>, head: usize, body: Body) -> Held;
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

    fn pass(&mut self, _: &Message<'b>, head: usize, body: Body) -> Held {
        let rest = self.rest.get(head..).unwrap_or_default();
        let length = match body {
            Body::Length(length) => length,
            Body::Open if starts_message(rest) => 0,
            Body::Open | Body::Unknown => rest.len() as u64,
        };
        let behind = usize::try_from(length).ok().and_then(|length| rest.get(length..));
        self.rest = behind.unwrap_or_default();
        Held { is_whole: behind.is_some(), missing: None, is_astray: false }
    }
}
