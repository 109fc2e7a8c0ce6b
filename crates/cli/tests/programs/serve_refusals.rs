//! Refusals of the program `serve`: a table of requests with one error each, the response, and the
//! state of the connection.
//!
//! References such as [A13] are explained in the conformance tests of the crate.

use crate::http_client::*;
use crate::server::Server;
use bits_proto::field::SessionId;
use bits_proto::message::AckContext;

/// State of the connection after the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The connection stays open.
    StaysOpen,
    /// The response announces that the connection is closed.
    Closed,
    /// Either of them. The request does not state the length of its body, which means in HTTP that
    /// there is none.
    AsAnnounced,
}

use After::{AsAnnounced, Closed, StaysOpen};

/// Description, additional fields, body, expected refusal, and expected state of the connection.
type Row<'t> = (&'t str, &'t str, &'t str, Refused, After);

/// Starts a server that does not close idle connections.
fn start(options: &[&str]) -> Server {
    Server::start(&[options, &["--read-timeout", "3600"]].concat())
}

/// Sends a request and checks the response.
#[track_caller]
fn check(server: &Server, what: &str, request: &str, expected: Refused, then: After) {
    let mut connection = Connection::open(server);
    connection.raw(request);
    let answer = connection.answer();
    assert_eq!(answer.refused(), expected, "{what}");
    if then != AsAnnounced {
        assert_eq!(answer.closes(), then == Closed, "{what}");
    }
    if answer.closes() {
        connection.ends();
    } else {
        assert!(connection.is_open(), "{what}");
    }
}

/// A session with the first 10 of 100 bytes.
struct PartialSession<'s> {
    server: &'s Server,
    id: SessionId<'static>,
}

impl<'s> PartialSession<'s> {
    fn start(server: &'s Server) -> Self {
        let id = create_session(server, "/e");
        let answer = ask(server, "/e", &fragment(id, 0..10, 100), b"0123456789");
        assert_eq!(answer.received(), 10);
        Self { server, id }
    }

    #[track_caller]
    fn assert_unchanged(&self, what: &str) {
        let answer = ask(self.server, "/e", &fragment(self.id, 0..1, 100), b"!");
        assert_eq!(answer.received(), 10, "{what}");
    }

    /// Completes the entity and checks its bytes.
    #[track_caller]
    fn complete(self) {
        let rest = entity(7, 90);
        let answer = ask(self.server, "/e", &fragment(self.id, 10..100, 100), &rest);
        assert_eq!(answer.received(), 100);
        ask(self.server, "/e", &close(self.id), b"").closed();
        assert_eq!(self.server.entity("e"), [b"0123456789", &*rest].concat());
        self.server.assert_clean();
    }
}

/// Returns a Fragment of ten bytes with these fields.
fn fragment_with(id: SessionId<'_>, fields: &str, body: &str) -> String {
    format!(
        "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: Fragment\r\n\
         BITS-Session-Id: {id}\r\n{fields}\r\n{body}"
    )
}

