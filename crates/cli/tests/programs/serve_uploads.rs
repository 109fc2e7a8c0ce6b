//! The program `serve` accepts entities in fragments of any length, in any pieces, and with any
//! number of interruptions.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};

use crate::http_client::*;
use crate::server::Server;
use bits_proto::message::AckContext;

#[test]
fn an_entity_arrives_in_fragments_over_one_connection() {
    let server = Server::start(&[]);
    let entity = entity(1, 300_000);
    let mut connection = Connection::open(&server);
    connection.ask("/e", &ping(), b"").granted(&AckContext::Ping);
    let id = connection.ask("/e", &create(), b"").session();
    let mut offset = 0;
    for length in [1, 5_120, 100_000, 65_536, 129_343] {
        let range = offset..offset + length;
        let request = fragment(id, range.start as u64..range.end as u64, 300_000);
        let answer = connection.ask("/e", &request, &entity[range]);
        offset += length;
        assert_eq!(answer.received(), offset as u64);
    }
    assert_eq!(offset, entity.len());
    assert!(!server.path("e").exists(), "it is published by Close-Session");
    connection.ask("/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), entity);
    // [A11] The session has ended, as for a client that did not receive the first response.
    assert_eq!(connection.ask("/e", &close(id), b"").refused(), NOT_FOUND);
    assert_eq!(connection.ask("/e", &cancel(id), b"").refused(), NOT_FOUND);
    server.assert_clean();
}

/// [A1] An empty entity has no range.
#[test]
fn an_empty_entity_is_created_and_closed() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/empty");
    ask(&server, "/empty", &close(id), b"").closed();
    assert_eq!(server.entity("empty"), b"");
    server.assert_clean();
}

/// [A7], [A8] A session that is closed too early or cancelled leaves no files.
#[test]
fn closed_and_cancelled_sessions_leave_no_files() {
    let server = Server::start(&[]);
    for (request, sent) in [(close as fn(_) -> _, 50), (cancel, 50), (cancel, 100)] {
        let id = create_session(&server, "/e");
        let answer = ask(&server, "/e", &fragment(id, 0..sent, 100), &entity(2, sent as usize));
        assert_eq!(answer.received(), sent);
        assert!(!server.session_files().is_empty(), "files of an active session");
        ask(&server, "/e", &request(id), b"").granted(&AckContext::from(&request(id)));
        assert!(!server.path("e").exists());
        server.assert_clean();
    }
}

/// [A3], [A4], [A5] Bytes that were received before are acknowledged without being stored again.
#[test]
fn repeated_bytes_are_not_stored_again() {
    let server = Server::start(&[]);
    let (entity, garbage) = (entity(3, 1000), vec![b'!'; 1000]);
    let mut connection = Connection::open(&server);
    let id = connection.ask("/e", &create(), b"").session();
    let mut send = |range: std::ops::Range<usize>, body: &[u8]| {
        let request = fragment(id, range.start as u64..range.end as u64, 1000);
        connection.ask("/e", &request, body).received()
    };
    assert_eq!(send(0..100, &entity[..100]), 100);
    for repeated in [0..100, 0..1, 99..100] {
        assert_eq!(send(repeated.clone(), &garbage[repeated]), 100);
    }
    let overlapping = [&garbage[50..100], &entity[100..600]].concat();
    assert_eq!(send(50..600, &overlapping), 600);
    assert_eq!(send(0..1000, &[&garbage[..600], &entity[600..]].concat()), 1000);
    // Repeated fragments after the entity is complete.
    for repeated in [0..1000, 900..1000, 3..4] {
        assert_eq!(send(repeated.clone(), &garbage[repeated]), 1000);
    }
    connection.ask("/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), entity);
    server.assert_clean();
}

/// Field names in lower and upper case, as Go and HTTP/2 proxies write them, and packet types.
#[test]
fn field_names_are_case_insensitive() {
    let server = Server::start(&[]);
    let as_is = |text: &str| text.to_string();
    let cases: [fn(&str) -> String; 3] = [as_is, |it| it.to_lowercase(), |it| it.to_uppercase()];
    for (number, case) in cases.iter().enumerate() {
        let target = format!("/e{number}");
        let mut connection = Connection::open(&server);
        let mut send = |packet: &str, fields: &[(&str, &str)], body: &str| {
            let mut head = format!("BITS_POST {target} HTTP/1.1\r\nHost: origin.example\r\n");
            let own =
                [("BITS-Packet-Type", case(packet)), ("Content-Length", body.len().to_string())];
            for (name, value) in own {
                head += &format!("{}: {value}\r\n", case(name));
            }
            for (name, value) in fields {
                head += &format!("{}: {value}\r\n", case(name));
            }
            connection.raw(head + "\r\n" + body);
            connection.answer()
        };
        let protocol = ("BITS-Supported-Protocols", "{7df0354d-249b-430f-820d-3d2a9bef4931}");
        let created = send("Create-Session", &[protocol], "");
        let id = created.session();
        let spelling = created.field("BITS-Session-Id").expect("an id");
        // [A20] Ids are GUIDs, so braces and case are ignored. The response contains the id as
        // issued.
        let id_field = ("BITS-Session-Id", &*case(&spelling));
        send("Ping", &[], "").granted(&AckContext::Ping);
        let stored = send("Fragment", &[id_field, ("Content-Range", "bytes 0-4/5")], "bytes");
        assert_eq!((stored.received(), stored.field("BITS-Session-Id")), (5, Some(spelling)));
        send("Close-Session", &[("BITS-Session-Id", &id.guid().expect("one").to_string())], "")
            .closed();
        assert_eq!(server.entity(&target[1..]), b"bytes");
    }
    server.assert_clean();
}

#[test]
fn requests_may_be_pipelined_or_sent_byte_by_byte() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server);
    let id = connection.ask("/a", &create(), b"").session();
    // All requests are sent before the first response is read.
    let all = [
        &*head("/a", &fragment(id, 0..3, 9)),
        b"abc",
        &*head("/a", &fragment(id, 5..9, 9)),
        b"gap!",
        &*head("/a", &fragment(id, 3..9, 9)),
        b"defghi",
        &*head("/a", &close(id)),
        &*head("/a", &ping()),
    ];
    connection.raw(all.concat());
    assert_eq!(connection.answer().received(), 3);
    assert_eq!(connection.answer().refused(), out_of_sync(3));
    assert_eq!(connection.answer().received(), 9);
    connection.answer().closed();
    connection.answer().granted(&AckContext::Ping);
    assert_eq!(server.entity("a"), b"abcdefghi");
    // Each byte is sent in its own TCP packet.
    let id = connection.ask("/b", &create(), b"").session();
    let all = [&*head("/b", &fragment(id, 0..9, 9)), b"abcdefghi", &*head("/b", &close(id))];
    for byte in all.concat() {
        connection.raw([byte]);
    }
    assert_eq!(connection.answer().received(), 9);
    connection.answer().closed();
    assert_eq!(server.entity("b"), b"abcdefghi");
    server.assert_clean();
}

