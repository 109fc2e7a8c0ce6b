//! The record of a case: evidence, and the observers that judge each conversation.

use std::collections::HashMap;

use bits_proto::download;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::observer::{DownloadObserver, Observer, Violation};

use crate::{Direction, Finding, Message};

/// The peer that the suite examines.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Peer {
    Server,
    Client,
}

/// Everything that passed on the connections of one case.
pub(crate) struct Log {
    /// Violations by the other side are intentional, and not recorded.
    peer: Peer,
    pub(crate) messages: Vec<Message>,
    pub(crate) findings: Vec<Finding>,
    /// One observer for each request target.
    uploads: HashMap<String, Observer>,
    downloads: HashMap<String, DownloadObserver>,
    connections: u32,
}

/// The request that the next response on a connection answers. Requests with the same target belong to the same
/// conversation.
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
    pub(crate) fn new(peer: Peer) -> Self {
        Self {
            peer,
            messages: Vec::new(),
            findings: Vec::new(),
            uploads: HashMap::new(),
            downloads: HashMap::new(),
            connections: 0,
        }
    }

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
        let Self { peer, findings, uploads, downloads, .. } = self;
        let report = |violation: Violation| add(*peer, Peer::Client, findings, &violation);
        match pending {
            Pending::Packet { target } => {
                let observer = uploads.entry(target.clone()).or_default();
                let mut slots = HeaderSlots::new();
                match RequestHead::parse(head, &mut slots) {
                    Ok(Progress::Complete(head)) => {
                        observer.handle_request(connection, &head, report);
                    }
                    Ok(Progress::Partial) => {}
                    Err(error) => observer.handle_malformed_request(connection, &error, report),
                }
            }
            Pending::Download { target, .. } => {
                let observer = downloads.entry(target.clone()).or_default();
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
        let Self { peer, findings, uploads, downloads, .. } = self;
        let mut report = |violation: Violation| {
            let violator = if violation.is_in_request() { Peer::Client } else { Peer::Server };
            add(*peer, violator, findings, &violation);
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

    /// Records a violation by a client that the suite has found itself.
    pub(crate) fn record_violation(&mut self, violation: &Violation) {
        add(self.peer, Peer::Client, &mut self.findings, violation);
    }

    /// Records the end of a connection.
    pub(crate) fn disconnected(&mut self, connection: u32, direction: Direction) {
        self.record(connection, direction, b"");
        self.observe_end(connection);
    }

    /// Shows the end of a connection to the observers.
    pub(crate) fn observe_end(&mut self, connection: u32) {
        self.uploads.values_mut().for_each(|it| it.handle_disconnected(connection));
        self.downloads.values_mut().for_each(|it| it.handle_disconnected(connection));
    }
}

/// Adds a violation by the examined peer; those of the suite are intentional.
fn add(peer: Peer, violator: Peer, findings: &mut Vec<Finding>, violation: &Violation) {
    if peer != violator {
        return;
    }
    let field = match violation {
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
