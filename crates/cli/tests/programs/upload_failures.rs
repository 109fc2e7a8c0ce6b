//! `bits upload`: failures that are retried, and failures that are not.

use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream};

use crate::bits_server::{Reaction, Seen, Server, in_chunks, refusal, status};
use crate::uploader::{Folder, upload, wait_until};
use bits_proto::field::{HostId, HostIdFallbackTimeout};
use bits_proto::server::{Access, Policy, SessionHost};

/// Four fragments of 50 000 bytes, and at most three retries.
const FOUR: [&dyn AsRef<OsStr>; 4] = [&"--fragment-size", &"50K", &"--retries", &"3"];

/// Uploads to a server that reacts to one fragment in this way. Returns the output.
fn survives(reaction: impl Fn() -> Reaction + Send + 'static) -> (String, Server) {
    let folder = Folder::new(200_000);
    let server = Server::start(move |seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 1) => reaction(),
        _ => Reaction::Correct,
    });
    let ended = upload(&folder.file(), &server.url(), &FOUR);
    ended.expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    (ended.output, server)
}

/// Uploads to a server that reacts to each request of a kind in this way. Returns the output.
fn fails(
    kind: &'static str,
    reaction: impl Fn(&Seen) -> Reaction + Send + 'static,
) -> (String, Server) {
    let folder = Folder::new(200_000);
    let server = Server::start(move |seen| match &*seen.kind {
        it if it == kind => reaction(seen),
        _ => Reaction::Correct,
    });
    let ended = upload(&folder.file(), &server.url(), &FOUR);
    ended.expect(1, &[]);
    assert_eq!(server.entity(), None);
    (ended.output, server)
}

fn count(server: &Server, kind: &str) -> usize {
    server.kinds().iter().filter(|it| *it == kind).count()
}

#[test]
fn transient_failures_are_retried() {
    for number in [408, 409, 500, 502, 503] {
        let (output, server) = survives(move || Reaction::Respond(status(number, &[])));
        assert!(output.contains(&format!("status {number}")), "{output}");
        assert!(output.contains("retrying in"), "{output}");
        assert_eq!(count(&server, "Fragment"), 5);
    }
}

#[test]
fn invalid_responses_are_retried() {
    let answers = [
        "nonsense\r\n\r\n".to_owned(),
        status(200, &[]),
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Received-Content-Range: -1\r\n\
         Content-Length: 0\r\n\r\n"
            .into(),
        // Beyond what was sent.
        status(200, &["BITS-Packet-Type: Ack", "BITS-Received-Content-Range: 200000"]),
    ];
    for answer in answers {
        let (output, server) = survives(move || Reaction::RespondAndClose(answer.clone()));
        assert!(output.contains("retrying in"), "{output}");
        assert_eq!(count(&server, "Fragment"), 5);
    }
}

#[test]
fn a_fragment_with_a_lost_ack_is_sent_again() {
    let (_, server) = survives(|| Reaction::LoseResponse);
    let ranges = server.seen();
    let ranges = ranges.iter().filter_map(|seen| seen.field("Content-Range"));
    let same = "bytes 50000-99999/200000";
    assert_eq!(ranges.filter(|range| *range == same).count(), 2);
}

#[test]
fn a_connection_that_is_cut_is_replaced() {
    let (output, server) = survives(|| Reaction::CloseAfterBody(20_000));
    assert!(output.contains("retrying in"), "{output}");
    assert_eq!(server.seen().last().map(|seen| seen.connection), Some(1));
}

/// Depending on the network, the client may notice it before or after it sends the next request.
#[test]
fn a_connection_that_was_closed_between_requests_is_replaced() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 0) => Reaction::RespondAndClose(status(
            416,
            &["BITS-Packet-Type: Ack", "BITS-Received-Content-Range: 0"],
        )),
        _ => Reaction::Correct,
    });
    let ended = upload(&folder.file(), &server.url(), &FOUR);
    ended.expect(0, &[]);
    assert_eq!(server.seen().last().map(|seen| seen.connection), Some(1), "{}", ended.output);
    assert_eq!(server.entity(), Some(folder.bytes));
}

#[test]
fn after_416_the_upload_continues_at_the_received_offset() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        // Part of the fragment is stored but not acknowledged.
        ("Fragment", 1) => Reaction::CloseAfterBody(20_000),
        ("Fragment", 2) => Reaction::Respond(status(
            416,
            &["BITS-Packet-Type: Ack", "BITS-Received-Content-Range: 70000"],
        )),
        _ => Reaction::Correct,
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    let seen = server.seen();
    let ranges = seen.iter().filter_map(|seen| seen.field("Content-Range")).collect::<Vec<_>>();
    assert_eq!(ranges[3], "bytes 70000-119999/200000", "{ranges:?}");
}

