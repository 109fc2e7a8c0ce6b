//! Decisions where the specification, Microsoft's documentation and Windows disagree: one test for each
//! numbered decision about the sequence of a session. Refusals are tested in `answers.rs`.

use crate::support;
use bits_proto::http1::{RequestLine, StatusCode, Version};
use bits_proto::message::{self, Ack, Request};
use bits_proto::server::{
    Answer, EarlyClose, EndReason, HostError, OverlapRule, Policy, State, Step, UnreadBody,
};
use support::session::*;

const STRICT: Policy<'static> = PLAIN.with_overlap(OverlapRule::Refuse);

#[test]
fn the_defaults_are_those_documented() {
    let it = Policy::default();
    assert_eq!((it.max_entity, it.max_fragment, it.drain_limit), (u64::MAX, u64::MAX, 16_777_216));
    let seconds = [it.session_timeout, it.store_timeout, it.work_timeout];
    assert_eq!(seconds.map(|it| it.as_millis()), [1_209_600_000, 60_000, 900_000]);
}

#[test]
fn a1_a_zero_length_entity_is_created_and_closed() {
    let mut server = Server::new(PLAIN);
    let token = commits(server.close());
    assert_eq!(server.session.total(), Some(0));
    assert!(is_closed(server.committed(token)));
    assert_eq!(server.session.end_reason(), Some(EndReason::Closed));
    assert!(server.session.is_committed());
    // By policy, that is an incomplete entity.
    let mut server = Server::new(PLAIN.with_empty_entities(false));
    let discard = discards(server.close());
    assert!(is_closed(server.discarded(discard.token)));
    assert_eq!(server.session.end_reason(), Some(EndReason::ClosedIncomplete));
    let refusing = PLAIN.with_empty_entities(false).with_early_close(EarlyClose::Refuse);
    let mut server = Server::new(refusing);
    assert_eq!(refused(server.close()), INVALID_ARGUMENT);
    // An empty entity has no valid range.
    for range in ["bytes 0--1/0", "bytes */0", "bytes 0-0/0"] {
        let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
        let fields = [
            ("BITS-Packet-Type", "Fragment"),
            ("BITS-Session-Id", "1"),
            ("Content-Range", range),
            ("Content-Length", "0"),
        ];
        let fields = fields.map(|(name, value)| (name, value.as_bytes()));
        let error = Request::from_fields(line, fields, &PLAIN.requests).expect_err(range);
        let answer = Answer::for_error(&error, Some(0), &PLAIN);
        assert_eq!(refused(Step::Answer(answer)), INVALID_ARGUMENT, "{range}");
    }
}

#[test]
fn a2_completion_and_publication_are_separate() {
    let policy = PLAIN.with_notification(true);
    let mut server = Server::new(policy);
    assert_eq!(received(server.store(0, 49, 100)), 50);
    // The application is notified after the last byte, and the entity is published at Close-Session.
    let token = notifies(server.store(50, 99, 100));
    assert_eq!(received(server.notified(token, NO_REPLY)), 100);
    assert!(!server.session.is_committed());
    let token = commits(server.close());
    assert!(is_closed(server.committed(token)));
    // By policy, the entity is published after the notification and before the Ack.
    let mut server = Server::new(NOTIFYING_EARLY);
    let token = notifies(server.store(0, 99, 100));
    let token = commits(server.notified(token, NO_REPLY));
    assert_eq!(received(server.committed(token)), 100);
    assert!(server.session.is_committed());
    assert!(is_closed(server.close()), "there is nothing left to do");
}

#[test]
fn a3_a_fragment_after_completion_is_answered_as_the_last_one_was() {
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert!(answers(server.notified(token, STATIC_REPLY)).has_reply_url());
    for (first, last) in [(0, 99), (90, 99), (3, 4)] {
        let before = server.session;
        let answer = answers(server.fragment(first, last, 100));
        assert_eq!(received(Step::Answer(answer)), 100, "{first}-{last}");
        assert!(answer.has_reply_url(), "{first}-{last}");
        assert_eq!(answer.unread_body, UnreadBody::Drain(last - first + 1), "{first}-{last}");
        assert_eq!(server.session, before);
    }
    // A fragment beyond the total has another total.
    assert_eq!(refused(server.fragment(100, 100, 101)), INVALID_ARGUMENT);
    // The notification is repeated only if it failed.
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(refused(server.failed(token, HostError::Other)).0, 500);
    let token = notifies(server.fragment(50, 99, 100));
    assert_eq!(received(server.notified(token, NO_REPLY)), 100);
}