#[test]
fn invalid_fragments_are_refused() {
    const TEN: &str = "0123456789";
    const LENGTH: &str = "Content-Length: 10\r\n";
    let server = start(&[]);
    let session = PartialSession::start(&server);
    let ranges: [(&str, &str, Refused); 14] = [
        ("[A6] a gap", "bytes 11-20/100", out_of_sync(10)),
        ("[A6] a large gap", "bytes 90-99/100", out_of_sync(10)),
        ("[A13] ends after the total", "bytes 91-100/100", INVALID_ARGUMENT),
        ("[A13] ends before it begins", "bytes 19-10/100", INVALID_ARGUMENT),
        ("[A13] signs", "bytes +10-+19/+100", INVALID_ARGUMENT),
        ("[A13] 64 bits are not enough", "bytes 10-19/18446744073709551616", INVALID_ARGUMENT),
        ("[A13] wraps to 10", "bytes 18446744073709551626-19/100", INVALID_ARGUMENT),
        ("[A13] unknown total", "bytes 10-19/*", INVALID_ARGUMENT),
        ("[A1] range of an empty entity", "bytes 0--1/0", INVALID_ARGUMENT),
        ("[A1] range of an empty entity", "bytes */0", INVALID_ARGUMENT),
        ("no unit", "10-19/100", INVALID_ARGUMENT),
        ("another unit", "lines 10-19/100", INVALID_ARGUMENT),
        ("[A14] a smaller total", "bytes 10-19/99", INVALID_ARGUMENT),
        ("[A14] a greater total", "bytes 10-19/101", INVALID_ARGUMENT),
    ];
    for (what, range, expected) in ranges {
        let fields = format!("Content-Range: {range}\r\n{LENGTH}");
        check(&server, what, &fragment_with(session.id, &fields, TEN), expected, StaysOpen);
        session.assert_unchanged(what);
    }
    let right = "Content-Range: bytes 10-19/100\r\n";
    let with_length = format!("{right}{LENGTH}");
    let with = |field: &str| format!("{with_length}{field}\r\n");
    let (coded, another, twice, no_range, long) = (
        with("Content-Encoding: gzip"),
        with("BITS-Session-Id: {00000000-0000-4000-8000-000000000000}"),
        with("BITS-Packet-Type: Ping"),
        LENGTH.to_string(),
        with(&format!("X-Note: {}", "n".repeat(4097))),
    );
    let (shorter, longer) =
        (format!("{right}Content-Length: 9\r\n"), format!("{right}Content-Length: 11\r\n"));
    let chunked = format!("{right}Transfer-Encoding: chunked\r\n");
    let rows: [Row<'_>; 10] = [
        ("[A15] shorter than the range", &shorter, "012345678", INVALID_ARGUMENT, StaysOpen),
        ("[A15] longer than the range", &longer, "0123456789a", INVALID_ARGUMENT, StaysOpen),
        ("[A16] no Content-Length", right, "", LENGTH_REQUIRED, AsAnnounced),
        ("[A16] chunks", &chunked, "a\r\n0123456789\r\n0\r\n\r\n", INVALID_ARGUMENT, Closed),
        ("no Content-Range", &no_range, TEN, INVALID_ARGUMENT, StaysOpen),
        ("an encoding", &coded, TEN, INVALID_ARGUMENT, StaysOpen),
        ("two sessions", &another, TEN, INVALID_ARGUMENT, StaysOpen),
        ("two packet types", &twice, TEN, INVALID_ARGUMENT, StaysOpen),
        ("[A24] a value of 4097 bytes", &long, TEN, INVALID_ARGUMENT, StaysOpen),
        (
            "[A13] no body for a range",
            "Content-Range: bytes 10-19/100\r\nContent-Length: 0\r\n",
            "",
            INVALID_ARGUMENT,
            StaysOpen,
        ),
    ];
    for (what, fields, body, expected, then) in rows {
        check(&server, what, &fragment_with(session.id, fields, body), expected, then);
        session.assert_unchanged(what);
    }
    // [A24] A value of 4096 bytes, and identical repeated fields, are accepted.
    let fields = format!(
        "{right}{LENGTH}X-Note: {}\r\n{right}BITS-Packet-Type: Fragment\r\n\
         Content-Encoding: identity\r\n",
        "n".repeat(4096)
    );
    let mut connection = Connection::open(&server);
    connection.raw(fragment_with(session.id, &fields, TEN));
    assert_eq!(connection.answer().received(), 20);
    ask(&server, "/e", &cancel(session.id), b"")
        .granted(&AckContext::CancelSession { session_id: None });
    server.assert_clean();
}

