//! Clients that are killed.

use super::once;
use crate::Level::Robustness;
use crate::client::entry::Entry;
use crate::client::message::Reply;
use crate::client::scenario::Needs;

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "killed.fragment",
        Robustness,
        &["R2.2.7.2-2"],
        "Finish the upload when the command runs again after the process was killed.",
        once!(Finishes, 54_001, Fragment 1, |server, request| {
            server.max_sessions += 1;
            server.ordinary(request);
            Reply::silence().kill()
        }),
    ),
    Entry::upload(
        "killed.close",
        Robustness,
        &["R2.2.8-1"],
        "Finish the upload when the command runs again after the process was killed within Close-Session.",
        once!(Finishes, 54_002, CloseSession 1, |server, request| {
            server.max_sessions += 1;
            server.ordinary(request);
            Reply::silence().kill()
        })
        // The reply may exist already.
        .needs(Needs::NoReply),
    ),
];
