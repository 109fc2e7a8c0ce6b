//! Iterates over the messages in the data that one side of a connection sent.

use crate::sniff::{find_start, head_end, starts_message};
use crate::source::{Body, Consumed, Direction};
use crate::stream::{Piece, Stream};

/// The next item of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    pub kind: Kind,
    /// The packet that completed the head, or contains the first start of a message after a loss.
    pub packet: usize,
    /// Position of the end of the head.
    end: i64,
    /// Position up to which the sender had received the other stream.
    acknowledged: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Message,
    /// Bytes without the start of their message. This number of them is missing.
    Lost(u64),
}

impl Next {
    /// Returns whether the sender of the other item had received this one, so that this one happened
    /// first.
    pub fn happened_before(&self, other: &Self) -> bool {
        other.acknowledged.is_some_and(|acknowledged| acknowledged >= self.end)
    }
}

pub struct Cursor<'b> {
    stream: &'b Stream,
    direction: Direction,
    /// Position of the next message.
    at: i64,
    /// Index of the first piece that ends after this position.
    piece: usize,
    /// True if a message is known to start at the position.
    is_start: bool,
    /// The next item, after it was determined.
    next: Option<Option<Next>>,
}

/// The next start of a message.
struct Found {
    at: i64,
    piece: usize,
    missing: u64,
    /// True if captured bytes were skipped.
    is_skipped: bool,
    /// The packet with the start of the message, or else the last one of the stream.
    packet: usize,
}

impl<'b> Cursor<'b> {
    pub fn new(stream: &'b Stream, direction: Direction) -> Self {
        let is_start = stream.is_start_known;
        Self { stream, direction, at: stream.start, piece: 0, is_start, next: None }
    }

    /// Returns the next item, or `None` at the end of the stream.
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
            self.skip_pieces();
            let Some(piece) = self.current_piece() else {
                return (self.at < self.stream.end).then(|| lost(&self.find(self.at)));
            };
            let bytes = piece.from(self.at);
            if !bytes.trim_ascii_start().is_empty() {
                return Some(self.message(piece, bytes));
            }
            self.at = piece.end();
        }
    }

    /// Returns the bytes from the start of the next message to the next missing byte.
    pub fn bytes(&self) -> &'b [u8] {
        self.current_piece().map_or(&[], |piece| piece.from(self.at))
    }

    /// Moves to the first start of a message after a loss.
    pub fn consume_loss(&mut self) {
        self.next = None;
        let found = self.find(self.at);
        self.move_to(&found);
    }

    /// Moves past the next message, which has a head of this length and this body.
    pub fn consume(&mut self, head: usize, body: Body) -> Consumed {
        self.next = None;
        let (at, end) = (self.at, self.stream.end);
        match body {
            Body::Open if starts_message(self.bytes().get(head..).unwrap_or_default()) => {
                self.consume(head, Body::Length(0))
            }
            Body::Length(length) => {
                let length = i64::try_from(length).unwrap_or(i64::MAX);
                let after = at.saturating_add(head as i64).saturating_add(length);
                let missing = self.missing(at, after.min(end));
                self.at = after.min(end);
                let is_complete = missing == 0 && after <= end;
                Consumed { is_complete, missing: Some(missing), may_skip_messages: false }
            }
            Body::Open if self.direction == Direction::Response => {
                let missing = self.missing(at, end);
                self.at = end;
                Consumed {
                    is_complete: missing == 0,
                    missing: Some(missing),
                    may_skip_messages: false,
                }
            }
            // Continues with the next message that can be recognized.
            Body::Open | Body::Unknown => {
                let head = if head == 0 { head_end(self.bytes()) } else { head };
                let found = self.find(at + head as i64);
                self.move_to(&found);
                Consumed {
                    is_complete: true,
                    missing: Some(found.missing),
                    may_skip_messages: true,
                }
            }
        }
    }

    fn move_to(&mut self, found: &Found) {
        self.at = found.at;
        self.piece = found.piece;
        self.is_start = true;
    }

    /// Skips the pieces that end before the next message.
    fn skip_pieces(&mut self) {
        let rest = self.stream.pieces[self.piece..].iter();
        self.piece += rest.take_while(|piece| piece.end() <= self.at).count();
    }

    /// Returns the piece with the start of the next message.
    fn current_piece(&self) -> Option<&'b Piece> {
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

    /// Returns the number of bytes between two positions that were not captured.
    fn missing(&self, from: i64, to: i64) -> u64 {
        let pieces = self.stream.pieces[self.piece..].iter();
        let captured = pieces
            .take_while(|piece| piece.start < to)
            .map(|piece| (piece.end().min(to) - piece.start.max(from)).max(0));
        ((to - from).max(0) - captured.sum::<i64>()).max(0) as u64
    }

    /// Returns the first start of a message at or after a position, or else the end of the stream.
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
