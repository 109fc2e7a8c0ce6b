//! The first requests of an authentication have no body, and violate no rule.

use crate::support;
use crate::support::conversations::BEGUN;
use crate::support::messages::Draft;
use crate::support::read::request_head;
use bits_proto::message::HeaderSlots;
use bits_proto::observer::{Observer, Violation};
use support::script::{check, follow, violations};

/// A token for the server or a proxy.
const TOKENS: [&str; 6] = [
    "Authorization: NTLM TlRMTVNTUAABAAAA",
    "Authorization: Negotiate YIIB",
    "authorization: ntlm TlRMTVNTUAABAAAA",
    "AUTHORIZATION: NEGOTIATE YIIB",
    "Proxy-Authorization: NTLM TlRMTVNTUAABAAAA",
    "proxy-authorization: nEgOtIaTe  YIIB",
];

#[test]
fn a_fragment_without_a_body_that_is_challenged_violates_no_rule() {
    for status in [401, 407] {
        check(&format!(
            "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 \n < bare {status}
             > fragment A 100-199/300 \n < received A 200"
        ));
        check(&format!(
            "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 \n < refused {status}
             > fragment A 100-199/300 \n < received A 200"
        ));
    }
}

#[test]
fn a_fragment_without_a_body_but_with_a_token_violates_no_rule() {
    for token in TOKENS {
        let leg = format!("> fragment A 100-199/300 | Content-Length: 0 | {token}");
        for answer in ["< bare 401", "< bare 407", "< refused 400 0x80070057", "< ?", "x"] {
            check(&format!("{BEGUN} {leg} \n {answer} \n > fragment A 100-199/300"));
        }
        // Interim responses do not count.
        check(&format!("{BEGUN} {leg} \n < bare 100 \n < bare 401"));
    }
}

#[test]
fn other_fragments_without_a_body_violate_a_rule() {
    for (credentials, answer) in [
        ("X: y", "< refused 400 0x80070057     ! length-mismatch"),
        ("X: y", "< bare 502                   ! length-mismatch, missing-packet-type"),
        ("Authorization: Basic YTpi", "< refused 503 ! length-mismatch"),
        ("Authorization: NTLM", "< refused 503       ! length-mismatch"),
        ("Authorization: NTLMX YIIB", "< refused 503 ! length-mismatch"),
        ("Authorization: Negotiate,YIIB", "< refused 503 ! length-mismatch"),
        ("WWW-Authenticate: NTLM YIIB", "< refused 503  ! length-mismatch"),
    ] {
        check(&format!(
            "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 | {credentials} \n {answer}"
        ));
    }
    // A body of another length is no part of an authentication.
    for token in TOKENS {
        check(&format!(
            "{BEGUN} > fragment A 100-199/300 | Content-Length: 99 | {token}  ! length-mismatch
             < bare 401"
        ));
    }
}

#[test]
fn without_a_response_nothing_is_known_about_a_fragment_without_a_body() {
    for end in ["x", "< ?", "?     ! syntax"] {
        check(&format!("{BEGUN} > fragment A 100-199/300 | Content-Length: 0 \n {end}"));
    }
}

/// The error belongs to the request, although it is reported with the response.
#[test]
fn the_error_is_reported_as_one_of_the_request() {
    let script =
        format!("{BEGUN} > fragment A 100-199/300 | Content-Length: 0 \n < refused 400 0x80070057");
    let seen = violations(Observer::new(), &script);
    assert!(matches!(seen[..], [Violation::Request(_)]), "{seen:?}");
    assert!(seen[0].is_in_request());
    assert_eq!((seen[0].rule(), seen[0].section()), ("length-mismatch", "2.2.1.1"));
    let text = seen[0].to_string();
    assert!(
        text.starts_with("Content-Length: expected 100, the length of Content-Range"),
        "{text}"
    );
}

/// Other errors do not depend on the response.
#[test]
fn other_errors_of_a_request_without_a_body_are_reported_with_it() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 | Content-Encoding: gzip  ! unsupported-encoding
         < bare 401"
    ));
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 | Content-Encoding: gzip | Authorization: NTLM T  ! unsupported-encoding
         < received A 100  ! granted-despite-error"
    ));
}

#[test]
fn a_request_without_a_body_does_not_change_the_session() {
    let token = "Content-Length: 0 | Authorization: NTLM T";
    for script in [
        // Its range does not count as sent, nor its length as that of the entity.
        format!(
            "> fragment A 100-199/300 | {token} \n < bare 401 \n > fragment A 100-149/300
                 < received A 200                               ! received-beyond-sent"
        ),
        format!("> fragment A 100-199/400 | {token} \n < bare 401 \n > fragment A 100-149/300"),
        // Its offset is checked with the request that has the body.
        format!(
            "> fragment A 150-199/300 | {token} \n < bare 401
                 > fragment A 150-199/300                       ! offset-skips-ahead"
        ),
        format!(
            "> fragment B 100-199/300 | {token} \n < bare 401
                 > fragment B 100-199/300                       ! unknown-session"
        ),
    ] {
        check(&format!("{BEGUN} {script}"));
    }
    let observer = follow(
        Observer::new(),
        &format!("> create \n < created A \n > fragment A 0-9/30 | {token} \n < bare 401"),
    );
    assert_eq!((observer.total(), observer.sent_up_to()), (None, Some(0)));
    // Without a session, too.
    check(&format!("> fragment A 0-9/30 | {token} \n < bare 401 \n > create \n < created A"));
}

#[test]
fn a_server_may_not_acknowledge_a_request_without_a_body() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 | Content-Length: 0 | Authorization: NTLM T
         < received A 200                                       ! acknowledged-unsent"
    ));
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 | Content-Length: 0
         < received A 200    ! length-mismatch, granted-despite-error, acknowledged-unsent"
    ));
}

/// Packets without a body are the same in every request of an authentication.
#[test]
fn packets_without_a_body_are_checked_in_every_request() {
    check(
        "> create | Authorization: Negotiate YIIB
         < bare 401
         > create | Authorization: Negotiate YIIC
         < created A
         > fragment A 0-9/10
         < received A 10
         > close A | Authorization: Negotiate YIIB
         < bare 401
         > fragment A 0-9/10   ! offset-goes-back
         < received A 10",
    );
}

/// A challenge refuses the credentials, and not the length of the entity.
#[test]
fn a_challenge_does_not_change_the_length_of_the_entity() {
    const CREATED: &str = "> create \n < created A";
    check(&format!(
        "{CREATED} \n > fragment A 0-9/30 \n < bare 401
         > fragment A 0-9/40    ! total-changes"
    ));
    check(&format!("{CREATED} \n > fragment A 0-9/30 \n < refused 503 \n > fragment A 0-9/40"));
}

/// An observer has the same state after a head and after its fields.
#[test]
fn the_offset_of_the_error_is_no_part_of_the_state() {
    let request = Draft::fragment().set("Content-Length", "0");
    let bytes = request.text().into_bytes();
    let mut slots = HeaderSlots::new();
    let head = request_head("a fragment", &bytes, &mut slots);
    let (mut of_head, mut of_fields) = (Observer::new(), Observer::new());
    of_head.handle_request(1, &head, |_| {});
    of_fields.handle_request_fields(1, head.line(), head.fields(), |_| {});
    assert_eq!(of_head, of_fields);
}
