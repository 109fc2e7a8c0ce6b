//! Options of the program `serve`: sizes, overlaps, methods; unwanted bodies, and requests outside
//! the protocol.

use std::io::Write as _;

use crate::http_client::*;
use crate::server::Server;
use bits_proto::field::SessionId;
use bits_proto::message::AckContext;

/// Prevents timeouts of idle connections.
const NO_TIMEOUT: [&str; 2] = ["--read-timeout", "3600"];

#[test]
fn entities_and_fragments_beyond_the_limits_are_refused() {
    let server = Server::start(&["--max-upload", "20000", "--max-fragment", "6000"]);
    let mut connection = Connection::open(&server);
    let id = connection.ask("/e", &create(), b"").session();
    let entity = entity(8, 20_001);
    let mut send = |length: usize, total| {
        connection.ask("/e", &fragment(id, 0..length as u64, total), &entity[..length])
    };
    assert_eq!(send(10, 20_001).refused(), TOO_LARGE, "the entity");
    assert_eq!(send(6_001, 20_000).refused(), SMALLER_FRAGMENTS, "[A33] the fragment");
    assert_eq!(send(6_000, 20_000).received(), 6_000);
    for first in [6_000, 12_000, 18_000] {
        let end = (first + 6_000).min(20_000);
        let request = fragment(id, first as u64..end as u64, 20_000);
        let answer = connection.ask("/e", &request, &entity[first..end]);
        assert_eq!(answer.received(), end as u64);
    }
    connection.ask("/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), entity[..20_000]);
    // BITS clients do not reduce fragments below 5 KiB, so a lower limit is a permanent error.
    let strict = Server::start(&["--max-fragment", "100"]);
    let id = create_session(&strict, "/e");
    let answer = ask(&strict, "/e", &fragment(id, 0..101, 200), &entity[..101]);
    assert_eq!(answer.refused(), TOO_LARGE);
    ask(&strict, "/e", &cancel(id), b"").granted(&AckContext::CancelSession { session_id: None });
    server.assert_clean();
    strict.assert_clean();
}

/// [A37] An unwanted body is read up to a limit. Beyond it the connection is closed, and the client
/// still receives the response.
#[test]
fn an_unwanted_body_is_drained_or_the_connection_closed() {
    let server = Server::start(&NO_TIMEOUT);
    let unknown = SessionId::from_random([7; 16]);
    let small = vec![0; 1_000_000];
    let mut connection = Connection::open(&server);
    let request = fragment(unknown, 0..1_000_000, 1_000_000);
    let answer = connection.ask("/e", &request, &small);
    assert_eq!((answer.refused(), answer.closes()), (NOT_FOUND, false));
    assert!(connection.is_open());
    const LARGE: u64 = 20 * 1024 * 1024;
    for _ in 0..3 {
        let mut connection = Connection::open(&server);
        connection.raw(head("/e", &fragment(unknown, 0..LARGE, LARGE)));
        // The client sends its whole body before it reads. If the server closed the connection at
        // once, the response could be lost.
        for _ in 0..LARGE as usize / small.len() {
            connection.stream.write_all(&small).expect("a server that reads on");
        }
        let answer = connection.answer();
        assert_eq!((answer.refused(), answer.closes()), (NOT_FOUND, true));
        connection.ends();
    }
    server.assert_clean();
}

/// [A4], [A5] With this option, fragments with received bytes are out of sync, as in the
/// specification.
#[test]
fn overlaps_can_be_refused() {
    let server = Server::start(&["--overlap", "416"]);
    let session = create_session(&server, "/e");
    let send = |range: std::ops::Range<u64>| {
        let body = vec![b'a' + range.start as u8 % 26; (range.end - range.start) as usize];
        ask(&server, "/e", &fragment(session, range, 100), &body)
    };
    assert_eq!(send(0..10).received(), 10);
    for range in [0..10, 9..10, 5..15, 0..100, 11..12] {
        assert_eq!(send(range).refused(), out_of_sync(10));
    }
    assert_eq!(send(10..100).received(), 100);
    ask(&server, "/e", &close(session), b"").closed();
    assert_eq!(server.entity("e"), [vec![b'a'; 10], vec![b'k'; 90]].concat());
    server.assert_clean();
}

/// HTTP requests outside the protocol.
#[test]
fn other_methods_and_invalid_http_are_refused() {
    let server = Server::start(&NO_TIMEOUT);
    for method in ["PUT", "DELETE", "POST", "PATCH"] {
        let answer = Connection::open(&server).fetch(method, "/e", &[("Content-Length", "0")]);
        assert_eq!(answer.status, 405, "{method}");
        let allowed = answer.field("Allow").expect("what is allowed");
        for method in ["BITS_POST", "GET", "HEAD"] {
            assert!(allowed.split(", ").any(|it| it == method), "{allowed}");
        }
    }
    // HTTP/1.0 is refused.
    let old = "BITS_POST /e HTTP/1.0\r\nHost: origin.example\r\nBITS-Packet-Type: Ping\r\n\
        Content-Length: 0\r\n\r\n";
    let mut connection = Connection::open(&server);
    connection.raw(old);
    let answer = connection.answer();
    assert_eq!((answer.status, answer.field("BITS-Error").as_deref()), (400, Some("0x80070057")));
    connection.ends();
    // hyper refuses requests that are not valid HTTP.
    let host = "Host: origin.example\r\nBITS-Packet-Type: Ping\r\n";
    for (what, request, status) in [
        (
            "two lengths",
            format!(
                "BITS_POST /e HTTP/1.1\r\n{host}Content-Length: 0\r\nContent-Length: 1\r\n\r\n"
            ),
            400,
        ),
        ("a sign", format!("BITS_POST /e HTTP/1.1\r\n{host}Content-Length: +0\r\n\r\n"), 400),
        ("no name", format!("BITS_POST /e HTTP/1.1\r\n{host}: value\r\n\r\n"), 400),
        (
            "a space before the colon",
            format!("BITS_POST /e HTTP/1.1\r\n{host}Content-Length : 0\r\n\r\n"),
            400,
        ),
        ("not HTTP", "EHLO origin.example\r\n\r\n".into(), 400),
        (
            "many fields",
            format!("BITS_POST /e HTTP/1.1\r\n{host}{}\r\n", "X-Note: 1\r\n".repeat(2000)),
            431,
        ),
    ] {
        let mut connection = Connection::open(&server);
        connection.raw(request);
        assert_eq!(connection.answer().status, status, "{what}");
        connection.ends();
    }
    server.assert_clean();
}

/// Clients that cannot send BITS_POST, with and without `--lenient`.
#[test]
fn a_lenient_server_accepts_other_methods() {
    let requests = |target: &str, field: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: origin.example\r\n{field}\
             BITS-Packet-Type: Create-Session\r\n\
             BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    let lenient = Server::start(&["--lenient"]);
    let strict = Server::start(&[]);
    for field in ["", "X-HTTP-Method-Override: BITS_POST\r\n"] {
        let request = requests("/e", field);
        let mut connection = Connection::open(&lenient);
        connection.raw(&request);
        let id = connection.answer().session();
        // A missing Content-Length without a body, and a body on a packet that must not have one.
        connection
            .raw("POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: Ping\r\n\r\n");
        connection.answer().granted(&AckContext::Ping);
        connection.raw(format!(
            "POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: Cancel-Session\r\n\
             BITS-Session-Id: {id}\r\nContent-Length: 4\r\n\r\nbody"
        ));
        connection.answer().granted(&AckContext::CancelSession { session_id: None });
        let mut connection = Connection::open(&strict);
        connection.raw(&request);
        let status = connection.answer().status;
        assert!([400, 405].contains(&status), "{status}");
    }
    assert!(strict.session_files().is_empty(), "no session is created");
    lenient.assert_clean();
    strict.assert_clean();
}
