//! One observer per conversation, that is, per client and URL, across all connections.

use std::collections::BTreeSet;

use bits_proto::download::{self, MultipartEvent, MultipartRead, MultipartReader};
use bits_proto::field::{FieldName, SessionId};
use bits_proto::message::{AckContext, Request, RequestHead, ResponseHead};
use bits_proto::observer::{DownloadObserver, Observer, Violation};

use crate::inspect::body::body_data;
use crate::inspect::conversations::{Conversation, Conversations, Key};
use crate::inspect::source::ConnectionId;
use crate::inspect::target::path_and_query;

pub struct Observers {
    /// Initial state of an observer of a new conversation.
    initial: Observer,
    conversations: Conversations,
}

/// An observed request, which identifies the observer for its response.
#[derive(Clone, Copy, Debug)]
pub struct ObservedRequest {
    conversation: usize,
    connection: ConnectionId,
    is_packet: bool,
    is_download: bool,
}

impl Observers {
    pub fn new(from_start: bool) -> Self {
        let initial = if from_start { Observer::new() } else { Observer::mid_stream() };
        Self { initial, conversations: Conversations::default() }
    }

    /// Returns the number of conversations that were visited.
    #[cfg(test)]
    pub fn visits(&self) -> usize {
        self.conversations.visits()
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
        let is_download = is_download(head);
        let observed = ObservedRequest { conversation, connection, is_packet, is_download };
        self.conversations.record_request(connection, conversation, is_packet);
        let conversation = self.conversations.get_mut(conversation);
        if is_download {
            let downloads = &mut conversation.downloads;
            downloads.handle_request_fields(observed.number(), head.line(), head.fields());
        }
        let report = |violation| violations.push(violation);
        conversation.observer.handle_request(observed.number(), head, report);
        if is_packet {
            conversation.waiting.insert(connection);
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
        let conversation = self.conversations.get_mut(observed.conversation);
        let mut report = |violation| violations.push(violation);
        conversation.observer.handle_response(observed.number(), head, &mut report);
        if observed.is_packet {
            conversation.waiting.remove(&observed.connection);
        }
        if observed.is_download {
            let (line, fields) = (head.line(), head.fields());
            let downloads = &mut conversation.downloads;
            downloads.handle_response_fields(observed.number(), line, fields, report);
        }
    }

    /// Observes the ranges in the body of a response to a download. `bytes` follow the head.
    pub fn download_body(
        &mut self,
        observed: &ObservedRequest,
        head: &ResponseHead<'_, '_>,
        bytes: &[u8],
        violations: &mut Vec<Violation>,
    ) {
        let response = download::Response::from_fields(head.line(), head.fields());
        let Ok(download::Response { multipart: Some(content_type), .. }) = response else { return };
        if !observed.is_download {
            return;
        }
        let downloads = &mut self.conversations.get_mut(observed.conversation).downloads;
        let mut reader = MultipartReader::new(content_type);
        // Bytes after the last delimiter belong to no part. Those after an error may be any parts.
        let (mut has_ended, mut is_readable) = (false, true);
        let is_complete = body_data(head, bytes, |mut data| {
            while is_readable && !has_ended && !data.is_empty() {
                let read = reader.read(data);
                is_readable = read.is_ok();
                let Ok(MultipartRead { consumed, event }) = read else { return };
                match event {
                    Some(MultipartEvent::Part(part)) => {
                        let report = |violation| violations.push(violation);
                        downloads.handle_part(observed.number(), part, report);
                    }
                    Some(MultipartEvent::End) => has_ended = true,
                    _ => {}
                }
                data = &data[consumed..];
            }
        });
        if is_readable && (has_ended || is_complete) {
            downloads.handle_body_end(observed.number(), |violation| violations.push(violation));
        }
    }

    /// Observes that the response to a request is malformed.
    pub fn malformed_response(&mut self, observed: &ObservedRequest) {
        let conversation = self.conversations.get_mut(observed.conversation);
        conversation.downloads.handle_disconnected(observed.number());
    }

    /// Adds the bytes that were sent before a request to the context of its response.
    ///
    /// If they are unknown, those that the server acknowledged count.
    pub fn ack_context<'b>(
        &self,
        observed: &ObservedRequest,
        context: AckContext<'b>,
    ) -> AckContext<'b> {
        let observer = &self.conversations.get(observed.conversation).observer;
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
        let observer = &mut self.conversations.get_mut(observed.conversation).observer;
        observer.handle_incomplete_request(observed.number(), arrived, |it| violations.push(it));
    }

    /// Observes that the response to a request was not captured.
    pub fn missed_response(&mut self, observed: &ObservedRequest) {
        let conversation = self.conversations.get_mut(observed.conversation);
        conversation.observer.handle_missed_response(observed.number());
        conversation.downloads.handle_disconnected(observed.number());
        conversation.waiting.remove(&observed.connection);
    }

    /// Observes a response whose request was not captured.
    pub fn response_without_request(head: &ResponseHead<'_, '_>, violations: &mut Vec<Violation>) {
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
        if let Some(conversation) = self.conversations.current(connection) {
            let (is_packet, is_download) = (true, false);
            let observed = ObservedRequest { conversation, connection, is_packet, is_download };
            self.response(&observed, head, violations);
        }
    }

    /// Resets the observer of a connection, after data on it was not captured or is invalid.
    pub fn reset(&mut self, connection: ConnectionId) {
        for conversation in self.conversations.take_with_requests(connection) {
            let downloads = &mut self.conversations.get_mut(conversation).downloads;
            downloads.handle_disconnected(number(connection, false));
        }
        if let Some(conversation) = self.conversations.take_current(connection) {
            let conversation = self.conversations.get_mut(conversation);
            conversation.observer = Observer::mid_stream();
            conversation.waiting.clear();
        }
    }

    /// Observes the end of a connection.
    pub fn ended(&mut self, connection: ConnectionId) {
        for conversation in self.conversations.remove_connection(connection) {
            let conversation = self.conversations.get_mut(conversation);
            for is_packet in [true, false] {
                let number = number(connection, is_packet);
                conversation.observer.handle_disconnected(number);
                conversation.downloads.handle_disconnected(number);
            }
            conversation.waiting.remove(&connection);
        }
    }

    /// Returns the conversation of a request, which is created if necessary.
    fn conversation_of(
        &mut self,
        connection: ConnectionId,
        ends: Option<&str>,
        head: &RequestHead<'_, '_>,
    ) -> usize {
        let key = key(ends, head);
        self.known_conversation(connection, &key, head).unwrap_or_else(|| {
            let (observer, downloads) = (self.initial, DownloadObserver::new());
            let conversation = Conversation { observer, downloads, waiting: BTreeSet::new() };
            self.conversations.add(key, conversation)
        })
    }

    /// Returns the existing conversation of a request.
    ///
    /// Candidates are, in this order: the conversation whose session the request names, the one to
    /// which the connection belongs, and the latest idle one with the same key. Concurrent uploads
    /// of one client are separate conversations.
    fn known_conversation(
        &self,
        connection: ConnectionId,
        key: &Key,
        head: &RequestHead<'_, '_>,
    ) -> Option<usize> {
        let named = FieldName::SessionId.find_in(head.fields());
        let named = named.and_then(|id| SessionId::try_from(id).ok());
        let is_named = |index: &usize| {
            named.is_some() && self.conversations.get(*index).observer.session_id() == named
        };
        let is_idle = |index: &usize| {
            let waiting = &self.conversations.get(*index).waiting;
            waiting.iter().all(|other| *other == connection)
        };
        let candidates = || self.conversations.with_key(key);
        let current = self.conversations.current(connection);
        let current = current.filter(|current| candidates().any(|it| it == *current));
        let known = current.filter(is_named);
        let known = known.or_else(|| candidates().find(is_named)).or(current);
        let known = known.or_else(|| candidates().find(is_idle));
        // A notification comes from the server and not from the client, so only the path matches.
        let is_notification = FieldName::OriginalRequestUrl.find_in(head.fields()).is_some();
        let has_path = || self.conversations.with_path(&key.path).filter(|_| is_notification);
        known.or_else(has_path)
    }
}

