//! An observer between our own two ends: everything they say to each other goes by it as bytes,
//! and no rule may be broken.

use bits_proto::head::{Progress, RequestHead, ResponseHead, Slots, Target};
use bits_proto::message::{Ack, NO_EXTRAS, Request};
use bits_proto::observer::{Observer, Violation};

/// One conversation, from its beginning, over one connection after another.
#[derive(Clone, Debug)]
pub struct Watch {
    pub observer: Observer,
    connection: u32,
    /// How many messages went by.
    pub messages: u64,
}

impl Watch {
    pub fn new() -> Self {
        Self { observer: Observer::new(), connection: 0, messages: 0 }
    }

    /// A request of the client's.
    #[track_caller]
    pub fn request(&mut self, request: &Request<'_>) {
        let mut buffer = [0; 2048];
        let target = Target::try_from("/entity").expect("a target");
        let encoder = request.encode(target, NO_EXTRAS).expect("a request that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        let mut slots = Slots::new();
        let Ok(Progress::Complete(head)) = RequestHead::parse(&buffer[..length], &mut slots) else {
            panic!("a head of ours cannot be read");
        };
        self.messages += 1;
        let broken = &mut |violation| forbidden(&violation, &buffer[..length]);
        self.observer.handle_request(self.connection, &head, broken);
    }

    /// An answer of the server's, written with both error fields.
    #[track_caller]
    pub fn answer(&mut self, ack: &Ack<'_>) {
        let mut buffer = [0; 4096];
        let encoder = ack.encode(NO_EXTRAS).expect("an Ack that can be sent");
        let length = encoder.write(&mut buffer).expect("room");
        let mut slots = Slots::new();
        let Ok(Progress::Complete(head)) = ResponseHead::parse(&buffer[..length], &mut slots)
        else {
            panic!("a head of ours cannot be read");
        };
        self.messages += 1;
        let broken = &mut |violation| forbidden(&violation, &buffer[..length]);
        self.observer.handle_response(self.connection, &head, broken);
    }

    /// The connection ends; what follows comes on another one.
    pub fn disconnected(&mut self) {
        self.observer.handle_disconnected(self.connection);
        self.connection += 1;
    }
}

#[track_caller]
fn forbidden(violation: &Violation, head: &[u8]) {
    let (rule, severity) = (violation.rule(), violation.severity());
    panic!("{rule} ({severity}): {violation}, in\n{}", String::from_utf8_lossy(head));
}
