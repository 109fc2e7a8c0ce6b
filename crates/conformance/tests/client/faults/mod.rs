//! The fault of each case.
//!
//! The files of most cases have lengths of their own, so that a fault can concern a single one.

mod challenges;
mod download_basic;
mod download_body;
mod download_change;
mod download_failure;
mod download_redirect;
mod download_resume;
mod upload_ack;
mod upload_basic;
mod upload_close;
mod upload_connection;
mod upload_credentials;
mod upload_file;
mod upload_host;
mod upload_message;
mod upload_proxy;
mod upload_refusal;
mod upload_reply;
mod upload_resync;
mod upload_retry;
mod upload_session;

use bits_conformance::client::Transfer;

use crate::double::{Fault, History, Sent};

/// The id of each case of a direction, and a fault that only this case finds.
pub fn faults(transfer: Transfer) -> impl Iterator<Item = (&'static str, Fault)> {
    let areas: &[&[_]] = match transfer {
        Transfer::Upload => &[
            upload_basic::FAULTS,
            upload_ack::FAULTS,
            upload_connection::FAULTS,
            upload_retry::FAULTS,
            upload_refusal::FAULTS,
            upload_resync::FAULTS,
            upload_session::FAULTS,
            upload_close::FAULTS,
            upload_credentials::FAULTS,
            challenges::FAULTS,
            upload_host::FAULTS,
            upload_proxy::FAULTS,
            upload_reply::FAULTS,
            upload_message::FAULTS,
            upload_file::FAULTS,
        ],
        _ => &[
            download_basic::FAULTS,
            download_body::FAULTS,
            download_resume::FAULTS,
            download_change::FAULTS,
            download_redirect::FAULTS,
            challenges::FAULTS,
            download_failure::FAULTS,
        ],
    };
    areas.iter().flat_map(|area| area.iter()).copied()
}

/// Loses responses that match.
macro_rules! loses {
    ($id:literal, |$past:ident, $received:ident| $condition:expr) => {
        (
            $id,
            crate::double::Fault::Reads(|$past, _, received| {
                let _ = $past;
                received.take_if(|$received| $condition);
            }),
        )
    };
}
/// Reads responses that match as other ones.
macro_rules! reads {
    ($id:literal, |$past:ident, $sent:ident, $received:ident| $condition:expr => $change:expr) => {
        (
            $id,
            crate::double::Fault::Reads(|$past, $sent, received| {
                let _ = ($past, $sent);
                if let Some($received) = received.as_mut() {
                    if $condition {
                        $change;
                    }
                }
            }),
        )
    };
}
/// Gives up after a response that matches.
macro_rules! gives_up {
    ($id:literal, |$past:ident, $received:ident| $condition:expr) => {
        (
            $id,
            crate::double::Fault::Ends(|$past| {
                $past.last().filter(|$received| $condition).map(|_| Err("gives up".into()))
            }),
        )
    };
}
/// Reports success after a response that matches.
macro_rules! claims {
    ($id:literal, |$past:ident, $received:ident| $condition:expr) => {
        (
            $id,
            crate::double::Fault::Ends(|$past| {
                $past.last().filter(|$received| $condition).map(|_| Ok(()))
            }),
        )
    };
}
/// Reports success for a file of this length in any case.
macro_rules! succeeds {
    ($id:literal, $length:expr) => {
        (
            $id,
            crate::double::Fault::Reports(
                |past, end| {
                    if past.length == $length { Ok(()) } else { end }
                },
            ),
        )
    };
}
/// Changes requests that match.
macro_rules! sends {
    ($id:literal, |$past:ident, $sent:ident| $condition:expr => $change:expr) => {
        (
            $id,
            crate::double::Fault::Sends(|$past, $sent| {
                if $condition {
                    $change;
                }
            }),
        )
    };
}
/// Sends another request after one that matches.
macro_rules! adds {
    ($id:literal, |$past:ident, $sent:ident| $condition:expr => $other:expr) => {
        (
            $id,
            crate::double::Fault::Adds(|$past, $sent| if $condition { Some($other) } else { None }),
        )
    };
}
/// Reports success with a wrong copy in one case.
macro_rules! copies {
    ($id:literal, |$past:ident| $bytes:expr) => {
        ($id, crate::double::Fault::Copies(|$past| $past.is($id).then(|| $bytes)))
    };
}
/// Reports a failure in one case, when the condition is true.
macro_rules! fails {
    ($id:literal, |$past:ident| $condition:expr) => {
        (
            $id,
            crate::double::Fault::Ends(|$past| {
                ($past.is($id) && $condition).then(|| Err("fails".into()))
            }),
        )
    };
}
use {adds, claims, copies, fails, gives_up, loses, reads, sends, succeeds};

/// Returns the bodies of this many responses to GET, one after the other.
fn pieces(past: &History, count: usize) -> Vec<u8> {
    past.gets().take(count).flat_map(|it| it.body.clone()).collect()
}

/// Returns the body of the first response to GET, or a part of it.
fn first(past: &History, length: usize) -> Vec<u8> {
    let mut bytes = pieces(past, 1);
    bytes.truncate(length);
    bytes
}

/// Returns a request for a URL, with credentials that must not reach its server.
fn leak(sent: &Sent, url: &str) -> Sent {
    let mut request = sent.get_from(url);
    request.set("Authorization", "Basic c2VjcmV0");
    request
}
