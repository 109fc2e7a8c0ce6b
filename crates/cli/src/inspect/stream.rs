//! The data that one side of a TCP connection sent, in pieces separated by missing bytes.

use std::collections::BTreeMap;

/// Bytes that first appear in one packet.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'b> {
    pub data: &'b [u8],
    pub packet: usize,
    /// Position up to which the sender had received the other stream.
    pub acknowledged: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Stream {
    pub pieces: Vec<Piece>,
    /// Position of the first known byte.
    pub start: i64,
    /// True if this is the beginning of the stream.
    pub is_start_known: bool,
    /// Position of the end of all bytes that are known to have been sent.
    pub end: i64,
    /// The reason why no bytes follow, if that is known.
    pub close: Option<Close>,
    /// True if segments of this side were captured, with data or without.
    pub is_captured: bool,
    /// The packet of the last segment.
    pub packet: usize,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The sender closed its side (FIN).
    Finished,
    /// One of the sides broke the connection (RST).
    Reset,
}

/// Positions in a stream, as far as they are known, and its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// The beginning of the stream.
    pub start: Option<i64>,
    /// The end of all bytes that are known to have been sent.
    pub sent: Option<i64>,
    pub close: Option<Close>,
    /// The packet of the last segment, if one was captured.
    pub packet: Option<usize>,
}

/// Contiguous bytes.
#[derive(Debug)]
pub struct Piece {
    pub start: i64,
    pub bytes: Vec<u8>,
    marks: Vec<Mark>,
}

/// The beginning of the data of another packet in a piece.
#[derive(Debug)]
struct Mark {
    index: usize,
    /// The packet after which all bytes up to the next mark were received.
    packet: usize,
    acknowledged: Option<i64>,
}

impl Stream {
    /// Reassembles a stream from chunks.
    pub fn new(mut chunks: BTreeMap<i64, Chunk<'_>>, bounds: Bounds) -> Self {
        let Bounds { start, sent, close, packet } = bounds;
        let first = chunks.first_key_value().map(|(at, chunk)| (*at, chunk.data));
        // A keep-alive probe repeats the last byte, or contains an arbitrary one.
        if let (None, Some((at, [0]))) = (start, first) {
            chunks.remove(&at);
        }
        let is_start_known = start.is_some();
        let first = chunks.first_key_value().map(|(at, _)| *at);
        let start = start.or(first).or(sent).unwrap_or_default();
        let mut pieces: Vec<Piece> = Vec::new();
        for (at, chunk) in chunks.range(start..) {
            match pieces.last_mut() {
                Some(piece) if piece.end() == *at => piece.push(chunk),
                _ => {
                    let mut piece = Piece { start: *at, bytes: Vec::new(), marks: Vec::new() };
                    piece.push(chunk);
                    pieces.push(piece);
                }
            }
        }
        let captured = pieces.last().map_or(start, Piece::end);
        let end = sent.map_or(captured, |sent| sent.max(captured));
        let (is_captured, packet) = (packet.is_some(), packet.unwrap_or_default());
        Self { pieces, start, is_start_known, end, close, is_captured, packet }
    }
}

impl Piece {
    pub fn end(&self) -> i64 {
        self.start + self.bytes.len() as i64
    }

    /// Returns the bytes from a position in the piece to its end.
    pub fn from(&self, at: i64) -> &[u8] {
        usize::try_from(at - self.start)
            .ok()
            .and_then(|at| self.bytes.get(at..))
            .unwrap_or_default()
    }

    /// Returns the packet after which all bytes before a position were received.
    pub fn complete_at(&self, end: i64) -> usize {
        self.mark(end - 1).packet
    }

    /// Returns the position up to which the sender of the byte at `at` had received the other
    /// stream.
    pub fn acknowledged_at(&self, at: i64) -> Option<i64> {
        self.mark(at).acknowledged
    }

    fn mark(&self, at: i64) -> &Mark {
        let at = usize::try_from(at - self.start).unwrap_or(0);
        let next = self.marks.partition_point(|mark| mark.index <= at);
        &self.marks[next.saturating_sub(1)]
    }

    fn push(&mut self, chunk: &Chunk<'_>) {
        let before = self.marks.last().map_or(0, |mark| mark.packet);
        let packet = chunk.packet.max(before);
        let acknowledged = chunk.acknowledged;
        self.marks.push(Mark { index: self.bytes.len(), packet, acknowledged });
        self.bytes.extend_from_slice(chunk.data);
    }
}
