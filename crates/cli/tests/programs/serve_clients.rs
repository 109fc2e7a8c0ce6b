//! The program `serve` with independent HTTP clients: curl, and Python's `http.client`.
//!
//! The tests are skipped if a client is not installed, except in CI.

use std::fs;
use std::process::Command;

use bits_proto_test_tools::interop::{self, Area};

use crate::http_client::*;
use crate::installed::find;
use crate::server::{IO_TIMEOUT, Server};
use tempfile::TempDir;

/// A response that curl received.
struct CurlResponse {
    /// The command line, with placeholders for addresses and folders.
    command: String,
    head: String,
    body: Vec<u8>,
}

impl CurlResponse {
    /// Returns the status of the final response, after interim ones.
    fn status(&self) -> u16 {
        let line = self.head.lines().rfind(|line| line.starts_with("HTTP/1.1 ")).expect("a status");
        line[9..12].parse().expect("a number")
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1)
    }
}

/// Runs curl, with a temporary folder.
struct Curl<'s> {
    server: &'s Server,
    folder: TempDir,
}

impl<'s> Curl<'s> {
    fn of(server: &'s Server) -> Self {
        Self { server, folder: tempfile::tempdir().expect("a folder") }
    }

    fn run(&self, target: &str, arguments: &[&str]) -> CurlResponse {
        let (head, body) = (self.folder.path().join("head"), self.folder.path().join("body"));
        let _ = fs::remove_file(&body);
        let mut curl = Command::new("curl");
        curl.args(arguments).arg(format!("http://{}{target}", self.server.address));
        let command = interop::command_line(&curl);
        curl.args(["--silent", "--show-error", "--path-as-is", "--max-time"])
            .arg(IO_TIMEOUT.as_secs().to_string())
            .arg("--dump-header")
            .arg(&head)
            .arg("--output")
            .arg(&body);
        let output = curl.output().expect("curl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let head = fs::read_to_string(head).expect("a head");
        // curl does not create a file if there is no body.
        CurlResponse { command, head, body: fs::read(body).unwrap_or_default() }
    }

    fn packet(
        &self,
        target: &str,
        packet_type: &str,
        fields: &[&str],
        more: &[&str],
    ) -> CurlResponse {
        let packet_type = format!("BITS-Packet-Type: {packet_type}");
        let mut arguments = vec!["-X", "BITS_POST", "-H", &packet_type];
        for field in fields {
            arguments.extend(["-H", field]);
        }
        arguments.extend(more);
        let answer = self.run(target, &arguments);
        assert_eq!(answer.field("BITS-Packet-Type"), Some("Ack"), "{}", answer.head);
        answer
    }

    /// Writes a file and returns the argument of `--data-binary`.
    fn file(&self, bytes: &[u8]) -> String {
        let path = self.folder.path().join("fragment");
        fs::write(&path, bytes).expect("a file");
        format!("@{}", path.display())
    }

    /// Creates a session. Returns the header field with its id.
    fn begin(&self, target: &str) -> String {
        let protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}";
        let empty = ["Content-Length: 0", protocols];
        let created = self.packet(target, "Create-Session", &empty, &[]);
        assert_eq!(created.status(), 200, "{}", created.head);
        format!("BITS-Session-Id: {}", created.field("BITS-Session-Id").expect("an id"))
    }
}

