//! `upload --reply`: the reply to an upload.

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
    let mut all: Vec<&dyn AsRef<OsStr>> = vec![&"--reply", &out, &"--retries", &"3"];
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
    run(&folder, &server, &[]).expect(0, &["reply is incomplete"]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    let second = &server.seen()[3];
    assert_eq!(second.field("Range"), Some("bytes=11-"));
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
    run(&folder, &server, &[]).expect(0, &["reply is incomplete", "status 503"]);
    assert_eq!(reply(&folder).as_deref(), Some(REPLY));
    assert!(server.seen().iter().all(|seen| seen.field("Range").is_none()));
}

#[test]
fn a_missing_reply_is_reported() {
    let (folder, server) = (Folder::new(10), server(None, whole));
    run(&folder, &server, &[]).expect(1, &["the entity is uploaded", "BITS-Reply-URL"]);
    assert_eq!(reply(&folder), None);
}

#[test]
fn a_reply_that_cannot_be_fetched_is_reported() {
    let folder = Folder::new(10);
    let gone = server(Some("reply"), |_| Reaction::Respond(status(404, &[])));
    run(&folder, &gone, &[]).expect(1, &["the entity is uploaded", "status 404"]);
    let broken = server(Some("reply"), |_| Reaction::Respond(status(500, &[])));
    run(&folder, &broken, &[]).expect(1, &["the entity is uploaded", "status 500"]);
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
