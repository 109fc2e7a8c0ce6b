//! Timeouts of work, expiry of sessions, and forced expiry.

use crate::support;
use std::time::Duration;

use bits_proto::server::{EndReason, EventError, HostError, Policy, State, Step};
use support::session::*;

// Timeouts of work.

#[test]
fn work_without_reports_times_out_for_the_next_request() {
    let mut server = Server::new(PLAIN);
    let late = stores(server.fragment(0, 99, 100));
    server.pass(300 * SECOND - Duration::from_nanos(1));
    assert_eq!(refused(server.fragment(0, 99, 100)), BUSY);
    // A report postpones the timeout.
    assert_eq!(stores(server.stored(late.token, 10)).take, 90);
    server.pass(300 * SECOND - Duration::from_nanos(1));
    assert_eq!(refused(server.fragment(0, 99, 100)), BUSY);
    server.pass(Duration::from_nanos(1));
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!((store.skip, store.offset, store.take), (10, 10, 90));
    let outcome = server.session.handle_stored(late.token, 10, &PLAIN, server.now);
    assert_eq!(outcome, Err(EventError::StaleToken));
    assert_eq!(server.received(), 10);
    assert_eq!(received(server.stored(store.token, 90)), 100);
    // A refused request also aborts the work.
    let late = commits(server.close());
    server.pass(300 * SECOND);
    assert_eq!(refused(server.fragment(0, 99, 101)), INVALID_ARGUMENT);
    assert_eq!(server.session.handle_committed(late), Err(EventError::StaleToken));
    assert_eq!(server.session.state(), State::WaitForClose);
    // Until another request arrives, late work still succeeds.
    let slow = commits(server.close());
    server.pass(301 * SECOND);
    assert!(!server.session.is_busy(server.now));
    assert!(is_closed(server.committed(slow)));
}

#[test]
fn every_request_takes_over_from_work_that_timed_out() {
    type Sent = fn(&mut Server) -> Step;
    const SENT: [Sent; 3] = [|it| it.fragment(0, 99, 100), Server::close, Server::cancel];
    for situation in situations() {
        // A session that has expired accepts no requests.
        if situation.token.is_none() || situation.what == "timing out" {
            continue;
        }
        for (index, send) in SENT.iter().enumerate() {
            let mut late = situation.server;
            late.pass(300 * SECOND);
            let mut recovered = late;
            recovered.session.recover();
            assert_eq!(send(&mut late), send(&mut recovered), "{}: {index}", situation.what);
            assert_eq!(late.session, recovered.session, "{}: {index}", situation.what);
        }
    }
    let mut server = Server::new(PLAIN);
    assert_eq!(stores(server.fragment(0, 49, 100)).take, 50);
    server.pass(300 * SECOND);
    assert_eq!(what(&discards(server.close())), (true, false));
}

#[test]
fn a_notification_report_postpones_the_timeout() {
    let mut server = Server::new(NOTIFYING_EARLY);
    let token = notifies(server.store(0, 99, 100));
    server.pass(299 * SECOND);
    let token = commits(server.notified(token, NO_REPLY));
    server.pass(300 * SECOND - Duration::from_nanos(1));
    assert_eq!(refused(server.close()), BUSY);
    assert_eq!(received(server.committed(token)), 100);
}

#[test]
fn by_default_bytes_are_stored_within_a_minute_and_other_work_ends_within_15() {
    let (store, work) = (60 * SECOND, 15 * 60 * SECOND);
    let assert_busy_for = |server: &Server, time: Duration| {
        assert!(server.session.is_busy(server.now + time - TICK));
        assert!(!server.session.is_busy(server.now + time));
    };
    let mut server = Server::new(Policy::DEFAULT.with_notification(true));
    let token = stores(server.fragment(0, 99, 100)).token;
    assert_busy_for(&server, store);
    let token = stores(server.stored(token, 10)).token;
    assert_busy_for(&server, store);
    let token = notifies(server.stored(token, 90));
    assert_busy_for(&server, work);
    server.pass(SECOND);
    server.session.renew(token, &server.policy, server.now).expect("the current work");
    assert_busy_for(&server, work);
    server.pass(SECOND);
    let Step::KeepReply(_) = server.accepted(token, true) else { panic!("a reply") };
    assert_busy_for(&server, work);
    let mut server = Server::new(Policy::DEFAULT);
    assert_eq!(received(server.store(0, 99, 100)), 100);
    commits(server.close());
    assert_busy_for(&server, work);
    let mut server = Server::new(Policy::DEFAULT);
    server.pass(TIMEOUT);
    assert!(server.timeout().is_some());
    assert_busy_for(&server, work);
}

