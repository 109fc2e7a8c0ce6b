//! Reports on work: stored pieces, failures, refusals of the application, and lost entities.

use crate::support;
use std::time::Duration;

use bits_proto::message::Refusal;
use bits_proto::server::{Access, EndReason, HostError, MIN_FRAGMENT, State, Step, UnreadBody};
use support::session::*;

// Bytes.

#[test]
fn stored_pieces_are_received_at_once() {
    let mut server = Server::new(PLAIN);
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!((store.skip, store.offset, store.take), (0, 0, 100));
    for (bytes, offset) in [(30, 30), (0, 30), (1, 31), (60, 91)] {
        let remaining = stores(server.stored(store.token, bytes));
        assert_eq!((remaining.skip, remaining.offset, remaining.take), (0, offset, 100 - offset));
        assert_eq!((remaining.token, server.received()), (store.token, offset));
    }
    server.disconnected(store.token);
    assert_eq!(server.session.state(), State::Receiving);
    // The client repeats the whole fragment.
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!((store.skip, store.offset, store.take), (91, 91, 9));
    assert_eq!(received(server.stored(store.token, 9)), 100);
}

#[test]
fn work_tokens_are_numbered() {
    let mut server = Server::new(PLAIN);
    let first = stores(server.fragment(0, 99, 100)).token;
    let same = stores(server.stored(first, 30)).token;
    assert_eq!(same.number(), first.number());
    server.disconnected(first);
    let second = stores(server.fragment(0, 99, 100)).token;
    assert_eq!(second.number(), first.number() + 1);
}

#[test]
fn offsets_at_the_end_of_the_numbers_do_not_overflow() {
    const TOTAL: u64 = u64::MAX;
    let mut server = Server::new(PLAIN.with_drain_limit(TOTAL));
    let store = stores(server.fragment(0, TOTAL - 3, TOTAL));
    assert_eq!(store.take, TOTAL - 2);
    assert_eq!(received(server.stored(store.token, store.take)), TOTAL - 2);
    assert_eq!(out_of_sync(server.fragment(TOTAL - 1, TOTAL - 1, TOTAL)), TOTAL - 2);
    let store = stores(server.fragment(0, TOTAL - 1, TOTAL));
    assert_eq!((store.skip, store.offset, store.take), (TOTAL - 2, TOTAL - 2, 2));
    assert_eq!(received(server.stored(store.token, 2)), TOTAL);
    let step = server.fragment(0, TOTAL - 1, TOTAL);
    assert_eq!((received(step), unread_body(step)), (TOTAL, UnreadBody::Drain(TOTAL)));
    assert_eq!(server.session.state(), State::WaitForClose);
    // Times do not overflow either.
    let mut server = Server::new(PLAIN.with_session_timeout(Duration::MAX));
    server.policy.store_timeout = Duration::MAX;
    let store = stores(server.fragment(0, 9, 100));
    assert!(server.session.is_busy(Duration::MAX - SECOND));
    assert_eq!(received(server.stored(store.token, 10)), 10);
    assert_eq!(server.session.expires_at(), Duration::MAX);
}

// Sizes.

#[test]
fn excess_sizes_are_refused_with_the_right_code() {
    assert_eq!(MIN_FRAGMENT, 5120);
    let policy = PLAIN.with_max_entity(10_000).with_max_fragment(6000);
    for (last, total, expected) in [
        (0, 10_001, Some(TOO_LARGE)),
        (9_999, 20_000, Some(TOO_LARGE)),
        (6_000, 10_000, Some((413, None, None))),
        (5_999, 10_000, None),
    ] {
        let mut server = Server::new(policy);
        let before = server.session;
        let step = server.fragment(0, last, total);
        match expected {
            None => assert_eq!(stores(step).take, last + 1),
            Some(expected) => {
                let outcome = (refused(step), unread_body(step), server.session);
                assert_eq!(
                    outcome,
                    (expected, UnreadBody::Drain(last + 1), before),
                    "{last}/{total}"
                );
            }
        }
    }
    // A client does not send less than 5 KiB, so it could not continue.
    for (len, expected) in
        [(5121, (413, None, None)), (5120, TOO_LARGE), (5000, TOO_LARGE), (1001, TOO_LARGE)]
    {
        let mut server = Server::new(PLAIN.with_max_fragment(1000));
        assert_eq!(refused(server.fragment(0, len - 1, 10_000)), expected, "{len}");
    }
    let mut server = Server::new(PLAIN.with_max_fragment(1000));
    assert_eq!(received(server.store(0, 999, 10_000)), 1000);
}

