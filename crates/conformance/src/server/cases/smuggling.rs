//! Requests whose end two parties may see at different places.

use std::time::Duration;

use crate::Level::Security;
use crate::server::entry::{Entry, Outcome, Stop};
use crate::server::packet::Packet;
use crate::server::session::Session;
use crate::server::test::Test;

/// A case in which the body of a request contains a Cancel-Session of the same session.
macro_rules! case {
    ($id:literal, $requirements:expr, $advice:literal, $change:expr) => {
        Entry::new($id, Security, $requirements, $advice, |test| Box::pin(hidden(test, $change)))
    };
}

/// A case about a head that is ambiguous.
macro_rules! ambiguous {
    ($id:literal, $requirements:expr, $advice:literal, $change:expr) => {
        Entry::new($id, Security, $requirements, $advice, |test| Box::pin(ambiguous(test, $change)))
    };
}

const CHUNKED: &[&str] = &["RFC9112-6.1", "RFC9112-6.3", "R3.2.5.2.3-6"];
const SYNTAX: &[&str] = &["RFC9112-2.2", "RFC9112-5", "R2.2.1-2"];

pub(super) const CASES: &[Entry] = &[
    case!(
        "smuggling.body_of_gap",
        &["RFC9112-6.3"],
        "Read or discard the whole body of a refused fragment, or close the connection: it is no request.",
        |packet| {
            let range = range(&packet, 20, 4000);
            packet.set("Content-Range", range)
        }
    ),
    case!(
        "smuggling.body_of_invalid_range",
        &["RFC9112-6.3"],
        "Read or discard the whole body of a fragment with an invalid range, or close the connection.",
        |packet| packet.set("Content-Range", "bytes 1-0/3999")
    ),
    case!(
        "smuggling.body_of_unknown_session",
        &["RFC9112-6.3"],
        "Read or discard the whole body of a fragment of an unknown session, or close the connection.",
        |packet| packet.set("BITS-Session-Id", "{00000000-0000-4000-8000-000000000001}")
    ),
    case!(
        "smuggling.body_of_unknown_packet",
        &["RFC9112-6.3"],
        "Read or discard the whole body of an unknown packet, or close the connection.",
        |packet| packet.set("BITS-Packet-Type", "Unknown")
    ),
    case!(
        "smuggling.body_of_ping",
        &["RFC9112-6.3"],
        "Read or discard the body of a Ping, or close the connection.",
        |packet| packet.set("BITS-Packet-Type", "Ping").remove("Content-Range")
    ),
    case!(
        "smuggling.body_of_other_method",
        &["RFC9112-6.3"],
        "Read or discard the body of a request with another method, or close the connection.",
        |packet| Packet { method: "PUT".into(), ..packet }
    ),
    case!(
        "smuggling.chunked_with_length",
        CHUNKED,
        "Refuse a request with both Transfer-Encoding and Content-Length, and close the connection.",
        |packet| {
            let body = [b"0\r\n\r\n", &packet.body[..]].concat();
            let packet = packet.set("Content-Length", body.len().to_string()).body(body);
            packet.add("Transfer-Encoding", "chunked")
        }
    ),
    case!(
        "smuggling.two_lengths",
        &["RFC9112-6.3"],
        "Refuse a request with two different Content-Length fields, and close the connection.",
        |packet| packet.add("Content-Length", "0")
    ),
    case!(
        "smuggling.length_list",
        &["RFC9112-6.3"],
        "Refuse a Content-Length of two different numbers, and close the connection.",
        |packet| {
            let length = packet.body.len();
            packet.set("Content-Length", format!("0, {length}"))
        }
    ),
    ambiguous!(
        "smuggling.chunked",
        CHUNKED,
        "Refuse a fragment with Transfer-Encoding: chunked; packets have a Content-Length.",
        |packet| {
            let body = [b"a\r\n", &packet.body[..], b"\r\n0\r\n\r\n"].concat();
            packet.remove("Content-Length").add("Transfer-Encoding", "chunked").body(body)
        }
    ),
    ambiguous!(
        "smuggling.coding.unknown",
        CHUNKED,
        "Refuse a transfer coding that you do not know.",
        |packet| packet.add("Transfer-Encoding", "xchunked")
    ),
    ambiguous!(
        "smuggling.coding.identity",
        CHUNKED,
        "Refuse Transfer-Encoding: identity, which no longer exists.",
        |packet| packet.add("Transfer-Encoding", "identity")
    ),
    ambiguous!(
        "smuggling.space_before_colon",
        SYNTAX,
        "Refuse white space between the name of a field and its colon.",
        |packet| packet.add("Content-Name ", "a")
    ),
    ambiguous!(
        "smuggling.line_folding",
        SYNTAX,
        "Refuse a field whose value continues on the next line.",
        |packet| packet.add("Content-Name", "a\r\n b")
    ),
    ambiguous!("smuggling.nul", SYNTAX, "Refuse NUL in the value of a field.", |packet| packet
        .add("Content-Name", "a\0b")),
    ambiguous!(
        "smuggling.bare_cr",
        SYNTAX,
        "Refuse CR without LF in the value of a field.",
        |packet| packet.add("Content-Name", "a\rContent-Length: 0")
    ),
    ambiguous!(
        "smuggling.name_with_space",
        SYNTAX,
        "Refuse a field name with a space.",
        |packet| packet.add("Content Name", "a")
    ),
    ambiguous!(
        "smuggling.line_without_colon",
        SYNTAX,
        "Refuse a line without a colon in a head.",
        |mut packet| {
            packet.method =
                format!("{} {} HTTP/1.1\r\nno-colon\r\nX:", packet.method, packet.target);
            packet
        }
    ),
];

/// A range of the length of the body.
fn range(packet: &Packet, first: u64, total: u64) -> String {
    format!("bytes {first}-{}/{total}", first + packet.body.len() as u64 - 1)
}

/// Sends a request whose body is a Cancel-Session. The session has to survive.
async fn hidden(test: &mut Test, change: fn(Packet) -> Packet) -> Outcome {
    let mut session = test.session(3999).await?;
    session.accept(0..10).await?;
    let cancel = session.packet("Cancel-Session").head();
    let packet = session.packet("Fragment").body(&cancel);
    let packet = packet.set("Content-Length", cancel.len().to_string());
    let packet = packet.add("Content-Range", format!("bytes 10-{}/3999", 9 + cancel.len()));
    send(&mut session, change(packet)).await?;
    session.accept(10..20).await
}

/// Sends an ambiguous fragment, which must not be stored.
async fn ambiguous(test: &mut Test, change: fn(Packet) -> Packet) -> Outcome {
    let mut session = test.session(3998).await?;
    let packet = session.fragment_packet(0..10);
    send(&mut session, change(packet)).await?;
    session.accept(0..10).await?;
    session.accept(10..20).await
}

/// Requires a refusal or the end of the connection. Waits until the server has read everything.
async fn send(session: &mut Session, packet: Packet) -> Outcome {
    let bytes = [packet.head(), packet.body].concat();
    session.connection.send_raw(&bytes).await?;
    if let Some(answer) = session.connection.answer_or_end().await? {
        answer.refused()?;
        if !session.connection.is_closed {
            // A second response is the response to the hidden request.
            let is_more = session.connection.has_more(Duration::from_millis(100)).await?;
            let hidden = || Stop::Fail("expected one response; the body is answered too".into());
            if is_more {
                return Err(hidden());
            }
        }
    }
    session.reconnect().await
}