#[test]
fn curl_uploads_with_and_without_expect() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let curl = Curl::of(&server);
    let entity = entity(40, 2_500_000);
    for (target, expect) in [("/asks", "Expect: 100-continue"), ("/does-not", "Expect:")] {
        let session = curl.begin(target);
        for (first, end) in [(0, 1_500_000), (1_500_000, 2_500_000)] {
            let file = curl.file(&entity[first..end]);
            let range = format!("Content-Range: bytes {first}-{}/2500000", end - 1);
            let fields = [&*session, &range, expect];
            let sent = curl.packet(target, "Fragment", &fields, &["--data-binary", &file]);
            assert_eq!(sent.status(), 200, "{}", sent.head);
            let received = sent.field("BITS-Received-Content-Range");
            assert_eq!(received, Some(&*end.to_string()));
            let is_asked = sent.head.starts_with("HTTP/1.1 100 Continue\r\n");
            assert_eq!(is_asked, expect.ends_with("continue"), "{}", sent.head);
        }
        let closed = curl.packet(target, "Close-Session", &[&session, "Content-Length: 0"], &[]);
        assert_eq!(closed.status(), 200, "{}", closed.head);
        assert!(server.entity(&target[1..]) == entity);
        record(
            &format!("upload of 2,500,000 bytes in two fragments, with the field {expect}"),
            &closed.command,
            "entity is identical",
        );
    }
    server.assert_clean();
}

/// Records what was tried with curl.
#[track_caller]
fn record(action: &str, command: &str, result: &str) {
    // The id differs in each run.
    let (before, id) = command.split_once('{').unwrap_or((command, ""));
    let after = id.split_once('}').map_or("", |(_, after)| after);
    let id = if id.is_empty() { "" } else { "{ID}" };
    let command = format!("{before}{id}{after}");
    interop::record(Area::Clients, "curl", action, &[&command], result);
}

#[test]
fn curl_receives_refusals() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let curl = Curl::of(&server);
    let session = curl.begin("/e");
    let file = curl.file(&[0; 1_000_000]);
    for expect in ["Expect: 100-continue", "Expect:"] {
        let range = "Content-Range: bytes 500-1000499/2000000";
        let fields = [&*session, range, expect];
        let sent = curl.packet("/e", "Fragment", &fields, &["--data-binary", &file]);
        let received = sent.field("BITS-Received-Content-Range");
        assert_eq!((sent.status(), received), (416, Some("0")), "{}", sent.head);
    }
    // Without a body, curl sends no Content-Length.
    let no_length = curl.packet("/e", "Cancel-Session", &[&session], &[]);
    assert_eq!(no_length.status(), 200, "{}", no_length.head);
    let outside = curl.packet("/../e", "Create-Session", &["Content-Length: 0"], &[]);
    assert_eq!(outside.status(), 400, "{}", outside.head);
    server.assert_clean();
    let action =
        "fragment after a gap; Cancel-Session without Content-Length; path outside the root";
    record(action, &outside.command, "416 with the offset 0; 200; 400");
}

#[test]
fn curl_fetches_whole_and_in_ranges() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let curl = Curl::of(&server);
    let entity = entity(41, 700_000);
    upload(&server, "/a%20b", &entity);
    let whole = curl.run("/a%20b", &[]);
    assert!(whole.status() == 200 && whole.body == entity);
    for (range, expected) in [
        ("0-0", 0..1),
        ("100-199999", 100..200_000),
        ("699999-", 699_999..700_000),
        ("-7", 699_993..700_000),
    ] {
        let part = curl.run("/a%20b", &["-r", range]);
        assert!(part.status() == 206 && part.body == entity[expected], "{range}: {}", part.head);
    }
    let outside = curl.run("/a%20b", &["-r", "700000-"]);
    assert_eq!(outside.status(), 416);
    // Resumes an incomplete download.
    let path = curl.folder.path().join("body");
    let head = curl.run("/a%20b", &["--head"]);
    assert_eq!((head.status(), head.field("Content-Length")), (200, Some("700000")));
    fs::write(&path, &entity[..300_000]).expect("a file");
    let rest = Command::new("curl")
        .args(["--silent", "--continue-at", "-", "--output"])
        .arg(&path)
        .arg(format!("http://{}/a%20b", server.address))
        .status();
    assert!(rest.is_ok_and(|status| status.success()));
    assert!(fs::read(&path).expect("the entity") == entity);
    server.assert_clean();
    let action =
        "download: whole, in 4 ranges, a range outside the entity, a download that resumes";
    record(action, &outside.command, "200, 206, 416; bytes are identical");
}

