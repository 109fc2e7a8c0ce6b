//! `serve`: case-insensitive packet types, and heads that are too long.

use crate::http_client::*;
use crate::server::Server;
use bits_proto::message::AckContext;

/// The packet types in lower, upper and mixed case.
#[test]
fn packet_types_are_case_insensitive() {
    let server = Server::start(&[]);
    let mixed = |text: &str| {
        let alternate = |(place, letter): (usize, char)| match place % 2 {
            0 => letter.to_ascii_lowercase(),
            _ => letter.to_ascii_uppercase(),
        };
        text.chars().enumerate().map(alternate).collect()
    };
    let cases: [fn(&str) -> String; 4] =
        [str::to_owned, |it| it.to_lowercase(), |it| it.to_uppercase(), mixed];
    for case in cases {
        let mut connection = Connection::open(&server);
        let mut send = |packet: &str, fields: &str, body: &str| {
            let (packet, length) = (case(packet), body.len());
            connection.raw(format!(
                "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: {packet}\r\n\
                 Content-Length: {length}\r\n{fields}\r\n{body}"
            ));
            connection.answer()
        };
        send("Ping", "", "").granted(&AckContext::Ping);
        let protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
        for ends_with in ["Cancel-Session", "Close-Session"] {
            let id = send("Create-Session", protocols, "").session();
            let id = format!("BITS-Session-Id: {id}\r\n");
            let range = format!("{id}Content-Range: bytes 0-4/5\r\n");
            assert_eq!(send("Fragment", &range, "bytes").received(), 5);
            assert!(!server.path("e").exists());
            let ack_context = match ends_with {
                "Cancel-Session" => AckContext::CancelSession { session_id: None },
                _ => AckContext::CloseSession { session_id: None },
            };
            send(ends_with, &id, "").granted(&ack_context);
            assert_eq!(send(ends_with, &id, "").refused(), NOT_FOUND);
        }
        assert_eq!(server.entity("e"), b"bytes");
        std::fs::remove_file(server.path("e")).expect("the entity");
    }
    server.assert_clean();
}

/// Reverse proxies remove the length 0, as a request without a length has no body.
#[test]
fn packets_without_a_body_need_no_length() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server);
    let mut send = |packet: &str, fields: &str, body: &str| {
        connection.raw(format!(
            "BITS_POST /e HTTP/1.1\r\nHost: origin.example\r\nBITS-Packet-Type: {packet}\r\n\
             {fields}\r\n{body}"
        ));
        connection.answer()
    };
    send("Ping", "", "").granted(&AckContext::Ping);
    let protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
    for (ends_with, context) in [
        ("Cancel-Session", AckContext::CancelSession { session_id: None }),
        ("Close-Session", AckContext::CloseSession { session_id: None }),
    ] {
        let id =
            format!("BITS-Session-Id: {}\r\n", send("Create-Session", protocols, "").session());
        let fragment = format!("{id}Content-Range: bytes 0-4/5\r\nContent-Length: 5\r\n");
        assert_eq!(send("Fragment", &fragment, "bytes").received(), 5);
        send(ends_with, &id, "").granted(&context);
    }
    assert_eq!(server.entity("e"), b"bytes");
    server.assert_clean();
}

/// The number of fields is below its limit, the number of bytes is not.
#[test]
fn a_long_head_is_431() {
    let server = Server::start(&[]);
    let fetch = |lengths: &[usize]| {
        let notes = lengths.iter().map(|length| "x".repeat(*length)).collect::<Vec<_>>();
        let fields = notes.iter().map(|note| ("X-Note", &**note)).collect::<Vec<_>>();
        let mut connection = Connection::open(&server);
        (connection.fetch("GET", "/e", &fields).status, connection)
    };
    for lengths in [&[60_000][..], &[1000; 60]] {
        let (status, mut connection) = fetch(lengths);
        assert_eq!((status, connection.is_open()), (404, true));
    }
    for lengths in [&[66_000][..], &[1000; 66], &[1_000_000]] {
        let (status, mut connection) = fetch(lengths);
        assert_eq!(status, 431);
        connection.ends();
    }
    server.assert_clean();
}
