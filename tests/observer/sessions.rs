//! Conversations with several sessions, with responses out of order, and with invalid messages.

use crate::support;
use bits_proto::observer::Observer;
use support::script::{check, follow};

/// A client may return to an earlier session.
#[test]
fn each_session_is_compared_with_itself() {
    for script in [
        // A client with two sessions returns to the first one.
        "> create \n < created A \n x \n 2> create \n 2< created B \n x
         2> fragment A 0-9/10 \n 2< received A 10 \n 2> close A \n 2< closed A
         2> fragment B 0-19/20 \n 2< received B 20 \n 2> close B \n 2< closed B",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n > create \n < created B
         > fragment A 5-9/30      ! offset-goes-back
         < received A 10
         > fragment B 5-9/20      ! offset-skips-ahead",
        // A late Ack for Create-Session.
        "> create \n 2> create    ! concurrent-request
         2< created B \n 2> fragment B 0-9/30 \n 2< received B 10 \n < created A
         2> fragment B 10-19/30 \n 2< received B 20 \n 2> fragment B 99-99/100  ! offset-skips-ahead, total-changes",
        "> create \n < created A \n > create \n < created B \n > close A \n < closed A
         > close A  ! request-after-end \n < closed A   ! granted-after-end",
        "> create \n < created A \n > create \n < created B \n > fragment A 0-9/30 \n < lost
         > fragment A 0-9/30   ! request-after-end \n < lost",
        "> create \n < created A \n > create \n < created B \n > cancel A \n < cancelled A
         > create \n < created C \n > cancel B \n < cancelled B \n > fragment C 0-9/30",
        // An Ack belongs to the session of its request.
        "> create \n < created A \n > create \n < created B \n > close A \n < closed B  ! other-session-id",
        "> create \n < created A \n > create \n < created B \n > close A
         < refused 500 | BITS-Session-Id: {AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA}",
    ] {
        check(script);
    }
}

#[test]
fn a_forgotten_session_is_unknown_and_no_violation() {
    // The first session may still be open.
    check(
        "> create \n < created A \n > create \n < created B \n > create \n < created C
         > fragment A 0-9/30 \n < received A 10 \n > fragment A 20-29/30 ! offset-skips-ahead",
    );
    // A request for a forgotten session that had ended is a violation in any case.
    let ended = "> cancel B \n < lost";
    check(&format!(
        "> create \n < created A \n > close A \n < closed A \n > create \n < created B \n {ended}
         > create \n < created C \n > close A   ! unknown-session \n < lost
         > close B   ! request-after-end"
    ));
}

/// Responses on different connections can arrive in any order.
#[test]
fn a_response_is_compared_with_the_state_at_its_request() {
    for script in [
        "> create \n < created A \n > close A \n 2> cancel A   ! concurrent-request
         2< lost \n < closed A",
        "> create \n < created A \n > fragment A 0-9/30 \n 2> cancel A   ! concurrent-request
         2< cancelled A \n < received A 10 \n 2> create \n 2< created B",
        "> create \n < created A \n > fragment A 0-9/30
         2> fragment A 0-9/30   ! concurrent-request
         2< received A 10 \n 2> fragment A 10-29/30 \n 2< received A 30 \n < received A 10
         2> close A \n 2< closed A",
        "> create \n < created A \n > fragment A 0-9/30
         2> fragment A 0-19/30   ! concurrent-request
         2< received A 20 \n < resync 5 \n 2> fragment A 20-29/30",
        // Responses on one connection arrive in order.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 10-19/30 \n < received A 5      ! received-goes-back",
        // The response on another connection may not have arrived.
        "> create \n < created A \n > fragment A 0-9/30 \n 2> ping  ! concurrent-request
         < received A 10 \n 2< pinged \n 2> fragment A 0-9/30",
        // The end of another connection changes nothing.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n 2x
         > fragment A 0-9/30   ! offset-goes-back",
        // All pending requests on a connection end with it.
        "> create \n < created A \n > fragment A 0-9/30 \n > ping  ! pipelined-request \n x
         > ping \n < pinged",
    ] {
        check(script);
    }
}

