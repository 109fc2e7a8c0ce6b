//! Acceptance by the server application: it is recorded before anything else, and the application is
//! not notified again, even if something fails afterwards.

use crate::support;
use bits_proto::message::Failure;
use bits_proto::server::{
    CommitAt, EndReason, EventError, HostError, Notified, Policy, Reply, Session, State, Step,
    UnreadBody, WorkToken,
};
use support::session::*;

/// Returns a session whose application is being notified of 100 bytes, and the token of that work.
fn notifying(policy: Policy<'static>) -> (Server, WorkToken) {
    let mut server = Server::new(policy);
    let token = notifies(server.store(0, 99, 100));
    (server, token)
}

/// Returns a session whose application has just accepted 100 bytes.
fn replying(policy: Policy<'static>) -> (Server, WorkToken) {
    let (mut server, token) = notifying(policy);
    assert_eq!(keeps_reply(server.accepted(token, true)), token, "the work continues");
    (server, token)
}

/// A way in which the work after the acceptance ends without a result.
type Fault = (&'static str, fn(&mut Server, WorkToken));

const FAULTS: [Fault; 5] = [
    ("failed", |it, token| {
        assert_eq!(refused(it.failed(token, HostError::Other)), (500, None, None));
    }),
    ("disk full", |it, token| {
        assert_eq!(refused(it.failed(token, HostError::DiskFull)).0, 500);
    }),
    ("disconnected", Server::disconnected),
    ("timed out", |it, _| it.pass(300 * SECOND)),
    ("crashed", |it, _| it.session.recover()),
];

/// A request of the client after the last fragment.
const REQUESTS: [fn(&mut Server) -> Step; 2] = [|it| it.fragment(50, 99, 100), Server::close];

#[cfg(feature = "serde")]
fn restored(session: &Session) -> Session {
    let text = serde_json::to_string(session).expect("stored");
    serde_json::from_str(&text).expect("read")
}

#[cfg(not(feature = "serde"))]
fn restored(session: &Session) -> Session {
    *session
}

#[test]
fn the_acceptance_is_recorded_before_the_reply() {
    for copy_to_destination in [false, true] {
        let (mut server, token) = notifying(NOTIFYING);
        assert_eq!(server.session.notified(), None);
        let step = server.accepted(token, copy_to_destination);
        assert_eq!(keeps_reply(step), token);
        let pending = Notified::new(copy_to_destination, Reply::Pending);
        assert_eq!(server.session.notified(), Some(pending));
        assert_eq!(server.session.state(), State::Replying);
        assert!(server.session.is_busy(server.now + 299 * SECOND), "the time limit starts anew");
        // The report may be repeated: its first answer may be lost with the connection to a store.
        let before = server.session;
        assert_eq!(keeps_reply(server.accepted(token, copy_to_destination)), token);
        assert_eq!(server.session, before);
        let answer =
            answers(server.notified(token, Notified::new(copy_to_destination, Reply::Kept)));
        assert!(answer.has_reply_url());
        assert_eq!(server.session.state(), State::WaitForClose);
    }
}

#[test]
fn a_pending_reply_is_reported_in_two_ways() {
    let (mut server, token) = notifying(NOTIFYING);
    let mut other = server;
    let pending = Notified::new(true, Reply::Pending);
    assert_eq!(keeps_reply(server.notified(token, pending)), token);
    assert_eq!(keeps_reply(other.accepted(token, true)), token);
    assert_eq!(server.session, other.session);
}

#[test]
fn after_the_acceptance_every_failure_continues_with_the_reply() {
    for policy in [NOTIFYING, NOTIFYING_EARLY] {
        for ((what, fault), request) in
            FAULTS.iter().flat_map(|fault| REQUESTS.map(|request| (fault, request)))
        {
            let (mut server, mut token) = replying(policy);
            // The same happens several times, and the process restarts each time.
            for _ in 0..3 {
                fault(&mut server, token);
                server.session = restored(&server.session);
                let again = keeps_reply(request(&mut server));
                assert_ne!(again, token, "{what}");
                token = again;
            }
            let step = server.replied(token, Reply::Kept);
            let is_published_now = matches!(step, Step::Commit(_));
            let is_close = request as usize == REQUESTS[1] as usize;
            let publishes_early = policy.commit_at == CommitAt::LastFragment;
            assert_eq!(is_published_now, is_close || publishes_early, "{what}");
            assert_eq!(server.session.notified(), Some(KEPT_REPLY), "{what}");
        }
    }
}

#[test]
fn a_failed_publication_does_not_notify_again() {
    for (what, fault) in FAULTS {
        let (mut server, token) = replying(NOTIFYING);
        assert_eq!(received(server.replied(token, Reply::Static)), 100);
        // At Close-Session.
        let token = commits(server.close());
        fault(&mut server, token);
        let answer = answers(server.fragment(50, 99, 100));
        assert!(answer.has_reply_url(), "{what}: the last Ack is repeated");
        let token = commits(server.close());
        assert!(is_closed(server.committed(token)), "{what}");
        // With the last fragment.
        let (mut server, token) = replying(NOTIFYING_EARLY);
        let token = commits(server.replied(token, Reply::None));
        fault(&mut server, token);
        let token = commits(server.fragment(50, 99, 100));
        assert_eq!(received(server.committed(token)), 100, "{what}");
        assert_eq!(received(server.fragment(50, 99, 100)), 100, "{what}");
        assert!(is_closed(server.close()), "{what}");
    }
}

/// The request that notifies stalls, another one takes over, and both of them report.
#[test]
fn an_acceptance_counts_after_another_request_has_taken_over() {
    for request in REQUESTS {
        let (mut server, stalled) = notifying(NOTIFYING);
        server.pass(300 * SECOND);
        let second = notifies(request(&mut server));
        assert_eq!(refused(server.accepted(stalled, true)), BUSY);
        assert_eq!(server.session.state(), State::Replying);
        assert_eq!(server.session.notified(), Some(Notified::new(true, Reply::Pending)));
        // The application rejects the second notification, perhaps as a duplicate: it does not count.
        let mut refusing = server;
        assert_eq!(refused(refusing.failed(second, application(409, 0))), BUSY);
        assert_eq!(refusing.session.state(), State::Accepted);
        let mut forbidding = server;
        assert_eq!(refused(forbidding.failed(second, application(403, 0))), BUSY);
        for mut rejected in [refusing, forbidding] {
            let token = keeps_reply(rejected.close());
            assert!(matches!(rejected.notified(token, KEPT_REPLY), Step::Commit(_)));
        }
        // Or it accepts it: the later response is the one that counts.
        let mut accepting = server;
        assert_eq!(keeps_reply(accepting.accepted(second, false)), second);
        accepting.disconnected(second);
        assert_eq!(accepting.session.notified(), Some(Notified::new(false, Reply::Pending)));
        let _ = server.notified(second, KEPT_REPLY);
        assert_eq!(server.session.notified(), Some(KEPT_REPLY));
    }
}

#[test]
fn an_acceptance_counts_after_the_work_was_aborted() {
    for refuses_finally in [false, true] {
        let (mut server, stalled) = notifying(NOTIFYING);
        server.pass(300 * SECOND);
        let second = notifies(server.fragment(50, 99, 100));
        let code = if refuses_finally { 403 } else { 500 };
        assert_eq!(refused(server.failed(second, application(code, 0))).0, code);
        assert_eq!(server.session.state(), State::Unnotified);
        let step = server.accepted(stalled, true);
        assert_eq!((refused(step), unread_body(step)), (BUSY, UnreadBody::Close));
        assert_eq!(server.session.state(), State::Accepted);
        assert!(!server.session.is_busy(server.now));
        let before = server.session;
        // What the application answered to the second notification is forgotten.
        server.session = restored(&server.session);
        assert_eq!(server.session, before);
        // Once recorded, it does not change.
        assert_eq!(refused(server.accepted(stalled, false)), BUSY);
        assert_eq!(refused(server.notified(second, STATIC_REPLY)), BUSY);
        assert_eq!(server.session, before);
        let token = keeps_reply(server.fragment(50, 99, 100));
        assert_eq!(received(server.notified(token, NO_REPLY)), 100, "{code}");
        // Later than that, it is of no use.
        let stale = server.session.handle_accepted(stalled, true, &server.policy, server.now);
        assert_eq!(stale, Err(EventError::StaleToken));
    }
}

#[test]
fn a_late_report_keeps_a_reply_that_needs_no_storage() {
    for (notified, recorded) in [
        (STATIC_REPLY, STATIC_REPLY),
        (NO_REPLY, NO_REPLY),
        (NOT_COPIED, NOT_COPIED),
        // The request that took over may have replaced it.
        (KEPT_REPLY, Notified::new(true, Reply::Pending)),
    ] {
        let (mut server, stalled) = notifying(NOTIFYING);
        server.disconnected(stalled);
        assert_eq!(refused(server.notified(stalled, notified)), BUSY);
        assert_eq!(server.session.notified(), Some(recorded));
        server.session = restored(&server.session);
        let step = server.fragment(50, 99, 100);
        if recorded.reply == Reply::Pending {
            keeps_reply(step);
            continue;
        }
        let (answer, has_reply) = (answers(step), notified == STATIC_REPLY);
        assert_eq!(
            (answer.has_reply_url(), answer.unread_body),
            (has_reply, UnreadBody::Drain(50))
        );
        assert_eq!(server.session.notified(), Some(notified));
    }
    let (mut server, stalled) = notifying(NOTIFYING_EARLY);
    server.disconnected(stalled);
    assert_eq!(refused(server.notified(stalled, NO_REPLY)), BUSY);
    commits(server.fragment(50, 99, 100));
}

#[test]
fn an_acceptance_is_accepted_only_where_the_application_was_notified() {
    for situation in situations() {
        let mut server = situation.server;
        let older = Server::new(PLAIN).session;
        assert_eq!(older.id(), server.session.id());
        // The token of the first request, which every situation with bytes has had.
        let first = stores(Server::new(PLAIN).fragment(0, 49, 100)).token;
        if situation.token == Some(first) {
            continue;
        }
        let before = server.session;
        let outcome = server.session.handle_accepted(first, true, &server.policy, server.now);
        let may_accept = matches!(
            situation.state,
            State::Notifying | State::Replying | State::Unnotified | State::Accepted
        );
        assert_eq!(outcome.is_ok(), may_accept, "{}", situation.what);
        if !may_accept {
            assert_eq!(outcome, Err(EventError::StaleToken), "{}", situation.what);
            assert_eq!(server.session, before, "{}", situation.what);
        }
    }
}

/// The bytes are lost after the application has processed them. A client that starts over would make it
/// process them again.
#[test]
fn the_server_asks_nobody_to_start_over_after_the_acceptance() {
    let gone = |step: Step| {
        let refusal = refusal(step);
        let class = Failure::of(refusal.status(), refusal.code(), refusal.context());
        assert_eq!(class, Some(Failure::Fatal), "{refusal:?}");
        assert_eq!(in_numbers(&refusal), GONE);
    };
    let lost = HostError::EntityLost;
    let (mut server, token) = replying(NOTIFYING);
    let discard = discards(server.failed(token, lost));
    assert_eq!(what(&discard), (false, true), "a part of the reply may be there");
    server.session = restored(&server.session);
    gone(server.discarded(discard.token));
    assert_eq!(server.session.end_reason(), Some(EndReason::AcceptedEntityLost));
    let (mut server, token) = replying(NOTIFYING_EARLY);
    let token = commits(server.notified(token, NO_REPLY));
    gone(server.failed(token, lost));
    // At Close-Session, where no fragment follows.
    let (mut server, token) = replying(NOTIFYING);
    assert_eq!(received(server.notified(token, NO_REPLY)), 100);
    let token = commits(server.close());
    assert_eq!(refused(server.failed(token, lost)), (404, None, None));
    assert_eq!(server.session.end_reason(), Some(EndReason::AcceptedEntityLost));
    // Without an application, and before it has accepted, the client starts over.
    let mut server = Server::new(EARLY);
    let token = commits(server.store(0, 99, 100));
    assert_eq!(refused(server.failed(token, lost)), NOT_FOUND);
    assert_eq!(server.session.end_reason(), Some(EndReason::EntityLost));
    let (mut server, token) = notifying(NOTIFYING);
    let token = discards(server.failed(token, lost)).token;
    assert_eq!(refused(server.discarded(token)), NOT_FOUND);
    assert_eq!(server.session.end_reason(), Some(EndReason::EntityLost));
}

#[test]
fn a_pending_reply_is_deleted_with_its_session() {
    for (fault_name, fault) in FAULTS {
        let (mut server, token) = replying(NOTIFYING);
        fault(&mut server, token);
        let discard = discards(server.cancel());
        assert_eq!(what(&discard), (true, true), "{fault_name}");
        assert!(is_cancelled(server.discarded(discard.token)));
        let (mut server, token) = replying(NOTIFYING);
        fault(&mut server, token);
        server.pass(14 * DAY);
        let discard = discards(server.timeout().expect("due"));
        assert_eq!(what(&discard), (true, true), "{fault_name}");
    }
}

#[cfg(feature = "alloc")]
mod table {
    use super::support::sessions::*;
    use super::*;
    use bits_proto::field::ReplyUrl;
    use bits_proto::message::Ack;
    use bits_proto::server::{RequestContext, SessionsError};
    use support::stores::{Broken, Down, Map};

    const LATER: RequestContext<'static> = {
        let mut context = ALICE;
        context.now = NOW.saturating_add(PLAIN.work_timeout);
        context
    };

    /// The store fails while the acceptance is reported. Before it works again, another request notifies
    /// the application and fails. The repeated report is recorded nevertheless.
    #[test]
    fn an_acceptance_that_could_not_be_stored_is_reported_again() {
        let store = Broken { map: Map::new(), works: usize::MAX.into() };
        let mut sessions = table(store, NOTIFYING);
        let id = begin(&mut sessions, &ALICE, 7);
        let store = store_request(send(&mut sessions, fragment(id, 0, 99, 100), &ALICE));
        let stalled = token(sessions.handle_stored(store.token, 100, NOW));
        sessions.store().works.set(0);
        let failed = sessions.handle_accepted(stalled, true, NOW);
        assert_eq!(failed, Err(SessionsError::Store(Down)));
        sessions.store().works.set(usize::MAX);
        let again = fragment(id, 0, 99, 100);
        let second = token(send(&mut sessions, again, &LATER));
        let refused = refused_by(sessions.handle_failed(second, application(409, 0)));
        assert_eq!(refused.0, 409);
        assert_eq!(refused_by(sessions.handle_accepted(stalled, true, LATER.now)), BUSY);
        let Ok(Step::KeepReply(_)) = send(&mut sessions, again, &LATER) else {
            panic!("the application is notified again")
        };
    }

    #[test]
    fn the_url_of_a_late_static_reply_is_kept() {
        let mut sessions = table(Map::new(), NOTIFYING);
        let id = begin(&mut sessions, &ALICE, 7);
        let last = fragment(id, 0, 99, 100);
        let store = store_request(send(&mut sessions, last, &ALICE));
        let stalled = token(sessions.handle_stored(store.token, 100, NOW));
        let second = token(send(&mut sessions, last, &LATER));
        let url = ReplyUrl::try_from("https://app.example/reply").expect("a URL");
        let report = sessions.handle_notified(stalled, STATIC_REPLY, Some(url), LATER.now);
        assert_eq!(refused_by(report), BUSY);
        // A later report does not replace it.
        let other = ReplyUrl::try_from("/other").expect("a URL");
        let report = sessions.handle_notified(stalled, KEPT_REPLY, Some(other), LATER.now);
        assert_eq!(refused_by(report), BUSY);
        sessions.handle_disconnected(second).expect("current work");
        let url_of = |step| match ack(step).ack() {
            Ack::Fragment(ack) => ack.reply_url.map(|url| url.to_string()),
            other => panic!("{other:?}"),
        };
        let step = send(&mut sessions, last, &LATER).expect("no failure");
        assert_eq!(url_of(step).as_deref(), Some("https://app.example/reply"));

        // The URL of a reply that may have been replaced is not used.
        let mut sessions = table(Map::new(), NOTIFYING);
        let id = begin(&mut sessions, &ALICE, 7);
        let last = fragment(id, 0, 99, 100);
        let store = store_request(send(&mut sessions, last, &ALICE));
        let stalled = token(sessions.handle_stored(store.token, 100, NOW));
        sessions.handle_disconnected(stalled).expect("current work");
        let report = sessions.handle_notified(stalled, KEPT_REPLY, Some(url), NOW);
        assert_eq!(refused_by(report), BUSY);
        let token = token(send(&mut sessions, last, &ALICE));
        let step = sessions.handle_reply(token, Reply::None, None, NOW).expect("no failure");
        assert_eq!(url_of(step), None);
        assert!(sessions.into_store().values().all(|record| record.reply_url.is_none()));
    }
}
