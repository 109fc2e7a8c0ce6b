//! An observer for each conversation: what one client says to one URL, over all its connections.

use std::collections::{BTreeMap, BTreeSet};

use bits_proto::field::{FieldName, SessionId};
use bits_proto::message::{Request, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

use crate::source::ConnectionId;

pub struct Observers {
    /// What an observer knows of a conversation that it has not heard before.
    newcomer: Observer,
    conversations: Vec<Conversation>,
    /// Which conversation a connection was about last.
    current: BTreeMap<ConnectionId, usize>,
}

struct Conversation {
    place: Place,
    observer: Observer,
    /// The connections with a packet that is still to be answered.
    waiting: BTreeSet<ConnectionId>,
}

/// Where a conversation takes place: the client's address and the server's with its port, where
/// connections are told apart, and the path that is uploaded to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    ends: String,
    path: String,
}

/// A request that went by, by which its response is found again.
#[derive(Clone, Copy, Debug)]
pub struct ObservedRequest {
    conversation: usize,
    connection: ConnectionId,
    is_packet: bool,
}

impl Observers {
    pub fn new(from_start: bool) -> Self {
        let newcomer = if from_start { Observer::new() } else { Observer::mid_stream() };
        Self { newcomer, conversations: Vec::new(), current: BTreeMap::new() }
    }

    /// A request goes by. `ends` are the two ends of its connection, where that is known.
    pub fn request(
        &mut self,
        connection: ConnectionId,
        ends: Option<&str>,
        head: &RequestHead<'_, '_>,
        violations: &mut Vec<Violation>,
    ) -> ObservedRequest {
        let conversation = self.conversation_of(connection, ends, head);
        let is_packet = Request::is_bits_request(&head.line(), head.fields());
        let observed = ObservedRequest { conversation, connection, is_packet };
        let conversation = &mut self.conversations[conversation];
        let report = |violation| violations.push(violation);
        conversation.observer.handle_request(observed.number(), head, report);
        if is_packet {
            conversation.waiting.insert(connection);
            self.current.insert(connection, observed.conversation);
        }
        observed
    }

    /// The response to it.
    pub fn response(
        &mut self,
        observed: &ObservedRequest,
        head: &ResponseHead<'_, '_>,
        violations: &mut Vec<Violation>,
    ) {
        let conversation = &mut self.conversations[observed.conversation];
        let report = |violation| violations.push(violation);
        conversation.observer.handle_response(observed.number(), head, report);
        if observed.is_packet {
            conversation.waiting.remove(&observed.connection);
        }
    }

    /// A response to nothing that went by on this connection.
    pub fn unasked(
        &mut self,
        connection: ConnectionId,
        head: &ResponseHead<'_, '_>,
        violations: &mut Vec<Violation>,
    ) {
        if let Some(conversation) = self.current.get(&connection) {
            let observed =
                ObservedRequest { conversation: *conversation, connection, is_packet: true };
            self.response(&observed, head, violations);
        }
    }

    /// Something on this connection was not captured, or cannot be read: nothing is known any more.
    pub fn astray(&mut self, connection: ConnectionId) {
        if let Some(conversation) = self.current.remove(&connection) {
            let conversation = &mut self.conversations[conversation];
            conversation.observer = Observer::mid_stream();
            conversation.waiting.clear();
        }
    }

    pub fn ended(&mut self, connection: ConnectionId) {
        self.current.remove(&connection);
        for (index, conversation) in self.conversations.iter_mut().enumerate() {
            for is_packet in [true, false] {
                let observed = ObservedRequest { conversation: index, connection, is_packet };
                conversation.observer.handle_disconnected(observed.number());
            }
            conversation.waiting.remove(&connection);
        }
    }

    /// The conversation that a request is part of: the one its connection was about, the one whose
    /// session it names, or the last one in this place in which nobody waits for an answer. A
    /// client that does two things at once has two conversations.
    fn conversation_of(
        &mut self,
        connection: ConnectionId,
        ends: Option<&str>,
        head: &RequestHead<'_, '_>,
    ) -> usize {
        let place = Place::of(ends, head);
        let named = FieldName::SessionId.find_in(head.fields());
        let named = named.and_then(|id| SessionId::try_from(id).ok());
        let is_here = |index: &usize| self.conversations[*index].place == place;
        let here: Vec<_> = (0..self.conversations.len()).rev().filter(is_here).collect();
        let is_named = |index: &usize| {
            named.is_some() && self.conversations[*index].observer.session_id() == named
        };
        let is_idle = |index: &usize| {
            let waiting = &self.conversations[*index].waiting;
            waiting.iter().all(|other| *other == connection)
        };
        let current = self.current.get(&connection).copied().filter(is_here);
        let known = current.filter(is_named);
        let known = known.or_else(|| here.iter().copied().find(is_named)).or(current);
        let known = known.or_else(|| here.iter().copied().find(is_idle));
        // The server application is told of an upload by the server, not by the client: the path
        // is all there is to find it by.
        let is_notification = FieldName::OriginalRequestUrl.find_in(head.fields()).is_some();
        let told_of = |index: &usize| self.conversations[*index].place.path == place.path;
        let known = known.or_else(|| {
            let mut all = (0..self.conversations.len()).rev();
            all.find(told_of).filter(|_| is_notification)
        });
        known.unwrap_or_else(|| {
            let (observer, waiting) = (self.newcomer, BTreeSet::new());
            self.conversations.push(Conversation { place, observer, waiting });
            self.conversations.len() - 1
        })
    }
}

impl ObservedRequest {
    /// The observer's number for the connection. What answers a packet, and what answers anything
    /// else, is kept apart: in a file of messages they may come from several connections.
    fn number(&self) -> u32 {
        let connection = u32::try_from(self.connection).unwrap_or(u32::MAX / 2);
        connection.wrapping_mul(2).wrapping_add(u32::from(!self.is_packet))
    }
}

impl Place {
    fn of(ends: Option<&str>, head: &RequestHead<'_, '_>) -> Self {
        let original = FieldName::OriginalRequestUrl.find_in(head.fields());
        let path = match original.and_then(|url| std::str::from_utf8(url).ok()) {
            Some(url) => path(url),
            None => path(head.line().target),
        };
        let ends = ends.map(without_client_port).unwrap_or_default();
        Self { ends, path: path.into() }
    }
}

/// Each connection of a client has a port of its own, and a number where ports come again.
fn without_client_port(ends: &str) -> String {
    let (client, server) = ends.split_once(" > ").unwrap_or((ends, ""));
    let server = server.split(' ').next().unwrap_or_default();
    let address = client.rsplit_once(':').map_or(client, |(address, _)| address);
    format!("{address} > {server}")
}

/// The path of a request target or of a URL: the same for a client that goes on at another host.
fn path(target: &str) -> &str {
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}