#[test]
fn each_413_halves_the_fragments() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| {
        let length = seen.field("Content-Length").and_then(|it| it.parse::<u64>().ok());
        if length > Some(15_000) { Reaction::Respond(status(413, &[])) } else { Reaction::Correct }
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    let seen = server.seen();
    let lengths = seen.iter().filter(|it| it.kind == "Fragment").take(3);
    let lengths = lengths.filter_map(|seen| seen.field("Content-Length")).collect::<Vec<_>>();
    assert_eq!(lengths, ["50000", "25000", "12500"]);
}

#[test]
fn a_lost_session_is_restarted() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 2) => Reaction::Respond(refusal(500, "0x8020001F")),
        _ => Reaction::Correct,
    });
    let lost = "upload: server lost the session: status 500 Internal Server Error, error code \
                0x8020001F BG_E_SESSION_NOT_FOUND; starting over\n";
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[lost]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(count(&server, "Create-Session"), 2);
    let (output, _) = fails("Fragment", |_| Reaction::Respond(refusal(500, "0x8020001F")));
    assert!(output.contains("server repeatedly lost the session"), "{output}");
}

#[test]
fn a_lost_session_is_restarted_if_a_proxy_sends_the_refusal_in_chunks() {
    let folder = Folder::new(200_000);
    let fields =
        ["BITS-Packet-Type: Ack", "BITS-Error-Code: 0x8020001F", "BITS-Error-Context: 0x5"];
    let lost = in_chunks(&status(500, &fields));
    let server = Server::start(move |seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 2) => Reaction::Respond(lost.clone()),
        _ => Reaction::CorrectInChunks,
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(count(&server, "Create-Session"), 2);
    assert_eq!(count(&server, "Fragment"), 3 + 4);
}

#[test]
fn an_early_refusal_is_read() {
    let folder = Folder::new(13 * 1024 * 1024);
    let server = Server::start(|seen| match &*seen.kind {
        "Fragment" => Reaction::RespondEarly(refusal(403, "0x80070005")),
        _ => Reaction::Correct,
    });
    let ended = upload(&folder.file(), &server.url(), &[&"--fragment-size", &"13MiB"]);
    ended.expect(1, &["status 403", "E_ACCESSDENIED", "server denies access"]);
    wait_until("the end of the connection", || server.connections() == 0);
    assert_eq!(count(&server, "Fragment"), 1);
    assert!(server.read() < 13 * 1024 * 1024, "{} bytes were sent", server.read());
}

#[test]
fn fatal_failures_say_what_to_do() {
    let fatal = [
        (refusal(403, "0x80070005"), "server denies access"),
        (refusal(413, "0x80200020"), "exceeds a limit of the server"),
        (refusal(400, "0x80070057"), "considers the request invalid"),
        (status(404, &[]), "Check the URL"),
        (status(405, &[]), "does not accept BITS uploads at this URL"),
        (status(501, &[]), "no proxy before it rejects the method BITS_POST"),
    ];
    for (answer, advice) in fatal {
        let (output, server) = fails("Create-Session", move |_| Reaction::Respond(answer.clone()));
        assert!(output.contains(advice), "{output}");
        assert!(output.contains(&server.url()), "{output}");
        assert_eq!(server.kinds(), ["Create-Session"]);
    }
}

#[test]
fn a_refused_session_without_a_state_is_cancelled() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match &*seen.kind {
        "Fragment" => Reaction::Respond(refusal(403, "0x80070005")),
        _ => Reaction::Correct,
    });
    let more = [&FOUR[..], &[&"--no-resume"]].concat();
    upload(&folder.file(), &server.url(), &more).expect(1, &["server denies access"]);
    assert_eq!(server.entity(), None);
    assert_eq!(server.kinds(), ["Create-Session", "Fragment", "Cancel-Session"]);
    assert_eq!(server.sessions(), 0);
}

#[test]
fn retries_are_limited() {
    let (output, server) = fails("Fragment", |_| Reaction::Respond(refusal(500, "0x80070070")));
    assert!(output.contains("disk of the server is full"), "{output}");
    assert!(output.contains("after 4 attempts"), "{output}");
    assert_eq!(count(&server, "Fragment"), 4);
    let (output, _) = fails("Create-Session", |_| Reaction::Respond(status(200, &[])));
    assert!(output.contains("Check that the URL belongs to a BITS server"), "{output}");
}

