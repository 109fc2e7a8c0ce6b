//! States of a session: compares the table with the specification, and a session in every state with
//! the table.

use crate::support;
use bits_proto::server::{
    Access, Event, EventError, HostError, Reply, Session, State, Step, TABLE, WorkToken,
};
use bits_proto::state_machine::{IllegalEvent, StateMachine as _};
use support::session::*;

/// Transitions of [MC-BUP] 3.2.5.1 and 3.2.5.2 by event. States that wait for the embedder are split:
/// `STATE_RECEIVE_FRAGMENTS` into receiving, storing and, if `UploadComplete` is true, unnotified;
/// `STATE_WAIT_FOR_CLOSE` into wait-for-close and committed; `STATE_COMPLETE` and `STATE_CANCEL` into
/// closing, discarding and ended.
///
/// `STATE_NOTIFY` is split as well, once the application has accepted the entity: it then is replying, and
/// after a failure accepted instead of unnotified.
///
/// A letter is the next state, `.` is illegal:
/// `r`eceiving, `s`toring, `n`otifying, `k`eeping the reply (replying), `u`nnotified, `a`ccepted,
/// `w`ait-for-close, `p`ublishing early (committing), `c`ommitted, c`l`osing, `d`iscarding, `e`nded.
const SPECIFICATION: &str = "
                r s n k u a w p c l d e
answered        r s n k u a w p c l d e
fragment        s . . . . . . . . . . .
repeated        r . . . u . w . c . . .
complete        n n . . n . . . . . . .
keep-reply      . . . . . k . . . . . .
commit          . . . . . . p . . . . .
close           . . . . . . l . d . d .
close-early     d . . . . . . . . . . .
cancel          d . . . d d d . d . d .
stored          . s . . . . . . . . . .
fragment-stored . r . . . . . . . . . .
accepted        . . k k a a . . . . . .
notified        . . w w . . . . . . . .
reply-stored    . . . w . . . . . . . .
committed       . . . . . . . c . d . .
discarded       . . . . . . . . . . e .
failed          . r u a . . . w . w d .
entity-lost     . d d d . . . d . d . .
interrupted     . r u a . . . w . w d .
timeout         d . . . d d d . d . d .
";

fn state(letter: &str) -> Option<State> {
    Some(match letter {
        "r" => State::Receiving,
        "s" => State::Storing,
        "n" => State::Notifying,
        "k" => State::Replying,
        "u" => State::Unnotified,
        "a" => State::Accepted,
        "w" => State::WaitForClose,
        "p" => State::Committing,
        "c" => State::Committed,
        "l" => State::Closing,
        "d" => State::Discarding,
        "e" => State::Ended,
        "." => return None,
        other => panic!("{other:?}"),
    })
}

fn event(name: &str) -> Event {
    let named = Event::ALL.iter().find(|event| event.name() == name);
    *named.unwrap_or_else(|| panic!("{name}"))
}

/// Returns state, event and next state.
fn specified() -> Vec<(State, Event, Option<State>)> {
    let mut lines = SPECIFICATION.lines().skip(1).map(|line| line.split_whitespace());
    let from: Vec<_> =
        lines.next().expect("states").map(|it| state(it).expect("a state")).collect();
    let mut cells = Vec::new();
    for mut line in lines {
        let event = event(line.next().expect("an event"));
        let before = cells.len();
        cells.extend(from.iter().zip(line).map(|(from, to)| (*from, event, state(to))));
        assert_eq!(cells.len() - before, 12, "{event}");
    }
    cells
}

#[test]
fn the_table_matches_the_specification() {
    let cells = specified();
    assert_eq!(cells.len(), 240);
    for (from, event, to) in &cells {
        assert_eq!(TABLE[*from as usize].1[*event as usize], *to, "{from}: {event}");
        assert_eq!(from.next(*event), *to, "{from}: {event}");
    }
    for (row, (state, _)) in TABLE.iter().enumerate() {
        assert_eq!((State::ALL[row], *state as usize), (*state, row));
        for event in Event::ALL {
            let times = cells.iter().filter(|cell| (cell.0, cell.1) == (*state, *event)).count();
            assert_eq!(times, 1, "{state}: {event}");
        }
    }
}

