//! The tables of states, compared with tables written by hand, and every input and command in every
//! state.

use crate::support;
use std::fmt::{Debug, Display};
use std::time::Duration;

use bits_proto::client::{EXCHANGE_TABLE, EventError, Exchange, State, StopReason, TABLE, Upload};
use bits_proto::field::{ErrorContext, HResult};
use bits_proto::message::Ack;
use bits_proto::state_machine::StateMachine;
use support::upload::{
    HOST, REPLY, SECOND, all_reachable, cancelled, closed, created, created_on, fragment_ack,
    fragment_ack_with_reply, in_state, named, out_of_sync, pinged, reach, refused, rows,
    session_not_found, status,
};

/// [3.1.5.1.2] to [3.1.5.1.9], [3.1.4] and [3.1.6.3]. `STATE_ERROR` either returns to the state
/// before (`transient-failure`, `credentials`), or stays until the caller resumes (`failed`).
const STATES: &str = "
# 3.1.5.1.2
create-session begin=create-session created=fragment created-on-host=ping
create-session session-lost=create-session transient-failure=create-session credentials=create-session
create-session permanent-failure=failed fallback=ping new-connection=ping pause=create-session
create-session resume=ping restart=create-session cancel=cancel
# 3.1.5.1.3; without a session, one is created next
ping begin=ping pinged=fragment session-lost=create-session transient-failure=ping credentials=ping
ping permanent-failure=failed fallback=ping new-connection=ping pause=ping resume=ping cancel=cancel
ping restart=create-session
# 3.1.5.1.4
fragment begin=fragment received=fragment smaller-fragments=fragment all-received=close reply-due=get-reply
fragment session-lost=create-session transient-failure=fragment credentials=fragment permanent-failure=failed
fragment fallback=ping new-connection=ping pause=fragment resume=ping cancel=cancel
fragment restart=create-session
# 3.1.5.1.8; no packet is sent, so there is no response
get-reply reply-fetched=close transient-failure=get-reply fallback=ping new-connection=get-reply
get-reply pause=get-reply resume=ping restart=create-session cancel=cancel
# 3.1.5.1.5
close begin=close closed=finished session-lost=create-session transient-failure=close credentials=close
close permanent-failure=failed fallback=ping new-connection=ping pause=close resume=ping cancel=cancel
close restart=create-session
# 3.1.5.1.6; session not found is a success (3.1.5.2.1), and the upload stays cancelled
cancel begin=cancel cancelled=cancelled transient-failure=cancel credentials=cancel permanent-failure=cancel
cancel fallback=cancel new-connection=cancel pause=cancel resume=cancel cancel=cancel
# Terminal
finished
cancelled
# 3.1.5.1.7
failed fallback=failed resume=ping restart=create-session cancel=cancel
";

/// [3.1.2], [3.1.4], [3.1.5.1.7], [3.1.6]: a response may arrive before the whole request is sent.
const EXCHANGES: &str = "
ready begin=sending failed=back-off given-up=suspended pause=suspended reset=ready
sending sent=awaiting answered=ready failed=back-off given-up=suspended challenged=unauthorized
sending pause=suspended reset=ready
awaiting answered=ready failed=back-off given-up=suspended challenged=unauthorized
awaiting pause=suspended reset=ready
back-off backoff-elapsed=ready pause=suspended reset=ready
unauthorized credentials-given=ready pause=suspended reset=ready
suspended pause=suspended reset=ready
";

/// Returns the next state according to a table in text form.
fn next<S: StateMachine>(table: &str, state: S, event: S::Event) -> Option<S> {
    let state = state.to_string();
    let arrow = format!("{event}=");
    let mut found = rows(table)
        .filter(|row| row[0] == state)
        .flat_map(|row| row.into_iter().skip(1))
        .filter_map(|cell| cell.strip_prefix(&arrow));
    let next = found.next().map(|name| named(S::STATES, name));
    assert!(found.next().is_none(), "{state}, {event} twice");
    next
}

