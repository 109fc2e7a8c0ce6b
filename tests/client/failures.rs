//! Failures whose meaning depends on their owner and on the history of the session.

use crate::support;
use bits_proto::client::{EventError, Exchange, FragmentSizing, State, StopReason};
use bits_proto::field::{ErrorContext, HResult};
use bits_proto::message::{Ack, Refusal};
use support::upload::{
    Client, HOST, SMALL, all_reachable, check_exchanges, closed, created, created_on, fragment_ack,
    in_state, out_of_sync, pinged, refused, refused_by_application, refused_with,
    session_not_found, status,
};

/// A session that accepted a fragment of 5 bytes, with a due fragment of 40 bytes.
fn after_a_short_fragment() -> Client {
    let mut client = Client::with_session(1000, SMALL);
    client.upload.set_fragment_length(5).expect("no request is in flight");
    client.exchange(&fragment_ack(5));
    client.upload.set_fragment_length(40).expect("no request is in flight");
    assert_eq!(client.next_action(), "fragment 5..45");
    client
}

#[test]
fn a_404_to_a_fragment_that_is_longer_than_accepted_ones_halves_it() {
    let mut client = after_a_short_fragment();
    for expected in ["fragment 5..25", "fragment 5..15", "fragment 5..10"] {
        client.exchange(&refused(404));
        assert_eq!((client.next_action().as_str(), client.upload.failures()), (expected, 0));
    }
    // The server accepted this length before, so it rejects something else.
    client.exchange(&refused(404));
    let stop = StopReason::FragmentNotFound;
    assert_eq!(client.next_action(), format!("failed: {stop}"));
    assert_eq!(client.upload.received().0, 5);
}

#[test]
fn a_length_that_the_server_accepted_is_the_shortest_after_a_404() {
    let mut client = Client::with_session(1000, SMALL).with_exchange(&fragment_ack(10));
    client.upload.set_fragment_length(15).expect("no request is in flight");
    client.exchange(&refused(404));
    assert_eq!(client.next_action(), "fragment 10..20", "not 7 bytes");
    client.exchange(&fragment_ack(20));
    client.exchange(&refused(413));
    assert_eq!(client.next_action(), "fragment 20..25", "a 413 knows no such limit");
}

#[test]
fn the_accepted_length_is_known_after_every_change_of_the_length() {
    let longer = FragmentSizing::with_bounds(40, 3, 40);
    let changes: [fn(&mut Client); 3] = [
        |client| client.upload.set_fragment_length(3).expect("no request is in flight"),
        |client| client.exchange(&refused(413)),
        |client| {
            client.start_sending();
            client.wait();
            client.wait();
        },
    ];
    for change in changes {
        let mut client = Client::with_session(1000, SMALL).with_exchange(&fragment_ack(10));
        change(&mut client);
        client.upload.set_options(SMALL.with_fragments(longer)).expect("no request is in flight");
        client.exchange(&refused(404));
        assert_eq!(client.next_action(), "fragment 10..30");
        client.exchange(&refused(404));
        assert_eq!(client.next_action(), "fragment 10..20");
        client.exchange(&refused(404));
        assert!(client.next_action().starts_with("failed: "), "{}", client.next_action());
    }
}

#[test]
fn a_404_to_the_first_fragment_is_fatal_with_advice() {
    let client = Client::with_session(25, SMALL).with_exchange(&refused(404));
    let stop = StopReason::FragmentNotFound;
    assert_eq!(client.next_action(), format!("failed: {stop}"));
    assert!(
        stop.to_string().ends_with("the fragment may be too large, or uploads are not enabled")
    );
}

#[test]
fn a_404_to_other_packets_or_of_the_application_is_a_plain_refusal() {
    for state in [State::CreateSession, State::Ping, State::Close] {
        let client = in_state(state).with_exchange(&refused(404));
        let expected = "failed: server rejected the request with status 404 Not Found";
        assert_eq!(client.next_action(), expected, "{state}");
    }
    let client = after_a_short_fragment();
    for (ack, origin) in [
        (refused_by_application(404), "server application"),
        (refused_with(404, 0x8007_0005), "server"),
    ] {
        let text = client.with_exchange(&ack).next_action();
        let expected = format!("failed: {origin} rejected the request with status 404 Not Found");
        assert!(text.starts_with(&expected), "{text}");
    }
    // Windows represents the status with a code too.
    let coded = client.with_exchange(&refused_with(404, 0x8019_0194));
    assert_eq!(coded.next_action(), "fragment 5..25");
}

