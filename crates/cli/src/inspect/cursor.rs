//! Iterates over the messages in the data that one side of a connection sent.

use crate::inspect::sniff::{begins_with_head, find_head, head_end, is_head};
use crate::inspect::source::{Body, Consumed, Direction, SkipReason};
use crate::inspect::stream::{Close, Piece, Stream};

/// The next item of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    pub kind: Kind,
    /// The packet that completed the head, or the skipped bytes.
    pub packet: usize,
    /// Position of the end of the head, or of the skipped bytes.
    end: i64,
    /// Position up to which the sender had received the other stream.
    pub acknowledged: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Message,
    Skipped(SkipReason),
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
    /// Position of the next item.
    at: i64,
    /// Index of the first piece that ends after this position.
    piece: usize,
    /// Reason to skip bytes before the next message.
    reason: SkipReason,
    /// The next item, after it was determined.
    next: Option<Option<Next>>,
}

/// Bytes that belong to no message.
#[derive(Clone, Copy, Debug)]
pub struct SkippedBytes<'b> {
    /// The captured bytes at their beginning. Empty if the first byte is missing.
    pub bytes: &'b [u8],
    pub length: u64,
    pub missing: u64,
}

/// The next head, or else the end of the stream.
struct Found {
    at: i64,
    piece: usize,
    missing: u64,
    /// The packet that completed the bytes before it.
    packet: usize,
}

impl<'b> Cursor<'b> {
    pub fn new(stream: &'b Stream, direction: Direction) -> Self {
        let is_start_known = stream.is_start_known;
        let reason =
            if is_start_known { SkipReason::BeforeMessage } else { SkipReason::NotCaptured };
        Self { stream, direction, at: stream.start, piece: 0, reason, next: None }
    }

    /// Returns the next item, or `None` at the end of the stream.
    pub fn peek(&mut self) -> Option<Next> {
        if self.next.is_none() {
            self.next = Some(self.look());
        }
        self.next.flatten()
    }

    fn look(&mut self) -> Option<Next> {
        self.skip_pieces();
        match self.current_piece() {
            Some(piece) if is_head(piece.from(self.at), self.direction) => {
                return Some(self.message(piece));
            }
            None if self.at >= self.stream.end => return None,
            _ if self.is_blank() => return None,
            _ => {}
        }
        let found = self.find(self.at);
        let reason = if found.missing > 0 { SkipReason::NotCaptured } else { self.reason };
        let acknowledged = match reason {
            SkipReason::NotCaptured => None,
            _ => self.current_piece().and_then(|piece| piece.acknowledged_at(self.at)),
        };
        let (packet, end) = (found.packet, found.at);
        Some(Next { kind: Kind::Skipped(reason), packet, end, acknowledged })
    }

    /// Returns whether only white space follows in the stream.
    fn is_blank(&self) -> bool {
        let piece = self.current_piece().filter(|piece| piece.end() == self.stream.end);
        piece.is_some_and(|piece| piece.from(self.at).trim_ascii_start().is_empty())
    }

