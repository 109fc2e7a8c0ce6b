//! The record of a case: evidence, and the observers that judge each conversation.

use std::collections::HashMap;

use bits_proto::download;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::observer::{DownloadObserver, Observer, Violation};

use crate::{Direction, Finding, Message};

/// Everything that passed on the connections of one case.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) messages: Vec<Message>,
    pub(crate) findings: Vec<Finding>,
    /// One observer for each request target.
    uploads: HashMap<String, Observer>,
    downloads: HashMap<String, DownloadObserver>,
    connections: u32,
}

/// The request that the next response on a connection answers.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    /// A packet, valid or not.
    Packet {
        target: String,
    },
    Download {
        target: String,
        is_head: bool,
    },
    /// Bytes that the observers do not see.
    Raw,
}

impl Log {
    pub(crate) fn next_connection(&mut self) -> u32 {
        self.connections += 1;
        self.connections
    }

    /// Records bytes; those that follow others in the same direction belong to the same message.
    pub(crate) fn record(&mut self, connection: u32, direction: Direction, bytes: &[u8]) {
        match self.messages.last_mut() {
            Some(last) if last.connection == connection && last.direction == direction => {
                last.extend(bytes);
            }
            _ => self.messages.push(Message::new(connection, direction, bytes)),
        }
    }

    /// Shows the head of a request to its observer.
    pub(crate) fn observe_request(&mut self, connection: u32, head: &[u8], pending: &Pending) {
        match pending {
            Pending::Packet { target } => {
                let observer = self.uploads.entry(target.clone()).or_default();
                let mut slots = HeaderSlots::new();
                if let Ok(Progress::Complete(head)) = RequestHead::parse(head, &mut slots) {
                    // Requests are invalid on purpose: only responses are judged.
                    observer.handle_request(connection, &head, |_| {});
                }
            }
            Pending::Download { target, .. } => {
                let observer = self.downloads.entry(target.clone()).or_default();
                let mut slots = download::HeaderSlots::new();
                if let Ok(Progress::Complete(head)) = download::RequestHead::parse(head, &mut slots)
                {
                    observer.handle_request(connection, &head);
                }
            }
            Pending::Raw => {}
        }
    }

    /// Shows the head of a response to the observer of its request.
    pub(crate) fn observe_response(&mut self, connection: u32, head: &[u8], pending: &Pending) {
        let Self { findings, uploads, downloads, .. } = self;
        let mut report = |violation: Violation| {
            if !violation.is_in_request() {
                let field = match &violation {
                    Violation::Message(error) => error.field(),
                    _ => None,
                };
                findings.push(Finding {
                    rule: violation.rule(),
                    field,
                    section: violation.section(),
                    severity: violation.severity(),
                    message: violation.to_string(),
                });
            }
        };
        match pending {
            Pending::Packet { target } => {
                let Some(observer) = uploads.get_mut(target) else { return };
                let mut slots = HeaderSlots::new();
                match ResponseHead::parse(head, &mut slots) {
                    Ok(Progress::Complete(head)) => {
                        observer.handle_response(connection, &head, report);
                    }
                    Ok(Progress::Partial) => {}
                    Err(error) => observer.handle_malformed_response(connection, &error, report),
                }
            }
            Pending::Download { target, .. } => {
                let Some(observer) = downloads.get_mut(target) else { return };
                let mut slots = download::HeaderSlots::new();
                if let Ok(Progress::Complete(head)) =
                    download::ResponseHead::parse(head, &mut slots)
                {
                    observer.handle_response(connection, &head, &mut report);
                }
            }
            Pending::Raw => {}
        }
    }

    /// Records the end of a connection.
    pub(crate) fn disconnected(&mut self, connection: u32, direction: Direction) {
        self.record(connection, direction, b"");
        self.uploads.values_mut().for_each(|it| it.handle_disconnected(connection));
        self.downloads.values_mut().for_each(|it| it.handle_disconnected(connection));
    }
}
