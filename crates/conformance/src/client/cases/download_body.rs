//! The end of bodies, and connections that break.

use super::{each_get, nth_get};
use crate::Level::{Must, Robustness};
use crate::client::download::CUT;
use crate::client::entry::Entry;
use crate::client::message::{Ending, Framing, Reply};

/// Adds a Content-Length beside that of the body.
fn with_length(reply: Reply, length: &str) -> Reply {
    reply.field("Content-Length", length)
}

/// A case in which the responses to GET differ from those of an ordinary server.
macro_rules! framed {
    ($id:literal, $level:ident, $expect:ident, $advice:literal, |$server:ident, $reply:ident| $changed:expr) => {
        Entry::download(
            $id,
            $level,
            &["RFC9112-6.3"],
            $advice,
            each_get!($expect, |$server, _request, $reply| $changed),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "body.truncated",
        Must,
        &["RFC9112-8"],
        "Report no success if the body ends before its Content-Length.",
        nth_get!(NoWrongCopy, 1, |_server, reply| reply.ending(Ending::Close).cut(CUT)),
    ),
    Entry::download(
        "body.truncated.retried",
        Robustness,
        &["R3.6.5.3-1", "RFC9112-8"],
        "Request the rest, or the whole entity again, if the body ends before its Content-Length.",
        nth_get!(Finishes, 1, |_server, reply| reply.ending(Ending::Close).cut(CUT)),
    ),
    Entry::download(
        "body.truncated.always",
        Must,
        &["RFC9112-8"],
        "Give up if no byte of the body arrives, also after retries.",
        each_get!(NoSuccess, |_server, _request, reply| reply.ending(Ending::Close).cut(0)),
    ),
    framed!(
        "body.chunked",
        Must,
        NoWrongCopy,
        "Decode the chunked transfer coding, or refuse a body without Content-Length.",
        |_server, reply| reply.framing(Framing::Chunked(1000))
    ),
    framed!(
        "body.chunked.truncated",
        Must,
        NoSuccess,
        "Report no success if a chunked body ends before its last chunk.",
        |_server, reply| reply.framing(Framing::Chunked(1000)).ending(Ending::Close).cut(CUT)
    ),
    framed!(
        "body.chunked.with_length",
        Must,
        NoWrongCopy,
        "Ignore Content-Length in a chunked response, or refuse the response.",
        |_server, reply| with_length(reply, "10").framing(Framing::Chunked(1000))
    ),
    framed!(
        "body.until_close",
        Must,
        NoWrongCopy,
        "Read a body without Content-Length to the end of the connection, or refuse it.",
        |_server, reply| reply.framing(Framing::UntilClose)
    ),
    framed!(
        "body.until_close.reset",
        Must,
        NoSuccess,
        "Report no success if a connection is reset whose end is that of the body.",
        |_server, reply| reply.framing(Framing::UntilClose).ending(Ending::Reset).cut(CUT)
    ),
    framed!(
        "body.too_long",
        Robustness,
        NoWrongCopy,
        "Store as many bytes as Content-Length states, and close the connection if more arrive.",
        |server, reply| {
            let bytes = [&reply.body[..], b"More bytes."].concat();
            with_length(reply, &server.bytes.len().to_string())
                .body(bytes)
                .framing(Framing::UntilClose)
        }
    ),
    framed!(
        "body.conflicting_lengths",
        Must,
        NoSuccess,
        "Refuse a response with two values of Content-Length that differ.",
        |_server, reply| with_length(reply, "10000")
    ),
    framed!(
        "body.invalid_length",
        Must,
        NoWrongCopy,
        "Refuse a Content-Length that is not a number, or ignore it.",
        |_server, reply| with_length(reply, "-1").framing(Framing::UntilClose)
    ),
    Entry::download(
        "connection.closed",
        Robustness,
        &["R3.6.5.3-1"],
        "Retry if the connection ends without a response.",
        nth_get!(Finishes, 1, |_server, _reply| Reply::lost()),
    ),
    Entry::download(
        "connection.reset",
        Robustness,
        &["R3.6.5.3-1"],
        "Retry if the connection is reset within the body.",
        nth_get!(Finishes, 1, |_server, reply| reply.ending(Ending::Reset).cut(CUT)),
    ),
    Entry::download(
        "connection.head_cut",
        Must,
        &["RFC9112-8"],
        "Discard a response whose connection ends within its head.",
        nth_get!(NoWrongCopy, 1, |_server, reply| {
            let length = reply.head().len() - 10;
            Reply { sent: Some(length), ..reply }.ending(Ending::Close)
        }),
    ),
    Entry::download(
        "connection.not_http",
        Robustness,
        &["RFC9112-3"],
        "Treat a response that is not HTTP as a failure, and store none of it.",
        nth_get!(NoWrongCopy, 1, |_server, _reply| Reply {
            before: "SSH-2.0-OpenSSH_9.2p1\r\n",
            ..Reply::lost()
        }),
    ),
    Entry::download(
        "stall.response",
        Robustness,
        &["R3.6.5.1-3"],
        "Retry if no response arrives within a time limit.",
        nth_get!(Recovers, 1, |_server, _reply| Reply::silence()),
    ),
    Entry::download(
        "stall.body",
        Robustness,
        &["R3.6.5.1-4"],
        "Retry if no further bytes of a body arrive within a time limit.",
        nth_get!(Recovers, 1, |_server, reply| reply.ending(Ending::Stall).cut(CUT)),
    ),
];