#[test]
fn a4_an_overlap_is_trimmed() {
    // Example in Microsoft's documentation of Fragment: 0 through 100, then 50 through 150.
    let mut server = Server::new(PLAIN);
    assert_eq!(received(server.store(0, 100, 1000)), 101);
    let store = stores(server.fragment(50, 150, 1000));
    assert_eq!((store.skip, store.offset, store.take), (51, 101, 50));
    assert_eq!(received(server.stored(store.token, 50)), 151);
    // By policy, 416 as in the specification.
    let mut server = Server::new(STRICT);
    assert_eq!(received(server.store(0, 100, 1000)), 101);
    let before = server.session;
    let step = server.fragment(50, 150, 1000);
    assert_eq!((out_of_sync(step), unread_body(step)), (101, UnreadBody::Drain(101)));
    assert_eq!(server.session, before);
    assert_eq!(received(server.store(101, 150, 1000)), 151);
}

#[test]
fn a5_a_range_that_was_received_is_answered_with_the_offset() {
    for (policy, is_strict) in [(PLAIN, false), (STRICT, true)] {
        let mut server = Server::new(policy);
        assert_eq!(received(server.store(0, 99, 1000)), 100);
        let before = server.session;
        for (first, last) in [(0, 99), (0, 0), (99, 99)] {
            let step = server.fragment(first, last, 1000);
            let offset = if is_strict { out_of_sync(step) } else { received(step) };
            assert_eq!((offset, unread_body(step)), (100, UnreadBody::Drain(last - first + 1)));
            assert_eq!(server.session, before, "{first}-{last}");
        }
    }
}

#[test]
fn a6_a_gap_is_answered_with_416_and_the_offset() {
    for policy in [PLAIN, STRICT] {
        let mut server = Server::new(policy);
        assert_eq!(out_of_sync(server.fragment(1, 9, 100)), 0);
        assert_eq!(server.session.total(), None, "a refused fragment says nothing about the total");
        assert_eq!(received(server.store(0, 49, 100)), 50);
        let before = server.session;
        for (first, last) in [(51, 51), (99, 99), (60, 99)] {
            let step = server.fragment(first, last, 100);
            assert_eq!(out_of_sync(step), 50, "{first}-{last}");
            assert_eq!(unread_body(step), UnreadBody::Drain(last - first + 1), "{first}-{last}");
            assert_eq!(server.session, before);
        }
        assert_eq!(received(server.store(50, 99, 100)), 100);
    }
}

#[test]
fn a7_a_close_before_all_fragments_discards() {
    let mut server = Server::new(PLAIN);
    assert_eq!(received(server.store(0, 49, 100)), 50);
    let discard = discards(server.close());
    assert_eq!(what(&discard), (true, false));
    assert!(is_closed(server.discarded(discard.token)));
    let session = server.session;
    assert_eq!(session.end_reason(), Some(EndReason::ClosedIncomplete));
    assert_eq!((session.received().0, session.total()), (50, Some(100)));
    // After a fragment without stored bytes, the entity is not empty.
    let mut server = Server::new(PLAIN);
    let token = stores(server.fragment(0, 49, 100)).token;
    server.disconnected(token);
    assert!(discards(server.close()).entity);
    // By policy, the request is refused and the session continues.
    let mut server = Server::new(PLAIN.with_early_close(EarlyClose::Refuse));
    assert_eq!(received(server.store(0, 49, 100)), 50);
    let before = server.session;
    assert_eq!(refused(server.close()), INVALID_ARGUMENT);
    assert_eq!(server.session, before);
    assert_eq!(received(server.store(50, 99, 100)), 100);
    assert_eq!(commits(server.close()).session_id(), server.session.id());
}

#[test]
fn a8_a_cancel_after_the_last_fragment_keeps_a_published_entity() {
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(received(server.notified(token, KEPT_REPLY)), 100);
    let discard = discards(server.cancel());
    assert_eq!(what(&discard), (true, true), "not published");
    assert!(is_cancelled(server.discarded(discard.token)));
    assert_eq!(server.session.end_reason(), Some(EndReason::Cancelled));

    let mut server = Server::new(NOTIFYING_EARLY);
    let token = notifies(server.store(0, 99, 100));
    let token = commits(server.notified(token, KEPT_REPLY));
    assert_eq!(received(server.committed(token)), 100);
    let discard = discards(server.cancel());
    assert_eq!(what(&discard), (false, true), "only the reply goes");
    assert!(is_cancelled(server.discarded(discard.token)));
    assert_eq!(server.session.state(), State::Ended);
}

#[test]
fn a9_a_ping_is_answered_in_every_state_and_prolongs_nothing() {
    for situation in situations() {
        let mut server = situation.server;
        for days in [0, 13, 400] {
            server.pass(days * DAY);
            let answer = answers(server.send(ping()));
            assert!(matches!(answer.ack(None), Ack::Ping(_)), "{}", situation.what);
            assert_eq!(
                (answer.status().get(), answer.unread_body),
                (200, UnreadBody::None),
                "{}",
                situation.what
            );
            assert_eq!(server.session, situation.server.session, "{}", situation.what);
        }
    }
    // The session id of a Ping is ignored.
    let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    let fields =
        [("BITS-Packet-Type", "Ping"), ("BITS-Session-Id", "none"), ("Content-Length", "0")];
    let fields = fields.map(|(name, value)| (name, value.as_bytes()));
    let decoded =
        Request::from_fields(line, fields, &message::ParseOptions::DEFAULT).expect("a Ping");
    let mut server = Server::new(PLAIN);
    assert_eq!(answers(server.send(decoded.message)).status().get(), 200);
}

