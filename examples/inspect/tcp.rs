//! TCP connections: which segment belongs to which, and what each side sent in them.
//!
//! Positions in a stream are 64 bits wide: each sequence number is taken for the one that is
//! nearest to the last, so that a stream may be as long as it likes. Where two segments bring the
//! same byte, the first one is believed.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use crate::packet::Segment;
use crate::stream::{Chunk, Stream};

/// One connection, with what its sides sent; they are in the order of `ends`.
#[derive(Debug)]
pub struct Connection {
    pub ends: [SocketAddr; 2],
    /// Which side asked for the connection, where that was captured.
    pub opener: Option<usize>,
    /// The packet after which nothing is to be expected.
    pub ended: Option<usize>,
    pub streams: [Stream; 2],
}

impl Connection {
    pub fn is_spoken_on(&self) -> bool {
        self.streams.iter().any(|stream| !stream.pieces.is_empty())
    }
}

/// The connections in `segments`, each with the number of its packet, in the order of their first
/// segments.
pub fn connections<'b>(segments: impl Iterator<Item = (usize, Segment<'b>)>) -> Vec<Connection> {
    let mut flows: Vec<Flow<'b>> = Vec::new();
    let mut latest: HashMap<[SocketAddr; 2], usize> = HashMap::new();
    for (packet, segment) in segments {
        let mut ends = [segment.from, segment.to];
        ends.sort();
        let index = *latest.entry(ends).or_insert(flows.len());
        match flows.get_mut(index) {
            Some(flow) if !flow.is_over_for(&segment) => flow.take(packet, &segment),
            flow => {
                if let Some(old) = flow {
                    old.ended.get_or_insert(packet);
                }
                latest.insert(ends, flows.len());
                let mut flow = Flow::new(ends);
                flow.take(packet, &segment);
                flows.push(flow);
            }
        }
    }
    flows.into_iter().map(Flow::put_together).collect()
}

/// So far from what was expected, a segment belongs to another connection between the same ends.
const FAR: i64 = 1 << 20;

struct Flow<'b> {
    ends: [SocketAddr; 2],
    sides: [Side<'b>; 2],
    opener: Option<usize>,
    ended: Option<usize>,
}

/// What one side sent. Positions count from wherever the first segment stood.
#[derive(Default)]
struct Side<'b> {
    /// The sequence number at position 0.
    origin: Option<u32>,
    /// The end of the last segment: the next one is not far from here.
    near: i64,
    /// Where the stream begins, if that was captured.
    start: Option<i64>,
    /// Where the stream ends, if that was captured.
    fin: Option<i64>,
    /// The end of everything that is known to have been sent.
    end: Option<i64>,
    /// The packet of the last segment.
    packet: usize,
    chunks: BTreeMap<i64, Chunk<'b>>,
}

impl<'b> Flow<'b> {
    fn new(ends: [SocketAddr; 2]) -> Self {
        let sides = [Side::default(), Side::default()];
        Self { ends, sides, opener: None, ended: None }
    }

    fn side(&self, segment: &Segment<'_>) -> usize {
        usize::from(segment.from != self.ends[0])
    }

    /// Whether a segment begins another connection between the same ends.
    fn is_over_for(&self, segment: &Segment<'_>) -> bool {
        let side = &self.sides[self.side(segment)];
        let Some(position) = side.position(segment.sequence) else {
            return segment.is_syn && self.ended.is_some();
        };
        if !segment.is_syn {
            let is_far = (position - side.near).abs() > FAR;
            return self.ended.is_some() && is_far && !segment.data.is_empty();
        }
        match side.start {
            Some(start) => position + 1 != start,
            // Packets may have been captured in another order than they were sent in.
            None => {
                let first = side.chunks.keys().next().copied().unwrap_or(side.near);
                !(0..=FAR).contains(&(first - (position + 1)))
            }
        }
    }

    fn take(&mut self, packet: usize, segment: &Segment<'b>) {
        let from = self.side(segment);
        if segment.is_syn {
            let opener = if segment.acknowledged.is_some() { 1 - from } else { from };
            self.opener.get_or_insert(opener);
        }
        if segment.is_reset {
            // Its numbers may be anything.
            self.ended.get_or_insert(packet);
            return;
        }
        let acknowledged = segment.acknowledged.map(|number| {
            let peer = &mut self.sides[1 - from];
            peer.origin.get_or_insert(number);
            peer.position(number).unwrap_or_default()
        });
        self.sides[from].take(packet, segment, acknowledged);
        if self.sides.iter().all(|side| side.fin.is_some()) {
            self.ended.get_or_insert(packet);
        }
    }

    fn put_together(self) -> Connection {
        Connection {
            ends: self.ends,
            opener: self.opener,
            ended: self.ended,
            streams: self.sides.map(Side::put_together),
        }
    }
}

impl<'b> Side<'b> {
    /// The position of a sequence number, which is the one nearest to the last segment.
    fn position(&self, sequence: u32) -> Option<i64> {
        // The lower half of a position, and the numbers, wrap in the same way.
        let near = self.origin?.wrapping_add(self.near as u32);
        Some(self.near + i64::from(sequence.wrapping_sub(near) as i32))
    }

    fn take(&mut self, packet: usize, segment: &Segment<'b>, acknowledged: Option<i64>) {
        // A SYN takes up a number before the first byte.
        let first = segment.sequence.wrapping_add(u32::from(segment.is_syn));
        self.origin.get_or_insert(first);
        let Some(start) = self.position(first) else { return };
        if segment.is_syn {
            self.start.get_or_insert(start);
        }
        let sent = segment.data.len() + segment.cut;
        if sent == 0 && !segment.is_syn && !segment.is_fin {
            return;
        }
        let end = start + sent as i64;
        self.near = end;
        self.packet = packet;
        self.end = self.end.max(Some(end));
        if segment.is_fin {
            self.fin.get_or_insert(end);
        }
        self.insert(start, Chunk { data: segment.data, packet, acknowledged });
    }

    fn put_together(self) -> Stream {
        Stream::new(self.chunks, self.start, self.end, self.packet)
    }

    /// Keeps what is new of a chunk.
    fn insert(&mut self, mut at: i64, mut chunk: Chunk<'b>) {
        while !chunk.data.is_empty() {
            let before = self.chunks.range(..=at).next_back();
            let held = before.map_or(at, |(start, held)| start + held.data.len() as i64);
            if held > at {
                let known = chunk.data.len().min((held - at) as usize);
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
