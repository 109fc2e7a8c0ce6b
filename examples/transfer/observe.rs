//! An observer at the client's end of the wire: it has to find nothing.

use std::io::{self, Write};

use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

/// What the client and the server say to each other, over one connection after another.
#[derive(Default)]
pub struct WireObserver {
    observer: Observer,
    connection: u32,
    /// How many messages went by.
    pub messages: u64,
    /// What was wrong, for people.
    pub broken: Vec<String>,
}

impl WireObserver {
    /// A request, and the head of its response, where there is one.
    ///
    /// What the network says in the server's place is heard, as the client acts on it; that it is
    /// wrong is no fault of the server's.
    pub fn exchange(&mut self, request: &[u8], response: Option<&[u8]>, is_forged: bool) {
        let mut slots = HeaderSlots::new();
        let Ok(parsed) = RequestHead::parse(request, &mut slots) else {
            return self.broken.push("the client sends what is no HTTP".into());
        };
        let Some(head) = parsed.complete() else { return };
        self.messages += 1;
        let broken = |violation| self.broken.push(description(&violation));
        self.observer.handle_request(self.connection, &head, broken);
        let Some(response) = response else { return self.disconnected() };
        self.messages += 1;
        let broken = |violation| {
            if !is_forged {
                self.broken.push(description(&violation));
            }
        };
        let mut slots = HeaderSlots::new();
        match ResponseHead::parse(response, &mut slots) {
            Ok(parsed) => {
                let Some(head) = parsed.complete() else { return };
                self.observer.handle_response(self.connection, &head, broken);
            }
            Err(error) => self.observer.handle_broken_response(self.connection, &error, broken),
        }
    }

    /// The connection is no more.
    pub fn disconnected(&mut self) {
        self.observer.handle_disconnected(self.connection);
        self.connection += 1;
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let rules = if self.broken.is_empty() { "no rule broken" } else { "RULES BROKEN" };
        writeln!(out, "observed     {} messages, {rules}", self.messages)?;
        self.broken.iter().try_for_each(|sentence| writeln!(out, "             {sentence}"))
    }
}

fn description(violation: &Violation) -> String {
    format!("{} ({}): {violation}", violation.rule(), violation.severity())
}