fn check_table<S: StateMachine + Debug>(text: &str, rows: &[(S, &[Option<S>])], pairs: usize) {
    assert_eq!(rows.iter().map(|(state, _)| *state).collect::<Vec<_>>(), S::STATES);
    let mut count = 0;
    for (state, row) in rows {
        assert_eq!(row.len(), S::EVENTS.len(), "{state}");
        for (event, cell) in S::EVENTS.iter().zip(*row) {
            let expected = next(text, *state, *event);
            assert_eq!(*cell, expected, "{state}, {event}");
            assert_eq!(state.next(*event), expected, "{state}, {event}");
            count += 1;
        }
    }
    assert_eq!(count, pairs);
    let cells = |text| support::upload::rows(text).map(|row| row.len() - 1).sum::<usize>();
    let legal = rows.iter().flat_map(|(_, row)| row.iter()).flatten().count();
    assert_eq!(legal, cells(text), "the text has cells that the table does not have");
}

#[test]
fn the_tables_match_the_specification() {
    let states = TABLE.each_ref().map(|(state, row)| (*state, &row[..]));
    check_table(STATES, &states, 9 * 21);
    let exchanges = EXCHANGE_TABLE.each_ref().map(|(state, row)| (*state, &row[..]));
    check_table(EXCHANGES, &exchanges, 6 * 10);
}

#[test]
fn terminal_states_and_requests_in_flight() {
    for state in State::ALL {
        let ended = ["finished", "cancelled"].contains(&state.name());
        assert_eq!(state.is_terminal(), ended, "{state}");
        // A terminal state has no transitions to other states.
        assert_eq!(state.expected().next().is_none(), ended);
    }
    for exchange in Exchange::ALL {
        let under_way = ["sending", "awaiting"].contains(&exchange.name());
        assert_eq!(exchange.is_in_flight(), under_way, "{exchange}");
    }
}

type Input = fn(&mut Upload, Duration) -> Result<(), EventError>;

fn ack(upload: &mut Upload, ack: &Ack<'_>, now: Duration) -> Result<(), EventError> {
    upload.handle_ack(ack, now)
}

const INPUTS: &[(&str, Input)] = &[
    ("sending", |it, now| it.handle_sending(now)),
    ("sent", |it, now| it.handle_sent(now)),
    ("broken", |it, now| it.handle_transport_failure(now)),
    ("fetched", |it, _| it.handle_reply_fetched()),
    ("unfetched", |it, now| it.handle_reply_failed(now)),
    ("pause", |it, _| it.pause()),
    ("resume", |it, _| it.resume()),
    ("restart", |it, _| it.restart()),
    ("cancel", |it, _| it.cancel()),
    ("credentials", |it, _| it.provide_credentials()),
    ("ping-first", |it, _| it.ping_first()),
    ("length", |it, _| it.set_fragment_length(20)),
    ("no-reply", |it, _| it.close_without_reply()),
    ("created", |it, now| ack(it, &created(), now)),
    ("elsewhere", |it, now| ack(it, &created_on(HOST, Some(60)), now)),
    ("pinged", |it, now| ack(it, &pinged(), now)),
    ("held", |it, now| ack(it, &fragment_ack(10), now)),
    ("held-with-reply", |it, now| ack(it, &fragment_ack_with_reply(10, REPLY.as_bytes()), now)),
    ("closed", |it, now| ack(it, &closed(), now)),
    ("cancelled", |it, now| ack(it, &cancelled(), now)),
    ("401", |it, now| ack(it, &refused(401), now)),
    ("403", |it, now| ack(it, &refused(403), now)),
    ("404", |it, now| ack(it, &refused(404), now)),
    ("407", |it, now| ack(it, &refused(407), now)),
    ("413", |it, now| ack(it, &refused(413), now)),
    ("416", |it, now| ack(it, &out_of_sync(1), now)),
    ("416-end", |it, now| ack(it, &out_of_sync(20), now)),
    ("503", |it, now| ack(it, &refused(503), now)),
    ("lost", |it, now| ack(it, &session_not_found(), now)),
    ("unreadable", |it, now| it.handle_unreadable(None, now)),
    ("unreadable-200", |it, now| it.handle_unreadable(Some(status(200)), now)),
    ("unreadable-403", |it, now| it.handle_unreadable(Some(status(403)), now)),
    ("unreadable-413", |it, now| it.handle_unreadable(Some(status(413)), now)),
    ("unreadable-416", |it, now| it.handle_unreadable(Some(status(416)), now)),
];