#[test]
fn a10_every_create_session_creates_a_session() {
    let (first, second) = (Server::new(PLAIN), Server::with_random(PLAIN, [8; 16]));
    assert_ne!(first.session.id(), second.session.id());
    // An existing session refuses a Create-Session.
    let mut server = first;
    assert_eq!(refused(server.send(create())), INVALID_ARGUMENT);
    assert_eq!(server.session, first.session);
}

#[test]
fn a11_close_or_cancel_again_finds_no_session() {
    for situation in situations().iter().filter(|situation| situation.state == State::Ended) {
        let mut server = situation.server;
        assert_eq!(refused(server.close()), NOT_FOUND, "{}", situation.what);
        assert_eq!(refused(server.cancel()), NOT_FOUND, "{}", situation.what);
        assert_eq!(server.session, situation.server.session, "{}", situation.what);
    }
}

#[test]
fn a14_another_total_is_refused() {
    let mut server = Server::new(PLAIN);
    // The first fragment sets the total, even if none of its bytes arrive.
    let token = stores(server.fragment(0, 49, 100)).token;
    server.disconnected(token);
    let before = server.session;
    assert_eq!(before.total(), Some(100));
    for total in [50, 99, 101, u64::MAX] {
        let step = server.fragment(0, 49, total);
        assert_eq!(
            (refused(step), unread_body(step)),
            (INVALID_ARGUMENT, UnreadBody::Drain(50)),
            "{total}"
        );
        assert_eq!(server.session, before, "{total}");
    }
    assert_eq!(received(server.store(0, 49, 100)), 50);
}

#[test]
fn a39_a_second_request_is_busy() {
    let mut server = Server::new(PLAIN);
    let store = stores(server.fragment(0, 49, 100));
    let step = server.fragment(0, 49, 100);
    assert_eq!((refused(step), unread_body(step)), (BUSY, UnreadBody::Drain(50)));
    assert_eq!(refused(server.close()), BUSY);
    assert_eq!(refused(server.cancel()), BUSY);
    // The first request is unaffected.
    assert_eq!(received(server.stored(store.token, 50)), 50);
    assert!(!server.session.is_busy(server.now));
}

#[test]
fn a40_a_session_expires_after_its_last_stored_byte() {
    let mut server = Server::new(PLAIN);
    assert_eq!(server.session.expires_at(), NOW + 14 * DAY);
    server.pass(DAY);
    let store = stores(server.fragment(0, 49, 100));
    assert_eq!(server.session.expires_at(), NOW + 14 * DAY, "nothing is stored yet");
    server.pass(SECOND);
    assert_eq!(stores(server.stored(store.token, 0)).take, 50);
    assert_eq!(server.session.expires_at(), NOW + 14 * DAY, "nothing was stored");
    assert_eq!(stores(server.stored(store.token, 1)).take, 49);
    let stored_at = NOW + DAY + SECOND;
    assert_eq!(server.session.expires_at(), stored_at + 14 * DAY);
    server.pass(SECOND);
    server.disconnected(store.token);
    assert_eq!(received(server.fragment(0, 0, 100)), 1);
    assert_eq!(out_of_sync(server.fragment(2, 2, 100)), 1);
    assert_eq!(server.session.expires_at(), stored_at + 14 * DAY, "no byte, no time");
    server.now = stored_at + 14 * DAY;
    let before = server.session;
    assert_eq!(refused(server.fragment(1, 49, 100)), NOT_FOUND);
    assert_eq!(refused(server.close()), NOT_FOUND);
    assert_eq!(server.session, before);
}

/// Microsoft documents that the status and code of an application are passed on. Only the server can know a session.
#[test]
fn the_status_and_code_of_an_application_are_passed_on_except_successes_and_416() {
    let numbers = |error: HostError| {
        let refusal = error.refusal(&PLAIN);
        let context = refusal.context().map(|context| context.0);
        (refusal.status().get(), refusal.code().map(|code| code.get()), context)
    };
    for number in 100..=999 {
        let sent = if number < 300 || number == 416 { 500 } else { number };
        let of_status = Some(0x8019_0000 | u32::from(sent));
        let status = StatusCode::try_from(number).expect("a status");
        let without_code = HostError::Application { status, code: None };
        assert_eq!(numbers(without_code), (sent, of_status, Some(7)), "{number}");
        let not_found = application(number, 0x8020_001F);
        assert_eq!(numbers(not_found), (sent, of_status, Some(7)), "{number}");
        let denied = application(number, 0x8007_0005);
        assert_eq!(numbers(denied), (sent, Some(0x8007_0005), Some(7)), "{number}");
    }
    // Without a session, lost bytes are not found either.
    assert_eq!(numbers(HostError::EntityLost), (404, None, None));
}
