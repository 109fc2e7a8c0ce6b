//! An observer reports every error of a message, alone and in every combination.

use crate::support::messages::Draft;
use crate::support::read::{request_head, response_head};
use crate::support::single_message::{request_violations, response_violations, sorted_rules};
use bits_proto::message::HeaderSlots;

/// A rule, and a change to a message that violates it.
type Mutation = (&'static str, fn(Draft) -> Draft);

/// Checks that every set of mutations violates all of their rules, and no other.
fn check_mutations(request: Option<&str>, valid: fn() -> Draft, mutations: &[Mutation]) {
    for set in 0_u32..1 << mutations.len() {
        let chosen = || mutations.iter().enumerate().filter(|(index, _)| set & (1 << index) != 0);
        let draft = chosen().fold(valid(), |draft, (_, (_, mutate))| mutate(draft));
        let mut expected: Vec<_> = chosen().map(|(_, (rule, _))| *rule).collect();
        let bytes = draft.text().into_bytes();
        let mut slots = HeaderSlots::new();
        let seen = match request {
            None => request_violations(&request_head("a request", &bytes, &mut slots)),
            Some(request) => {
                let mut slots = HeaderSlots::new();
                response_violations(request, &response_head("a response", &bytes, &mut slots))
            }
        };
        expected.sort_unstable();
        assert_eq!(sorted_rules(&seen), expected, "{}", draft.text());
    }
}

#[test]
fn every_error_of_a_fragment_is_reported() {
    check_mutations(
        None,
        Draft::fragment,
        &[
            ("http-version", |it| it.line("BITS_POST /e HTTP/1.0")),
            ("unsupported-encoding", |it| it.with("Content-Encoding", "gzip")),
            ("first-beyond-last", |it| it.set("Content-Range", "bytes 5-1/9")),
            ("invalid-byte", |it| it.set("BITS-Session-Id", "1 2")),
            ("missing-field", |it| it.without("Content-Length")),
            ("value-too-long", |it| it.with("X-Other", "x".repeat(4097))),
            ("conflicting-field", |it| it.with("Content-Name", "a").with("content-name", "b")),
            ("unexpected-field", |it| it.with("BITS-Reply-URL", "/r")),
            ("duplicate-field", |it| it.with("BITS-Packet-Type", "Fragment")),
        ],
    );
}

#[test]
fn every_error_of_a_create_session_is_reported() {
    check_mutations(
        None,
        Draft::create,
        &[
            ("method-override", |it| {
                it.line("POST /e HTTP/1.1").with("X-HTTP-Method-Override", "BITS_POST")
            }),
            ("not-guid", |it| it.set("BITS-Supported-Protocols", "{1}")),
            ("unexpected-body", |it| it.set("Content-Length", "7")),
            ("long-content-name", |it| it.with("Content-Name", "x".repeat(261))),
            ("value-too-long", |it| it.with("X-Other", "x".repeat(4097))),
            ("unexpected-field", |it| it.with("BITS-Session-Id", "1")),
        ],
    );
}

#[test]
fn every_error_of_an_ack_for_create_session_is_reported() {
    check_mutations(
        Some("create-session"),
        || {
            let id = "{01234567-89AB-CDEF-0123-456789ABCDEF}";
            Draft::create_ack().set("BITS-Session-Id", id)
        },
        &[
            ("http-1-0", |it| it.line("HTTP/1.0 200 OK")),
            ("not-guid", |it| it.set("BITS-Protocol", "1")),
            ("missing-field", |it| it.without("BITS-Session-Id")),
            ("host-id-without-timeout", |it| it.with("BITS-Host-Id", "h")),
        ],
    );
    check_mutations(
        Some("create-session"),
        || {
            Draft::create_ack()
                .set("BITS-Session-Id", "{01234567-89AB-CDEF-0123-456789ABCDEF}")
                .with("BITS-Host-Id", "h")
                .with("BITS-Host-Id-Fallback-Timeout", "1")
        },
        &[
            ("not-host", |it| it.set("BITS-Host-Id", "a/b")),
            ("not-decimal", |it| it.set("BITS-Host-Id-Fallback-Timeout", "x")),
            ("error-on-success", |it| it.with("BITS-Error", "0x1")),
            ("unexpected-body", |it| it.set("Content-Length", "7")),
            ("unsupported-accept-encoding", |it| it.with("Accept-Encoding", "gzip")),
            ("not-offered", |it| it.set("BITS-Protocol", "{00000000-249b-430f-820d-3d2a9bef4931}")),
        ],
    );
}

#[test]
fn every_error_of_an_ack_for_a_fragment_is_reported() {
    check_mutations(
        Some("fragment"),
        Draft::fragment_ack,
        &[
            ("invalid-byte", |it| it.set("BITS-Session-Id", "1 2")),
            ("not-decimal", |it| it.set("BITS-Received-Content-Range", "+1")),
            ("error-on-success", |it| it.with("BITS-Error-Context", "0x5")),
            ("long-value", |it| it.with("X-Other", "x".repeat(4097))),
            ("missing-content-length", |it| it.without("Content-Length")),
            ("unexpected-created", |it| it.line("HTTP/1.1 201 Created")),
            ("wrong-packet-type", |it| it.set("BITS-Packet-Type", "Ping")),
            ("conflicting-field", |it| it.with("BITS-Session-Id", "7")),
        ],
    );
    check_mutations(
        Some("fragment"),
        || Draft::fragment_ack().set("BITS-Received-Content-Range", "200"),
        &[
            ("other-session-id", |it| it.set("BITS-Session-Id", "2")),
            ("unsupported-scheme", |it| it.with("BITS-Reply-URL", "ftp://h/")),
            ("conflicting-field", |it| it.with("BITS-Received-Content-Range", "201")),
        ],
    );
}

#[test]
fn every_error_of_a_refusal_is_reported() {
    check_mutations(
        Some("close-session"),
        Draft::refusal,
        &[
            ("unreadable-error-code", |it| it.set("BITS-Error", "0xx")),
            ("unreadable-error-context", |it| it.set("BITS-Error-Context", "server")),
            ("other-session-id", |it| it.with("BITS-Session-Id", "2")),
            ("wrong-packet-type", |it| it.set("BITS-Packet-Type", "Ping")),
        ],
    );
    check_mutations(
        Some("fragment"),
        || Draft::refusal().line("HTTP/1.1 416 X").with("BITS-Received-Content-Range", "50"),
        &[
            ("unreadable-error-code", |it| it.set("BITS-Error", "0xx")),
            ("out-of-sync-without-offset", |it| it.without("BITS-Received-Content-Range")),
            ("unreadable-session-id", |it| it.with("BITS-Session-Id", "1 2")),
        ],
    );
    check_mutations(
        Some("fragment"),
        || Draft::refusal().line("HTTP/1.1 416 X").with("BITS-Received-Content-Range", "50"),
        &[
            ("error-fields-disagree", |it| it.with("BITS-Error-Code", "0x1")),
            ("unknown-error-context", |it| it.set("BITS-Error-Context", "0x77")),
            ("unreadable-received", |it| it.set("BITS-Received-Content-Range", "51 bytes")),
        ],
    );
}

/// An error in the offset of a 416 without packet type hides no deviation.
#[test]
fn every_deviation_of_a_bare_416_is_reported() {
    let bare = || Draft::new("HTTP/1.1 416 X", &[("BITS-Received-Content-Range", "50")]);
    let received = "BITS-Received-Content-Range";
    for (draft, expected) in [
        (bare(), &["missing-packet-type"][..]),
        (bare().without(received), &["missing-packet-type", "out-of-sync-without-offset"]),
        (
            bare().set(received, "999").rename(received, "BITS-Recieved-Content-Range"),
            &["missing-packet-type", "misspelt-received", "received-beyond-sent"],
        ),
        (
            bare().with(received, "51").line("HTTP/1.0 416 X"),
            &["http-1-0", "missing-packet-type", "unreadable-received"],
        ),
    ] {
        let bytes = draft.text().into_bytes();
        let mut slots = HeaderSlots::new();
        let seen =
            response_violations("fragment", &response_head("a response", &bytes, &mut slots));
        assert_eq!(sorted_rules(&seen), expected, "{draft:?}");
    }
}

/// Conflicting methods do not hide the errors of the packet.
#[test]
fn every_error_of_a_request_with_two_methods_is_reported() {
    let overridden = || {
        let method = "X-HTTP-Method-Override";
        let draft = Draft::fragment().line("POST /e HTTP/1.1");
        draft.with(method, "BITS_POST").with(method, "DELETE")
    };
    let bytes = overridden().set("Content-Range", "bytes 5-1/9").text().into_bytes();
    let mut slots = HeaderSlots::new();
    let seen = request_violations(&request_head("a request", &bytes, &mut slots));
    assert_eq!(sorted_rules(&seen), ["conflicting-field", "first-beyond-last", "method-override"]);
}

#[test]
fn every_error_of_a_notification_is_reported() {
    check_mutations(
        None,
        Draft::notification,
        &[
            ("http-version", |it| it.line("POST /app HTTP/1.0")),
            ("missing-field", |it| it.without("BITS-Original-Request-URL")),
            ("missing-field", |it| it.without("BITS-Request-DataFile-Name")),
            ("empty", |it| it.set("BITS-Response-DataFile-Name", "")),
            ("unexpected-body", |it| it.set("Content-Length", "7")),
        ],
    );
    check_mutations(
        Some("notification"),
        Draft::notification_response,
        &[
            ("http-1-0", |it| it.line("HTTP/1.0 200 OK")),
            ("unsupported-scheme", |it| it.with("BITS-Static-Response-URL", "ftp://h/")),
            ("missing-content-length", |it| it.without("Content-Length")),
        ],
    );
}