#[test]
fn a_session_without_its_process_is_recovered() {
    for situation in situations() {
        let mut server = situation.server;
        server.session.recover();
        assert!(!server.session.is_busy(NOW), "{}", situation.what);
        let mut aborted = situation.server;
        let Some(token) = situation.token else {
            assert_eq!(server.session, situation.server.session, "{}", situation.what);
            continue;
        };
        aborted.disconnected(token);
        assert_eq!(server.session, aborted.session, "{}", situation.what);
    }
}

// Timeouts.

const TIMEOUT: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const TICK: Duration = Duration::from_nanos(1);

#[test]
fn a_session_expires_exactly_at_its_timeout() {
    for (late, due) in [(TIMEOUT - TICK, false), (TIMEOUT, true), (2 * TIMEOUT, true)] {
        let mut server = Server::new(PLAIN);
        let before = server.session;
        server.pass(late);
        let Some(step) = server.timeout() else {
            assert!(!due, "{late:?}");
            assert_eq!(server.session, before);
            continue;
        };
        assert!(due, "{late:?}");
        let discard = discards(step);
        assert_eq!(what(&discard), (true, false));
        assert_eq!(server.session.end_reason(), Some(EndReason::TimedOut));
        assert_eq!(server.timeout(), None, "deletion in progress");
        assert_eq!(server.discarded(discard.token), Step::Done, "no request waits");
        assert_eq!((server.session.state(), server.timeout()), (State::Ended, None));
    }
}

#[test]
fn deletion_is_requested_until_it_is_reported() {
    let mut server = Server::new(PLAIN);
    server.pass(TIMEOUT);
    let first = discards(server.timeout().expect("due"));
    server.pass(300 * SECOND - TICK);
    assert_eq!(server.timeout(), None);
    server.pass(TICK);
    let second = discards(server.timeout().expect("work timed out"));
    assert_eq!(server.session.handle_discarded(first.token), Err(EventError::StaleToken));
    assert_eq!(server.failed(second.token, HostError::Other), Step::Done);
    let third = discards(server.timeout().expect("failed"));
    server.disconnected(third.token);
    let fourth = discards(server.timeout().expect("interrupted"));
    assert_eq!(server.failed(fourth.token, HostError::EntityLost), Step::Done, "missing data");
    assert_eq!(server.session.state(), State::Ended);
}

/// Situations with a reply to delete, or possibly one because a notification was begun.
const KEEPS_REPLY: &[&str] = &[
    "notifying",
    "notifying without bytes",
    "replying",
    "replying without bytes",
    "accepted",
    "to be notified again",
    "forbidden",
    "complete with a reply",
    "lost, with a reply",
];

#[test]
fn a_session_expires_in_every_waiting_state() {
    for situation in situations() {
        let mut server = situation.server;
        if situation.state == State::Ended {
            continue;
        }
        // A published entity no longer belongs to the session.
        let placed = server.session.is_committed();
        let kept = KEEPS_REPLY.contains(&situation.what);
        server.pass(2 * TIMEOUT);
        let step = server.timeout().unwrap_or_else(|| panic!("{}", situation.what));
        if placed && !kept {
            assert_eq!(step, Step::Done, "{}", situation.what);
            assert_eq!(server.session.state(), State::Ended, "{}", situation.what);
            continue;
        }
        let discard = discards(step);
        assert_eq!(discard.reply, kept, "{}", situation.what);
        if let Some(token) = situation.token {
            assert_eq!(server.session.handle_discarded(token), Err(EventError::StaleToken));
        }
        assert_eq!(server.discarded(discard.token), Step::Done, "{}", situation.what);
    }
}