/// Input, exchanges, states, next state. `+` matches all, `=` means unchanged.
const EFFECTS: &str = "
sending         ready                            create-session,ping,fragment,close,cancel =/sending
sent            sending                          +                                  =/awaiting
broken          ready,sending,awaiting           create-session,ping,fragment,close,cancel =/back-off
unfetched       ready                            get-reply                          =/back-off
fetched         ready,back-off                   get-reply                          close/ready
no-reply        ready,back-off,suspended         get-reply                          close/ready
pause           +       create-session,ping,fragment,get-reply,close,cancel         =/suspended
resume          +       create-session,ping,fragment,get-reply,close,failed         ping/ready
resume          +                                cancel                             cancel/ready
restart         +       create-session,ping,fragment,get-reply,close,failed         create-session/ready
cancel          +       ping,fragment,get-reply,close,cancel,failed                 cancel/ready
cancel          +                                create-session                     cancelled/ready
credentials     unauthorized                     +                                  =/ready
ping-first      ready                            create-session,ping,fragment,close ping/ready
ping-first      ready                            get-reply,cancel                   =/ready
length          ready,back-off,unauthorized,suspended   +                           =/=
created         sending,awaiting                 create-session                     fragment/ready
elsewhere       sending,awaiting                 create-session                     ping/ready
pinged          sending,awaiting                 ping                               fragment/ready
held            sending,awaiting                 fragment                           fragment/ready
held-with-reply sending,awaiting                 fragment                           fragment/ready
closed          sending,awaiting                 close                              finished/ready
cancelled       sending,awaiting                 cancel                             cancelled/ready
401             sending,awaiting                 +                                  =/unauthorized
407             sending,awaiting                 +                                  =/unauthorized
403             sending,awaiting                 create-session,ping,fragment,close failed/ready
403             sending,awaiting                 cancel                             =/suspended
404             sending,awaiting                 create-session,ping,fragment,close failed/ready
404             sending,awaiting                 cancel                             =/suspended
413             sending,awaiting                 fragment                           fragment/ready
413             sending,awaiting                 create-session,ping,close          failed/ready
413             sending,awaiting                 cancel                             =/suspended
416             sending,awaiting                 fragment                           fragment/ready
416             sending,awaiting                 create-session,ping,close,cancel   =/back-off
416-end         sending,awaiting                 fragment                           close/ready
416-end         sending,awaiting                 create-session,ping,close,cancel   =/back-off
503             sending,awaiting                 +                                  =/back-off
lost            sending,awaiting          create-session,ping,fragment,close        create-session/ready
lost            sending,awaiting                 cancel                             cancelled/ready
unreadable      sending,awaiting                 +                                  =/back-off
unreadable-200  sending,awaiting                 +                                  =/back-off
unreadable-403  sending,awaiting                 create-session,ping,fragment,close failed/ready
unreadable-403  sending,awaiting                 cancel                             =/suspended
unreadable-413  sending,awaiting                 fragment                           fragment/ready
unreadable-413  sending,awaiting                 create-session,ping,close          failed/ready
unreadable-413  sending,awaiting                 cancel                             =/suspended
unreadable-416  sending,awaiting                 +                                  =/back-off
";

fn fits(pattern: &str, name: &str) -> bool {
    pattern == "+" || pattern.split(',').any(|it| it == name)
}

