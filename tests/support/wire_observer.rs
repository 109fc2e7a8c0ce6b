//! An observer between the client and the server of this crate. It receives all of their messages as bytes and
//! must find no violation. It is used by the simulated uploads and by random walks through the model. Tests of
//! one side alone do not use it, because the other side is scripted and may break rules.
#![allow(dead_code, reason = "each test file uses a part of it")]

use bits_proto::http1::{Progress, RequestTarget};
use bits_proto::message::{Ack, HeaderSlots, NO_EXTRAS, Request, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

/// One conversation from its beginning, over one or more connections.
#[derive(Clone, Debug)]
pub struct WireObserver {
    observer: Observer,
    connection: u32,
    /// Number of messages.
    pub messages: u64,
    /// Recorded events, if they are to be replayed.
    pub recorded: Option<Vec<WireEvent>>,
}

/// An event on the connection with this number.
#[derive(Clone, Debug)]
pub enum WireEvent {
    Request(u32, Vec<u8>),
    Response(u32, Vec<u8>),
    Disconnected(u32),
}

impl WireEvent {
    /// Passes the event to an observer, which must find no violation.
    #[track_caller]
    pub fn replay(&self, observer: &mut Observer) {
        let mut slots = HeaderSlots::new();
        match self {
            Self::Request(connection, bytes) => {
                let head = RequestHead::parse(bytes, &mut slots).map(Progress::complete);
                let Ok(Some(head)) = head else { panic!("the encoded head is not valid") };
                observer.handle_request(*connection, &head, |it| reject(&it, bytes));
            }
            Self::Response(connection, bytes) => {
                let mut slots = HeaderSlots::new();
                let head = ResponseHead::parse(bytes, &mut slots).map(Progress::complete);
                let Ok(Some(head)) = head else { panic!("the encoded head is not valid") };
                observer.handle_response(*connection, &head, |it| reject(&it, bytes));
            }
            Self::Disconnected(connection) => observer.handle_disconnected(*connection),
        }
    }
}

impl WireObserver {
    pub fn new() -> Self {
        Self { observer: Observer::new(), connection: 0, messages: 0, recorded: None }
    }

    #[track_caller]
    fn record(&mut self, event: WireEvent) {
        event.replay(&mut self.observer);
        self.recorded.iter_mut().for_each(|all| all.push(event.clone()));
    }

    /// Observes a request of the client.
    #[track_caller]
    pub fn request(&mut self, request: &Request<'_>) {
        let mut buffer = [0; 2048];
        let target = RequestTarget::try_from("/entity").expect("a target");
        let encoder = request.encode(target, &NO_EXTRAS).expect("a request that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        self.messages += 1;
        self.record(WireEvent::Request(self.connection, buffer[..length].to_vec()));
    }

    /// Observes a response of the server, written with both error fields.
    #[track_caller]
    pub fn answer(&mut self, ack: &Ack<'_>) {
        let mut buffer = [0; 4096];
        let encoder = ack.encode(&NO_EXTRAS).expect("an Ack that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        self.messages += 1;
        self.record(WireEvent::Response(self.connection, buffer[..length].to_vec()));
    }

    /// Ends the connection. Later messages use another one.
    pub fn disconnected(&mut self) {
        self.record(WireEvent::Disconnected(self.connection));
        self.connection += 1;
    }
}

#[track_caller]
fn reject(violation: &Violation, head: &[u8]) {
    let (rule, severity) = (violation.rule(), violation.severity());
    panic!("{rule} ({severity}): {violation}, in\n{}", String::from_utf8_lossy(head));
}