#[test]
fn unknown_sessions_and_invalid_packets_are_refused() {
    let server = start(&[]);
    let session = PartialSession::start(&server);
    let id = session.id;
    let unknown = SessionId::from_random([7; 16]);
    let body = "Content-Length: 1\r\nContent-Range: bytes 10-10/100\r\n\r\n!";
    let protocols = "BITS-Supported-Protocols";
    let long_id = "1".repeat(101);
    let rows: [(&str, String, Refused, After); 16] = [
        (
            "an unknown session",
            format!("Fragment\r\nBITS-Session-Id: {unknown}\r\n{body}"),
            NOT_FOUND,
            StaysOpen,
        ),
        ("no GUID", format!("Fragment\r\nBITS-Session-Id: 1\r\n{body}"), NOT_FOUND, StaysOpen),
        (
            "a path",
            format!("Fragment\r\nBITS-Session-Id: ../root/e\r\n{body}"),
            NOT_FOUND,
            StaysOpen,
        ),
        (
            "close an unknown session",
            format!("Close-Session\r\nBITS-Session-Id: {unknown}\r\nContent-Length: 0\r\n\r\n"),
            NOT_FOUND,
            StaysOpen,
        ),
        (
            "cancel an unknown session",
            format!("Cancel-Session\r\nBITS-Session-Id: {unknown}\r\nContent-Length: 0\r\n\r\n"),
            NOT_FOUND,
            StaysOpen,
        ),
        ("no session", format!("Fragment\r\n{body}"), INVALID_ARGUMENT, StaysOpen),
        (
            "an empty session id",
            format!("Fragment\r\nBITS-Session-Id: \r\n{body}"),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "an id of 101 bytes",
            format!("Fragment\r\nBITS-Session-Id: {long_id}\r\n{body}"),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "close without a session",
            "Close-Session\r\nContent-Length: 0\r\n\r\n".into(),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "close with a body",
            format!("Close-Session\r\nBITS-Session-Id: {id}\r\nContent-Length: 1\r\n\r\n!"),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "ping with a body",
            "Ping\r\nContent-Length: 5\r\n\r\nbytes".into(),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        ("an Ack", "Ack\r\nContent-Length: 0\r\n\r\n".into(), INVALID_ARGUMENT, StaysOpen),
        (
            "an unknown packet type",
            "Resume-Session\r\nContent-Length: 0\r\n\r\n".into(),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "no protocol",
            "Create-Session\r\nContent-Length: 0\r\n\r\n".into(),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "an unknown protocol",
            format!(
                "Create-Session\r\n{protocols}: {{7df0354d-249b-430f-820d-3d2a9bef4932}}\r\nContent-Length: 0\r\n\r\n"
            ),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
        (
            "an invalid list of protocols",
            format!("Create-Session\r\n{protocols}: BITS 1.5\r\nContent-Length: 0\r\n\r\n"),
            INVALID_ARGUMENT,
            StaysOpen,
        ),
    ];
    for (what, packet, expected, then) in rows {
        let request =
            format!("BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: {packet}");
        check(&server, what, &request, expected, then);
        session.assert_unchanged(what);
    }
    let untyped = "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 0\r\n\r\n";
    check(&server, "no packet type", untyped, INVALID_ARGUMENT, StaysOpen);
    // A session is not found under another URL.
    let elsewhere = [fragment(id, 10..11, 100), close(id), cancel(id)];
    for request in elsewhere {
        let body = if matches!(request.content_length(), 1) { &b"!"[..] } else { b"" };
        assert_eq!(ask(&server, "/f", &request, body).refused(), NOT_FOUND, "{request:?}");
        session.assert_unchanged("another URL");
    }
    // [A9] A Ping does not belong to a session, even if it names one.
    let mut connection = Connection::open(&server);
    connection.raw(
        "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: Ping\r\n\
         BITS-Session-Id: none\r\nContent-Length: 0\r\n\r\n",
    );
    connection.answer().granted(&AckContext::Ping);
    session.complete();
}

/// [A23] The order of the checks: a request with several errors, which are corrected one by one.
#[test]
fn the_first_failed_check_is_reported() {
    let server = start(&["--max-upload", "1000", "--max-fragment", "6000"]);
    let session = PartialSession::start(&server);
    let send = |id: SessionId<'_>, range: &str, length: u64| {
        let fields = format!("Content-Range: bytes {range}\r\nContent-Length: {length}\r\n");
        let body = "!".repeat(length as usize);
        let mut connection = Connection::open(&server);
        connection.raw(fragment_with(id, &fields, &body));
        connection.answer().refused()
    };
    let unknown = SessionId::from_random([7; 16]);
    assert_eq!(send(unknown, "50-2000/2001", 9), INVALID_ARGUMENT, "its length");
    assert_eq!(send(unknown, "50-2000/2001", 1951), NOT_FOUND, "the session");
    assert_eq!(send(session.id, "50-2000/2001", 1951), INVALID_ARGUMENT, "another total");
    assert_eq!(send(session.id, "50-99/100", 50), out_of_sync(10), "the offset");
    session.complete();
}