#[test]
fn the_current_policy_applies() {
    let mut server = Server::new(PLAIN);
    assert_eq!(received(server.store(0, 49, 100)), 50);
    server.policy.max_entity = 99;
    assert_eq!(refused(server.fragment(50, 99, 100)), TOO_LARGE);
    server.policy.max_entity = 100;
    // The policy at the time of the last byte decides about the notification.
    let store = stores(server.fragment(50, 99, 100));
    server.policy.notification = true;
    let token = notifies(server.stored(store.token, 50));
    // The policy at the time of the notification decides about the publication.
    server.policy.session_timeout = SECOND;
    assert_eq!(received(server.notified(token, STATIC_REPLY)), 100);
    assert_eq!(server.session.expires_at(), NOW + 14 * DAY, "no byte was stored");
    server.policy = EARLY;
    let token = commits(server.fragment(50, 99, 100));
    let answer = answers(server.committed(token));
    assert_eq!((received(Step::Answer(answer)), answer.has_reply_url()), (100, true));
    server.policy = PLAIN;
    assert_eq!(received(server.fragment(50, 99, 100)), 100);
    assert!(is_closed(server.close()), "published before");
}

// The application.

#[test]
fn the_reply_url_is_sent_from_the_last_fragment_on() {
    for (notified, has_reply) in
        [(NO_REPLY, false), (STATIC_REPLY, true), (KEPT_REPLY, true), (NOT_COPIED, false)]
    {
        let mut server = Server::new(NOTIFYING);
        let first = answers(server.store(0, 49, 100));
        assert!(!first.has_reply_url(), "the reply is not known yet");
        let token = notifies(server.store(50, 99, 100));
        assert_eq!(server.session.notified(), None);
        assert_eq!(answers(server.notified(token, notified)).has_reply_url(), has_reply);
        assert_eq!(server.session.notified(), Some(notified));
        for _ in 0..2 {
            let again = answers(server.fragment(50, 99, 100));
            assert_eq!(again.has_reply_url(), has_reply, "{notified:?}");
        }
        // Only a reply that the server keeps is deleted with the session.
        let (copied, kept) = (notified.copy_to_destination, notified == KEPT_REPLY);
        let step = server.close();
        let step = if copied {
            let token = commits(step);
            server.committed(token)
        } else {
            step
        };
        if copied && !kept {
            assert!(is_closed(step), "{notified:?}");
            continue;
        }
        let discard = discards(step);
        assert_eq!(what(&discard), (!copied, kept), "{notified:?}");
        assert!(is_closed(server.discarded(discard.token)));
        assert_eq!(server.session.end_reason(), Some(EndReason::Closed));
        assert_eq!(server.session.is_committed(), copied);
    }
}

