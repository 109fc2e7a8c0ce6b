//! Valid Acks in unusual forms.

use crate::Level::{Must, Robustness};
use crate::client::entry::Entry;
use crate::client::message::{Ending, Framing, Reply};
use crate::client::scenario::Expect::Finishes;
use crate::client::upload::{Scenario, Upload};

/// A case in which each Ack differs from that of an ordinary server.
macro_rules! variant {
    ($id:literal, $level:ident, $requirements:expr, $advice:literal, $length:literal, |$reply:ident| $changed:expr) => {
        Entry::upload(
            $id,
            $level,
            $requirements,
            $advice,
            Scenario::new(Finishes, $length, |server: &mut Upload, request| {
                let $reply: Reply = server.ordinary(request);
                match request.packet() {
                    Some(_) => $changed,
                    None => $reply,
                }
            }),
        )
    };
}

pub(super) const CASES: &[Entry] = &[
    variant!(
        "ack.lower_case",
        Must,
        &["RFC9110-5.1"],
        "Compare the names of header fields without regard to case: proxies change it.",
        41_001,
        |reply| reply.names(str::to_ascii_lowercase)
    ),
    variant!(
        "ack.upper_case",
        Must,
        &["RFC9110-5.1"],
        "Compare the names of header fields without regard to case.",
        41_002,
        |reply| reply.names(str::to_ascii_uppercase)
    ),
    variant!(
        "ack.packet_type_case",
        Robustness,
        &["R2.2.1.2-1"],
        "Compare the value of BITS-Packet-Type without regard to case.",
        41_003,
        |reply| reply.change("BITS-Packet-Type", |_| "ACK".into())
    ),
    variant!(
        "ack.no_space",
        Must,
        &["RFC9112-5"],
        "Accept fields without a space between the colon and the value.",
        41_004,
        |reply| Reply { separator: ":", ..reply }
    ),
    variant!(
        "ack.white_space",
        Must,
        &["RFC9112-5"],
        "Remove spaces and tabs before and after the values of fields.",
        41_005,
        |reply| {
            let spaced = |value: &str| format!("{value}\t ");
            let names = ["BITS-Session-Id", "BITS-Received-Content-Range", "BITS-Protocol"];
            names
                .iter()
                .fold(Reply { separator: ": \t", ..reply }, |it, name| it.change(name, spaced))
        }
    ),
    variant!(
        "ack.unknown_fields",
        Must,
        &["RFC9110-5.1"],
        "Ignore header fields that are not defined.",
        41_006,
        |reply| reply
            .field("X-Cache", "MISS")
            .field("BITS-Unknown", "1")
            .field("Via", "1.1 proxy.example")
    ),
    variant!(
        "ack.chunked",
        Robustness,
        &["RFC9112-6.1"],
        "Read Acks in the chunked transfer coding, into which proxies convert responses.",
        41_007,
        |reply| reply.framing(Framing::Chunked(8))
    ),
    variant!(
        "ack.chunked_body",
        Robustness,
        &["RFC9112-6.1"],
        "Read and discard the chunks of an Ack with a body, before the next response on the connection.",
        41_008,
        |reply| reply.body("A body that is discarded.\n").framing(Framing::Chunked(7))
    ),
    variant!(
        "ack.until_close",
        Must,
        &["RFC9112-6.3"],
        "Accept an Ack without Content-Length, whose connection is closed after it.",
        41_009,
        |reply| reply.framing(Framing::UntilClose)
    ),
    variant!(
        "ack.connection_close",
        Must,
        &["RFC9112-9.6"],
        "Open a new connection after an Ack with Connection: close, and continue the session there.",
        41_010,
        |reply| reply.ending(Ending::Close)
    ),
    variant!(
        "ack.body",
        Robustness,
        &["R2.2.7.3-1", "RFC9112-6.3"],
        "Read and discard the body of an Ack, before the next response on the connection.",
        41_011,
        |reply| reply.body("<html><body>OK</body></html>")
    ),
    variant!(
        "ack.http_1_0",
        Robustness,
        &["R2.2.1-1"],
        "Accept an Ack with HTTP/1.0, which an old proxy sends.",
        41_012,
        |reply| Reply { version: "HTTP/1.0", ..reply }.ending(Ending::Close)
    ),
    variant!(
        "ack.interim",
        Must,
        &["RFC9110-15.2"],
        "Skip interim responses (1xx) before the Ack.",
        41_013,
        |reply| reply.before("HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n")
    ),
    variant!(
        "ack.created",
        Robustness,
        &["R2.2.1.2-1"],
        "Accept the status 201 as a success.",
        41_014,
        |reply| if reply.status == 200 { reply.status(201) } else { reply }
    ),
    variant!(
        "ack.error_on_success",
        Robustness,
        &["R2.2.1.2-7"],
        "Ignore error fields in a success, such as BITS-Error-Code: 0x0.",
        41_015,
        |reply| reply.field("BITS-Error-Code", "0x0").field("BITS-Error-Context", "0x5")
    ),
    variant!(
        "ack.duplicate_field",
        Robustness,
        &["RFC9110-5.2"],
        "Accept a field that a proxy has duplicated with the same value.",
        41_016,
        |reply| {
            let offset =
                reply.fields.iter().find(|(name, _)| name == "BITS-Received-Content-Range");
            match offset.cloned() {
                Some((name, value)) => reply.field(&name, value),
                None => reply,
            }
        }
    ),
];