#[test]
fn states_report_work_and_completeness() {
    for state in State::ALL {
        // A state has work if the work can fail.
        assert_eq!(state.is_work(), state.next(Event::Failed).is_some(), "{state}");
    }
    let whole: Vec<_> = State::ALL.iter().filter(|state| state.is_complete()).collect();
    let names: Vec<_> = whole.iter().map(|state| state.name()).collect();
    let expected = [
        "notifying",
        "replying",
        "unnotified",
        "accepted",
        "wait-for-close",
        "committing",
        "committed",
        "closing",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_situation_is_in_its_state() {
    for situation in situations() {
        let session = situation.server.session;
        assert_eq!(session.state(), situation.state, "{}", situation.what);
        assert_eq!(
            session.is_busy(situation.server.now),
            situation.token.is_some(),
            "{}",
            situation.what
        );
        let is_over = matches!(situation.state, State::Discarding | State::Ended);
        assert_eq!(session.end_reason().is_some(), is_over, "{}", situation.what);
        if situation.state.is_complete() {
            assert_eq!(session.total(), Some(session.received().0), "{}", situation.what);
        }
    }
    for state in State::ALL {
        assert!(
            situations().iter().any(|situation| situation.state == *state),
            "{state} is not reached"
        );
    }
}

// Reports.

type Report = (Event, fn(&mut Server, WorkToken) -> Result<(), EventError>);

const REPORTS: [Report; 8] = [
    (Event::Stored, |it, token| {
        it.session.handle_stored(token, 1, &it.policy, it.now).map(drop_step)
    }),
    (Event::Accepted, |it, token| {
        it.session.handle_accepted(token, false, &it.policy, it.now).map(drop_step)
    }),
    (Event::Notified, |it, token| {
        it.session.handle_notified(token, NO_REPLY, &it.policy, it.now).map(drop_step)
    }),
    (Event::ReplyStored, |it, token| {
        it.session.handle_reply(token, Reply::None, &it.policy, it.now).map(drop_step)
    }),
    (Event::Committed, |it, token| it.session.handle_committed(token).map(drop_step)),
    (Event::Discarded, |it, token| it.session.handle_discarded(token).map(drop_step)),
    (Event::Failed, |it, token| {
        it.session.handle_failed(token, HostError::Other, &it.policy).map(drop_step)
    }),
    (Event::Interrupted, |it, token| it.session.handle_disconnected(token)),
];

fn drop_step(step: Step) {
    assert!(!matches!(step, Step::Store(store) if store.take == 0), "nothing to store: {step:?}");
}

#[test]
fn only_the_due_report_is_accepted() {
    let mut pairs = (0, 0);
    for situation in situations() {
        let Some(token) = situation.token else { continue };
        for (event, report) in REPORTS {
            let mut server = situation.server;
            let outcome = report(&mut server, token);
            let what = format!("{}: {event}", situation.what);
            if situation.state.next(event).is_some() {
                assert_eq!(outcome, Ok(()), "{what}");
                assert_ne!(server.session, situation.server.session, "{what}");
                pairs.0 += 1;
                continue;
            }
            let illegal = IllegalEvent { state: situation.state, got: event };
            assert_eq!(outcome, Err(EventError::Illegal(illegal)), "{what}");
            assert_eq!(server.session, situation.server.session, "{what}");
            let expected: Vec<_> = Event::ALL
                .iter()
                .filter(|event| situation.state.next(**event).is_some())
                .map(|event| event.name())
                .collect();
            let text = EventError::Illegal(illegal).to_string();
            let expected = expected.join(", ");
            assert_eq!(
                text,
                format!("{}: got {event}, expected one of {expected}", situation.state)
            );
            pairs.1 += 1;
        }
    }
    // Three reports are legal for each kind of work, a fourth if the application may accept, and a fifth
    // for its reply.
    let count = |states: &[State]| {
        situations().iter().filter(|it| it.token.is_some() && states.contains(&it.state)).count()
    };
    let works = count(State::ALL);
    let legal = 3 * works + count(&[State::Notifying, State::Replying]) + count(&[State::Replying]);
    assert_eq!(pairs, (legal, REPORTS.len() * works - legal));
}

#[test]
fn an_illegal_event_lists_the_legal_events() {
    let error = IllegalEvent { state: State::Ended, got: Event::Committed };
    assert_eq!(error.to_string(), "ended: got committed, expected one of answered");
    assert_eq!(error.expected().collect::<Vec<_>>(), [Event::Answered]);
    for state in State::ALL {
        for event in Event::ALL {
            let illegal = IllegalEvent { state: *state, got: *event };
            assert_eq!(state.transition(*event), state.next(*event).ok_or(illegal));
        }
    }
}

/// Checks that all reports with another token are rejected, except for an acceptance that is late.
#[track_caller]
fn assert_stale(situation: &Situation, server: &Server, token: WorkToken) {
    let is_ours = token.session_id() == server.session.id();
    let may_be_late = server.session.state().next(Event::Accepted).is_some() && is_ours;
    for (event, report) in REPORTS {
        if may_be_late && matches!(event, Event::Accepted | Event::Notified) {
            continue;
        }
        let mut after = *server;
        let outcome = report(&mut after, token);
        assert_eq!(outcome, Err(EventError::StaleToken), "{}: {event}", situation.what);
        assert_eq!(after.session, server.session, "{}: {event}", situation.what);
    }
    let mut after = *server;
    let lost = after.session.handle_failed(token, HostError::EntityLost, &server.policy);
    assert_eq!(lost, Err(EventError::StaleToken), "{}", situation.what);
    assert_eq!(after.session, server.session, "{}", situation.what);
}

#[test]
fn a_report_of_another_session_changes_nothing() {
    for situation in situations() {
        // The first token of another session may have the same number.
        let mut other = Server::with_random(PLAIN, [8; 16]);
        for number in 0..3 {
            let token = stores(other.fragment(0, 0, 9)).token;
            assert_stale(&situation, &situation.server, token);
            assert_ne!(Some(token), situation.token, "{number}");
            other.disconnected(token);
        }
    }
}

#[test]
fn a_report_on_an_older_request_changes_nothing() {
    for situation in situations() {
        let Some(token) = situation.token else { continue };
        let mut server = situation.server;
        server.disconnected(token);
        assert_stale(&situation, &server, token);
        // Another request takes over before the session expires.
        server.now = NOW;
        let again = discards(server.cancel()).token;
        assert_ne!(again, token);
        assert_stale(&situation, &server, token);
        // The report with its token is accepted.
        assert!(is_cancelled(server.discarded(again)), "{}", situation.what);
        assert_stale(&situation, &server, token);
        assert_stale(&situation, &server, again);
    }
    let other = EventError::StaleToken.to_string();
    assert_eq!(other, "stale work token: the session no longer works on this request");
}

#[test]
fn more_bytes_than_requested_are_rejected() {
    for (first, last, total) in [(0, 9, 10), (0, 9, 20), (0, u64::MAX - 2, u64::MAX)] {
        let mut server = Server::new(PLAIN);
        let store = stores(server.fragment(first, last, total));
        for (stored, left) in [(0, store.take), (4, store.take - 4)] {
            let step = server.stored(store.token, stored);
            assert_eq!(stores(step).take, left);
            for bytes in [left.saturating_add(1), u64::MAX] {
                let before = server.session;
                let outcome = server.session.handle_stored(store.token, bytes, &PLAIN, NOW);
                assert_eq!(outcome, Err(EventError::TooManyBytes { remaining: left }), "{bytes}");
                assert_eq!(server.session, before, "{bytes}");
            }
        }
    }
    let text = EventError::TooManyBytes { remaining: 6 }.to_string();
    assert_eq!(text, "reported byte count exceeds the remaining 6");
}

#[test]
fn no_bytes_can_be_reported_for_other_work() {
    for situation in situations() {
        let Some(token) = situation.token.filter(|_| situation.state != State::Storing) else {
            continue;
        };
        let mut server = situation.server;
        let outcome = server.session.handle_stored(token, 0, &server.policy, server.now);
        assert!(matches!(outcome, Err(EventError::Illegal(_))), "{}", situation.what);
        assert_eq!(server.session, situation.server.session, "{}", situation.what);
    }
}

// Requests.

#[test]
fn every_request_during_work_is_answered_with_503_and_changes_nothing() {
    for situation in situations() {
        let Some(token) = situation.token else { continue };
        let mut server = situation.server;
        for request in [
            fragment(server.session.session_id(), 0, 9, 100),
            server.close_request(),
            server.cancel_request(),
        ] {
            // Deletion after a timeout is also work in progress.
            assert_eq!(refused(server.send(request)), BUSY, "{}: {request:?}", situation.what);
            assert_eq!(server.session, situation.server.session, "{}: {request:?}", situation.what);
        }
        let outcome = server.session.handle_disconnected(token);
        assert_eq!(outcome, Ok(()), "{}", situation.what);
    }
}

#[test]
fn a_request_answered_at_once_changes_nothing() {
    let other = Server::with_random(PLAIN, [8; 16]);
    for situation in situations() {
        let server = situation.server;
        let id = server.session.session_id();
        // A gap, where possible, and another total.
        let next = server.session.received().0;
        for (request, access) in [
            (ping(), Access::Granted),
            (create(), Access::Granted),
            (fragment(other.session.session_id(), 0, 99, 100), Access::Granted),
            (other.close_request(), Access::Granted),
            (other.cancel_request(), Access::Granted),
            (fragment(id, next + 1, next + 1, 300), Access::Granted),
            (fragment(id, 0, 99, 100), Access::Denied),
            (server.close_request(), Access::Unauthenticated),
            (server.cancel_request(), Access::Disabled),
        ] {
            let mut after = server;
            let answer = answers(after.send_with(request, access));
            let is_ping = matches!(request, bits_proto::message::Request::Ping(_));
            assert_eq!(answer.status().get() == 200, is_ping, "{}: {request:?}", situation.what);
            assert_eq!(after.session, server.session, "{}: {request:?}", situation.what);
        }
    }
}

#[test]
fn nothing_reaches_a_session_that_has_ended() {
    for situation in situations().iter().filter(|situation| situation.state == State::Ended) {
        let mut server = situation.server;
        let before = server.session;
        assert_eq!(refused(server.fragment(0, 99, 100)), NOT_FOUND, "{}", situation.what);
        assert_eq!(refused(server.close()), NOT_FOUND, "{}", situation.what);
        assert_eq!(refused(server.cancel()), NOT_FOUND, "{}", situation.what);
        assert_eq!(server.session.expire(&PLAIN, NOW - DAY), None, "{}", situation.what);
        server.session.recover();
        server.pass(365 * DAY);
        assert_eq!(server.timeout(), None, "{}", situation.what);
        assert_eq!(server.session.state(), State::Ended, "{}", situation.what);
        assert_eq!(server.session.end_reason(), before.end_reason(), "{}", situation.what);
    }
}

/// The accepted requests begin the work that the table names.
#[test]
fn a_request_follows_the_table() {
    type Sent = (&'static str, fn(&mut Server) -> Step);
    const REQUESTS: [Sent; 4] = [
        ("new bytes", |it| it.fragment(it.received(), 99, 100)),
        ("received bytes", |it| it.fragment(0, 9, 100)),
        ("close", Server::close),
        ("cancel", Server::cancel),
    ];
    // Next state for each request, by situation.
    let expected = |what: &str| -> [&str; 4] {
        match what {
            "new" => ["storing", "storing", "closing", "discarding"],
            "with bytes" => ["storing", "receiving", "discarding", "discarding"],
            "to be notified again" => ["", "notifying", "notifying", "discarding"],
            "forbidden" => ["", "unnotified", "unnotified", "discarding"],
            "accepted" => ["", "replying", "replying", "discarding"],
            "accepted without a reply" => ["", "wait-for-close", "closing", "discarding"],
            "complete" | "complete with a reply" => ["", "wait-for-close", "closing", "discarding"],
            "committed" => ["", "committed", "ended", "ended"],
            "abandoned" => ["discarding", "discarding", "discarding", "discarding"],
            other => panic!("{other}"),
        }
    };
    for situation in situations() {
        if situation.token.is_some() || situation.state == State::Ended {
            continue;
        }
        for ((sent, send), expected) in REQUESTS.iter().zip(expected(situation.what)) {
            let mut server = situation.server;
            if expected.is_empty() {
                // No valid range begins at the end of an entity.
                assert_eq!(server.session.total(), Some(server.received()));
                continue;
            }
            let step = send(&mut server);
            assert_eq!(
                server.session.state().name(),
                expected,
                "{}: {sent}: {step:?}",
                situation.what
            );
        }
    }
}

#[test]
fn a_session_is_small_plain_data() {
    fn is_plain<T: Copy + PartialEq + Send + Sync + 'static>() {}
    is_plain::<Session>();
    assert!(size_of::<Session>() <= 256);
}
