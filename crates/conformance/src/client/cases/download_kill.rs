//! Clients that are killed.

use crate::Level::{Must, Robustness};
use crate::client::download::{CUT, Download, Scenario};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Reply, Request};
use crate::client::scenario::Expect::{Finishes, NoWrongCopy};

/// Responds to the first GET with a part of the body, and kills the client then.
fn kill_at_first(server: &mut Download, request: &Request, reply: Reply) -> Reply {
    match server.is_nth_get(request, 1) {
        true => reply.ending(Ending::Stall).cut(CUT).kill(),
        false => reply,
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "killed.download",
        Robustness,
        &["R3.6.4.2-1"],
        "Finish the download when the command runs again after the process was killed.",
        Scenario::new(Finishes, 20_000, |server: &mut Download, request| {
            let reply = server.ordinary(request);
            kill_at_first(server, request, reply)
        }),
    ),
    Entry::download(
        "killed.download.changed",
        Must,
        &["R3.6.4.2-1", "RFC9110-15.3.7.3"],
        "Start over if the entity has changed since the process was killed.",
        Scenario::new(NoWrongCopy, 20_000, |server: &mut Download, request| {
            if server.is_nth_get(request, 2) {
                server.replace_entity();
            }
            let reply = server.ordinary(request);
            kill_at_first(server, request, reply)
        }),
    ),
];
