//! `Sessions` with stores that fail, and with stores that other servers change.
#![cfg(feature = "alloc")]

use crate::support;
use bits_proto::field::{ReplyUrl, SessionId};
use bits_proto::message::Ack;
use bits_proto::server::{
    Access, EventError, HostError, Policy, Record, Reply, Sessions, SessionsError,
    SessionsResponse, State, Step, WorkToken,
};
use support::session::*;
use support::sessions::*;
use support::stores::{Broken, Contested, Down, Map};

type Table<S> = Sessions<'static, S>;
type Outcome = Result<Step<SessionsResponse<'static>>, SessionsError<Down>>;

/// Call on a session, with the token of the previous step.
type Call = fn(&mut Table<Broken>, SessionId<'static>, Option<WorkToken>) -> Outcome;

/// Calls of a complete upload with a reply.
const UPLOAD: [(&str, Call); 8] = [
    ("create", |it, _, _| {
        it.handle_request(&create(), &ALICE, || [7; 16]).map_err(SessionsError::Store)
    }),
    ("fragment", |it, id, _| {
        send(it, fragment(id, 0, 99, 100), &ALICE).map_err(SessionsError::Store)
    }),
    ("stored", |it, _, token| it.handle_stored(token.expect("a token"), 60, NOW)),
    ("all stored", |it, _, token| it.handle_stored(token.expect("a token"), 40, NOW)),
    ("accepted", |it, _, token| it.handle_accepted(token.expect("a token"), true, NOW)),
    ("replied", |it, _, token| {
        let url = ReplyUrl::try_from("/reply").expect("a URL");
        it.handle_reply(token.expect("a token"), Reply::Kept, Some(url), NOW)
    }),
    ("close", |it, id, _| send(it, close(id), &ALICE).map_err(SessionsError::Store)),
    ("committed", |it, _, token| it.handle_committed(token.expect("a token"))),
];

fn at(policy: Policy<'static>, works: usize, map: Map) -> Table<Broken> {
    table(Broken { map, works: works.into() }, policy)
}

#[test]
fn a_failing_store_changes_nothing_and_a_retry_succeeds() {
    let id = SessionId::from_random([7; 16]);
    let (mut map, mut token) = (Map::new(), None);
    for (what, call) in UPLOAD {
        let mut failures = 0;
        for works in 0.. {
            let mut sessions = at(NOTIFYING, works, map.clone());
            match call(&mut sessions, id, token) {
                Ok(step) => {
                    token = step.token().or(token);
                    map = sessions.into_store().map;
                    break;
                }
                Err(error) => {
                    assert_eq!(error, SessionsError::Store(Down), "{what}");
                    assert_eq!(sessions.into_store().map, map, "{what}, {works}");
                    failures += 1;
                }
            }
        }
        assert!(failures > 0, "{what} does without the store");
    }
    assert_eq!(map.values().map(|it| it.session.state()).collect::<Vec<_>>(), [State::Discarding]);
    assert_eq!(map.values().next().and_then(|it| it.reply_url.as_deref()), Some(&b"/reply"[..]));
}

/// Returns the map of a session that is being cancelled, and its token.
fn cancelling() -> (Map, WorkToken) {
    let mut sessions = table(Map::new(), PLAIN);
    let id = begin(&mut sessions, &ALICE, 7);
    let token = token(send(&mut sessions, cancel(id), &ALICE));
    (sessions.into_store(), token)
}

#[test]
fn a_session_that_could_not_be_removed_has_ended() {
    let (map, token) = cancelling();
    let mut sessions = at(PLAIN, 1, map);
    // The result of the report is tested elsewhere.
    let _ = sessions.handle_discarded(token);
    let id = SessionId::from_random([7; 16]);
    let map = sessions.into_store().map;
    assert_eq!(map.values().map(|it| it.session.state()).collect::<Vec<_>>(), [State::Ended]);
    // The next request or timeout removes it.
    let mut sessions = table(map.clone(), PLAIN);
    assert_eq!(refused_by(send(&mut sessions, cancel(id), &ALICE)), NOT_FOUND);
    assert!(sessions.store().is_empty());
    let mut sessions = table(map, PLAIN);
    assert_eq!(sessions.handle_timeout(NOW + 14 * DAY), Ok(vec![]));
    assert!(sessions.store().is_empty());
}

/// Either nothing changes, or the client gets its answer.
#[test]
fn a_session_that_could_not_be_removed_is_answered() {
    let (map, token) = cancelling();
    let mut sessions = at(PLAIN, 1, map.clone());
    let outcome = sessions.handle_discarded(token);
    let is_unchanged = sessions.store().map == map;
    assert!(outcome.is_ok() || is_unchanged, "{outcome:?}, and the session has ended");
}

/// Data found before the store failed is returned first, and the rest by the next call.
#[test]
fn a_failing_timeout_loses_no_data_to_delete() {
    let mut sessions = table(Map::new(), PLAIN);
    begin(&mut sessions, &ALICE, 1);
    begin(&mut sessions, &ALICE, 2);
    let due = NOW + 14 * DAY;
    // Works for the list and for the first of the two sessions.
    let mut sessions = at(PLAIN, 2, sessions.into_store());
    let mut discards = sessions.handle_timeout(due).expect("one was found before it failed");
    assert_eq!(sessions.handle_timeout(due), Err(Down));
    sessions.store().works.set(usize::MAX);
    discards.extend(sessions.handle_timeout(due).expect("it works again"));
    assert_eq!(discards.len(), 2, "{discards:?}");
    assert_ne!(discards[0].token.session_id(), discards[1].token.session_id());
    // No data: the list worked, and the first update failed.
    sessions.store().works.set(1);
    assert_eq!(sessions.handle_timeout(due + DAY), Err(Down));
}

#[test]
fn a_store_error_is_the_source() {
    let error = SessionsError::Store(Down);
    assert_eq!(error.to_string(), "session store failed");
    let source = std::error::Error::source(&error).expect("the error of the store");
    assert_eq!(source.to_string(), Down.to_string());
    let error: SessionsError<Down> = SessionsError::Event(EventError::StaleToken);
    assert_eq!(error.to_string(), EventError::StaleToken.to_string());
}

// Concurrent servers.

/// Returns a session in a contested store, and its id.
fn contested(policy: Policy<'static>) -> (Table<Contested>, SessionId<'static>) {
    let mut sessions = table(Contested::default(), policy);
    let id = begin(&mut sessions, &ALICE, 7);
    (sessions, id)
}

/// Lets another server always write first from now on.
fn meddle(
    sessions: Table<Contested>,
    meddling: impl Fn(&mut Record) + 'static,
) -> Table<Contested> {
    let policy = *sessions.policy();
    table(Contested { meddling: Box::new(meddling), ..sessions.into_store() }, policy)
}

#[test]
fn of_two_servers_with_the_same_bytes_one_answers_503() {
    let (sessions, id) = contested(PLAIN);
    let mut sessions = meddle(sessions, |record| {
        let request = fragment(record.session.session_id(), 0, 9, 100);
        let step = record.session.handle_request(&request, Access::Granted, &PLAIN, NOW);
        assert_eq!(stores(step).take, 10);
    });
    assert_eq!(refused_by(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE)), BUSY);
}