/// A client may wait for 100 Continue before it sends the body.
#[test]
fn expect_100_continue_is_supported() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/e");
    let expect = [("Expect", "100-continue")];
    let mut connection = Connection::open(&server);
    connection.raw(head_with("/e", &fragment(id, 0..5, 5), &expect));
    connection.is_asked_to_continue();
    connection.raw("bytes");
    assert_eq!(connection.answer().received(), 5);
    connection.ask("/e", &close(id), b"").closed();
    // A response that does not depend on the body is sent at once.
    let mut connection = Connection::open(&server);
    connection.raw(head_with("/e", &fragment(id, 0..5, 5), &expect));
    assert_eq!(connection.answer().refused(), NOT_FOUND);
    assert_eq!(server.entity("e"), b"bytes");
    server.assert_clean();
}

/// If the connection ends inside a body, the received bytes are kept.
#[test]
fn an_interrupted_fragment_keeps_the_received_bytes() {
    let server = Server::start(&[]);
    let total = 200_000;
    let entity = entity(4, total);
    for (number, cut) in [0, 1, 4_095, 65_536, 100_001, 199_998].into_iter().enumerate() {
        let target = format!("/e{number}");
        let id = create_session(&server, &target);
        let whole = fragment(id, 0..total as u64, total as u64);
        let mut connection = Connection::open(&server);
        connection.send(&target, &whole, &entity[..cut]);
        connection.cut();
        // The server notices the start and the end of the connection with some delay.
        crate::server::poll("the received bytes", || {
            let gap = fragment(id, total as u64 - 1..total as u64, total as u64);
            let refused = ask(&server, &target, &gap, b"!").refused();
            (refused == out_of_sync(cut as u64)).then_some(())
        });
        // If no byte was received, the server may not have seen the request yet, and process it
        // later.
        let rest = fragment(id, cut as u64..total as u64, total as u64);
        assert_eq!(
            ask_until_free(&server, &target, &rest, &entity[cut..]).received(),
            total as u64
        );
        ask_until_free(&server, &target, &close(id), b"").closed();
        assert_eq!(server.entity(&target[1..]), entity, "cut at {cut}");
    }
    server.assert_clean();
}

