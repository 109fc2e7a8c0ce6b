//! Runs the example programs that `docs/EMBEDDING.md` recommends to copy, and checks the rules that
//! go unnoticed in a first try: fencing, restarts, and publication.

#[allow(dead_code)]
#[path = "../examples/minimal_client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../examples/minimal_server/main.rs"]
mod server;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use bits_proto::client::{FragmentSizing, Options};
use bits_proto::server::Policy;
use client::Client;
use server::Server;
use server::storage::Storage;

/// Starts a server on a free port.
fn start(folder: &Path, policy: Policy<'static>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Arc::new(Server::open(folder, policy).expect("the server starts"));
    thread::spawn(move || server.run(&listener));
    address
}

fn request(packet: &str, session: &str, range: &str, length: usize) -> String {
    let mut head = format!("BITS_POST /uploads/entity HTTP/1.1\r\nBITS-Packet-Type: {packet}\r\n");
    if packet == "Create-Session" {
        head += "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n";
    } else {
        head += &format!("BITS-Session-Id: {session}\r\n");
    }
    if !range.is_empty() {
        head += &format!("Content-Range: bytes {range}\r\n");
    }
    format!("{head}Content-Length: {length}\r\n\r\n")
}

fn connect(server: SocketAddr) -> TcpStream {
    TcpStream::connect(server).expect("the server listens")
}

/// Sends a request and returns the head of the response; empty if the connection was closed.
fn exchange(stream: &mut TcpStream, head: &str, body: &[u8]) -> String {
    stream.write_all(head.as_bytes()).expect("the head is sent");
    stream.write_all(body).expect("the body is sent");
    receive(stream)
}

fn receive(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.extend(byte);
    }
    String::from_utf8(head).expect("ASCII")
}

fn field<'h>(head: &'h str, name: &str) -> &'h str {
    let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {head:?}"))
}

fn create(server: SocketAddr) -> String {
    let response = exchange(&mut connect(server), &request("Create-Session", "", "", 0), b"");
    field(&response, "BITS-Session-Id").to_owned()
}

/// Sends a request on a new connection and returns the status code.
fn status(server: SocketAddr, head: &str, body: &[u8]) -> String {
    exchange(&mut connect(server), head, body).split(' ').nth(1).unwrap_or_default().to_owned()
}

fn repeat_while(code: &str, mut send: impl FnMut() -> String) -> String {
    loop {
        match send() {
            again if again == code => thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
}

/// Names of the folders of sessions that still have staged files.
fn staged(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("staging")).expect("the folder exists");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

#[test]
fn a_request_that_resumes_after_it_was_overtaken_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = Policy::DEFAULT.with_store_timeout(Duration::from_millis(500));
    let server = start(folder.path(), policy);
    let session = create(server);

    // A request sends half of its body and stalls.
    let mut stalled = connect(server);
    let head = request("Fragment", &session, "0-9/10", 10);
    stalled.write_all(head.as_bytes()).expect("the head is sent");
    stalled.write_all(b"01234").expect("half of the body is sent");
    // A fragment behind a gap is refused, at first for the gap, and then because the session is busy.
    let gap = request("Fragment", &session, "9-9/10", 1);
    repeat_while("416", || status(server, &gap, b"9"));
    // After the timeout, a second request takes over.
    let code = repeat_while("503", || status(server, &head, b"0123456789"));
    assert_eq!(code, "200");

    // The first request resumes with other bytes, and gets no answer.
    stalled.write_all(b"XXXXX").expect("the rest of the body is sent");
    assert_eq!(receive(&mut stalled), "");

    assert_eq!(status(server, &request("Close-Session", &session, "", 0), b""), "200");
    let entity = fs::read(folder.path().join("published/entity")).expect("it is published");
    assert_eq!(entity, b"0123456789");
    assert!(staged(folder.path()).is_empty());
}

#[test]
fn an_upload_continues_after_the_server_was_restarted() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let session = create(server);
    let orphan = folder.path().join("staging/00000000-0000-0000-0000-000000000000");
    fs::create_dir(&orphan).expect("a folder without a session");
    let first = request("Fragment", &session, "0-4/10", 5);
    assert_eq!(status(server, &first, b"01234"), "200");

    let server = start(folder.path(), Policy::DEFAULT);
    assert!(!orphan.exists());
    // The Ack may have been lost: the client repeats bytes that the server holds.
    let second = request("Fragment", &session, "3-9/10", 7);
    assert_eq!(status(server, &second, b"3456789"), "200");
    assert_eq!(status(server, &request("Close-Session", &session, "", 0), b""), "200");
    let entity = fs::read(folder.path().join("published/entity")).expect("it is published");
    assert_eq!(entity, b"0123456789");
    assert!(staged(folder.path()).is_empty());
}

