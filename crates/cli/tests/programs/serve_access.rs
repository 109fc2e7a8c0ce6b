//! Authentication by the program `serve`.

use crate::http_client::*;
use crate::server::Server;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bits_proto::field::SessionId;
use bits_proto::message::{AckContext, Request};

fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

fn ask_as(server: &Server, who: &str, target: &str, request: &Request<'_>, body: &[u8]) -> Answer {
    let mut connection = Connection::open(server);
    let head = head_with(target, request, &[("Authorization", who)]);
    connection.raw([&*head, body].concat());
    connection.answer()
}

#[track_caller]
fn assert_unauthorized(answer: &Answer) {
    assert_eq!(answer.refused(), UNAUTHENTICATED);
    let challenge = answer.field("WWW-Authenticate").expect("a challenge");
    assert!(challenge.starts_with("Basic realm="), "{challenge}");
}

#[test]
fn every_packet_needs_the_password() {
    let server = Server::start(&["--basic", "alice:open:sesame"]);
    let alice = basic("alice:open:sesame");
    let id = ask_as(&server, &alice, "/e", &create(), b"").session();
    let first = fragment(id, 0..5, 10);
    assert_eq!(ask_as(&server, &alice, "/e", &first, b"01234").received(), 5);
    let wrong_credentials = [
        basic("alice:open"),
        basic("alice:open:sesame2"),
        basic("alice:open:sesam"),
        basic("alice:"),
        basic("Alice:open:sesame"),
        basic(":open:sesame"),
        basic("alice"),
        "Basic".into(),
        "Basic !!!".into(),
        "Basic YWxpY2U".into(),
        "Bearer YWxpY2U6b3BlbjpzZXNhbWU=".into(),
        "alice:open:sesame".into(),
    ];
    let packets: [(Request<'_>, &[u8]); 5] = [
        (ping(), b""),
        (create(), b""),
        (fragment(id, 5..10, 10), b"!!!!!"),
        (close(id), b""),
        (cancel(id), b""),
    ];
    for (request, body) in &packets {
        assert_unauthorized(&ask(&server, "/e", request, body));
        for credentials in &wrong_credentials {
            assert_unauthorized(&ask_as(&server, credentials, "/e", request, body));
        }
    }
    // The name of the scheme is case-insensitive.
    let lower = alice.replace("Basic", "basic");
    assert_eq!(ask_as(&server, &lower, "/e", &fragment(id, 5..10, 10), b"56789").received(), 10);
    ask_as(&server, &alice, "/e", &ping(), b"").granted(&AckContext::Ping);
    ask_as(&server, &alice, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// [A23] A client without the password learns nothing about sessions, destinations and entities.
#[test]
fn an_unauthenticated_client_learns_nothing() {
    let server = Server::start(&["--basic", "alice:secret"]);
    let alice = basic("alice:secret");
    let id = ask_as(&server, &alice, "/e", &create(), b"").session();
    std::fs::write(server.path("there"), "there").expect("a file");
    let unknown = SessionId::from_random([7; 16]);
    for (target, request, body) in [
        ("/e", fragment(unknown, 0..1, 1), &b"!"[..]),
        ("/f", fragment(id, 0..1, 1), b"!"),
        ("/e", fragment(id, 5..6, 10), b"!"),
        ("/there", create(), b""),
        ("/../x", create(), b""),
        ("/CON", create(), b""),
    ] {
        assert_unauthorized(&ask(&server, target, &request, body));
    }
    // Errors of the checks before access are reported, errors of later checks are not.
    let packet = |fields: &str| {
        let mut connection = Connection::open(&server);
        connection.raw(format!(
            "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\n{fields}Content-Length: 1\r\n\r\n!"
        ));
        connection.answer()
    };
    assert_eq!(packet("").refused(), INVALID_ARGUMENT);
    let session = format!("BITS-Packet-Type: Fragment\r\nBITS-Session-Id: {id}\r\n");
    assert_unauthorized(&packet(&format!("{session}Content-Range: bytes 5-4/3\r\n")));
    for target in ["/there", "/nothing", "/e", "/", "/../x", "/BITS-Sessions/Replies/1/response"] {
        for method in ["GET", "HEAD"] {
            let answer = Connection::open(&server).fetch(method, target, &[]);
            assert_eq!(answer.status, 401, "{method} {target}");
            assert!(answer.field("WWW-Authenticate").is_some_and(|it| it.starts_with("Basic ")));
        }
    }
    let field = [("Authorization", &*alice)];
    let answer = Connection::open(&server).fetch("GET", "/there", &field);
    assert_eq!((answer.status, &*answer.body), (200, &b"there"[..]));
    let ack_context = AckContext::CancelSession { session_id: None };
    ask_as(&server, &alice, "/e", &cancel(id), b"").granted(&ack_context);
    assert!(
        !server.log().contains("c2VjcmV0") && !server.log().contains("secret"),
        "the log contains credentials"
    );
    server.assert_clean();
}

/// A session belongs to the user that created it, even if the server has another user later.
#[test]
fn a_session_belongs_to_its_creator() {
    let mut server = Server::start(&["--basic", "alice:1"]);
    let (alice, bob) = (basic("alice:1"), basic("bob:2"));
    let id = ask_as(&server, &alice, "/e", &create(), b"").session();
    let first = fragment(id, 0..5, 10);
    assert_eq!(ask_as(&server, &alice, "/e", &first, b"01234").received(), 5);
    server.restart_with(&["--basic", "bob:2"]);
    for (request, body) in
        [(fragment(id, 5..10, 10), &b"!!!!!"[..]), (close(id), b""), (cancel(id), b"")]
    {
        assert_eq!(ask_as(&server, &bob, "/e", &request, body).refused(), NOT_FOUND);
    }
    server.restart_with(&[]);
    assert_eq!(ask(&server, "/e", &close(id), b"").refused(), NOT_FOUND);
    server.restart_with(&["--basic", "alice:1"]);
    let rest = fragment(id, 5..10, 10);
    assert_eq!(ask_as(&server, &alice, "/e", &rest, b"56789").received(), 10);
    ask_as(&server, &alice, "/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}
