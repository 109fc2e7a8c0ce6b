//! A source with the messages of all TCP connections of a capture, in the order in which they
//! happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::inspect::cursor::{Cursor, Kind, Next, SkippedBytes};
use crate::inspect::sniff::contains_head;
use crate::inspect::source::{
    Body, ConnectionId, Consumed, Direction, End, Ended, Event, Message, Skipped, Source, Time,
};
use crate::inspect::stream::{Close, Stream};
use crate::inspect::tcp::Connection;

/// The connections with HTTP. Packets are numbered in the order of their times.
pub struct Traffic<'b> {
    times: Vec<Option<Time>>,
    http_connections: Vec<HttpConnection<'b>>,
    /// Connections with further events, ordered by the packet that completes the next event.
    waiting: BinaryHeap<Reverse<(usize, ConnectionId)>>,
    /// Connection and side of the last event.
    current: Option<(ConnectionId, usize)>,
}

/// Both directions of a connection, requests first.
struct HttpConnection<'b> {
    ends: String,
    cursors: [Cursor<'b>; 2],
    ended: Option<usize>,
    /// The packet of the last event.
    packet: usize,
    /// Position up to which the client had received the responses when it sent the last request.
    acknowledged: i64,
}

/// The next event of a connection.
enum Upcoming {
    Item(usize, Next),
    End,
}

const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

impl<'b> Traffic<'b> {
    pub fn new(connections: &'b [Connection], times: Vec<Option<Time>>) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut http_connections = Vec::new();
        for connection in connections {
            if let Some(client) = client(connection) {
                let mut http = HttpConnection::new(connection, client);
                let count = counts.entry(http.ends.clone()).or_default();
                *count += 1;
                // Another connection may use the same pair of ports later.
                if *count > 1 {
                    http.ends += &format!(" #{count}");
                }
                http_connections.push(http);
            }
        }
        let mut traffic =
            Self { times, http_connections, waiting: BinaryHeap::new(), current: None };
        (0..traffic.http_connections.len()).for_each(|connection| traffic.wait(connection));
        traffic
    }

    /// Returns the number of connections with HTTP.
    pub fn count(&self) -> usize {
        self.http_connections.len()
    }

    fn wait(&mut self, connection: ConnectionId) {
        let http = &mut self.http_connections[connection];
        let packet = match http.upcoming() {
            Some(Upcoming::Item(_, next)) => next.packet,
            Some(Upcoming::End) => http.ended.unwrap_or_default(),
            None => return,
        };
        self.waiting.push(Reverse((packet.max(http.packet), connection)));
    }

    fn time(&self, packet: usize) -> Option<Time> {
        self.times.get(packet).copied().flatten()
    }
}

impl<'b> Source<'b> for Traffic<'b> {
    fn ends(&self, connection: ConnectionId) -> Option<String> {
        self.http_connections.get(connection).map(|http| http.ends.clone())
    }

    fn is_captured(&self, connection: ConnectionId, direction: Direction) -> bool {
        let side = usize::from(direction == Direction::Response);
        self.http_connections.get(connection).is_some_and(|it| it.cursors[side].is_captured())
    }

    fn next_event(&mut self) -> Option<Event<'b>> {
        if let Some((connection, _)) = self.current.take() {
            self.wait(connection);
        }
        let Reverse((packet, connection)) = self.waiting.pop()?;
        let http = &mut self.http_connections[connection];
        http.packet = packet;
        let Some(Upcoming::Item(side, next)) = http.upcoming() else {
            http.ended = None;
            let (end, time) = (http.end(), self.time(packet));
            return Some(Event::Ended(Ended { connection, end, time }));
        };
        self.current = Some((connection, side));
        let direction = DIRECTIONS[side];
        let follows_missed_response =
            direction == Direction::Request && http.follows_missed_response(&next);
        let cursor = &mut http.cursors[side];
        Some(match next.kind {
            Kind::Message => {
                let bytes = cursor.bytes();
                Event::Message(Message {
                    connection,
                    direction,
                    bytes,
                    time: self.time(next.packet),
                    follows_missed_response,
                })
            }
            Kind::Skipped(reason) => {
                let offset = cursor.offset();
                let SkippedBytes { bytes, length, missing } = cursor.skip();
                Event::Skipped(Skipped {
                    connection,
                    direction: Some(direction),
                    reason,
                    bytes,
                    offset,
                    length,
                    missing: Some(missing),
                    time: self.time(next.packet),
                })
            }
        })
    }

    fn consume(&mut self, message: &Message<'b>, head: usize, body: Body) -> Consumed {
        let [requests, responses] = &mut self.http_connections[message.connection].cursors;
        let (cursor, peer) = match message.direction {
            Direction::Request => (requests, responses),
            Direction::Response => (responses, requests),
        };
        if body == Body::OtherProtocol {
            peer.change_protocol();
        }
        let is_message = |next: Next| matches!(next.kind, Kind::Message);
        let is_reused = body == Body::UntilClose && peer.peek().is_some_and(is_message);
        cursor.consume(head, body, is_reused)
    }
}

