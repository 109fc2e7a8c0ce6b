//! `bits upload --reply`: the reply to an upload.

use std::ffi::OsStr;
use std::fs;

use crate::bits_server::{Reaction, Seen, Server, status};
use crate::uploader::{Ended, Folder, upload};
use bits_proto::server::Policy;

const REPLY: &str = "This is the reply to what was uploaded.";

/// Starts a server with a reply at this URL, which reacts to GET in this way.
fn server(url: Option<&str>, get: impl Fn(&Seen) -> Reaction + Send + 'static) -> Server {
    let policy = Policy::DEFAULT.with_notification(true);
    let script = move |seen: &Seen| if seen.kind == "GET" { get(seen) } else { Reaction::Correct };
    Server::start_at("127.0.0.1:0", policy, script).with_reply(url)
}

fn whole(_: &Seen) -> Reaction {
    let length = REPLY.len();
    Reaction::Respond(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{REPLY}"))
}

fn run(folder: &Folder, server: &Server, more: &[&dyn AsRef<OsStr>]) -> Ended {
    let out = folder.path("out");
    let mut all: Vec<&dyn AsRef<OsStr>> =
        vec![&"--reply", &out, &"--retries", &"3", &"--no-resume"];
    all.extend(more);
    let ended = upload(&folder.file(), &server.url(), &all);
    // The entity is uploaded even if the reply fails.
    assert_eq!(server.entity().as_ref(), Some(&folder.bytes), "{}", ended.output);
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.kinds().last().map(String::as_str), Some("Close-Session"));
    ended
}

fn reply(folder: &Folder) -> Option<String> {
    fs::read_to_string(folder.path("out")).ok()
}