#[test]
fn an_application_that_refuses_temporarily_is_notified_again() {
    for (status, code, expected) in [
        (500, 0x8004_0001, (500, Some(0x8004_0001), Some(7))),
        (503, 0, (503, Some(0x8019_01F7), Some(7))),
        (404, 0, (404, Some(0x8019_0194), Some(7))),
        // The application cannot send a success or an offset as a refusal.
        (200, 0, (500, Some(0x8019_01F4), Some(7))),
        (201, 0, (500, Some(0x8019_01F4), Some(7))),
        (416, 0x8004_0001, (500, Some(0x8004_0001), Some(7))),
    ] {
        let mut server = Server::new(NOTIFYING);
        let token = notifies(server.store(0, 99, 100));
        assert_eq!(refused(server.failed(token, application(status, code))), expected);
        assert_eq!(server.session.state(), State::Unnotified);
        let token = notifies(server.fragment(99, 99, 100));
        assert_eq!(refused(server.failed(token, application(status, code))), expected);
        // Close-Session also repeats the notification: the entity must not bypass the application.
        let token = notifies(server.close());
        assert_eq!(refused(server.failed(token, application(status, code))), expected);
        let token = notifies(server.close());
        let token = commits(server.notified(token, NO_REPLY));
        assert!(is_closed(server.committed(token)), "{status}");
    }
}

#[test]
fn an_application_that_forbids_is_not_notified_again() {
    for (code, expected) in
        [(0x8004_0001, (403, Some(0x8004_0001), Some(7))), (0, (403, Some(0x8019_0193), Some(7)))]
    {
        let mut server = Server::new(NOTIFYING);
        let token = notifies(server.store(0, 99, 100));
        assert_eq!(refused(server.failed(token, application(403, code))), expected);
        let before = server.session;
        let step = server.fragment(50, 99, 100);
        assert_eq!((refused(step), unread_body(step)), (expected, UnreadBody::Drain(50)));
        assert_eq!(refused(server.close()), expected);
        assert_eq!(server.session, before);
        // There may be a part of a reply.
        let discard = discards(server.cancel());
        assert_eq!(what(&discard), (true, true));
    }
}

/// Only a 403 of the application is final. If the embedder could not read the entity, for example, the
/// notification is repeated, and the refusal has the context of the server.
#[test]
fn a_notification_that_failed_locally_is_repeated() {
    for (error, expected) in
        [(HostError::AccessDenied, ACCESS_DENIED), (HostError::DestinationExists, EXISTS)]
    {
        let mut server = Server::new(NOTIFYING);
        let token = notifies(server.store(0, 99, 100));
        assert_eq!(refused(server.failed(token, error)), expected);
        let step = server.fragment(50, 99, 100);
        assert!(matches!(step, Step::Notify(_)), "{error:?}: {step:?}");
    }
}

/// Every status of the application results in a valid refusal.
#[test]
fn a_status_that_is_not_a_refusal_becomes_500() {
    for code in 100..=999 {
        let mut server = Server::new(NOTIFYING);
        let token = notifies(server.store(0, 99, 100));
        let refusal = refusal(server.failed(token, application(code, 0)));
        let status = Refusal::new(refusal.status()).map(|refusal| refusal.status());
        assert_eq!(status, Ok(refusal.status()), "{code}");
    }
}

#[test]
fn an_empty_entity_is_notified() {
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.close());
    assert_eq!(refused(server.failed(token, HostError::Other)), (500, None, None));
    assert_eq!(server.session.state(), State::Unnotified);
    assert_eq!(refused(server.fragment(0, 0, 1)), INVALID_ARGUMENT, "it is empty");
    let token = notifies(server.close());
    let token = commits(server.notified(token, KEPT_REPLY));
    assert_eq!(refused(server.failed(token, HostError::Other)), (500, None, None));
    let token = commits(server.close());
    let discard = discards(server.committed(token));
    assert_eq!(what(&discard), (false, true));
    assert!(is_closed(server.discarded(discard.token)));
}

// Failures.