#[test]
fn a_session_does_not_expire_during_work() {
    let mut server = Server::new(PLAIN);
    server.pass(TIMEOUT - SECOND);
    let store = stores(server.fragment(0, 99, 100));
    server.pass(SECOND);
    let before = server.session;
    assert_eq!(server.timeout(), None);
    assert_eq!(server.session, before);
    assert_eq!(received(server.stored(store.token, 100)), 100);
    assert_eq!(server.timeout(), None, "bytes were stored");
    assert_eq!(server.session.expires_at(), server.now + TIMEOUT);
}

#[test]
fn a_timeout_is_due_exactly_when_poll_timeout_says() {
    for situation in situations() {
        let server = situation.server;
        let Some(timeout) = server.session.poll_timeout() else {
            assert_eq!(situation.state, State::Ended, "{}", situation.what);
            continue;
        };
        let mut session = server.session;
        assert_eq!(
            session.handle_timeout(&server.policy, timeout - TICK),
            None,
            "{}",
            situation.what
        );
        assert_eq!(session, server.session, "{}", situation.what);
        let step = session.handle_timeout(&server.policy, timeout);
        let step = step.unwrap_or_else(|| panic!("{}", situation.what));
        // The deletion is requested again after the timeout of the work.
        let again = (step != Step::Done).then_some(timeout + server.policy.work_timeout);
        assert_eq!(session.poll_timeout(), again, "{}", situation.what);
    }
}

/// Work that lasts beyond the expiry postpones the timeout.
#[test]
fn poll_timeout_is_not_before_the_timeout_of_the_work() {
    let mut server = Server::new(PLAIN);
    assert_eq!(server.session.poll_timeout(), Some(NOW + TIMEOUT));
    server.pass(TIMEOUT - SECOND);
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!(server.session.poll_timeout(), Some(server.now + 300 * SECOND));
    assert_eq!(received(server.stored(store.token, 100)), 100);
    assert_eq!(server.session.poll_timeout(), Some(server.now + TIMEOUT));
}

#[test]
fn a_session_can_be_expired_early() {
    for situation in situations() {
        let mut server = situation.server;
        let step = server.session.expire(&server.policy, server.now);
        match (situation.token, situation.state) {
            (None, State::Ended) => assert_eq!(step, None, "{}", situation.what),
            (None, _) => {
                let ended = step == Some(Step::Done);
                assert!(ended || matches!(step, Some(Step::Discard(_))), "{}", situation.what);
                assert!(server.session.end_reason().is_some(), "{}", situation.what);
            }
            (Some(token), _) => {
                assert_eq!(step, None, "{}: work in progress", situation.what);
                server.disconnected(token);
                assert!(server.timeout().is_some(), "{}", situation.what);
            }
        }
        let refused = refused(server.fragment(0, 99, 100));
        assert!(refused == NOT_FOUND || refused == BUSY, "{}: {refused:?}", situation.what);
    }
    // `expire` never prolongs a session.
    let mut server = Server::new(PLAIN);
    server.policy.session_timeout = Duration::ZERO;
    assert_eq!(received(server.store(0, 9, 100)), 10);
    let expires_at = server.session.expires_at();
    assert_eq!(expires_at, NOW);
    let step = server.session.expire(&PLAIN, NOW + SECOND);
    assert!(matches!(step, Some(Step::Discard(_))));
    assert_eq!(server.session.expires_at(), Duration::ZERO);
}