#[test]
fn an_overtaken_report_is_rejected() {
    type Sent = fn(&mut Table<Contested>, WorkToken) -> bool;
    const OTHER: SessionsError<std::convert::Infallible> =
        SessionsError::Event(EventError::StaleToken);
    type Overtaken = (fn(&mut Server) -> WorkToken, Policy<'static>, Sent);
    const REPORTS: [Overtaken; 6] = [
        (
            |it| stores(it.fragment(0, 9, 100)).token,
            PLAIN,
            |it, token| it.handle_stored(token, 10, NOW) == Err(OTHER),
        ),
        (
            |it| notifies(it.store(0, 9, 10)),
            NOTIFYING,
            |it, token| it.handle_failed(token, application(500, 0)) == Err(OTHER),
        ),
        (|it| commits(it.close()), PLAIN, |it, token| it.handle_committed(token) == Err(OTHER)),
        (
            |it| discards(it.cancel()).token,
            PLAIN,
            |it, token| it.handle_discarded(token) == Err(OTHER),
        ),
        (
            |it| commits(it.close()),
            PLAIN,
            |it, token| it.handle_failed(token, HostError::Other) == Err(OTHER),
        ),
        (|it| commits(it.close()), PLAIN, |it, token| it.handle_disconnected(token) == Err(OTHER)),
    ];
    for (index, (way, policy, report)) in REPORTS.into_iter().enumerate() {
        let mut server = Server::new(policy);
        let token = way(&mut server);
        for is_taken in [true, false] {
            let (sessions, id) = contested(policy);
            let guid = id.guid().expect("a GUID");
            let mut store = sessions.into_store();
            let record = store.map.get_mut(&guid).expect("created");
            record.session = server.session;
            let mut sessions = meddle(table(store, policy), move |record| {
                if !is_taken {
                    record.session.recover();
                }
            });
            assert_eq!(report(&mut sessions, token), !is_taken, "{index}");
            if is_taken {
                continue;
            }
            let mut expected = server.session;
            expected.recover();
            let record = &sessions.store().map[&guid];
            assert_eq!((record.session, &record.reply_url), (expected, &None), "{index}");
        }
    }
}

/// Another server aborts the work between the read and the write of the record.
#[test]
fn an_overtaken_acceptance_is_recorded() {
    let mut server = Server::new(NOTIFYING);
    let token = notifies(server.store(0, 9, 10));
    let (sessions, id) = contested(NOTIFYING);
    let guid = id.guid().expect("a GUID");
    let mut store = sessions.into_store();
    store.map.get_mut(&guid).expect("created").session = server.session;
    let mut sessions = meddle(table(store, NOTIFYING), move |record| record.session.recover());
    assert_eq!(refused_by(sessions.handle_accepted(token, true, NOW)), BUSY);
    assert_eq!(sessions.store().map[&guid].session.state(), State::Accepted);
}

#[test]
fn of_two_reports_on_the_same_bytes_one_is_rejected() {
    let (mut sessions, id) = contested(PLAIN);
    let token = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE)).token;
    let mut sessions = meddle(sessions, move |record| {
        let step = record.session.handle_stored(token, 6, &PLAIN, NOW).expect("accepted");
        assert_eq!(stores(step).take, 4);
    });
    let error = EventError::TooManyBytes { remaining: 4 };
    assert_eq!(sessions.handle_stored(token, 10, NOW), Err(SessionsError::Event(error)));
    let guid = id.guid().expect("a GUID");
    assert_eq!(sessions.store().map[&guid].session.received().0, 6);
}