#[test]
fn a_file_at_the_destination_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let session = create(server);
    assert_eq!(status(server, &request("Fragment", &session, "0-2/3", 3), b"new"), "200");
    let destination = folder.path().join("published/entity");
    fs::write(&destination, "old").expect("another upload was faster");
    assert_eq!(status(server, &request("Close-Session", &session, "", 0), b""), "403");
    assert_eq!(fs::read(&destination).expect("it is there"), b"old");
    assert_eq!(status(server, &request("Cancel-Session", &session, "", 0), b""), "200");
    assert!(staged(folder.path()).is_empty());
    // Nor can a session be created for it.
    assert_eq!(status(server, &request("Create-Session", "", "", 0), b""), "403");
}

#[cfg(unix)]
#[test]
fn publishing_again_after_a_crash_is_a_success() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Storage::open(folder.path()).expect("it can be written");
    let whole = folder.path().join("whole");
    fs::write(&whole, "entity").expect("it can be written");
    storage.publish(&whole, "entity").expect("the first time");
    storage.publish(&whole, "entity").expect("the second time");
    let other = folder.path().join("other");
    fs::write(&other, "entity").expect("it can be written");
    let error = storage.publish(&other, "entity").expect_err("it is another file");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn an_empty_entity_is_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let session = create(server);
    assert_eq!(status(server, &request("Close-Session", &session, "", 0), b""), "200");
    assert_eq!(fs::read(folder.path().join("published/entity")).expect("it is published"), b"");
}

/// Options with fragments of 10 000 bytes and without waiting.
fn options() -> Options {
    let mut options = Options::DEFAULT;
    options.fragments = FragmentSizing::new(10_000);
    (options.initial_backoff, options.max_backoff) = (Duration::ZERO, Duration::ZERO);
    options
}

/// Makes a file to upload, and returns its path and its bytes.
fn entity(folder: &Path) -> (PathBuf, Vec<u8>) {
    let bytes: Vec<_> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    let path = folder.join("entity");
    fs::write(&path, &bytes).expect("it can be written");
    (path, bytes)
}

/// Forwards connections to a server and back. Cuts the first ones after a number of bytes.
fn unreliable(server: SocketAddr, cuts: &'static [u64]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let cuts = cuts.iter().copied().chain(std::iter::repeat(u64::MAX));
    thread::spawn(move || {
        for (client, cut) in listener.incoming().zip(cuts) {
            let (client, server) = (client.expect("a connection"), connect(server));
            let (mut to, mut back) = (server.try_clone().expect("a socket"), client.try_clone());
            let forward = thread::spawn(move || {
                let _ = std::io::copy(&mut (&client).take(cut), &mut to);
                // The response is lost as well.
                if cut < u64::MAX {
                    let _ = client.shutdown(Shutdown::Both);
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            let _ = std::io::copy(&mut &server, back.as_mut().expect("a socket"));
            let _ = back.expect("a socket").shutdown(Shutdown::Both);
            let _ = forward.join();
        }
    });
    address
}

#[test]
fn the_client_uploads_over_broken_connections() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let (path, bytes) = entity(folder.path());
    let proxy = unreliable(server, &[0, 150, 1_000_000, 100, 5000, 9000]);
    let url = format!("http://{proxy}/uploads/entity");
    let mut client = Client::open(&path, &url, options()).expect("it can be read");
    client.run().expect("it is uploaded");
    assert_eq!(fs::read(folder.path().join("published/entity")).expect("it is there"), bytes);
    assert!(staged(folder.path()).is_empty());
    assert!(!folder.path().join("entity.bits-upload").exists());
}

#[test]
fn a_later_process_continues_the_upload() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let (path, bytes) = entity(folder.path());
    let proxy = unreliable(server, &[1_000_000, 1_000_000, 1_000_000, 5000, 0, 0, 0]);
    let url = format!("http://{proxy}/uploads/entity");
    let mut impatient = options();
    impatient.max_retries = 1;
    let error = Client::open(&path, &url, impatient).expect("it can be read").run();
    assert!(error.is_err());
    assert!(folder.path().join("entity.bits-upload").exists());
    Client::open(&path, &url, options()).expect("it can be read").run().expect("it is uploaded");
    assert_eq!(fs::read(folder.path().join("published/entity")).expect("it is there"), bytes);
}

#[test]
fn an_entity_that_was_changed_is_not_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path(), Policy::DEFAULT);
    let (path, bytes) = entity(folder.path());
    let proxy = unreliable(server, &[1_000_000, 1_000_000, 0, 0, 0]);
    let url = format!("http://{proxy}/uploads/entity");
    let mut impatient = options();
    impatient.max_retries = 1;
    assert!(Client::open(&path, &url, impatient).expect("it can be read").run().is_err());
    let changed: Vec<_> = bytes.iter().map(|byte| !byte).collect();
    fs::write(&path, &changed).expect("it can be written");
    let later = SystemTime::now() + Duration::from_secs(10);
    let file = fs::File::options().write(true).open(&path).expect("it can be opened");
    file.set_modified(later).expect("the time can be set");
    Client::open(&path, &url, options()).expect("it can be read").run().expect("it is uploaded");
    assert_eq!(fs::read(folder.path().join("published/entity")).expect("it is there"), changed);
}
