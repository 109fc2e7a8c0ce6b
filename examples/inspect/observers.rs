//! One observer per conversation, that is, per client and URL, across all connections.

use std::collections::{BTreeMap, BTreeSet};

use bits_proto::download::{self, MultipartEvent, MultipartRead, MultipartReader};
use bits_proto::field::{FieldName, SessionId};
use bits_proto::http1::BodyLength;
use bits_proto::message::{AckContext, Request, RequestHead, ResponseHead};
use bits_proto::observer::{DownloadObserver, Observer, Violation};

use crate::source::ConnectionId;
use crate::target::path_and_query;

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
    downloads: DownloadObserver,
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
    is_download: bool,
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
        let is_download = is_download(head);
        let observed = ObservedRequest { conversation, connection, is_packet, is_download };
        let conversation = &mut self.conversations[conversation];
        if is_download {
            let downloads = &mut conversation.downloads;
            downloads.handle_request_fields(observed.number(), head.line(), head.fields());
        }
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
        if !observed.is_download || head.body_length() == BodyLength::Chunked {
            return;
        }
        let downloads = &mut self.conversations[observed.conversation].downloads;
        let (mut reader, mut rest) = (MultipartReader::new(content_type), bytes);
        while let Ok(MultipartRead { consumed, event: Some(event), .. }) = reader.read(rest) {
            let report = |violation| violations.push(violation);
            match event {
                MultipartEvent::Part(part) => {
                    downloads.handle_part(observed.number(), part, report);
                }
                MultipartEvent::End => {
                    downloads.handle_body_end(observed.number(), report);
                    return;
                }
                _ => {}
            }
            rest = &rest[consumed..];
        }
    }

    /// Observes that the response to a request is malformed.
    pub fn malformed_response(&mut self, observed: &ObservedRequest) {
        let conversation = &mut self.conversations[observed.conversation];
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
        if let Some(conversation) = self.current.get(&connection) {
            let observed = ObservedRequest {
                conversation: *conversation,
                connection,
                is_packet: true,
                is_download: false,
            };
            self.response(&observed, head, violations);
        }
    }

    /// Resets the observer of a connection, after data on it was not captured or is invalid.
    pub fn reset(&mut self, connection: ConnectionId) {
        for conversation in &mut self.conversations {
            conversation.downloads.handle_disconnected(number(connection, false));
        }
        if let Some(conversation) = self.current.remove(&connection) {
            let conversation = &mut self.conversations[conversation];
            conversation.observer = Observer::mid_stream();
            conversation.waiting.clear();
        }
    }

    /// Observes the end of a connection.
    pub fn ended(&mut self, connection: ConnectionId) {
        self.current.remove(&connection);
        for conversation in &mut self.conversations {
            for is_packet in [true, false] {
                let number = number(connection, is_packet);
                conversation.observer.handle_disconnected(number);
                conversation.downloads.handle_disconnected(number);
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
            let (observer, downloads) = (self.initial, DownloadObserver::new());
            let waiting = BTreeSet::new();
            self.conversations.push(Conversation { key, observer, downloads, waiting });
            self.conversations.len() - 1
        })
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

impl Key {
    fn new(ends: Option<&str>, head: &RequestHead<'_, '_>) -> Self {
        let original = FieldName::OriginalRequestUrl.find_in(head.fields());
        let path = match original.and_then(|url| std::str::from_utf8(url).ok()) {
            Some(url) => path_and_query(url),
            None => path_and_query(head.line().target),
        };
        let ends = ends.map(without_client_port).unwrap_or_default();
        Self { ends, path: path.into() }
    }
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
