//! An observer at the client's end of the connection, which must not find violations.

use std::io::{self, Write};

use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

/// Observes the messages on consecutive connections.
#[derive(Default)]
pub struct WireObserver {
    observer: Observer,
    connection: u32,
    /// Number of observed messages.
    pub messages: u64,
    /// Descriptions of the violations.
    pub violations: Vec<String>,
}

impl WireObserver {
    /// Observes a request and the head of its response, if there is one.
    ///
    /// A response that the network forged is observed too, as the client acts on it. Its violations
    /// are not recorded.
    pub fn exchange(&mut self, request: &[u8], response: Option<&[u8]>, is_forged: bool) {
        let mut slots = HeaderSlots::new();
        let Ok(parsed) = RequestHead::parse(request, &mut slots) else {
            return self.violations.push("request is not valid HTTP".into());
        };
        let Some(head) = parsed.complete() else { return };
        self.messages += 1;
        let report = |violation| self.violations.push(description(&violation));
        self.observer.handle_request(self.connection, &head, report);
        let Some(response) = response else { return self.disconnected() };
        self.messages += 1;
        let report = |violation| {
            if !is_forged {
                self.violations.push(description(&violation));
            }
        };
        let mut slots = HeaderSlots::new();
        match ResponseHead::parse(response, &mut slots) {
            Ok(parsed) => {
                let Some(head) = parsed.complete() else { return };
                self.observer.handle_response(self.connection, &head, report);
            }
            Err(error) => self.observer.handle_malformed_response(self.connection, &error, report),
        }
    }

    /// Observes the end of the connection.
    pub fn disconnected(&mut self) {
        self.observer.handle_disconnected(self.connection);
        self.connection += 1;
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let result = if self.violations.is_empty() { "no violations" } else { "VIOLATIONS:" };
        writeln!(out, "observed     {} messages, {result}", self.messages)?;
        self.violations.iter().try_for_each(|sentence| writeln!(out, "             {sentence}"))
    }
}

fn description(violation: &Violation) -> String {
    format!("{} ({}): {violation}", violation.rule(), violation.severity())
}