#[test]
fn a_new_session_has_accepted_no_fragment() {
    let mut client = after_a_short_fragment();
    check_exchanges(
        &mut client,
        &[("fragment 5..45", session_not_found()), ("create", created())],
        "fragment 0..40",
    );
    client.exchange(&refused(404));
    assert!(client.next_action().starts_with("failed: "), "{client:?}");
}

#[cfg(feature = "serde")]
#[test]
fn the_accepted_length_survives_persistence() {
    let client = after_a_short_fragment();
    let text = serde_json::to_string(&client.upload).expect("it can be stored");
    let upload = serde_json::from_str(&text).expect("it can be restored");
    let mut client = Client { upload, ..client };
    client.upload.resume().expect("it is in progress");
    client.exchange(&pinged());
    assert_eq!(client.with_exchange(&refused(404)).next_action(), "fragment 5..25");
}

#[test]
fn the_failures_of_an_application_are_transient_or_fatal() {
    let client = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10));
    for code in (300..1000).filter(|code| *code != 416) {
        let after = client.with_exchange(&refused_by_application(code));
        let is_transient = match code {
            300..=305 | 307 | 501 | 505 => false,
            408 | 409 | 429 => true,
            400..=499 => false,
            _ => true,
        };
        let expected = if is_transient { Exchange::BackOff } else { Exchange::Ready };
        let state = if is_transient { State::Fragment } else { State::Failed };
        assert_eq!(after.states(), (state, expected), "{code}");
        assert_eq!(after.upload.fragments(), client.upload.fragments(), "{code}");
        assert_eq!(after.upload.received().0, 10, "{code}");
    }
}

#[test]
fn a_416_of_the_application_does_not_finish_the_upload() {
    let client = Client::with_session(10, SMALL);
    let Ack::Refused(refusal) = out_of_sync(10) else { panic!("a refusal") };
    assert_eq!(client.with_exchange(&refusal.into()).next_action(), "close", "the server's does");
    let of_application =
        refusal.with_error(HResult::E_INVALIDARG, ErrorContext::REMOTE_APPLICATION);
    let after = client.with_exchange(&of_application.into());
    assert_eq!((after.upload.state(), after.upload.received().0), (State::Failed, 0));
}

/// The refusals of servers that lost a session and say so in other words.
fn lost_in_other_words() -> [Ack<'static>; 4] {
    let absent = refused(500);
    [refused_with(500, 1), refused(400), absent, refused_with(400, 0x0020_001F)]
}

/// An upload whose session was confirmed by nothing but the Ping after resuming.
fn resumed(state: State) -> Client {
    let mut client = in_state(state);
    client.upload.resume().expect("it is in progress");
    client.with_exchange(&pinged())
}

#[test]
fn a_resumed_session_that_is_rejected_in_other_words_is_retried_and_then_suspended() {
    for state in [State::Fragment, State::Close] {
        for ack in lost_in_other_words() {
            let mut client = resumed(state);
            let due = client.next_action();
            for _ in 0..SMALL.max_retries {
                client.exchange(&ack);
                assert_eq!(client.states(), (state, Exchange::BackOff), "{ack:?}");
                client.wait();
                assert_eq!(client.next_action(), due);
            }
            client.exchange(&ack);
            let Ack::Refused(refusal) = ack else { panic!("a refusal") };
            let (status, code) = (refusal.status(), refusal.code());
            let stop = StopReason::SessionRejected { status, code };
            assert_eq!(client.next_action(), format!("suspended: {stop}"));
            assert!(
                stop.to_string().ends_with(
                    "the server may have lost it: restarting the upload from offset 0 may help"
                ),
                "{stop}"
            );
        }
    }
}

#[test]
fn other_refusals_of_a_resumed_session_keep_their_class() {
    let client = resumed(State::Fragment);
    for (ack, expected) in [
        (refused_with(400, 0x8007_0057), "failed"),
        (refused_by_application(400), "failed"),
        (refused(403), "failed"),
        (refused_with(500, 0x8020_001F), "create"),
        (refused(401), "credentials"),
    ] {
        assert!(client.with_exchange(&ack).next_action().starts_with(expected), "{ack:?}");
    }
    let bare = Refusal::new(status(500)).expect("a refusal");
    let of_application = bare.with_error(HResult::new(1).expect("1"), ErrorContext(7));
    let mut client = Client::with_session(20, SMALL.with_max_retries(0));
    client.upload.resume().expect("it is in progress");
    client.exchange(&pinged());
    let stopped = client.with_exchange(&of_application.into()).next_action();
    assert!(stopped.starts_with("suspended: server application rejected"), "{stopped}");
}