#[test]
fn a_refusal_undoes_only_its_request() {
    for script in [
        // A refused Close-Session does not close the session.
        "> create \n < created A \n > close A \n < refused 503 \n > fragment A 0-9/30",
        "> create \n < created A \n > cancel A \n < refused 503 \n > fragment A 0-9/30",
        // An accepted fragment shows that the session is open.
        "> create \n < created A \n > fragment A 0-9/30 \n 2> close A  ! concurrent-request, close-before-whole
         < received A 10 \n x \n 2x \n > fragment A 10-29/30",
        // Neither a refusal nor a Ping confirms earlier responses.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-9/30 \n 2< refused 503 \n 2> fragment A 0-9/30 \n 2< received A 10",
        // A 416 determines the offset.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-19/30 \n 2< resync 10 \n 2> fragment A 0-9/30   ! offset-goes-back",
    ] {
        check(script);
    }
}

/// The status and the code of a server application are about its own request.
#[test]
fn a_refusal_of_the_application_does_not_change_the_session() {
    const BEGUN: &str =
        "> create \n < created A \n > fragment A 0-9999/90000 \n < received A 10000";
    let refused = |status: u16| format!("< refused {status} 0x80070057 | BITS-Error-Context: 0x7");
    for script in [
        format!(
            "{} | BITS-Received-Content-Range: 10000 \n > fragment A 10000-19999/90000",
            refused(416)
        ),
        format!("{} \n > fragment A 5-9/90000    ! offset-goes-back", refused(416)),
        format!("{} \n > fragment A 10000-19999/90000", refused(413)),
        // Only a server knows that a session is unknown, with any context.
        "< refused 500 0x8020001F | BITS-Error-Context: 0x7
         > fragment A 10000-19999/90000  ! request-after-end"
            .into(),
    ] {
        check(&format!("{BEGUN} \n > fragment A 10000-19999/90000 \n {script}"));
    }
}

/// An invalid field does not hide violations in other fields.
#[test]
fn the_valid_fields_of_an_invalid_message_are_checked() {
    for script in [
        "> create \n < created A \n > close A \n < closed A
         > fragment A 0-9/30 | Content-Encoding: gzip  ! unsupported-encoding, request-after-end",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment B 30-39/77 | Content-Encoding: gzip  ! unsupported-encoding, unknown-session
         < lost
         > fragment A 30-39/77 | Content-Encoding: gzip  ! unsupported-encoding, offset-skips-ahead, total-changes",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 10-19/30 | Content-Name: a | +Content-Name: b   ! conflicting-field
         < received A 20  ! granted-despite-error
         > fragment A 0-9/30   ! offset-goes-back",
        "> create \n < created A \n > cancel A | Content-Name: a | +Content-Name: b ! conflicting-field
         < cancelled A   ! granted-despite-error
         > fragment A 0-9/30   ! request-after-end",
        "> create \n < created A \n > close A \n < closed A
         > fragment A 0-9/30 | Content-Name: a | +Content-Name: b  ! conflicting-field, request-after-end",
        // A field with conflicting values is unknown.
        "> create \n < created A \n > close A \n < closed A
         > fragment A 0-9/30 | +BITS-Session-Id: 7    ! conflicting-field",
        "> create \n < created A
         > fragment A 0-9/30 | +BITS-Session-Id: 7    ! conflicting-field \n < refused 400 0x80070057
         > fragment A 0-9/30 \n < received A 10
         > fragment A 10-1x/30 | Content-Length: 10 ! not-byte-range \n < received A 25  ! granted-despite-error
         > fragment A 25-29/30",
    ] {
        check(script);
    }
}

/// A session exists if the server created it for an invalid request.
#[test]
fn a_session_created_despite_an_error_is_followed() {
    for script in [
        "> create | BITS-Supported-Protocols: {1}  ! not-guid \n < created A  ! granted-despite-error
         > fragment A 0-9/30 \n < received A 10 \n > fragment A 20-29/30  ! offset-skips-ahead",
        "> create | Transfer-Encoding: chunked   ! transfer-encoding
         < created A  ! granted-despite-error \n > fragment A 0-9/30 \n < received A 10",
        "> create | Transfer-Encoding: chunked   ! transfer-encoding
         ?            ! syntax \n > fragment A 0-9/30 \n < received A 10",
    ] {
        check(script);
    }
}