#[test]
fn failed_work_is_requested_again() {
    for (error, expected) in [
        (HostError::DiskFull, (500, Some(0x8007_0070), Some(5))),
        (HostError::AccessDenied, ACCESS_DENIED),
        (HostError::DestinationExists, EXISTS),
        (HostError::DestinationIsFolder, INVALID_ARGUMENT),
        (HostError::Other, (500, None, None)),
    ] {
        let mut server = Server::new(PLAIN);
        let store = stores(server.fragment(0, 99, 100));
        assert_eq!(refused(server.failed(store.token, error)), expected);
        assert_eq!(received(server.store(0, 99, 100)), 100);
        // Close-Session.
        let token = commits(server.close());
        assert_eq!(refused(server.failed(token, error)), expected);
        assert_eq!(server.session.state(), State::WaitForClose);
        let token = commits(server.close());
        assert!(is_closed(server.committed(token)), "{error:?}");
        // With the last fragment.
        let mut server = Server::new(EARLY);
        let token = commits(server.store(0, 99, 100));
        assert_eq!(refused(server.failed(token, error)), expected);
        let token = commits(server.fragment(50, 99, 100));
        assert_eq!(received(server.committed(token)), 100);
        // With the deletion.
        let mut server = Server::new(PLAIN);
        let token = discards(server.cancel()).token;
        assert_eq!(refused(server.failed(token, error)), expected);
        let token = discards(server.cancel()).token;
        assert!(is_cancelled(server.discarded(token)), "{error:?}");
    }
}

#[test]
fn an_interrupted_close_is_continued() {
    let mut server = Server::new(PLAIN);
    assert_eq!(received(server.store(0, 49, 100)), 50);
    let token = discards(server.close()).token;
    server.disconnected(token);
    assert_eq!(refused(server.fragment(50, 99, 100)), NOT_FOUND, "it is over");
    let token = discards(server.close()).token;
    assert_eq!(server.session.end_reason(), Some(EndReason::ClosedIncomplete));
    assert_eq!(refused(server.failed(token, HostError::Other)), (500, None, None));
    // The client may cancel instead, which then is the end reason.
    let token = discards(server.cancel()).token;
    assert!(is_cancelled(server.discarded(token)));
    assert_eq!(server.session.end_reason(), Some(EndReason::ClosedIncomplete));
    // A cancelled session cannot be closed.
    let mut server = Server::new(PLAIN);
    let token = discards(server.cancel()).token;
    server.disconnected(token);
    assert_eq!(refused(server.close()), NOT_FOUND);
}

#[test]
fn a_lost_entity_ends_the_session() {
    let lost = HostError::EntityLost;
    // With a fragment: the client starts over.
    let mut server = Server::new(PLAIN);
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!(stores(server.stored(store.token, 10)).take, 90);
    let step = server.failed(store.token, lost);
    assert_eq!((refused(step), unread_body(step)), (NOT_FOUND, UnreadBody::Close));
    assert_eq!(server.session.end_reason(), Some(EndReason::EntityLost));
    // During the notification, and during the publication before Close-Session.
    let mut server = Server::new(NOTIFYING_EARLY);
    let token = notifies(server.store(0, 99, 100));
    let mut early = server;
    let discard = discards(server.failed(token, lost));
    assert_eq!(what(&discard), (false, true), "there may be a reply");
    assert_eq!(refused(server.discarded(discard.token)), NOT_FOUND);
    let token = commits(early.notified(token, KEPT_REPLY));
    let discard = discards(early.failed(token, lost));
    assert_eq!(what(&discard), (false, true), "the reply is still there");
    // A client that starts over would make the application process the entity twice.
    assert_eq!(refused(early.discarded(discard.token)), GONE);
    assert_eq!(early.session.end_reason(), Some(EndReason::AcceptedEntityLost));
    assert_eq!(early.session.state(), State::Ended);
    // With Close-Session, also of an empty entity: 404.
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.close());
    let token = discards(server.failed(token, lost)).token;
    assert_eq!(refused(server.discarded(token)), (404, None, None));
    let mut server = Server::new(PLAIN);
    assert_eq!(received(server.store(0, 99, 100)), 100);
    let token = commits(server.close());
    assert_eq!(refused(server.failed(token, lost)), (404, None, None));
    assert_eq!(server.session.state(), State::Ended);
    // Missing data counts as deleted.
    let mut server = Server::new(PLAIN);
    let token = discards(server.cancel()).token;
    assert!(is_cancelled(server.failed(token, lost)));
    assert_eq!(server.session.end_reason(), Some(EndReason::Cancelled));
    // Its reply still has to be deleted.
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(received(server.notified(token, KEPT_REPLY)), 100);
    let discard = discards(server.cancel());
    assert_eq!(what(&discard), (true, true));
    let discard = discards(server.failed(discard.token, lost));
    assert_eq!(what(&discard), (false, true));
    let mut other = server;
    assert!(is_cancelled(server.discarded(discard.token)));
    assert_eq!(server.session.end_reason(), Some(EndReason::Cancelled));
    // A failed deletion of the reply is repeated without the entity.
    assert_eq!(refused(other.failed(discard.token, HostError::Other)).0, 500);
    let discard = discards(other.cancel());
    assert_eq!(what(&discard), (false, true));
    // If the reply is missing as well, the session ends.
    assert!(is_cancelled(other.failed(discard.token, lost)));
    assert_eq!(other.session.state(), State::Ended);
    // Likewise if the entity was published and only the reply was to be deleted.
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(received(server.notified(token, KEPT_REPLY)), 100);
    let token = commits(server.close());
    let discard = discards(server.committed(token));
    assert_eq!(what(&discard), (false, true));
    let answer = answers(server.failed(discard.token, lost));
    assert_eq!((answer.status().get(), server.session.state()), (200, State::Ended));
}

