//! Copies the sources of `bits-proto`, and counts transitions in the copy, which the package builds as its library.

use std::{fs, io};

use bits_proto_test_tools::core_sources;

/// A file, a text that it contains once, and the text that replaces it.
type Edit = (&'static str, &'static str, &'static str);

/// The functions that look up the next state. `StateMachine::next` itself is not changed: lists of the legal events
/// call it too.
const EDITS: &[Edit] = &[
    ("state_machine.rs", "self.next(event).ok_or", "crate::transitions::next(self, event).ok_or"),
    (
        "client/retry.rs",
        "self.exchange.next(ExchangeEvent::BackoffElapsed)",
        "crate::transitions::next(self.exchange, ExchangeEvent::BackoffElapsed)",
    ),
    (
        "download/client/body.rs",
        "self.progress.state.next(Event::AllReceived)",
        "crate::transitions::next(self.progress.state, Event::AllReceived)",
    ),
    (
        "observer/state.rs",
        "self.try_next(event).ok()",
        "TABLE[self as usize].1[event as usize].ok()",
    ),
    (
        "observer/state.rs",
        ".copied().unwrap_or(Ok(self))",
        ".copied().unwrap_or(Ok(self)).inspect(|_| crate::transitions::count(self, event))",
    ),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = core_sources::copy()?;
    for (file, from, to) in EDITS {
        let path = folder.join(file);
        let text = core_sources::replace(file, &fs::read_to_string(&path)?, from, to);
        fs::write(path, text)?;
    }
    Ok(())
}