#[test]
fn the_reply_is_fetched_before_the_session_is_closed() {
    let server = server(Some(r"Replies\{7}\reply.bin"), whole);
    let folder = Folder::new(100_000);
    run(&folder, &server, &[&"--basic", &"user:password"]).expect(0, &[]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    assert!(!folder.path("out.part").exists());
    assert_eq!(server.kinds(), ["Create-Session", "Fragment", "GET", "Close-Session"]);
    let get = &server.seen()[2];
    assert!(get.head.starts_with("GET /dir/Replies/%7B7%7D/reply.bin HTTP/1.1"), "{}", get.head);
    assert!(get.field("Authorization").is_some());
    assert_eq!(get.connection, 0);
}

#[test]
fn an_incomplete_reply_is_resumed() {
    let (half, rest) = REPLY.split_at(11);
    let length = REPLY.len();
    let server = server(Some("reply"), move |seen| match seen.earlier {
        0 => Reaction::RespondAndClose(format!(
            "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: {length}\r\n\r\n{half}"
        )),
        _ => Reaction::Respond(format!(
            "HTTP/1.1 206 Partial\r\nETag: \"a\"\r\nContent-Range: bytes 11-{}/{length}\r\n\
             Content-Length: {}\r\n\r\n{rest}",
            length - 1,
            rest.len(),
        )),
    });
    let folder = Folder::new(10);
    run(&folder, &server, &[]).expect(0, &["connection to the server failed: body is incomplete"]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    let second = &server.seen()[3];
    assert_eq!(second.field("Range"), Some("bytes=11-38"));
    assert_eq!(second.field("If-Range"), Some("\"a\""));
}

#[test]
fn an_incomplete_reply_without_etag_is_fetched_again() {
    let length = REPLY.len();
    let server = server(Some("reply"), move |seen| match seen.earlier {
        0 => Reaction::RespondAndClose(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nAnother beginning"
        )),
        1 => Reaction::Respond(status(503, &[])),
        _ => whole(seen),
    });
    let folder = Folder::new(10);
    run(&folder, &server, &[]).expect(0, &["body is incomplete", "status 503"]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    assert!(server.seen().iter().all(|seen| seen.field("Range").is_none()));
}

#[test]
fn a_missing_reply_is_reported() {
    let (folder, server) = (Folder::new(10), server(None, whole));
    run(&folder, &server, &[]).expect(1, &["entity is uploaded", "BITS-Reply-URL"]);
    assert_eq!(reply(&folder), None);
}

#[test]
fn a_reply_that_cannot_be_fetched_is_reported() {
    let folder = Folder::new(10);
    let gone = server(Some("reply"), |_| Reaction::Respond(status(404, &[])));
    run(&folder, &gone, &[]).expect(1, &["entity is uploaded", "status 404"]);
    let broken = server(Some("reply"), |_| Reaction::Respond(status(500, &[])));
    run(&folder, &broken, &[]).expect(1, &["entity is uploaded", "status 500"]);
    assert_eq!(broken.kinds().iter().filter(|kind| *kind == "GET").count(), 4);
    assert_eq!(reply(&folder), None);
}

#[test]
fn a_reply_on_another_server_is_rejected_or_fetched_without_credentials() {
    let elsewhere = Server::start(whole);
    let url = elsewhere.url();
    let (folder, refused) = (Folder::new(10), server(Some(&url), whole));
    run(&folder, &refused, &[]).expect(1, &["another server", &url, "--reply-from-anywhere"]);
    assert_eq!((elsewhere.seen().len(), reply(&folder)), (0, None));

    let fetched = server(Some(&url), whole);
    let more: [&dyn AsRef<OsStr>; 5] =
        [&"--reply-from-anywhere", &"--basic", &"user:password", &"--header", &"X-Token: 7"];
    run(&folder, &fetched, &more).expect(0, &[]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    let seen = elsewhere.seen();
    assert_eq!((seen.len(), &*seen[0].kind), (1, "GET"));
    assert_eq!((seen[0].field("Authorization"), seen[0].field("X-Token")), (None, None));
}

/// Asserts that the reply with this head and body is not stored.
#[track_caller]
fn assert_not_stored(response: &'static str, text: &str) {
    let server = server(Some("reply"), move |_| Reaction::RespondAndClose(response.into()));
    let folder = Folder::new(10);
    run(&folder, &server, &[]).expect(1, &["entity is uploaded", text]);
    assert_eq!(reply(&folder), None);
    let seen = server.seen();
    let identity = |seen: &Seen| seen.field("Accept-Encoding") == Some("identity");
    assert!(seen.iter().filter(|seen| seen.kind == "GET").all(identity));
}

#[test]
fn coded_bytes_and_bytes_until_the_connection_ends_are_not_a_reply() {
    assert_not_stored(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\ncoded",
        "content coding other than identity",
    );
    let until_close = "HTTP/1.1 200 OK\r\n\r\nThe beginning of";
    assert_not_stored(until_close, "server does not state the length");
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    assert_not_stored(cut, "body is incomplete");
}

#[test]
fn a_reply_in_chunks_is_fetched() {
    let chunks = "7\r\nThis is\r\n7\r\n a repl\r\n1\r\ny\r\n0\r\n\r\n";
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let server = server(Some("reply"), move |_| Reaction::Respond(chunked.clone()));
    let folder = Folder::new(10);
    run(&folder, &server, &[]).expect(0, &[]);
    assert_eq!(reply(&folder).as_deref(), Some("This is a reply"));
}

#[test]
fn a_redirect_of_the_reply_is_followed_on_the_same_server() {
    let elsewhere = Server::start(whole);
    let url = elsewhere.url();
    let redirect = move |location: String| {
        server(Some("reply"), move |seen| match seen.head.contains("/real ") {
            true => whole(seen),
            false => Reaction::Respond(status(302, &[&format!("Location: {location}")])),
        })
    };
    let folder = Folder::new(10);
    run(&folder, &redirect(url), &[]).expect(1, &["it is on another server"]);
    assert_eq!((elsewhere.seen().len(), reply(&folder)), (0, None));
    run(&folder, &redirect("/real".into()), &[&"--basic", &"a:b"]).expect(0, &[]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
}

#[test]
fn the_reply_is_asked_for_again_after_the_delay_that_the_server_requests() {
    let server = server(Some("reply"), |seen| match seen.earlier {
        0 => Reaction::Respond(status(429, &["Retry-After: 1"])),
        _ => whole(seen),
    });
    let folder = Folder::new(10);
    let ended = run(&folder, &server, &[]);
    ended.expect(0, &["status 429", "retrying in 1.0 s"]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
}
