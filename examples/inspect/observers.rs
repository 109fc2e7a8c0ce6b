//! One observer per conversation, that is, per client and URL, across all connections.

use std::collections::{BTreeMap, BTreeSet};

use bits_proto::field::{FieldName, SessionId};
use bits_proto::message::{AckContext, Request, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

use crate::source::ConnectionId;

pub struct Observers {
    /// Initial state of an observer of a new conversation.
    initial: Observer,
    conversations: Vec<Conversation>,
    /// The latest conversation of each connection.
    current: BTreeMap<ConnectionId, usize>,
}

struct Conversation {
    key: Key,
    observer: Observer,
    /// Connections with an unanswered packet.
    waiting: BTreeSet<ConnectionId>,
}

/// Identifies the participants of a conversation: the address of the client and the address and
/// port of the server, if the source distinguishes connections, and the path of the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    ends: String,
    path: String,
}

/// An observed request, which identifies the observer for its response.
#[derive(Clone, Copy, Debug)]
pub struct ObservedRequest {
    conversation: usize,
    connection: ConnectionId,
    is_packet: bool,
}

impl Observers {
    pub fn new(from_start: bool) -> Self {
        let initial = if from_start { Observer::new() } else { Observer::mid_stream() };
        Self { initial, conversations: Vec::new(), current: BTreeMap::new() }
    }

    /// Observes a request. `ends` are the two ends of its connection, if they are known.
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

    /// Observes the response to a request.
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

    /// Adds the bytes that were sent before a request to the context of its response.
    ///
    /// If they are unknown, those that the server acknowledged count.
    pub fn ack_context<'b>(
        &self,
        observed: &ObservedRequest,
        context: AckContext<'b>,
    ) -> AckContext<'b> {
        let observer = &self.conversations[observed.conversation].observer;
        match context {
            AckContext::Fragment { session_id, content_range, .. } => {
                let received = observer.received().map(|received| received.0);
                let sent_up_to = observer.sent_up_to().or(received);
                AckContext::Fragment { session_id, content_range, sent_up_to }
            }
            other => other,
        }
    }

    /// Observes that a request ended after `arrived` bytes of its body.
    pub fn incomplete_request(
        &mut self,
        observed: &ObservedRequest,
        arrived: u64,
        violations: &mut Vec<Violation>,
    ) {
        let observer = &mut self.conversations[observed.conversation].observer;
        observer.handle_incomplete_request(observed.number(), arrived, |it| violations.push(it));
    }

    /// Observes that the response to a request was not captured.
    pub fn missed_response(&mut self, observed: &ObservedRequest) {
        let conversation = &mut self.conversations[observed.conversation];
        conversation.observer.handle_missed_response(observed.number());
        conversation.waiting.remove(&observed.connection);
    }

    /// Observes a response whose request was not captured.
    pub fn lone_response(head: &ResponseHead<'_, '_>, violations: &mut Vec<Violation>) {
        let mut observer = Observer::mid_stream();
        observer.handle_missed_request(0);
        observer.handle_response(0, head, |violation| violations.push(violation));
    }

    /// Observes a response without a pending request on its connection.
    pub fn unsolicited_response(
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

    /// Resets the observer of a connection, after data on it was not captured or is invalid.
    pub fn reset(&mut self, connection: ConnectionId) {
        if let Some(conversation) = self.current.remove(&connection) {
            let conversation = &mut self.conversations[conversation];
            conversation.observer = Observer::mid_stream();
            conversation.waiting.clear();
        }
    }

    /// Observes the end of a connection.
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

    /// Returns the conversation of a request, which is created if necessary.
    ///
    /// Candidates are, in this order: the conversation whose session the request names, the one to
    /// which the connection belongs, and the latest idle one with the same key. Concurrent uploads
    /// of one client are separate conversations.
    fn conversation_of(
        &mut self,
        connection: ConnectionId,
        ends: Option<&str>,
        head: &RequestHead<'_, '_>,
    ) -> usize {
        let key = Key::new(ends, head);
        let named = FieldName::SessionId.find_in(head.fields());
        let named = named.and_then(|id| SessionId::try_from(id).ok());
        let has_key = |index: &usize| self.conversations[*index].key == key;
        let candidates: Vec<_> = (0..self.conversations.len()).rev().filter(has_key).collect();
        let is_named = |index: &usize| {
            named.is_some() && self.conversations[*index].observer.session_id() == named
        };
        let is_idle = |index: &usize| {
            let waiting = &self.conversations[*index].waiting;
            waiting.iter().all(|other| *other == connection)
        };
        let current = self.current.get(&connection).copied().filter(has_key);
        let known = current.filter(is_named);
        let known = known.or_else(|| candidates.iter().copied().find(is_named)).or(current);
        let known = known.or_else(|| candidates.iter().copied().find(is_idle));
        // A notification comes from the server and not from the client, so only the path matches.
        let is_notification = FieldName::OriginalRequestUrl.find_in(head.fields()).is_some();
        let has_path = |index: &usize| self.conversations[*index].key.path == key.path;
        let known = known.or_else(|| {
            let mut all = (0..self.conversations.len()).rev();
            all.find(has_path).filter(|_| is_notification)
        });
        known.unwrap_or_else(|| {
            let (observer, waiting) = (self.initial, BTreeSet::new());
            self.conversations.push(Conversation { key, observer, waiting });
            self.conversations.len() - 1
        })
    }
}

impl ObservedRequest {
    /// Returns the number of the conversation to which the request belongs.
    pub fn conversation(&self) -> usize {
        self.conversation
    }

    /// Returns the connection number for the observer. Packets and other requests have different
    /// numbers, since in a file of messages they may belong to several connections.
    fn number(&self) -> u32 {
        let connection = u32::try_from(self.connection).unwrap_or(u32::MAX / 2);
        connection.wrapping_mul(2).wrapping_add(u32::from(!self.is_packet))
    }
}

impl Key {
    fn new(ends: Option<&str>, head: &RequestHead<'_, '_>) -> Self {
        let original = FieldName::OriginalRequestUrl.find_in(head.fields());
        let path = match original.and_then(|url| std::str::from_utf8(url).ok()) {
            Some(url) => path(url),
            None => path(head.line().target),
        };
        let ends = ends.map(without_client_port).unwrap_or_default();
        Self { ends, path: path.into() }
    }
}

/// Removes the port of the client and the number of a reused pair of ports: they differ between the
/// connections of a client.
fn without_client_port(ends: &str) -> String {
    let (client, server) = ends.split_once(" > ").unwrap_or((ends, ""));
    let server = server.split(' ').next().unwrap_or_default();
    let address = client.rsplit_once(':').map_or(client, |(address, _)| address);
    format!("{address} > {server}")
}

/// Returns the path of a request target or of a URL. It stays the same if the client continues at
/// another host.
fn path(target: &str) -> &str {
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}
