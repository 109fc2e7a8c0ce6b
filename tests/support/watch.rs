//! An observer between our own two ends: everything they say to each other goes by it as bytes,
//! and no rule may be broken. It watches the ten thousand uploads and the walks through the model;
//! `transfer` has one of its own. Tests of one end alone are not watched: what they make of the other
//! end need not be right.
#![allow(dead_code, reason = "each test file uses a part of it")]

use bits_proto::http1::{HeaderSlots, Progress, RequestHead, RequestTarget, ResponseHead};
use bits_proto::message::{Ack, NO_EXTRAS, Request};
use bits_proto::observer::{Observer, Violation};

/// One conversation, from its beginning, over one connection after another.
#[derive(Clone, Debug)]
pub struct Watch {
    observer: Observer,
    connection: u32,
    /// How many messages went by.
    pub messages: u64,
    /// What went by, where it is to be watched again.
    pub passed: Option<Vec<Passed>>,
}

/// What goes by, on a connection with this number.
#[derive(Clone, Debug)]
pub enum Passed {
    Request(u32, Vec<u8>),
    Response(u32, Vec<u8>),
    Disconnected(u32),
}

impl Passed {
    /// Shows it to an observer, which has to find nothing.
    #[track_caller]
    pub fn pass(&self, observer: &mut Observer) {
        let mut slots = HeaderSlots::new();
        match self {
            Self::Request(connection, bytes) => {
                let head = RequestHead::parse(bytes, &mut slots).map(Progress::complete);
                let Ok(Some(head)) = head else { panic!("a head of ours cannot be read") };
                observer.handle_request(*connection, &head, |it| forbidden(&it, bytes));
            }
            Self::Response(connection, bytes) => {
                let mut slots = HeaderSlots::new();
                let head = ResponseHead::parse(bytes, &mut slots).map(Progress::complete);
                let Ok(Some(head)) = head else { panic!("a head of ours cannot be read") };
                observer.handle_response(*connection, &head, |it| forbidden(&it, bytes));
            }
            Self::Disconnected(connection) => observer.handle_disconnected(*connection),
        }
    }
}

impl Watch {
    pub fn new() -> Self {
        Self { observer: Observer::new(), connection: 0, messages: 0, passed: None }
    }

    #[track_caller]
    fn pass(&mut self, passed: Passed) {
        passed.pass(&mut self.observer);
        self.passed.iter_mut().for_each(|all| all.push(passed.clone()));
    }

    /// A request of the client's.
    #[track_caller]
    pub fn request(&mut self, request: &Request<'_>) {
        let mut buffer = [0; 2048];
        let target = RequestTarget::try_from("/entity").expect("a target");
        let encoder = request.encode(target, NO_EXTRAS).expect("a request that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        self.messages += 1;
        self.pass(Passed::Request(self.connection, buffer[..length].to_vec()));
    }

    /// An answer of the server's, written with both error fields.
    #[track_caller]
    pub fn answer(&mut self, ack: &Ack<'_>) {
        let mut buffer = [0; 4096];
        let encoder = ack.encode(NO_EXTRAS).expect("an Ack that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        self.messages += 1;
        self.pass(Passed::Response(self.connection, buffer[..length].to_vec()));
    }

    /// The connection ends; what follows comes on another one.
    pub fn disconnected(&mut self) {
        self.pass(Passed::Disconnected(self.connection));
        self.connection += 1;
    }
}

#[track_caller]
fn forbidden(violation: &Violation, head: &[u8]) {
    let (rule, severity) = (violation.rule(), violation.severity());
    panic!("{rule} ({severity}): {violation}, in\n{}", String::from_utf8_lossy(head));
}
