//! `bits upload`: refusals by their owner, delays that the server asks for, and a new start by command.

use std::ffi::OsStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bits_server::{Reaction, Server, refusal, status};
use crate::uploader::{Folder, states, upload};
use bits_proto::field::HttpDate;

/// Four fragments of 50 000 bytes, and at most three retries.
const FOUR: [&dyn AsRef<OsStr>; 4] = [&"--fragment-size", &"50K", &"--retries", &"3"];

fn count(server: &Server, kind: &str) -> usize {
    server.kinds().iter().filter(|it| *it == kind).count()
}

/// Returns the response of the server to a failure of its application.
fn of_application(number: u16) -> String {
    status(number, &["BITS-Packet-Type: Ack", "BITS-Error-Context: 0x7"])
}

#[test]
fn a_retry_waits_for_the_time_that_the_server_asks_for() {
    let date = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let seconds = i64::try_from(now.as_secs()).expect("before 9999");
        // The date has no fraction of a second.
        HttpDate::from_unix_seconds(seconds + 3).expect("before 9999").to_string()
    };
    let values: [fn() -> String; 2] = [|| "2".into(), || String::new()];
    for value in values {
        let folder = Folder::new(200_000);
        let server = Server::start(move |seen| match (&*seen.kind, seen.earlier) {
            ("Fragment", 1) => {
                let value = Some(value()).filter(|value| !value.is_empty());
                let field = format!("Retry-After: {}", value.unwrap_or_else(date));
                Reaction::Respond(status(429, &[&field]))
            }
            _ => Reaction::Correct,
        });
        let ended = upload(&folder.file(), &server.url(), &FOUR);
        ended.expect(0, &["status 429", "retrying in"]);
        assert!(ended.took >= Duration::from_secs(2), "{:?}: {}", ended.took, ended.output);
        assert_eq!(server.entity(), Some(folder.bytes));
        assert_eq!((count(&server, "Create-Session"), count(&server, "Fragment")), (1, 5));
    }
}

#[test]
fn the_time_that_a_server_asks_for_is_limited() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 1) => Reaction::Respond(status(503, &["Retry-After: 100000"])),
        _ => Reaction::Correct,
    });
    let more: [&dyn AsRef<OsStr>; 2] = [&"--max-retry-after", &"0.5"];
    let ended = upload(&folder.file(), &server.url(), &[&FOUR[..], &more[..]].concat());
    ended.expect(0, &["status 503"]);
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
}

#[test]
fn a_404_to_a_fragment_says_that_it_may_be_too_large() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match &*seen.kind {
        "Fragment" => Reaction::Respond(status(404, &[])),
        _ => Reaction::Correct,
    });
    let ended = upload(&folder.file(), &server.url(), &FOUR);
    ended.expect(1, &["exceeds a limit of the server", "enable uploads", "--fragment-size"]);
    assert!(!ended.output.contains("Check the URL"), "{}", ended.output);
}

#[test]
fn every_2xx_ack_is_a_success() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match &*seen.kind {
        "Close-Session" => {
            Reaction::Respond("HTTP/1.1 204 No Content\r\nBITS-Packet-Type: Ack\r\n\r\n".into())
        }
        _ => Reaction::Correct,
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.kinds().last().map(String::as_str), Some("Close-Session"));
}

#[test]
fn a_failure_of_the_application_is_not_the_servers() {
    for (number, advice) in [
        (413, "The entity exceeds a limit of the application"),
        (401, "Ask the operator of the server to allow uploads to the application"),
        (302, "why the application rejects the entity"),
    ] {
        let folder = Folder::new(200_000);
        let server = Server::start(move |seen| match (&*seen.kind, seen.earlier) {
            ("Fragment", 3) => Reaction::Respond(of_application(number)),
            _ => Reaction::Correct,
        });
        let ended = upload(&folder.file(), &server.url(), &FOUR);
        ended.expect(1, &["application behind the server rejected the entity", advice]);
        for text in ["fragment", "--basic", "redirect"] {
            assert!(!ended.output.contains(text), "{text} in {}", ended.output);
        }
        assert_eq!(count(&server, "Fragment"), 4, "{number}");
    }
}