/// The client disconnects before it reads the response, and repeats the request.
#[test]
fn requests_with_lost_responses_can_be_repeated() {
    let server = Server::start(&[]);
    let entity = entity(5, 50_000);
    let id = create_session(&server, "/e");
    for range in [0..20_000, 20_000..50_000] {
        let request = fragment(id, range.start as u64..range.end as u64, 50_000);
        let mut connection = Connection::open(&server);
        connection.send("/e", &request, &entity[range.clone()]);
        connection.cut();
        let again = ask_until_free(&server, "/e", &request, &entity[range.clone()]);
        assert_eq!(again.received(), range.end as u64);
    }
    let mut connection = Connection::open(&server);
    connection.send("/e", &close(id), b"");
    connection.cut();
    // [A11] If the first Close-Session was processed, the session is not found, which a client
    // treats as success.
    let answer = ask_until_free(&server, "/e", &close(id), b"");
    if answer.status != 200 {
        assert_eq!(answer.refused(), NOT_FOUND);
    }
    assert_eq!(server.entity("e"), entity);
    server.assert_clean();
}

/// [A39] A session handles one request at a time, and others are refused with 503.
#[test]
fn a_busy_session_refuses_other_requests() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/e");
    let mut first = Connection::open(&server);
    first.send("/e", &fragment(id, 0..10, 10), b"01234");
    let mut second = Connection::open(&server);
    crate::server::poll("a busy session", || {
        let answer = second.ask("/e", &fragment(id, 5..10, 10), b"!!!!!");
        (answer.refused() == UNAVAILABLE).then_some(())
    });
    assert_eq!(second.ask("/e", &close(id), b"").refused(), UNAVAILABLE);
    assert_eq!(second.ask("/e", &cancel(id), b"").refused(), UNAVAILABLE);
    second.ask("/e", &ping(), b"").granted(&AckContext::Ping);
    first.raw("56789");
    assert_eq!(first.answer().received(), 10);
    second.ask("/e", &close(id), b"").closed();
    assert_eq!(server.entity("e"), b"0123456789");
    server.assert_clean();
}

/// A fragment is streamed, not held in memory.
#[test]
fn a_large_fragment_takes_little_memory() {
    const LENGTH: u64 = 256 * 1024 * 1024;
    let server = Server::start(&[]);
    let id = create_session(&server, "/large");
    let piece = entity(6, 1024 * 1024);
    let mut connection = Connection::open(&server);
    connection.raw(head("/large", &fragment(id, 0..LENGTH, LENGTH)));
    for number in 0..LENGTH / piece.len() as u64 {
        // All pieces are different.
        connection.stream.write_all(&number.to_be_bytes()).expect("a server that reads");
        connection.stream.write_all(&piece[8..]).expect("a server that reads");
    }
    assert_eq!(connection.answer().received(), LENGTH);
    connection.ask("/large", &close(id), b"").closed();
    let mut file = File::open(server.path("large")).expect("the entity");
    assert_eq!(file.metadata().expect("a file").len(), LENGTH);
    let mut stored = vec![0; piece.len()];
    for number in 0..LENGTH / piece.len() as u64 {
        file.read_exact(&mut stored).expect("a piece");
        assert!(stored[..8] == number.to_be_bytes() && stored[8..] == piece[8..], "{number}");
    }
    server.assert_clean();
}

/// Offsets beyond 32 bits. All but the first and the last bytes are a hole in a file, which the record of the
/// session counts as received.
#[test]
fn an_entity_beyond_4_gib_is_continued() {
    const RECEIVED: u64 = (1 << 32) - 8;
    const TOTAL: u64 = (1 << 32) + 8;
    let mut server = Server::start(&[]);
    let id = create_session(&server, "/huge");
    let first = ask(&server, "/huge", &fragment(id, 0..10, TOTAL), b"0123456789");
    assert_eq!(first.received(), 10);
    server.kill();
    for path in server.session_files() {
        if path.extension().is_some_and(|it| it == "json") {
            let record = fs::read_to_string(&path).expect("a record");
            let changed = record.replace(r#""next":10,"#, &format!(r#""next":{RECEIVED},"#));
            assert_ne!(changed, record);
            fs::write(path, changed).expect("a record");
        } else {
            let staged = File::options().write(true).open(path).expect("the staged bytes");
            staged.set_len(RECEIVED).expect("a sparse file");
        }
    }
    server.restart();
    let gap = ask(&server, "/huge", &fragment(id, TOTAL - 8..TOTAL, TOTAL), &[0; 8]);
    assert_eq!(gap.refused(), out_of_sync(RECEIVED));
    let last = entity(7, 16);
    let rest = ask(&server, "/huge", &fragment(id, RECEIVED..TOTAL, TOTAL), &last);
    assert_eq!(rest.received(), TOTAL);
    ask(&server, "/huge", &close(id), b"").closed();
    assert_eq!(fs::metadata(server.path("huge")).expect("the entity").len(), TOTAL);
    let mut connection = Connection::open(&server);
    for (range, bytes) in [("bytes=0-9", &b"0123456789"[..]), ("bytes=-16", &last)] {
        let found = connection.fetch("GET", "/huge", &[("Range", range)]);
        assert_eq!((found.status, &found.body[..]), (206, bytes));
    }
    server.assert_clean();
}