impl ObservedRequest {
    /// Returns the number of the conversation to which the request belongs.
    pub fn conversation(&self) -> usize {
        self.conversation
    }

    fn number(&self) -> u32 {
        number(self.connection, self.is_packet)
    }
}

/// Returns the connection number for the observer. Packets and other requests have different
/// numbers, since in a file of messages they may belong to several connections.
fn number(connection: ConnectionId, is_packet: bool) -> u32 {
    let connection = u32::try_from(connection).unwrap_or(u32::MAX / 2);
    connection.wrapping_mul(2).wrapping_add(u32::from(!is_packet))
}

/// Returns the participants of the conversation of a request.
fn key(ends: Option<&str>, head: &RequestHead<'_, '_>) -> Key {
    let original = FieldName::OriginalRequestUrl.find_in(head.fields());
    let path = match original.and_then(|url| std::str::from_utf8(url).ok()) {
        Some(url) => path_and_query(url),
        None => path_and_query(head.line().target),
    };
    Key { ends: ends.map(without_client_port).unwrap_or_default(), path: path.into() }
}

/// Returns true for the request of a download: it has ranges or accepts only identity. Pages that a
/// browser requests need neither date nor length.
fn is_download(head: &RequestHead<'_, '_>) -> bool {
    let is_typical =
        |(name, value): (&str, &[u8])| match download::field::FieldName::from_name(name) {
            Some(download::field::FieldName::Range) => true,
            Some(download::field::FieldName::AcceptEncoding) => {
                value.eq_ignore_ascii_case(b"identity")
            }
            _ => false,
        };
    matches!(head.line().method, "GET" | "HEAD") && head.fields().any(is_typical)
}

/// Removes the port of the client and the number of a reused pair of ports: they differ between the
/// connections of a client.
fn without_client_port(ends: &str) -> String {
    let (client, server) = ends.split_once(" > ").unwrap_or((ends, ""));
    let server = server.split(' ').next().unwrap_or_default();
    let address = client.rsplit_once(':').map_or(client, |(address, _)| address);
    format!("{address} > {server}")
}
