//! Assigns segments to TCP connections and reassembles the streams of both sides.
//!
//! Positions in a stream have 64 bits: each sequence number is resolved to the position nearest to
//! the previous one, so streams may exceed 4 GiB. If two segments contain the same byte, the first
//! one counts.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use crate::inspect::packet::Segment;
use crate::inspect::stream::{Bounds, Chunk, Close, Stream};

/// A connection. The streams are in the order of `ends`.
#[derive(Debug)]
pub struct Connection {
    pub ends: [SocketAddr; 2],
    /// The side that opened the connection, if that was captured.
    pub opener: Option<usize>,
    /// The packet that ended the connection.
    pub ended: Option<usize>,
    pub streams: [Stream; 2],
}

impl Connection {
    pub fn has_data(&self) -> bool {
        self.streams.iter().any(|stream| !stream.pieces.is_empty())
    }
}

/// Returns the connections in the order of their first segments. Each segment has the number of its
/// packet.
pub fn connections<'b>(segments: impl Iterator<Item = (usize, Segment<'b>)>) -> Vec<Connection> {
    let mut flows: Vec<Flow<'b>> = Vec::new();
    let mut latest: HashMap<[SocketAddr; 2], usize> = HashMap::new();
    for (packet, segment) in segments {
        let mut ends = [segment.from, segment.to];
        ends.sort();
        let index = *latest.entry(ends).or_insert(flows.len());
        match flows.get_mut(index) {
            Some(flow) if !flow.is_reopened_by(&segment) => flow.add(packet, &segment),
            flow => {
                if let Some(old) = flow {
                    old.ended.get_or_insert(packet);
                }
                latest.insert(ends, flows.len());
                let mut flow = Flow::new(ends);
                flow.add(packet, &segment);
                flows.push(flow);
            }
        }
    }
    flows.into_iter().map(Flow::reassemble).collect()
}

/// Distance from the expected position at which a segment belongs to another connection between the
/// same ends.
const MAX_DISTANCE: i64 = 1 << 20;

struct Flow<'b> {
    ends: [SocketAddr; 2],
    sides: [Side<'b>; 2],
    opener: Option<usize>,
    ended: Option<usize>,
    is_reset: bool,
}

/// One side of a connection. Positions are relative to the first captured segment.
#[derive(Default)]
struct Side<'b> {
    /// The sequence number at position 0.
    origin: Option<u32>,
    /// Position of the end of the last segment. The next segment is near this position.
    last_end: i64,
    /// Position of the beginning of the stream, if that was captured.
    start: Option<i64>,
    /// True if the end of the stream was captured.
    is_finished: bool,
    /// Position of the end of all bytes that are known to have been sent.
    end: Option<i64>,
    /// The packet of the last segment.
    packet: Option<usize>,
    chunks: BTreeMap<i64, Chunk<'b>>,
}

impl<'b> Flow<'b> {
    fn new(ends: [SocketAddr; 2]) -> Self {
        let sides = [Side::default(), Side::default()];
        Self { ends, sides, opener: None, ended: None, is_reset: false }
    }

    fn side(&self, segment: &Segment<'_>) -> usize {
        usize::from(segment.from != self.ends[0])
    }

    /// Returns whether a segment belongs to a new connection between the same ends.
    fn is_reopened_by(&self, segment: &Segment<'_>) -> bool {
        let side = &self.sides[self.side(segment)];
        let Some(position) = side.position(segment.sequence) else {
            return segment.is_syn && self.ended.is_some();
        };
        if !segment.is_syn {
            let is_far = (position - side.last_end).abs() > MAX_DISTANCE;
            return self.ended.is_some() && is_far && !segment.data.is_empty();
        }
        match side.start {
            Some(start) => position + 1 != start,
            // The SYN may have been captured after packets that were sent later.
            None => {
                let first = side.chunks.keys().next().copied().unwrap_or(side.last_end);
                !(0..=MAX_DISTANCE).contains(&(first - (position + 1)))
            }
        }
    }

    fn add(&mut self, packet: usize, segment: &Segment<'b>) {
        let from = self.side(segment);
        if segment.is_syn {
            let opener = if segment.acknowledged.is_some() { 1 - from } else { from };
            self.opener.get_or_insert(opener);
        }
        if segment.is_reset {
            // The numbers of a reset are not reliable.
            self.is_reset = true;
            self.ended.get_or_insert(packet);
            return;
        }
        let acknowledged = segment.acknowledged.map(|number| {
            let peer = &mut self.sides[1 - from];
            peer.origin.get_or_insert(number);
            peer.position(number).unwrap_or_default()
        });
        self.sides[from].add(packet, segment, acknowledged);
        if self.sides.iter().all(|side| side.is_finished) {
            self.ended.get_or_insert(packet);
        }
    }

    fn reassemble(self) -> Connection {
        let is_reset = self.is_reset;
        Connection {
            ends: self.ends,
            opener: self.opener,
            ended: self.ended,
            streams: self.sides.map(|side| side.reassemble(is_reset)),
        }
    }
}

impl<'b> Side<'b> {
    /// Returns the position of a sequence number that is nearest to the last segment.
    fn position(&self, sequence: u32) -> Option<i64> {
        // Sequence numbers wrap in the same way as the lower 32 bits of a position.
        let near = self.origin?.wrapping_add(self.last_end as u32);
        Some(self.last_end + i64::from(sequence.wrapping_sub(near) as i32))
    }

    fn add(&mut self, packet: usize, segment: &Segment<'b>, acknowledged: Option<i64>) {
        // A SYN occupies one sequence number before the first byte.
        let first = segment.sequence.wrapping_add(u32::from(segment.is_syn));
        self.origin.get_or_insert(first);
        let Some(start) = self.position(first) else { return };
        if segment.is_syn {
            self.start.get_or_insert(start);
        }
        self.packet.get_or_insert(packet);
        let sent = segment.data.len() + segment.cut;
        if sent == 0 && !segment.is_syn && !segment.is_fin {
            return;
        }
        let end = start + sent as i64;
        self.last_end = end;
        self.packet = Some(packet);
        self.end = self.end.max(Some(end));
        self.is_finished |= segment.is_fin;
        self.insert(start, Chunk { data: segment.data, packet, acknowledged });
    }

    fn reassemble(self, is_reset: bool) -> Stream {
        let close = match (self.is_finished, is_reset) {
            (true, _) => Some(Close::Finished),
            (false, true) => Some(Close::Reset),
            (false, false) => None,
        };
        let bounds = Bounds { start: self.start, sent: self.end, close, packet: self.packet };
        Stream::new(self.chunks, bounds)
    }

    /// Stores the bytes of a chunk that are new.
    fn insert(&mut self, mut at: i64, mut chunk: Chunk<'b>) {
        while !chunk.data.is_empty() {
            let before = self.chunks.range(..=at).next_back();
            let known_end = before.map_or(at, |(start, chunk)| start + chunk.data.len() as i64);
            if known_end > at {
                let known = chunk.data.len().min((known_end - at) as usize);
                chunk.data = &chunk.data[known..];
                at += known as i64;
                continue;
            }
            let next = self.chunks.range(at..).next().map(|(start, _)| (start - at) as usize);
            let room = next.map_or(chunk.data.len(), |next| next.min(chunk.data.len()));
            let (new, rest) = chunk.data.split_at(room);
            self.chunks.insert(at, Chunk { data: new, ..chunk });
            chunk.data = rest;
            at += room as i64;
        }
    }
}