#[test]
fn curl_fetches_several_ranges_and_only_a_newer_entity() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let curl = Curl::of(&server);
    upload(&server, "/e", b"0123456789");
    let parts = curl.run("/e", &["-r", "5-6,0-1"]);
    assert_eq!(parts.status(), 206, "{}", parts.head);
    let content_type = parts.field("Content-Type").expect("a content type");
    let boundary =
        content_type.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
    let part = |range: &str, bytes: &str| {
        format!(
            "--{boundary}\r\nContent-Type: application/octet-stream\r\n\
             Content-Range: bytes {range}/10\r\n\r\n{bytes}\r\n"
        )
    };
    let expected = format!("{}{}--{boundary}--\r\n", part("5-6", "56"), part("0-1", "01"));
    assert_eq!(String::from_utf8_lossy(&parts.body), expected);
    let date = parts.field("Last-Modified").expect("a date").to_owned();
    let same = curl.run("/e", &["-z", &date]);
    assert_eq!((same.status(), same.body), (304, vec![]));
    let newer = curl.run("/e", &["-z", "Sun, 06 Nov 1994 08:49:37 GMT"]);
    assert_eq!((newer.status(), &*newer.body), (200, &b"0123456789"[..]));
    server.assert_clean();
    let action = "download of several ranges, and only of a newer entity";
    record(action, &parts.command, "206 in parts; 304; 200");
}

#[test]
fn curl_authenticates() {
    if find("curl").is_none() {
        return;
    }
    let server = Server::start(&["--basic", "alice:se cret"]);
    let curl = Curl::of(&server);
    let ping = |more: &[&str]| curl.packet("/e", "Ping", &["Content-Length: 0"], more);
    assert_eq!(ping(&[]).status(), 401);
    assert_eq!(ping(&["--user", "alice:secret"]).status(), 401);
    let granted = ping(&["--user", "alice:se cret"]);
    assert_eq!(granted.status(), 200);
    server.assert_clean();
    let action = "Ping without credentials, with a wrong password, and with the right one";
    record(action, &granted.command, "401, 401, 200");
}

/// An upload client, by path from the folder of the package.
const SCRIPT: &str = "tests/clients/upload.py";

#[test]
fn python_uploads_in_fragments() {
    if find("python3").is_none() {
        return;
    }
    let server = Server::start(&["--max-fragment", "100000"]);
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, entity: &[u8], fragment: &str| {
        let file = folder.path().join(name);
        fs::write(&file, entity).expect("a file");
        let output = Command::new("python3")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg(SCRIPT)
            .arg(format!("http://{}/{name}", server.address))
            .arg(&file)
            .arg(fragment)
            .output()
            .expect("Python");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let bytes = entity(42, 123_456);
    let (is_done, output, errors) = run("e", &bytes, "50000");
    assert!(is_done, "{output}{errors}");
    let expected = "Ping 200 -\nCreate-Session 200 -\nFragment 200 50000\nFragment 200 100000\n\
        Fragment 200 123456\nClose-Session 200 -\n";
    assert_eq!(output, expected);
    assert!(server.entity("e") == bytes);
    let (is_done, output, errors) = run("empty", b"", "50000");
    assert!(is_done && server.entity("empty").is_empty(), "{output}{errors}");
    // A refusal is an Ack, which the client can parse.
    let (is_done, output, errors) = run("e", &bytes, "50000");
    assert!(!is_done && errors.contains("403 0x80070050"), "{output}{errors}");
    let (is_done, output, errors) = run("large", &bytes, "100001");
    assert!(!is_done && output.contains("Fragment 413 -"), "{output}{errors}");
    let action = "uploads of 123,456 bytes in fragments, of an empty entity, to an existing entity, and in a \
        fragment that is too long";
    let command = format!("python3 {SCRIPT} http://HOST:PORT/e FOLDER/e 50000");
    let result = "entities are identical; 403; 413";
    interop::record(Area::Clients, "Python http.client", action, &[&command], result);
}