    /// Returns the bytes from the next item to the next missing byte.
    pub fn bytes(&self) -> &'b [u8] {
        self.current_piece().map_or(&[], |piece| piece.from(self.at))
    }

    /// Returns the position of the next item.
    pub fn position(&self) -> i64 {
        self.at
    }

    /// Returns whether the stream was captured.
    pub fn is_captured(&self) -> bool {
        self.stream.is_captured
    }

    /// Returns the reason why no bytes follow the captured ones, if that is known.
    pub fn close(&self) -> Option<Close> {
        self.stream.close
    }

    /// Returns the position of the next item from the start of the stream.
    pub fn offset(&self) -> u64 {
        u64::try_from(self.at - self.stream.start).unwrap_or_default()
    }

    /// Moves past the next item, which is skipped, to the next head.
    pub fn skip(&mut self) -> SkippedBytes<'b> {
        self.next = None;
        let (at, bytes) = (self.at, self.bytes());
        let found = self.find(at);
        self.move_to(&found);
        let length = distance(at, found.at);
        let captured = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
        SkippedBytes { bytes: &bytes[..captured], length, missing: found.missing }
    }

    /// Moves past the next message, which has a head of this length and this body.
    ///
    /// A body until the close of the connection ends earlier if the connection `is_reused` for
    /// further requests.
    pub fn consume(&mut self, head: usize, body: Body, is_reused: bool) -> Consumed {
        self.next = None;
        match body {
            Body::Length(length) => self.consume_length(head, length),
            Body::UntilClose => self.consume_until_close(head, is_reused),
            Body::Unknown => self.consume_head(head, SkipReason::UnknownEnd),
            Body::OtherProtocol => self.consume_head(head, SkipReason::OtherProtocol),
            Body::Cut => {
                let at = self.at;
                let found = self.find(at + head as i64);
                self.move_to(&found);
                self.reason = SkipReason::NotCaptured;
                Consumed {
                    length: distance(at, found.at),
                    is_complete: false,
                    missing: Some(found.missing),
                    unsent: 0,
                    is_closed: false,
                    may_skip_messages: true,
                }
            }
        }
    }

    fn consume_length(&mut self, head: usize, length: u64) -> Consumed {
        let (at, end) = (self.at, self.stream.end);
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let after = at.saturating_add(head as i64).saturating_add(length);
        let missing = self.missing(at, after.min(end));
        let unsent = if self.stream.close.is_some() { distance(end, after) } else { 0 };
        self.at = after.min(end);
        self.reason = SkipReason::AfterMessage;
        Consumed {
            length: distance(at, self.at),
            is_complete: missing == 0 && after <= end,
            missing: Some(missing),
            unsent,
            is_closed: self.stream.close == Some(Close::Finished),
            may_skip_messages: false,
        }
    }

    fn consume_until_close(&mut self, head: usize, is_reused: bool) -> Consumed {
        let rest = self.bytes().get(head..).unwrap_or_default();
        if begins_with_head(rest, self.direction) {
            return self.consume_length(head, 0);
        }
        if is_reused && self.find(self.at + head as i64).at < self.stream.end {
            return self.consume_head(head, SkipReason::UnknownEnd);
        }
        let length = distance(self.at, self.stream.end).saturating_sub(head as u64);
        let consumed = self.consume_length(head, length);
        let is_finished = self.stream.close == Some(Close::Finished);
        Consumed { is_complete: consumed.is_complete && is_finished, ..consumed }
    }

    /// Moves past a head without a body.
    fn consume_head(&mut self, head: usize, reason: SkipReason) -> Consumed {
        let consumed = self.consume_length(head, 0);
        self.reason = reason;
        consumed
    }

    /// Records that the connection continues with another protocol.
    pub fn change_protocol(&mut self) {
        self.next = None;
        self.reason = SkipReason::OtherProtocol;
    }

    fn move_to(&mut self, found: &Found) {
        self.at = found.at;
        self.piece = found.piece;
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

    fn message(&self, piece: &Piece) -> Next {
        let end = self.at + head_end(piece.from(self.at)) as i64;
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

    /// Returns the first head at or after a position, or else the end of the stream.
    fn find(&self, from: i64) -> Found {
        let mut found =
            Found { at: from, piece: self.piece, missing: 0, packet: self.stream.packet };
        for piece in &self.stream.pieces[self.piece..] {
            let bytes = piece.from(found.at.max(piece.start));
            if bytes.is_empty() {
                found.piece += 1;
                continue;
            }
            found.missing += (piece.start - found.at).max(0) as u64;
            found.at = found.at.max(piece.start);
            if let Some(head) = find_head(bytes, Some(self.direction)) {
                found.at += head.at as i64;
                found.packet = piece.complete_at(found.at.max(piece.start + 1));
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

fn distance(from: i64, to: i64) -> u64 {
    u64::try_from(to - from).unwrap_or_default()
}
