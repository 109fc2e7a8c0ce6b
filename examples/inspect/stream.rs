//! What one side of a TCP connection sent, in pieces with bytes missing between them.

use std::collections::BTreeMap;

/// Bytes that one packet brought and none before it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'b> {
    pub data: &'b [u8],
    pub packet: usize,
    /// How far the sender had the other side's stream when it sent this.
    pub acknowledged: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Stream {
    pub pieces: Vec<Piece>,
    /// Where the stream begins, as far as it was captured.
    pub start: i64,
    /// Whether that is where it began when it was sent.
    pub is_start_known: bool,
    /// The end of everything that is known to have been sent.
    pub end: i64,
    /// The packet of the last segment.
    pub packet: usize,
}

/// Bytes of which none is missing.
#[derive(Debug)]
pub struct Piece {
    pub start: i64,
    pub bytes: Vec<u8>,
    marks: Vec<Mark>,
}

/// Where in a piece another packet begins.
#[derive(Debug)]
struct Mark {
    index: usize,
    /// The packet after which everything up to the next mark was there.
    packet: usize,
    acknowledged: Option<i64>,
}

impl Stream {
    /// Puts together what packets brought, between where the stream is known to begin and to end.
    pub fn new(
        mut chunks: BTreeMap<i64, Chunk<'_>>,
        start: Option<i64>,
        end: Option<i64>,
        packet: usize,
    ) -> Self {
        let first = chunks.first_key_value().map(|(at, chunk)| (*at, chunk.data));
        // A probe whether the other side is still there repeats a byte, or makes one up.
        if let (None, Some((at, [0]))) = (start, first) {
            chunks.remove(&at);
        }
        let is_start_known = start.is_some();
        let first = chunks.first_key_value().map(|(at, _)| *at);
        let start = start.or(first).or(end).unwrap_or_default();
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
        let end = end.map_or(captured, |end| end.max(captured));
        Self { pieces, start, is_start_known, end, packet }
    }
}

impl Piece {
    pub fn end(&self) -> i64 {
        self.start + self.bytes.len() as i64
    }

    /// From a position to the end; the position lies inside.
    pub fn from(&self, at: i64) -> &[u8] {
        usize::try_from(at - self.start)
            .ok()
            .and_then(|at| self.bytes.get(at..))
            .unwrap_or_default()
    }

    /// The packet after which everything before a position was there.
    pub fn complete_at(&self, end: i64) -> usize {
        self.mark(end - 1).packet
    }

    /// How far the sender of the byte at a position had the other side's stream.
    pub fn acknowledged_at(&self, at: i64) -> Option<i64> {
        self.mark(at).acknowledged
    }

    fn mark(&self, at: i64) -> &Mark {
        let at = usize::try_from(at - self.start).unwrap_or(0);
        let behind = self.marks.partition_point(|mark| mark.index <= at);
        &self.marks[behind.saturating_sub(1)]
    }

    fn push(&mut self, chunk: &Chunk<'_>) {
        let before = self.marks.last().map_or(0, |mark| mark.packet);
        let packet = chunk.packet.max(before);
        let acknowledged = chunk.acknowledged;
        self.marks.push(Mark { index: self.bytes.len(), packet, acknowledged });
        self.bytes.extend_from_slice(chunk.data);
    }
}