/// If the process stops during a notification, the part of a reply that was received is deleted.
#[test]
fn an_unreported_reply_is_deleted() {
    let notified = |way: fn(&mut Server) -> Step| {
        let mut server = Server::new(NOTIFYING);
        notifies(way(&mut server));
        server.session.recover();
        assert_eq!(server.session.state(), State::Unnotified);
        server
    };
    for way in [|it: &mut Server| it.store(0, 99, 100), |it: &mut Server| it.close()] {
        let discard = discards(notified(way).cancel());
        assert_eq!(what(&discard), (true, true));
        let mut forgotten = notified(way);
        forgotten.pass(14 * DAY);
        let discard = discards(forgotten.timeout().expect("due"));
        assert_eq!(what(&discard), (true, true));
        // Also if the application answers 403 to the repeated notification.
        let mut forbidden = notified(way);
        let token = notifies(forbidden.close());
        assert_eq!(refused(forbidden.failed(token, application(403, 0))).0, 403);
        assert_eq!(what(&discards(forbidden.cancel())), (true, true));
    }
    // An incomplete entity was not notified and has no reply.
    let mut server = Server::new(NOTIFYING);
    assert_eq!(received(server.store(0, 49, 100)), 50);
    assert_eq!(what(&discards(server.cancel())), (true, false));
}

/// A forced expiry during work takes effect after the work, even if the work succeeds.
#[test]
fn a_session_expired_during_work_ends_after_it() {
    let mut server = Server::new(PLAIN);
    let store = stores(server.fragment(0, 49, 100));
    assert_eq!(server.session.expire(&PLAIN, server.now), None, "work in progress");
    assert_eq!(received(server.stored(store.token, 50)), 50);
    let step = server.timeout();
    assert!(matches!(step, Some(Step::Discard(_))), "not ended: {step:?}");
}

/// A late deletion does not change the end reason.
#[test]
fn a_session_that_ended_otherwise_keeps_its_end_reason() {
    for situation in situations() {
        let Some(ending) = situation.server.session.end_reason() else { continue };
        let mut server = situation.server;
        server.pass(2 * TIMEOUT);
        let step = server.timeout();
        assert_eq!(server.session.end_reason(), Some(ending), "{}: {step:?}", situation.what);
        if ending == EndReason::EntityLost && situation.state != State::Ended {
            assert_eq!(step.map(|step| what(&discards(step))), Some((false, true)));
        }
    }
}

#[test]
fn the_current_policy_sets_the_session_timeout() {
    let mut server = Server::new(PLAIN.with_session_timeout(SECOND));
    assert_eq!(server.session.expires_at(), NOW + SECOND);
    server.policy.session_timeout = 2 * SECOND;
    assert_eq!(server.session.expires_at(), NOW + SECOND);
    assert_eq!(received(server.store(0, 9, 100)), 10);
    assert_eq!(server.session.expires_at(), NOW + 2 * SECOND);
}

#[test]
fn a_stalled_fragment_times_out_while_the_client_still_retries() {
    let mut server = Server::new(Policy::DEFAULT);
    let store = stores(server.fragment(0, 99, 100));
    server.pass(59 * SECOND);
    assert_eq!(stores(server.stored(store.token, 10)).take, 90);
    server.pass(59 * SECOND);
    assert_eq!(refused(server.fragment(10, 99, 100)), BUSY);
    server.pass(SECOND);
    assert_eq!(stores(server.fragment(0, 99, 100)).offset, 10);
}

#[test]
fn long_work_does_not_time_out_while_it_is_renewed() {
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 99, 100));
    for _ in 0..10 {
        server.pass(299 * SECOND);
        let (policy, now) = (server.policy, server.now);
        assert_eq!(server.session.renew(token, &policy, now), Ok(()));
        assert_eq!(refused(server.fragment(50, 99, 100)), BUSY);
    }
    server.pass(300 * SECOND);
    let again = notifies(server.fragment(50, 99, 100));
    let (policy, now, before) = (server.policy, server.now, server.session);
    let late = server.session.renew(token, &policy, now);
    assert_eq!(late, Err(EventError::StaleToken));
    assert_eq!(server.session, before);
    assert_eq!(received(server.notified(again, NO_REPLY)), 100);
}
