//! Downloads from ordinary servers, and the requests of the client.

use crate::Level::{Must, Robustness};
use crate::client::download::{Download, Scenario};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Ending, Reply, Request};
use crate::client::scenario::Expect::Finishes;

/// A download from an ordinary server.
const fn ordinary(length: u64) -> Scenario {
    Scenario::new(Finishes, length, |server: &mut Download, request| server.ordinary(request))
}

/// A case in which each response differs from that of an ordinary server.
macro_rules! variant {
    ($id:literal, $level:ident, $requirements:expr, $advice:literal, |$reply:ident| $changed:expr) => {
        Entry::download(
            $id,
            $level,
            $requirements,
            $advice,
            Scenario::new(Finishes, 20_000, |server: &mut Download, request| {
                let $reply: Reply = server.ordinary(request);
                $changed
            }),
        )
    };
}

/// Requires a property of every request.
fn requires(server: &Download, is_valid: impl Fn(&Request) -> bool, property: &str) -> Outcome {
    match server.requests.iter().find(|it| !is_valid(it)) {
        None => Ok(()),
        Some(request) => fail(format!("client sends {} {}", request.method, property)),
    }
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "download.file",
        Must,
        &["R3.6.5.2.4-1"],
        "Download with GET, and report success when all bytes are in the file.",
        ordinary(20_000),
    ),
    Entry::download(
        "download.empty",
        Robustness,
        &["R3.6.5.2.4-1"],
        "Create an empty file for an entity without bytes.",
        ordinary(0),
    ),
    Entry::download(
        "download.one_byte",
        Must,
        &["R3.6.5.2.4-1"],
        "Download a file of one byte.",
        ordinary(1),
    ),
    Entry::download(
        "download.many_reads",
        Must,
        &["R3.6.5.2.4-1"],
        "Read a body that arrives in many pieces.",
        ordinary(300_000),
    ),
    Entry::download(
        "request.method",
        Must,
        &["R3.5.5-2"],
        "Send no other methods than GET and HEAD.",
        ordinary(20_000).check(|server| {
            let is_valid = |it: &Request| matches!(it.method.as_str(), "GET" | "HEAD");
            requires(server, is_valid, "instead of GET or HEAD")
        }),
    ),
    Entry::download(
        "request.host",
        Must,
        &["RFC9110-7.2"],
        "Send the host and the port of the URL in the field Host.",
        ordinary(20_000).check(|server| {
            let host = server.setup.origin.split('/').next_back();
            requires(server, |it| it.field("Host") == host, "without the Host of the URL")
        }),
    ),
    Entry::download(
        "request.body",
        Must,
        &["RFC9110-9.3.1"],
        "Send no body with GET and HEAD.",
        ordinary(20_000).check(|server| requires(server, |it| it.length == 0, "with a body")),
    ),
    variant!(
        "response.lower_case",
        Must,
        &["RFC9110-5.1"],
        "Compare the names of header fields without regard to case: proxies change it.",
        |reply| reply.names(str::to_ascii_lowercase)
    ),
    variant!(
        "response.no_space",
        Must,
        &["RFC9112-5"],
        "Accept fields without a space between the colon and the value.",
        |reply| Reply { separator: ":", ..reply }
    ),
    variant!(
        "response.unknown_fields",
        Must,
        &["R2.3-2"],
        "Ignore header fields that are not defined, such as those of caches.",
        |reply| reply.field("Age", "60").field("Via", "1.1 proxy.example").field("X-Cache", "HIT")
    ),
    variant!(
        "response.interim",
        Must,
        &["RFC9110-15.2"],
        "Skip interim responses (1xx) before the response.",
        |reply| reply.before("HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n")
    ),
    variant!(
        "response.http_1_0",
        Robustness,
        &["RFC9110-2.5"],
        "Accept a response with HTTP/1.0, which an old proxy sends.",
        |reply| Reply { version: "HTTP/1.0", ..reply }.ending(Ending::Close)
    ),
    variant!(
        "response.no_validators",
        Must,
        &["RFC9110-8.8"],
        "Download an entity whose server sends neither Last-Modified nor ETag.",
        |reply| Download::without_validators(reply)
    ),
    variant!(
        "response.connection_close",
        Must,
        &["RFC9112-9.6"],
        "Open a new connection after a response with Connection: close.",
        |reply| reply.ending(Ending::Close)
    ),
    variant!(
        "response.idle_closed",
        Must,
        &["RFC9112-9.5"],
        "Open a new connection if the server has closed an idle one, without Connection: close.",
        |reply| reply.ending(Ending::CloseSilently)
    ),
];
