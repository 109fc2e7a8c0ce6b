//! The messages in the TCP connections of a capture, in the order in which they happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::cursor::{Cursor, Kind, Next};
use crate::sniff::find_start;
use crate::source::{Body, ConnectionId, Direction, Event, Held, Loss, Message, Source, Time};
use crate::stream::Stream;
use crate::tcp::Connection;

/// The connections that speak HTTP. The packets of a capture are numbered in the order of their
/// times.
pub struct Traffic<'b> {
    times: Vec<Option<Time>>,
    dialogues: Vec<Dialogue<'b>>,
    /// Those that have something left, by the packet that completed it.
    waiting: BinaryHeap<Reverse<(usize, ConnectionId)>>,
    /// The one that the last event came from, and the side of its message.
    current: Option<(ConnectionId, usize)>,
}

/// Both directions of a connection, requests first.
struct Dialogue<'b> {
    ends: String,
    cursors: [Cursor<'b>; 2],
    ended: Option<usize>,
    /// The packet of the last event.
    packet: usize,
}

/// What comes next on a connection: on one side, or nothing more.
enum WorkToken {
    Side(usize, Next),
    End,
}

const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

impl<'b> Traffic<'b> {
    pub fn new(connections: &'b [Connection], times: Vec<Option<Time>>) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut dialogues = Vec::new();
        for connection in connections {
            if let Some(client) = client(connection) {
                let mut dialogue = Dialogue::new(connection, client);
                let count = counts.entry(dialogue.ends.clone()).or_default();
                *count += 1;
                // Ports are used again, for another connection.
                if *count > 1 {
                    dialogue.ends += &format!(" #{count}");
                }
                dialogues.push(dialogue);
            }
        }
        let mut traffic = Self { times, dialogues, waiting: BinaryHeap::new(), current: None };
        (0..traffic.dialogues.len()).for_each(|connection| traffic.wait(connection));
        traffic
    }

    /// How many connections speak HTTP.
    pub fn count(&self) -> usize {
        self.dialogues.len()
    }

    fn wait(&mut self, connection: ConnectionId) {
        let dialogue = &mut self.dialogues[connection];
        let packet = match dialogue.turn() {
            Some(WorkToken::Side(_, next)) => next.packet,
            Some(WorkToken::End) => dialogue.ended.unwrap_or_default(),
            None => return,
        };
        self.waiting.push(Reverse((packet.max(dialogue.packet), connection)));
    }

    fn time(&self, packet: usize) -> Option<Time> {
        self.times.get(packet).copied().flatten()
    }
}

impl<'b> Source<'b> for Traffic<'b> {
    fn ends(&self, connection: ConnectionId) -> Option<String> {
        self.dialogues.get(connection).map(|dialogue| dialogue.ends.clone())
    }

    fn next_event(&mut self) -> Option<Event<'b>> {
        if let Some((connection, _)) = self.current.take() {
            self.wait(connection);
        }
        let Reverse((packet, connection)) = self.waiting.pop()?;
        let dialogue = &mut self.dialogues[connection];
        dialogue.packet = packet;
        let Some(WorkToken::Side(side, next)) = dialogue.turn() else {
            dialogue.ended = None;
            return Some(Event::Ended(connection));
        };
        self.current = Some((connection, side));
        let direction = DIRECTIONS[side];
        let cursor = &mut dialogue.cursors[side];
        Some(match next.kind {
            Kind::Message => {
                let bytes = cursor.bytes();
                let time = self.time(next.packet);
                Event::Message(Message { connection, direction, bytes, time })
            }
            Kind::Lost(missing) => {
                cursor.pass_loss();
                let time = self.time(next.packet);
                Event::Lost(Loss { connection, direction, time, missing })
            }
        })
    }

    fn pass(&mut self, message: &Message<'b>, head: usize, body: Body) -> Held {
        let side = usize::from(message.direction == Direction::Response);
        self.dialogues[message.connection].cursors[side].pass(head, body)
    }
}

impl<'b> Dialogue<'b> {
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
        }
    }

    fn turn(&mut self) -> Option<WorkToken> {
        let [requests, responses] = &mut self.cursors;
        match (requests.next(), responses.next()) {
            (Some(request), Some(response)) if is_answer_first(&request, &response) => {
                Some(WorkToken::Side(1, response))
            }
            (Some(request), _) => Some(WorkToken::Side(0, request)),
            (None, Some(response)) => Some(WorkToken::Side(1, response)),
            (None, None) => self.ended.map(|_| WorkToken::End),
        }
    }
}

/// Whether a response happened before a request. What its sender had received says it, in
/// whatever order the packets were captured; only where it does not, their order does.
fn is_answer_first(request: &Next, response: &Next) -> bool {
    match (request.is_known_to(response), response.is_known_to(request)) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => response.packet < request.packet,
    }
}

/// Which side of a connection asks; nothing where it does not speak HTTP.
fn client(connection: &Connection) -> Option<usize> {
    let speaks = |stream: &Stream, direction| {
        stream.pieces.iter().any(|piece| find_start(&piece.bytes, direction).is_some())
    };
    let is_client = |side: &usize| {
        speaks(&connection.streams[*side], Direction::Request)
            || speaks(&connection.streams[1 - *side], Direction::Response)
    };
    match connection.opener {
        Some(opener) => Some(opener).filter(is_client),
        None => (0..2).find(is_client),
    }
}