#[test]
fn an_unreadable_code_does_not_hide_the_other() {
    let folder = Folder::new(200_000);
    let fields = [
        "BITS-Packet-Type: Ack",
        "BITS-Error: 0x8020001FL",
        "BITS-Error-Code: 0x8020001F",
        "BITS-Error-Context: 0x5",
    ];
    let lost = status(500, &fields);
    let server = Server::start(move |seen| match (&*seen.kind, seen.earlier) {
        ("Fragment", 2) => Reaction::Respond(lost.clone()),
        _ => Reaction::Correct,
    });
    upload(&folder.file(), &server.url(), &FOUR).expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes));
    assert_eq!(count(&server, "Create-Session"), 2);
}

#[test]
fn an_unknown_code_is_printed_without_a_stray_blank() {
    let folder = Folder::new(10);
    let server = Server::start(|_| Reaction::Respond(refusal(500, "0x00000001")));
    let ended = upload(&folder.file(), &server.url(), &[&"--retries", &"1"]);
    ended.expect(
        1,
        &["retrying in 0.0 s: status 500 Internal Server Error, error code 0x00000001\n"],
    );
}

#[test]
fn an_upload_whose_session_is_gone_can_be_started_over() {
    let folder = Folder::new(200_000);
    let server = Server::start(|seen| match (&*seen.kind, seen.earlier) {
        // The first process ends here, and the server loses the session in its own words.
        ("Fragment", 2..=5) => Reaction::Respond(refusal(500, "0x00000001")),
        ("Fragment", 6..=9) => Reaction::Respond(status(400, &["BITS-Packet-Type: Ack"])),
        _ => Reaction::Correct,
    });
    let state = folder.path("state");
    let resume: [&dyn AsRef<OsStr>; 2] = [&"--resume", &state];
    let arguments = [&FOUR[..], &resume[..]].concat();
    upload(&folder.file(), &server.url(), &arguments).expect(1, &["after 4 attempts"]);
    let again = upload(&folder.file(), &server.url(), &arguments);
    again.expect(
        1,
        &[
            "the server may have lost it: restarting the upload from offset 0 may help",
            "with --restart",
            "status 400",
        ],
    );
    let restart: [&dyn AsRef<OsStr>; 1] = [&"--restart"];
    let ended = upload(&folder.file(), &server.url(), &[&arguments[..], &restart[..]].concat());
    ended.expect(0, &[]);
    assert_eq!(server.entity(), Some(folder.bytes.clone()));
    assert_eq!(count(&server, "Create-Session"), 2);
    assert_eq!(states(&state).len(), 0, "the upload is finished");
}

#[test]
fn fragments_carry_the_name_of_the_file() {
    for (arguments, on_create, on_fragment) in [
        (&[][..], None, Some("entity")),
        (&["--name-on-create"], Some("entity"), Some("entity")),
        (&["--content-name", "report.bin"], None, Some("report.bin")),
        (&["--content-name", ""], None, None),
    ] {
        let (folder, server) = (Folder::new(200_000), Server::start(|_| Reaction::Correct));
        let arguments: Vec<&dyn AsRef<OsStr>> =
            arguments.iter().map(|it| it as &dyn AsRef<OsStr>).chain(FOUR).collect();
        upload(&folder.file(), &server.url(), &arguments).expect(0, &[]);
        for seen in server.seen() {
            let expected = match &*seen.kind {
                "Create-Session" => on_create,
                "Fragment" => on_fragment,
                _ => None,
            };
            assert_eq!(seen.field("Content-Name"), expected, "{}", seen.kind);
        }
    }
}
