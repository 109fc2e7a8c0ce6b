//! The program `axum`, with requests over sockets and from curl.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use bits_proto::field::SessionId;
use tempfile::TempDir;

use crate::installed::find;
use crate::node::{Node, poll};
use crate::raw_client::*;

const NOT_FOUND: &str = "0x8020001F";

struct Server {
    node: Node,
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program =
            bits_proto_test_tools::program::program("axum", crate::selection::selection());
        let mut command = Command::new(program);
        command.arg(folder.path());
        Self { node: Node::start(command), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Returns the names of the remaining files of sessions.
fn leftovers(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(".sessions")).expect("the folder of sessions");
    entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn unknown_session() -> SessionId<'static> {
    SessionId::from_random([9; 16])
}

#[test]
fn an_upload_with_refused_requests() {
    let server = Server::start();
    let entity = entity(1_000_000);
    let total = entity.len() as u64;
    // All requests use one connection, so that an unread rest of a body would be detected.
    let mut wire = Wire::connect(server.node.address);
    let mut send = |target: &str, request, body: &[u8]| {
        wire.send(target, &request, body);
        let answer = wire.answer().expect("an answer");
        assert!(answer.is_ack() && !answer.closes(), "{answer:?}");
        answer
    };
    assert_eq!(send("/e", ping(), b"").status, 200);
    let id = create_session(server.node.address, "/e");

    let gap = send("/e", fragment(id, 100..200, total), &entity[100..200]);
    assert_eq!((gap.status, gap.received()), (416, Some(0)));
    let unknown = send("/e", fragment(unknown_session(), 0..300_000, total), &entity[..300_000]);
    assert_eq!((unknown.status, unknown.code()), (500, Some(NOT_FOUND)));
    let elsewhere = send("/f", fragment(id, 0..10, total), &entity[..10]);
    assert_eq!((elsewhere.status, elsewhere.code()), (500, Some(NOT_FOUND)));

    let first = send("/e", fragment(id, 0..600_000, total), &entity[..600_000]);
    assert_eq!((first.status, first.received()), (200, Some(600_000)));
    let other_total = send("/e", fragment(id, 600_000..600_010, total + 1), &[0; 10]);
    assert_eq!(other_total.status, 400);
    let overlap = send("/e", fragment(id, 500_000..total, total), &entity[500_000..]);
    assert_eq!((overlap.status, overlap.received()), (200, Some(total)));
    assert!(!server.path("e").exists(), "the session is not closed");
    assert_eq!(send("/e", close(id), b"").status, 200);
    assert_eq!(fs::read(server.path("e")).expect("the entity"), entity);
    assert_eq!(send("/e", close(id), b"").code(), Some(NOT_FOUND));

    let again = send("/e", create(), b"");
    assert_eq!(again.status, 403, "an existing entity");
    assert_eq!(fs::read(server.path("e")).expect("the entity"), entity);
    assert_eq!(leftovers(server.folder.path()), [""; 0]);
}

#[test]
fn destinations_are_plain_names() {
    let server = Server::start();
    let long = format!("/{}", "n".repeat(129));
    let refused = [
        "/..",
        "/.sessions",
        "/.sessions/x",
        "/a/b",
        "//a",
        "/a%2Fb",
        "/a%00",
        "/a?b",
        "/-a",
        "/a:b",
        r"/a\b",
        "/%2e%2e",
        &long,
    ];
    for target in refused {
        let answer = ask(server.node.address, target, &create(), b"");
        assert!(answer.is_ack(), "{target}: {answer:?}");
        assert_eq!((answer.status, answer.code()), (403, Some("0x80070005")), "{target}");
    }
    for target in ["/a", "/A-1_b.tar.gz", "/a..b", &long[..129]] {
        create_session(server.node.address, target);
    }
}

#[test]
fn an_empty_entity_and_a_cancelled_one() {
    let server = Server::start();
    let id = create_session(server.node.address, "/empty");
    assert_eq!(ask(server.node.address, "/empty", &close(id), b"").status, 200);
    assert_eq!(fs::read(server.path("empty")).expect("the entity"), b"");

    let id = create_session(server.node.address, "/gone");
    let half = ask(server.node.address, "/gone", &fragment(id, 0..5, 10), b"abcde");
    assert_eq!(half.received(), Some(5));
    assert_eq!(leftovers(server.folder.path()).len(), 1);
    assert_eq!(ask(server.node.address, "/gone", &cancel(id), b"").status, 200);
    assert!(!server.path("gone").exists());
    assert_eq!(leftovers(server.folder.path()), [""; 0]);
}

#[test]
fn bytes_received_before_a_disconnection_are_kept() {
    let server = Server::start();
    let entity = entity(900_000);
    let total = entity.len() as u64;
    let id = create_session(server.node.address, "/e");
    let mut wire = Wire::connect(server.node.address);
    wire.send("/e", &fragment(id, 0..total, total), &entity[..400_001]);
    drop(wire);
    // The server notices the end of the connection at once, not after a timeout. Before it has seen
    // the request, the offset is 0.
    let gap = poll("a session that is not busy", || {
        let request = fragment(id, total - 1..total, total);
        let answer = ask(server.node.address, "/e", &request, &entity[..1]);
        (answer.status != 503 && answer.received() != Some(0)).then_some(answer)
    });
    assert_eq!((gap.status, gap.received()), (416, Some(400_001)));
    let rest = fragment(id, 400_001..total, total);
    assert_eq!(ask(server.node.address, "/e", &rest, &entity[400_001..]).received(), Some(total));
    assert_eq!(ask(server.node.address, "/e", &close(id), b"").status, 200);
    assert_eq!(fs::read(server.path("e")).expect("the entity"), entity);
}

#[test]
fn work_is_completed_after_the_client_disconnects() {
    let server = Server::start();
    let entity = entity(4 * 1024 * 1024);
    let total = entity.len() as u64;
    for name in ["a", "b"] {
        let target = format!("/{name}");
        let id = create_session(server.node.address, &target);
        let whole = fragment(id, 0..total, total);
        assert_eq!(ask(server.node.address, &target, &whole, &entity).received(), Some(total));
        let parts = format!(".sessions/{}/parts", id.guid().expect("a GUID"));
        let mut wire = Wire::connect(server.node.address);
        wire.send(&target, &close(id), b"");
        poll("the start of the publication", || (!server.path(&parts).exists()).then_some(()));
        drop(wire);
        // An abandoned work token would keep the session busy for 15 minutes.
        let again = poll("a session that is not busy", || {
            let answer = ask(server.node.address, &target, &close(id), b"");
            (answer.status != 503).then_some(answer)
        });
        assert_eq!(again.code(), Some(NOT_FOUND));
        assert!(fs::read(server.path(name)).expect("the entity") == entity);
    }
    poll("the deletion of all files", || leftovers(server.folder.path()).is_empty().then_some(()));
}

#[test]
fn a_session_handles_one_request_at_a_time() {
    let server = Server::start();
    let id = create_session(server.node.address, "/e");
    let mut slow = Wire::connect(server.node.address);
    slow.send("/e", &fragment(id, 0..100, 200), &[1; 50]);
    poll("a busy session", || {
        let answer = ask(server.node.address, "/e", &fragment(id, 150..160, 200), &[2; 10]);
        (answer.status == 503).then_some(())
    });
    slow.raw(&[1; 50]);
    assert_eq!(slow.answer().expect("an answer").received(), Some(100));
}

#[test]
fn after_refusing_a_long_body_the_connection_is_closed() {
    let server = Server::start();
    let total = 17 * 1024 * 1024;
    let mut wire = Wire::connect(server.node.address);
    wire.send("/e", &fragment(unknown_session(), 0..total, total), &[]);
    // This exceeds all buffers, so it completes only if the server reads. If the server closed the
    // connection at once, the response would be lost.
    for _ in 0..12 {
        wire.raw(&vec![0; 1024 * 1024]);
    }
    let answer = wire.answer().expect("an answer");
    assert!(answer.is_ack() && answer.closes(), "{answer:?}");
    assert_eq!((answer.status, answer.code()), (500, Some(NOT_FOUND)));
}

#[test]
fn invalid_requests_are_answered_with_an_ack() {
    let server = Server::start();
    let heads = [
        ("GET /e HTTP/1.1\r\nHost: h\r\n\r\n", "another method"),
        ("BITS_POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "no packet type"),
        (
            "BITS_POST /e HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Ping\r\n\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "chunks",
        ),
        ("BITS_POST /e HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Fragment\r\n\r\n", "no length"),
    ];
    for (head, what) in heads {
        let mut wire = Wire::connect(server.node.address);
        wire.raw(head.as_bytes());
        let answer = wire.answer().expect("an answer");
        assert!(answer.is_ack() && (400..600).contains(&answer.status), "{what}: {answer:?}");
    }
    let mut wire = Wire::connect(server.node.address);
    wire.raw(b"BITS_POST /e HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Ping\r\n\r\n");
    let answer = wire.answer().expect("an answer");
    assert!(answer.is_ack() && answer.status == 200, "a Ping needs no length: {answer:?}");
    let mut stream = TcpStream::connect(server.node.address).expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").expect("sent");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("text");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "the route of the app: {page}");
}

/// Skipped if curl is not installed, except in CI.
#[test]
fn curl_uploads() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start();
    let entity = entity(700_000);
    let source = server.path("source");
    fs::write(&source, &entity).expect("a file");
    let curl = |fields: &[&str], body: Option<&str>| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "-X", "BITS_POST", "-H", "Content-Type:"]);
        curl.args(fields.iter().flat_map(|field| ["-H", field]));
        curl.args(["--data-binary", body.unwrap_or("")]);
        let url = format!("http://{}/by-curl", server.node.address);
        let output = curl.arg(url).output().expect("curl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let answer = curl(
        &[
            "BITS-Packet-Type: Create-Session",
            "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}",
        ],
        None,
    );
    let id = answer.lines().find_map(|line| line.strip_prefix("bits-session-id: ")).expect("an id");
    let id = format!("BITS-Session-Id: {id}");
    let body = format!("@{}", source.display());
    let range = "Content-Range: bytes 0-699999/700000";
    // curl sends Expect: 100-continue.
    let expect = "Expect: 100-continue";
    let answer = curl(&["BITS-Packet-Type: Fragment", &id, range, expect], Some(&body));
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n"), "{answer}");
    assert!(answer.contains("bits-received-content-range: 700000\r\n"), "{answer}");
    let answer = curl(&["BITS-Packet-Type: Close-Session", &id], None);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(fs::read(server.path("by-curl")).expect("the entity"), entity);
}