#[test]
fn a_server_that_does_not_listen() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    // While the connection exists, no other socket can listen on the port of its client end.
    let taken = TcpStream::connect(listener.local_addr().expect("its address"));
    let taken = taken.expect("a connection");
    let url = format!("http://{}/x", taken.local_addr().expect("its address"));
    let folder = Folder::new(10);
    upload(&folder.file(), &url, &FOUR).expect(1, &["Connection refused", "after 4 attempts"]);
}

/// The name is too long for a query, so the result does not depend on a resolver.
#[test]
fn a_host_that_cannot_be_resolved() {
    let name = format!("{}.invalid", "n".repeat(64));
    let folder = Folder::new(10);
    let ended = upload(&folder.file(), &format!("http://{name}/"), &[&"--retries", &"1"]);
    let unresolved = format!("cannot resolve host {name}");
    ended.expect(1, &[&unresolved, "after 2 attempts"]);
}

#[test]
fn a_server_that_does_not_answer() {
    let folder = Folder::new(10);
    let server = Server::start(|_| Reaction::Stall);
    let more: [&dyn AsRef<OsStr>; 4] = [&"--timeout", &"2", &"--retries", &"1"];
    let ended = upload(&folder.file(), &server.url(), &more);
    ended.expect(1, &["no response within 2 s", "--timeout"]);
    // The client may end before the server reads its second request.
    wait_until("both requests", || server.kinds().len() >= 2);
    assert_eq!(server.kinds(), ["Create-Session", "Create-Session"]);
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    for number in [301, 302, 307, 308] {
        let elsewhere = Server::start(|_| Reaction::Correct);
        let location = format!("Location: {}", elsewhere.url());
        let (output, server) =
            fails("Create-Session", move |_| Reaction::Respond(status(number, &[&location])));
        assert!(output.contains(&elsewhere.url()), "{output}");
        assert!(output.contains("not followed"), "{output}");
        assert_eq!((server.seen().len(), elsewhere.seen().len()), (1, 0));
    }
}

#[test]
fn missing_and_wrong_credentials() {
    let folder = Folder::new(10);
    let challenge = || Reaction::Respond(status(401, &["WWW-Authenticate: Basic realm=\"here\""]));
    let server = Server::start(move |_| challenge());
    let ended = upload(&folder.file(), &server.url(), &[]);
    ended.expect(1, &["requires credentials of the scheme Basic", "--basic", "--bearer"]);
    let ended = upload(&folder.file(), &server.url(), &[&"--basic", &"user:s3cret"]);
    ended.expect(1, &["rejects the Basic credentials"]);
    assert!(!ended.output.contains("s3cret"));
    assert_eq!(server.seen().len(), 2);
    let server = Server::start(|_| Reaction::Correct).with_access(Access::Denied);
    upload(&folder.file(), &server.url(), &[]).expect(1, &["server denies access"]);
}

/// Starts a server that directs its clients to 127.0.0.2, with this fallback timeout.
fn elsewhere(seconds: u32) -> Server {
    let host_id = HostId::try_from("127.0.0.2").expect("a host");
    let fallback_timeout = Some(HostIdFallbackTimeout(seconds));
    let policy = Policy::DEFAULT.with_host(Some(SessionHost::new(host_id, fallback_timeout)));
    Server::start_at("127.0.0.1:0", policy, |_| Reaction::Correct)
}

#[test]
fn a_host_id_is_followed() {
    let (folder, server) = (Folder::new(200_000), elsewhere(60));
    let host = format!("127.0.0.2:{}", server.address.port());
    server.also_at(&host);
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    let seen = server.seen();
    assert_eq!(seen[1].kind, "Ping");
    assert!(seen[0].connection < 1000);
    for seen in &seen[1..] {
        assert_eq!(seen.field("Host"), Some(&*host));
        assert!(seen.connection >= 1000);
    }
}

#[test]
fn an_unreachable_host_is_abandoned_for_the_origin() {
    let (folder, server) = (Folder::new(200_000), elsewhere(1));
    let ended = upload(&folder.file(), &server.url(), &FOUR);
    ended.expect(0, &["Connection refused", "returning to 127.0.0.1"]);
    assert!(ended.took.as_secs_f64() > 0.9, "{:?}", ended.took);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(server.kinds()[..2], ["Create-Session", "Ping"]);
}

#[test]
fn a_201_is_a_success() {
    let folder = Folder::new(10);
    let server = Server::start(|seen| match &*seen.kind {
        "Close-Session" => Reaction::Respond(status(201, &["BITS-Packet-Type: Ack"])),
        _ => Reaction::Correct,
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.kinds().len(), 3);
}
