//! Goes from message to message in what one side of a connection sent.

use crate::sniff::{find_start, head_end, starts_message};
use crate::source::{Body, Direction, Held};
use crate::stream::{Piece, Stream};

/// What comes next in a stream.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    pub kind: Kind,
    /// The packet that completed its head, or brought the start behind a loss.
    pub packet: usize,
    /// Where its head ends.
    end: i64,
    /// How far its sender had the other side's stream.
    acknowledged: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Message,
    /// Bytes that belong to no message whose start is there; so many of them are missing.
    Lost(u64),
}

impl Next {
    /// Whether the sender of the other one had this one, so that it happened before.
    pub fn is_known_to(&self, other: &Self) -> bool {
        other.acknowledged.is_some_and(|acknowledged| acknowledged >= self.end)
    }
}

pub struct Cursor<'b> {
    stream: &'b Stream,
    direction: Direction,
    /// Where the next message starts.
    at: i64,
    /// The first piece that may have something to say of it.
    piece: usize,
    /// Whether a message is known to start there.
    is_start: bool,
    /// What is next, once it was looked for.
    next: Option<Option<Next>>,
}

/// The next start behind bytes that cannot be read.
struct Found {
    at: i64,
    piece: usize,
    missing: u64,
    /// Whether bytes were passed over that were captured.
    is_skipped: bool,
    /// The packet that brought the start, or else the last one of the stream.
    packet: usize,
}

impl<'b> Cursor<'b> {
    pub fn new(stream: &'b Stream, direction: Direction) -> Self {
        let is_start = stream.is_start_known;
        Self { stream, direction, at: stream.start, piece: 0, is_start, next: None }
    }

    /// What is next; nothing at the end of the stream.
    pub fn next(&mut self) -> Option<Next> {
        if self.next.is_none() {
            self.next = Some(self.look());
        }
        self.next.flatten()
    }

    fn look(&mut self) -> Option<Next> {
        if !self.is_start {
            let found = self.find(self.at);
            if found.missing == 0 && !found.is_skipped {
                self.is_start = true;
            } else {
                return Some(lost(&found));
            }
        }
        loop {
            self.forward();
            let Some(piece) = self.here() else {
                return (self.at < self.stream.end).then(|| lost(&self.find(self.at)));
            };
            let bytes = piece.from(self.at);
            if !bytes.trim_ascii_start().is_empty() {
                return Some(self.message(piece, bytes));
            }
            self.at = piece.end();
        }
    }

    /// From the start of the message that is next, as far as there is no byte missing.
    pub fn bytes(&self) -> &'b [u8] {
        self.here().map_or(&[], |piece| piece.from(self.at))
    }

    /// Moves on to the start behind a loss.
    pub fn pass_loss(&mut self) {
        self.next = None;
        let found = self.find(self.at);
        self.move_to(&found);
    }

    /// Moves on behind the message that is next.
    pub fn pass(&mut self, head: usize, body: Body) -> Held {
        self.next = None;
        let (at, end) = (self.at, self.stream.end);
        match body {
            Body::Open if starts_message(self.bytes().get(head..).unwrap_or_default()) => {
                self.pass(head, Body::Length(0))
            }
            Body::Length(length) => {
                let length = i64::try_from(length).unwrap_or(i64::MAX);
                let behind = at.saturating_add(head as i64).saturating_add(length);
                let missing = self.missing(at, behind.min(end));
                self.at = behind.min(end);
                let is_whole = missing == 0 && behind <= end;
                Held { is_whole, missing: Some(missing), is_astray: false }
            }
            Body::Open if self.direction == Direction::Response => {
                let missing = self.missing(at, end);
                self.at = end;
                Held { is_whole: missing == 0, missing: Some(missing), is_astray: false }
            }
            // A later message can be read all the same.
            Body::Open | Body::Unknown => {
                let head = if head == 0 { head_end(self.bytes()) } else { head };
                let found = self.find(at + head as i64);
                self.move_to(&found);
                Held { is_whole: true, missing: Some(found.missing), is_astray: true }
            }
        }
    }

    fn move_to(&mut self, found: &Found) {
        self.at = found.at;
        self.piece = found.piece;
        self.is_start = true;
    }

    /// Leaves the pieces behind that end before the next message.
    fn forward(&mut self) {
        let behind = self.stream.pieces[self.piece..].iter();
        self.piece += behind.take_while(|piece| piece.end() <= self.at).count();
    }

    /// The piece in which the next message starts.
    fn here(&self) -> Option<&'b Piece> {
        let piece = self.stream.pieces.get(self.piece);
        piece.filter(|piece| piece.start <= self.at && self.at < piece.end())
    }

    fn message(&self, piece: &Piece, bytes: &[u8]) -> Next {
        let end = self.at + head_end(bytes) as i64;
        Next {
            kind: Kind::Message,
            packet: piece.complete_at(end),
            end,
            acknowledged: piece.acknowledged_at(self.at),
        }
    }

    /// How many bytes between two positions were not captured.
    fn missing(&self, from: i64, to: i64) -> u64 {
        let pieces = self.stream.pieces[self.piece..].iter();
        let held = pieces
            .take_while(|piece| piece.start < to)
            .map(|piece| (piece.end().min(to) - piece.start.max(from)).max(0));
        ((to - from).max(0) - held.sum::<i64>()).max(0) as u64
    }

    /// The next start at a position or behind it, or else the end of the stream.
    fn find(&self, from: i64) -> Found {
        let packet = self.stream.packet;
        let mut found =
            Found { at: from, piece: self.piece, missing: 0, is_skipped: false, packet };
        for piece in &self.stream.pieces[self.piece..] {
            let bytes = piece.from(found.at.max(piece.start));
            if bytes.is_empty() {
                found.piece += 1;
                continue;
            }
            found.missing += (piece.start - found.at).max(0) as u64;
            found.at = found.at.max(piece.start);
            let start = find_start(bytes, self.direction);
            found.is_skipped |= start != Some(0);
            if let Some(start) = start {
                found.at += start as i64;
                found.packet = piece.complete_at(found.at + 1);
                return found;
            }
            found.at = piece.end();
            found.piece += 1;
        }
        found.missing += (self.stream.end - found.at).max(0) as u64;
        found.at = found.at.max(self.stream.end);
        found
    }
}

fn lost(found: &Found) -> Next {
    let kind = Kind::Lost(found.missing);
    Next { kind, packet: found.packet, end: found.at, acknowledged: None }
}