/// Returns the result of an input according to the table above; `None` if it is illegal.
fn effect(input: &str, state: State, exchange: Exchange) -> Option<(State, Exchange)> {
    let mut found = rows(EFFECTS)
        .filter(|row| {
            row[0] == input && fits(row[1], exchange.name()) && fits(row[2], state.name())
        })
        .map(|row| row[3].split_once('/').expect("a state and an exchange"));
    let (to_state, to_exchange) = found.next()?;
    assert!(found.next().is_none(), "{input} in {state}, {exchange} twice");
    let to_state = if to_state == "=" { state } else { named(State::ALL, to_state) };
    let same = to_exchange == "=";
    Some((to_state, if same { exchange } else { named(Exchange::ALL, to_exchange) }))
}

/// Returns the description of an illegal event.
fn description<S: StateMachine>(state: S, got: &impl Display) -> String {
    let legal: Vec<_> = state.expected().map(|event| event.to_string()).collect();
    let expected = match legal.is_empty() {
        true => "nothing".into(),
        false => format!("one of {}", legal.join(", ")),
    };
    format!("{state}: got {got}, expected {expected}")
}

fn check_error(error: &EventError, upload: &Upload, what: &str) {
    let said = error.to_string();
    match error {
        EventError::State(illegal) => {
            assert_eq!(illegal.state, upload.state(), "{what}");
            assert_eq!(illegal.state.next(illegal.got), None, "{what}: {said}");
            assert_eq!(said, description(illegal.state, &illegal.got), "{what}");
        }
        EventError::Exchange(illegal) => {
            assert_eq!(illegal.state, upload.exchange(), "{what}");
            assert_eq!(illegal.state.next(illegal.got), None, "{what}: {said}");
            assert_eq!(said, description(illegal.state, &illegal.got), "{what}");
        }
        EventError::UnexpectedAck { .. } => {
            let expected = match upload.state() {
                State::CreateSession => "Ack for Create-Session",
                State::Ping => "Ack for Ping",
                State::Fragment => "Ack for Fragment",
                State::Close => "Ack for Close-Session",
                State::Cancel => "Ack for Cancel-Session",
                other => panic!("{what}: no response is expected in {other}"),
            };
            assert!(upload.exchange().is_in_flight(), "{what}");
            let got = match what {
                "created" | "elsewhere" => "Ack for Create-Session",
                "pinged" => "Ack for Ping",
                "held" | "held-with-reply" => "Ack for Fragment",
                "closed" => "Ack for Close-Session",
                _ => "Ack for Cancel-Session",
            };
            assert_eq!(said, format!("got {got}, expected {expected} or a refusal"), "{what}");
        }
        EventError::InFlight => {
            assert!(upload.exchange().is_in_flight(), "{what}");
            assert_eq!(said, "not allowed while a request is in flight", "{what}");
        }
        other => panic!("{what}: {other}"),
    }
}

fn check_input(name: &str, input: Input) -> usize {
    let mut legal = 0;
    for client in all_reachable() {
        let before = client.upload;
        let mut after = before;
        let result = input(&mut after, client.now + SECOND);
        let (state, exchange) = client.states();
        let what = format!("{name} in {state}, {exchange}");
        // A reply that arrives while the upload is paused has its own test below.
        if (name, exchange) == ("fetched", Exchange::Suspended) && state == State::GetReply {
            continue;
        }
        match (effect(name, state, exchange), result) {
            (Some(expected), Ok(())) => {
                assert_eq!((after.state(), after.exchange()), expected, "{what}");
                legal += 1;
            }
            (None, Err(error)) => {
                check_error(&error, &before, name);
                assert_eq!(after, before, "{what} changes nothing");
            }
            (expected, result) => panic!("{what}: {result:?}, not {expected:?}"),
        }
    }
    legal
}

#[test]
fn every_input_in_every_state_follows_the_table_or_changes_nothing() {
    for (name, input) in INPUTS {
        assert!(check_input(name, *input) > 0, "{name} is never legal");
    }
    for row in rows(EFFECTS) {
        assert!(INPUTS.iter().any(|(name, _)| *name == row[0]), "{} is never tested", row[0]);
    }
}