#[test]
fn a_session_is_confirmed_by_an_offset_of_the_server() {
    for ack in [fragment_ack(10), out_of_sync(0)] {
        let client = resumed(State::Fragment).with_exchange(&ack).with_exchange(&refused(400));
        let expected = "failed: server rejected the request with status 400 Bad Request";
        assert_eq!(client.next_action(), expected, "{ack:?}");
    }
    // Without resuming, the server knows the session that it created.
    let client = in_state(State::Fragment).with_exchange(&refused(400));
    assert_eq!(client.upload.state(), State::Failed);
}

#[test]
fn a_restart_creates_a_new_session_at_the_origin_server() {
    let mut client = Client::on_other_host(20, Some(60)).with_exchange(&fragment_ack(10));
    client.disconnect();
    assert!(client.upload.host().is_some() && client.upload.failures() == 1);
    client.upload.restart().expect("it is in progress");
    assert_eq!((client.upload.host(), client.upload.failures()), (None, 0));
    assert_eq!((client.upload.restarts(), client.upload.received().0), (1, 0));
    check_exchanges(
        &mut client,
        &[
            ("create", created()),
            ("fragment 0..10", fragment_ack(10)),
            ("fragment 10..20", fragment_ack(20)),
            ("close", closed()),
        ],
        "finished",
    );
}

#[test]
fn a_restart_is_legal_until_the_upload_ends_or_is_cancelled() {
    for mut client in all_reachable() {
        let (before, at) = (client.upload, client.states());
        let result = client.upload.restart();
        if matches!(at.0, State::Cancel | State::Cancelled | State::Finished) {
            assert!(matches!(result, Err(EventError::State(_))), "{at:?}");
            assert_eq!(client.upload, before);
        } else {
            assert_eq!((result, client.next_action().as_str()), (Ok(()), "create"), "{at:?}");
            assert_eq!(client.states(), (State::CreateSession, Exchange::Ready), "{at:?}");
            assert_eq!(client.upload.poll_timeout(), None, "{at:?}");
        }
    }
}

#[test]
fn a_restart_counts_against_the_limit_of_restarts() {
    let mut client = Client::with_session(20, SMALL.with_max_restarts(1));
    client.upload.restart().expect("it is in progress");
    let client = client.with_exchange(&created()).with_exchange(&session_not_found());
    assert_eq!(client.next_action(), format!("suspended: {}", StopReason::SessionLost));
    assert_eq!(client.upload.restarts(), 2);
    // Resuming counts anew.
    let mut client = client;
    client.upload.resume().expect("it is suspended");
    assert_eq!(client.upload.restarts(), 0);
}

#[test]
fn an_upload_on_another_host_returns_to_the_origin_server_with_a_restart_only() {
    let lost = Client::on_other_host(20, None).with_exchange(&session_not_found());
    assert_eq!(lost.next_action(), format!("create at {HOST}"));
    let mut restarted = Client::new(20, SMALL).with_exchange(&created_on(HOST, None));
    restarted.upload.restart().expect("it is in progress");
    assert_eq!(restarted.next_action(), "create");
}

#[test]
fn permanent_stop_reasons_are_distinguished_from_temporary_ones() {
    let refused = |code| StopReason::Refused { status: status(code), code: None, context: None };
    let application = Some(ErrorContext::REMOTE_APPLICATION);
    for (stop, is_permanent) in [
        (refused(403), true),
        (refused(302), true),
        (refused(503), false),
        (refused(413), false),
        (StopReason::Refused { status: status(413), code: None, context: application }, true),
        (StopReason::FragmentNotFound, true),
        (StopReason::SessionRejected { status: status(500), code: None }, true),
        (StopReason::Paused, false),
        (StopReason::Transport, false),
        (StopReason::Timeout, false),
        (StopReason::Protocol, false),
        (StopReason::NoProgress, false),
        (StopReason::SessionLost, false),
        (StopReason::ReplyUnavailable, false),
    ] {
        assert_eq!(stop.is_permanent(), is_permanent, "{stop:?}");
    }
}