impl<'b> HttpConnection<'b> {
    fn new(connection: &'b Connection, client: usize) -> Self {
        let server = 1 - client;
        let ends = connection.ends;
        Self {
            ends: format!("{} > {}", ends[client], ends[server]),
            cursors: [
                Cursor::new(&connection.streams[client], Direction::Request),
                Cursor::new(&connection.streams[server], Direction::Response),
            ],
            ended: connection.ended,
            packet: 0,
            acknowledged: connection.streams[server].start,
        }
    }

    /// Returns whether the client had received a response that was not captured when it sent a
    /// request, by its TCP acknowledgement. Without one, it may have.
    fn follows_missed_response(&mut self, request: &Next) -> bool {
        let [_, responses] = &mut self.cursors;
        let Some(acknowledged) = request.acknowledged else { return !responses.is_captured() };
        let before = self.acknowledged.max(responses.position());
        self.acknowledged = before.max(acknowledged);
        acknowledged > before && responses.peek().is_none()
    }

    fn end(&self) -> End {
        let closes = self.cursors.each_ref().map(Cursor::close);
        match closes {
            [Some(Close::Finished), Some(Close::Finished)] => End::Closed,
            _ if closes.contains(&Some(Close::Reset)) => End::Reset,
            _ => End::Replaced,
        }
    }

    fn upcoming(&mut self) -> Option<Upcoming> {
        let [requests, responses] = &mut self.cursors;
        match (requests.peek(), responses.peek()) {
            (Some(request), Some(response)) if is_response_first(&request, &response) => {
                Some(Upcoming::Item(1, response))
            }
            (Some(request), _) => Some(Upcoming::Item(0, request)),
            (None, Some(response)) => Some(Upcoming::Item(1, response)),
            (None, None) => self.ended.map(|_| Upcoming::End),
        }
    }
}

/// Returns whether a response happened before a request. Acknowledgement numbers decide, as packets
/// may be captured out of order. Otherwise the order of the packets decides.
fn is_response_first(request: &Next, response: &Next) -> bool {
    match (request.happened_before(response), response.happened_before(request)) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => response.packet < request.packet,
    }
}

/// Returns the side of a connection that sends requests, or `None` if it carries no HTTP.
fn client(connection: &Connection) -> Option<usize> {
    let contains_heads = |stream: &Stream, direction| {
        stream.pieces.iter().any(|piece| contains_head(&piece.bytes, direction))
    };
    let is_client = |side: &usize| {
        contains_heads(&connection.streams[*side], Direction::Request)
            || contains_heads(&connection.streams[1 - *side], Direction::Response)
    };
    match connection.opener {
        Some(opener) => Some(opener).filter(is_client),
        None => (0..2).find(is_client),
    }
}