/// Front ends remove the length 0 of a request, and send responses in chunks.
#[test]
fn framing_that_a_proxy_changed_is_reported() {
    check(
        "> create | Content-Length:                                        ! missing-content-length
         < created A | Content-Length: | Transfer-Encoding: chunked        ! chunked-response
         > fragment A 0-9/10
         < received A 10 | Content-Length: | Transfer-Encoding: chunked    ! chunked-response
         > close A | Content-Length:                                       ! missing-content-length
         < bare 502 | Content-Length: | Transfer-Encoding: chunked         ! missing-packet-type
         > close A
         < refused 500 0x8020001F | Content-Length: | Transfer-Encoding: chunked   ! chunked-response",
    );
}

#[test]
fn a_packet_with_a_notification_field_is_a_packet() {
    check(
        "> create
         < created A
         > fragment A 10-19/30 | BITS-Original-Request-URL: http://o/e   ! unexpected-field, offset-skips-ahead",
    );
}

#[test]
fn names_and_protocols_are_compared_with_earlier_ones() {
    check(
        "> create | Content-Name: a
         < created A
         > fragment A 0-9/30
         < received A 10
         > fragment A 10-19/30 | Content-Name: b    ! content-name-changes
         < received A 20
         > close A | Content-Name: a                ! close-before-whole",
    );
    let other = "{00000000-249b-430f-820d-3d2a9bef4931}";
    // Each Ack is compared with the protocols offered in its request.
    check(&format!(
        "> create
         2> create | BITS-Supported-Protocols: {other}   ! concurrent-request
         < created A
         2< created B | BITS-Protocol: {other}
         > create
         < created C | BITS-Protocol: {other}       ! not-offered"
    ));
}

/// An observer that starts late follows each session from its first message.
#[test]
fn an_observer_that_starts_late_follows_sessions_it_did_not_see_created() {
    let observer = follow(
        Observer::mid_stream(),
        "> fragment A 10-19/30
         < received A 20
         2> fragment B 0-9/90
         2< received B 10
         2> fragment B 20-29/90    ! offset-skips-ahead
         2< resync 10
         3> fragment A 10-29/30
         3< received A 30
         3> close A
         3< closed A",
    );
    assert_eq!(observer.total(), Some(30));
}

/// A client may change the length of its entity, and a server may accept that.
#[test]
fn the_length_of_an_entity_is_not_less_than_what_the_server_holds() {
    let grown = "> fragment A 0-4/10 \n < received A 5 \n > fragment A 5-49/60    ! total-changes";
    let sent = follow(Observer::mid_stream(), grown);
    assert_eq!(sent.total(), Some(10));
    let accepted = follow(sent, "< received A 50");
    assert_eq!((accepted.received().map(|it| it.0), accepted.total()), (Some(50), None));
    let accepted = follow(accepted, "> fragment A 0-9/20     ! offset-goes-back");
    assert_eq!(accepted.total(), None);
    assert_eq!(follow(accepted, "< resync 20 \n > fragment A 20-59/60").total(), Some(60));
    let observer = follow(Observer::mid_stream(), "> fragment A 0-4/10 \n < received A 50");
    assert_eq!((observer.received().map(|it| it.0), observer.total()), (Some(50), None));
    // The response to a later request arrives first.
    let overtaken = follow(
        sent,
        "2> fragment A 5-9/10 ! concurrent-request \n 2< received A 10 \n < received A 50",
    );
    assert_eq!((overtaken.received().map(|it| it.0), overtaken.total()), (Some(50), None));
}

/// Servers send 408 before they close an idle connection.
#[test]
fn a_timeout_response_needs_no_request() {
    check("> create \n < created A \n < bare 408 \n x \n 2> fragment A 0-9/30");
}