#[test]
fn a_session_that_another_server_ended_is_not_found() {
    let (sessions, id) = contested(PLAIN);
    let mut sessions = meddle(sessions, |record| {
        if let Some(Step::Discard(discard)) = record.session.expire(&PLAIN, NOW) {
            let ended = record.session.handle_discarded(discard.token);
            assert_eq!(ended, Ok(Step::Done));
        }
    });
    assert_eq!(refused_by(send(&mut sessions, close(id), &ALICE)), NOT_FOUND);
    assert!(sessions.store().map.is_empty(), "it is forgotten");
}

#[test]
fn failures_and_interruptions_reach_the_session() {
    let (mut sessions, id) = contested(PLAIN);
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE));
    assert_eq!(refused_by(sessions.handle_failed(store.token, HostError::DiskFull)).0, 500);
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE));
    assert_eq!(sessions.handle_disconnected(store.token), Ok(()));
    let gone = sessions.handle_disconnected(store.token);
    assert_eq!(gone, Err(SessionsError::Event(EventError::StaleToken)));
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE));
    let answer = ack(sessions.handle_stored(store.token, 10, NOW).expect("accepted"));
    assert!(matches!(answer.ack(), Ack::Fragment(ack) if ack.received.0 == 10));
    let late = token(send(&mut sessions, cancel(id), &ALICE));
    let answer = ack(sessions.handle_failed(late, HostError::EntityLost).expect("accepted"));
    assert!(matches!(answer.ack(), Ack::CancelSession(_)));
    assert!(sessions.store().map.is_empty());
}