#[test]
fn a_reply_that_arrives_while_the_upload_is_paused_does_not_resume_it() {
    let mut client = reach(State::GetReply, Exchange::Suspended).expect("it can be paused");
    let _ = client.upload.handle_reply_fetched();
    assert_eq!(client.next_action(), "suspended: upload is paused");
}

#[test]
fn polling_changes_nothing_and_returns_the_action_of_the_state() {
    let first = |text: &str| text.split([' ', ':']).next().expect("a word").to_string();
    for client in all_reachable() {
        let copy = client.upload;
        let (once, twice) = (client.next_action(), client.next_action());
        assert_eq!((once.as_str(), client.upload), (twice.as_str(), copy));
        let expected = match (client.states(), client.upload.state().name()) {
            ((State::Finished | State::Cancelled | State::Failed, _), name) => name,
            ((_, Exchange::Sending | Exchange::Awaiting | Exchange::BackOff), _) => "wait",
            ((_, Exchange::Unauthorized), _) => "credentials",
            ((_, Exchange::Suspended), _) => "suspended",
            ((State::GetReply, _), _) => "fetch",
            ((State::CreateSession, _), _) => "create",
            (_, name) => name,
        };
        assert_eq!(first(&once), expected, "{:?}", client.states());
        let waits = expected == "wait";
        assert_eq!(client.upload.poll_timeout().is_some(), waits, "{:?}", client.states());
    }
}

#[test]
fn the_getters_report_what_happened() {
    let new = Upload::new(20, support::upload::SMALL, 1);
    assert_eq!((new.total(), new.received().0, new.restarts(), new.failures()), (20, 0, 0, 0));
    assert_eq!((new.session_id(), new.host(), new.reply_url()), (None, None, None));
    let reply = in_state(State::GetReply).upload;
    assert_eq!(reply.reply_url().map(|it| it.as_bytes().to_vec()), Some(REPLY.into()));
    assert_eq!(reply.session_id(), Some(support::upload::session()));
    assert_eq!((reply.received().0, reply.total()), (10, 10));
    let ping = in_state(State::Ping).upload;
    assert_eq!(ping.host().map(|it| it.as_str().to_string()), Some(HOST.into()));
    let failed = in_state(State::Failed);
    assert_eq!(
        failed.next_action(),
        "failed: server rejected the request with status 403 Forbidden"
    );
}

#[test]
fn every_stop_reason_has_a_description() {
    for (stop, said) in [
        (StopReason::Paused, "upload is paused"),
        (StopReason::Transport, "connection to the server failed"),
        (StopReason::Timeout, "request timed out"),
        (StopReason::Protocol, "server sends invalid responses"),
        (StopReason::NoProgress, "upload is making no progress"),
        (StopReason::SessionLost, "server repeatedly lost the session"),
        (StopReason::ReplyUnavailable, "reply could not be fetched"),
        (
            StopReason::FragmentNotFound,
            "server rejected a fragment with status 404 Not Found: the fragment may be too large, or uploads are not enabled",
        ),
        (
            StopReason::SessionRejected { status: status(500), code: HResult::new(1) },
            "server rejected the resumed session with status 500 Internal Server Error and error code 0x00000001; the server may have lost it: restarting the upload from offset 0 may help",
        ),
        (
            StopReason::Refused { status: status(599), code: None, context: None },
            "server rejected the request with status 599",
        ),
        (
            StopReason::Refused {
                status: status(403),
                code: Some(HResult::DISK_FULL),
                context: Some(ErrorContext::REMOTE_APPLICATION),
            },
            "server application rejected the request with status 403 Forbidden and error code 0x80070070 DISK_FULL",
        ),
        (
            StopReason::Refused { status: status(500), code: HResult::new(1), context: None },
            "server rejected the request with status 500 Internal Server Error and error code 0x00000001",
        ),
    ] {
        assert_eq!(stop.to_string(), said);
    }
}