/// A fragment without new bytes still has a body, which no step reads. If the answer did not say so, the
/// body would be parsed as the next request.
#[test]
fn the_body_of_a_repeated_fragment_is_not_forgotten() {
    let unread = UnreadBody::Drain(50);
    // With a repeated notification.
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(
        unread_body(server.failed(token, HostError::Other)),
        UnreadBody::None,
        "all of it was stored"
    );
    let token = notifies(server.fragment(50, 99, 100));
    let (mut refusing, mut losing) = (server, server);
    assert_eq!(unread_body(server.notified(token, NO_REPLY)), unread, "notified");
    assert_eq!(unread_body(refusing.failed(token, HostError::Other)), unread, "refused");
    let token = discards(losing.failed(token, HostError::EntityLost)).token;
    assert_ne!(unread_body(losing.discarded(token)), UnreadBody::None, "lost");
    // With a publication for the repeated fragment.
    let mut server = Server::new(EARLY);
    let token = commits(server.store(0, 99, 100));
    server.disconnected(token);
    let token = commits(server.fragment(50, 99, 100));
    let mut refusing = server;
    assert_eq!(unread_body(server.committed(token)), unread, "published");
    assert_eq!(unread_body(refusing.failed(token, HostError::Other)), unread, "not published");
    // With a body that is too long to be dropped.
    let mut server = Server::new(NOTIFYING.with_drain_limit(49));
    let token = notifies(server.store(0, 99, 100));
    assert_eq!(unread_body(server.failed(token, HostError::Other)), UnreadBody::None);
    let token = notifies(server.fragment(50, 99, 100));
    assert_eq!(unread_body(server.notified(token, NO_REPLY)), UnreadBody::Close, "too long");
}

// Access.

#[test]
fn access_is_checked_for_every_packet() {
    for (access, expected) in [
        (Access::Unauthenticated, (401, None, None)),
        (Access::Denied, ACCESS_DENIED),
        (Access::Disabled, DISABLED),
    ] {
        for situation in situations() {
            let mut server = situation.server;
            let id = server.session.session_id();
            for request in [
                ping(),
                create(),
                fragment(id, 0, 99, 100),
                server.close_request(),
                server.cancel_request(),
            ] {
                let step = server.send_with(request, access);
                assert_eq!(refused(step), expected, "{}: {request:?}", situation.what);
                assert_eq!(
                    server.session, situation.server.session,
                    "{}: {request:?}",
                    situation.what
                );
            }
        }
    }
}
