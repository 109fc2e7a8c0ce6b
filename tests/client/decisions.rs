//! Decisions where the specification leaves a choice or contradicts itself. The names begin with the
//! number of the decision.

use crate::support;
use bits_proto::client::{
    EventError, Exchange, FragmentSizing, Options, State, StopReason, Upload,
};
use bits_proto::field::{ContentRange, ErrorContext, HResult};
use bits_proto::message::{AckContext, MessageKind, Request};
use support::upload::{
    Client, HOST, REPLY, SESSION_NOT_FOUND, SMALL, WITH_REPLY, all_reachable, cancelled,
    check_exchanges, closed, created, created_on, fragment_ack, fragment_ack_with_reply, in_state,
    out_of_sync, pinged, reach, refused, refused_with, session, session_not_found, status,
};

const INVALID_ARGUMENT: u32 = 0x8007_0057;
const ACCESS_DENIED: u32 = 0x8007_0005;
const FILE_EXISTS: u32 = 0x8007_0050;
const TOO_LARGE: u32 = 0x8020_0020;

#[test]
fn a1_an_empty_entity_is_created_and_closed() {
    let mut client = Client::new(0, SMALL);
    check_exchanges(&mut client, &[("create", created()), ("close", closed())], "finished");
    assert_eq!((client.upload.received().0, client.upload.total()), (0, 0));

    let mut client = Client::new(0, WITH_REPLY).with_exchange(&created());
    assert_eq!(client.next_action(), "no reply");
    client.upload.close_without_reply().expect("a reply is missing");
    check_exchanges(&mut client, &[("close", closed())], "finished");

    let exchanges = [("create", created_on(HOST, None)), ("ping at node-7.example", pinged())];
    check_exchanges(&mut Client::new(0, SMALL), &exchanges, "close at node-7.example");
}

#[test]
fn a10_to_create_again_begins_another_session_at_its_first_byte() {
    let mut client = Client::with_session(20, SMALL)
        .with_exchange(&fragment_ack(10))
        .with_exchange(&session_not_found());
    assert_eq!((client.upload.session_id(), client.upload.received().0), (None, 0));
    let other = bits_proto::field::SessionId::try_from("other").expect("a session id");
    let protocol = bits_proto::field::Protocol::BITS_1_5;
    client.exchange(&bits_proto::message::CreateSessionAck::new(protocol, other).into());
    assert_eq!(client.upload.session_id(), Some(other));
    assert_eq!(client.next_action(), "fragment 0..10");
}

#[test]
fn a18_a26_the_offset_comes_from_the_server_alone() {
    let begin = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10));
    for (received, next) in
        [(20, "fragment 20..25"), (15, "fragment 15..25"), (10, "fragment 10..20")]
    {
        assert_eq!(begin.with_exchange(&fragment_ack(received)).next_action(), next);
    }
    // The offset may decrease.
    assert_eq!(begin.with_exchange(&fragment_ack(4)).next_action(), "fragment 4..14");
    assert_eq!(begin.with_exchange(&fragment_ack(0)).next_action(), "fragment 0..10");
    // A 416 may acknowledge bytes of an earlier attempt.
    assert_eq!(begin.with_exchange(&out_of_sync(24)).next_action(), "fragment 24..25");
    assert_eq!(begin.with_exchange(&out_of_sync(25)).next_action(), "close");
    assert_eq!(begin.with_exchange(&out_of_sync(0)).next_action(), "fragment 0..10");
}

#[test]
fn a26_an_impossible_offset_changes_nothing() {
    for wrong in [
        fragment_ack(21),
        fragment_ack(25),
        fragment_ack(26),
        fragment_ack(u64::MAX),
        out_of_sync(26),
    ] {
        let begin = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10));
        let mut client = begin.with_exchange(&wrong);
        assert_eq!((client.upload.received().0, client.next_action().as_str()), (10, "wait"));
        assert_eq!((client.upload.failures(), client.upload.fragments()), (1, SMALL.fragments));
        client.wait();
        assert_eq!(client.next_action(), "fragment 10..20");
        let strict = SMALL.with_max_retries(0);
        let client =
            Client::with_session(25, strict).with_exchange(&fragment_ack(10)).with_exchange(&wrong);
        assert_eq!(client.next_action(), format!("suspended: {}", StopReason::Protocol));
        assert_eq!(client.upload.received().0, 10);
    }
}

#[test]
fn a18_a_response_that_is_not_an_ack_is_classified_by_its_status() {
    let begin = Client::with_session(25, SMALL);
    let unreadable = |code: Option<u16>| {
        let mut client = begin;
        client.send();
        let now = client.now;
        client.upload.handle_unreadable(code.map(status), now).expect("a response is expected");
        assert_eq!(client.upload.received().0, 0, "{code:?}");
        client.next_action()
    };
    for code in (100..300).chain([416]).map(Some).chain([None]) {
        assert_eq!(unreadable(code), "wait", "{code:?}");
    }
    for code in (300..1000).filter(|code| *code != 416) {
        assert_eq!(
            unreadable(Some(code)),
            begin.with_exchange(&refused(code)).next_action(),
            "{code}"
        );
    }
}

#[test]
fn a27_the_third_consecutive_response_without_progress_is_a_failure() {
    for stuck in [out_of_sync(10), fragment_ack(10), out_of_sync(3), fragment_ack(0)] {
        let mut client = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10));
        for _ in 0..2 {
            client.exchange(&stuck);
            assert_eq!((client.upload.exchange(), client.upload.failures()), (Exchange::Ready, 0));
        }
        client.exchange(&out_of_sync(0));
        assert_eq!(
            (client.next_action().as_str(), client.upload.failures()),
            ("wait", 1),
            "{stuck:?}"
        );
        client.wait();
        assert_eq!(client.next_action(), "fragment 0..10");
        // The count was reset; a new byte resets it too.
        client.exchange(&out_of_sync(10));
        client.exchange(&out_of_sync(10));
        assert_eq!(client.next_action(), "fragment 10..20");
        client.exchange(&fragment_ack(11));
        assert_eq!(
            (client.next_action().as_str(), client.upload.failures()),
            ("fragment 11..21", 0)
        );
        client.exchange(&out_of_sync(11));
        client.exchange(&out_of_sync(11));
        assert_eq!(client.next_action(), "fragment 11..21");
    }
    // Without any progress, the upload is suspended.
    let mut client = Client::with_session(25, SMALL.with_max_retries(1));
    for _ in 0..3 {
        client.exchange(&fragment_ack(0));
    }
    client.wait();
    for _ in 0..3 {
        client.exchange(&fragment_ack(0));
    }
    assert_eq!(client.next_action(), "suspended: upload is making no progress");
}

#[test]
fn a29_starting_over_is_counted_and_limited() {
    let mut client = Client::new(25, SMALL);
    for restarts in 0..SMALL.max_restarts {
        assert_eq!(client.upload.restarts(), restarts);
        let exchanges = [
            ("create", created()),
            ("fragment 0..10", fragment_ack(10)),
            ("fragment 10..20", session_not_found()),
        ];
        check_exchanges(&mut client, &exchanges, "create");
        assert_eq!((client.upload.received().0, client.upload.session_id()), (0, None));
    }
    assert_eq!(client.upload.restarts(), 3);
    client.exchange(&created());
    client.exchange(&session_not_found());
    assert_eq!(client.next_action(), format!("suspended: {}", StopReason::SessionLost));
    client.upload.resume().expect("it can be resumed");
    assert_eq!(client.upload.restarts(), 0);
    let exchanges =
        [("ping", pinged()), ("create", created()), ("fragment 0..10", session_not_found())];
    check_exchanges(&mut client, &exchanges, "create");
    assert_eq!(client.upload.restarts(), 1);
    // With a limit of 0, the first lost session suspends the upload.
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close] {
        let mut client = in_state(state).with_exchange(&session_not_found());
        assert_eq!(client.upload.restarts(), 1, "{state}");
        assert!(client.next_action().starts_with("create"), "{state}");
        let mut strict =
            Client::new(20, SMALL.with_max_restarts(0)).with_exchange(&session_not_found());
        assert_eq!(strict.next_action(), format!("suspended: {}", StopReason::SessionLost));
        client.exchange(&created());
        strict.upload.resume().expect("it can be resumed");
        assert_eq!(
            (client.next_action().starts_with("fragment"), strict.next_action().as_str()),
            (true, "ping")
        );
    }
}

#[test]
fn a30_a_reply_without_a_url_is_reported_and_the_session_can_be_closed() {
    for ack in [fragment_ack(10), out_of_sync(10)] {
        let client = Client::with_session(10, WITH_REPLY).with_exchange(&ack);
        assert_eq!((client.next_action().as_str(), client.upload.reply_url()), ("no reply", None));
        let (mut close, mut cancel) = (client, client);
        close.upload.close_without_reply().expect("a reply is missing");
        check_exchanges(&mut close, &[("close", closed())], "finished");
        cancel.upload.cancel().expect("it can be cancelled");
        check_exchanges(&mut cancel, &[("cancel", cancelled())], "cancelled");
    }
    // In the mode without a reply, a reply URL is ignored.
    let client = Client::with_session(10, SMALL)
        .with_exchange(&fragment_ack_with_reply(10, REPLY.as_bytes()));
    assert_eq!(client.next_action(), "close");
}

#[test]
fn a31_a_reply_before_the_last_byte_is_ignored() {
    let mut client =
        Client::with_session(20, WITH_REPLY).with_exchange(&fragment_ack_with_reply(10, b"early"));
    assert_eq!(
        (client.next_action().as_str(), client.upload.reply_url()),
        ("fragment 10..20", None)
    );
    client.exchange(&fragment_ack_with_reply(19, b"early"));
    assert_eq!(client.upload.reply_url(), None);
    assert_eq!(client.with_exchange(&fragment_ack(20)).next_action(), "no reply");
    assert_eq!(
        client.with_exchange(&fragment_ack_with_reply(20, b"http://a/last")).next_action(),
        "fetch http://a/last"
    );
}

/// Returns the documented class of a status and a code.
fn class(code: u16, error: Option<u32>) -> &'static str {
    match (code, error) {
        (416, _) => "resynchronise",
        (_, Some(SESSION_NOT_FOUND)) => "start over",
        (401 | 407, _) => "credentials",
        (413, _) => "smaller",
        (_, Some(INVALID_ARGUMENT | ACCESS_DENIED | TOO_LARGE | FILE_EXISTS)) => "fatal",
        (300..=305 | 307 | 501 | 505, _) => "fatal",
        (300..=399 | 408 | 409 | 429 | 500..=599, _) => "transient",
        _ => "fatal",
    }
}

#[test]
fn a33_every_status_and_code_has_its_effect() {
    // No code, the five codes with an effect, an unrelated code, and disk full.
    let errors = [SESSION_NOT_FOUND, INVALID_ARGUMENT, ACCESS_DENIED, TOO_LARGE, FILE_EXISTS];
    let errors = errors.into_iter().chain([0x8000_4005, 0x8007_0070]).map(Some).chain([None]);
    let begin = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10));
    for error in errors {
        for code in (300..1000_u16).filter(|code| error.is_some() || *code != 416) {
            let ack = error.map_or_else(|| refused(code), |error| refused_with(code, error));
            let after = begin.with_exchange(&ack);
            let stop = StopReason::Refused {
                status: status(code),
                code: error.and_then(HResult::new),
                context: error.map(|_| ErrorContext::SERVER),
            };
            let expected = match class(code, error) {
                "start over" => "create".to_string(),
                "credentials" => format!("credentials {code}"),
                "smaller" => "fragment 10..15".to_string(),
                "resynchronise" => "fragment 0..10".to_string(),
                "transient" => "wait".to_string(),
                "fatal" if code == 404 && error.is_none() => {
                    format!("failed: {}", StopReason::FragmentNotFound)
                }
                _ => format!("failed: {stop}"),
            };
            assert_eq!(after.next_action(), expected, "{code}, {error:X?}");
            assert_eq!(after.upload.failures(), u32::from(expected == "wait"), "{code}");
            let keeps = !matches!(class(code, error), "start over" | "resynchronise");
            assert_eq!(after.upload.received().0, if keeps { 10 } else { 0 }, "{code}");
        }
    }
}

#[test]
fn a35_an_upload_can_be_cancelled_until_it_has_ended() {
    for mut client in all_reachable() {
        let (before, at) = (client.upload, client.states());
        let result = client.upload.cancel();
        match (at.0, before.session_id()) {
            (State::Finished | State::Cancelled, _) => {
                assert!(matches!(result, Err(EventError::State(_))), "{at:?}");
                assert_eq!(client.upload, before);
            }
            (_, None) => assert_eq!((result, client.next_action().as_str()), (Ok(()), "cancelled")),
            _ => {
                assert_eq!(result, Ok(()), "{at:?}");
                assert!(client.next_action().starts_with("cancel"), "{at:?}");
                assert_eq!(client.with_exchange(&cancelled()).next_action(), "cancelled");
            }
        }
    }
}

#[test]
fn a36_a_ping_goes_first_after_a_host_id_on_resuming_and_on_a_new_connection() {
    let exchanges = [("create", created_on(HOST, None)), ("ping at node-7.example", pinged())];
    check_exchanges(&mut Client::new(25, SMALL), &exchanges, "fragment 0..10 at node-7.example");
    let after = [
        (State::CreateSession, "create"),
        (State::Ping, "fragment 0..10 at node-7.example"),
        (State::Fragment, "fragment 0..10"),
        (State::Close, "close"),
    ];
    for (state, then) in after {
        let mut first = in_state(state);
        first.upload.ping_first().expect("a request is ready");
        assert!(first.next_action().starts_with("ping"), "{state}");
        assert_eq!(first.with_exchange(&pinged()).next_action(), then, "{state}");
        for exchange in Exchange::ALL {
            let mut resumed = reach(state, *exchange).expect("a state with requests");
            resumed.upload.resume().expect("it can be resumed");
            assert!(resumed.next_action().starts_with("ping"), "{state}, {exchange}");
            assert_eq!(resumed.with_exchange(&pinged()).next_action(), then, "{state}, {exchange}");
        }
    }
    // A reply is not fetched by the upload, and a cancelled upload stays cancelled.
    let mut reply = in_state(State::GetReply);
    let fetch = reply.next_action();
    reply.upload.resume().expect("it can be resumed");
    assert_eq!(reply.with_exchange(&pinged()).next_action(), fetch);
    let mut cancel = in_state(State::Cancel);
    cancel.upload.resume().expect("it can be resumed");
    assert_eq!(cancel.next_action(), "cancel");
}

#[test]
fn a41_a_plain_success_advances_to_its_offset() {
    let mut client = Client::with_session(25, SMALL);
    let exchanges = [
        ("fragment 0..10", fragment_ack(10)),
        ("fragment 10..20", fragment_ack(20)),
        ("fragment 20..25", fragment_ack(25)),
        ("close", closed()),
    ];
    check_exchanges(&mut client, &exchanges, "finished");
    assert_eq!(client.upload.received().0, 25);
}

#[test]
fn the_ack_context_describes_the_fragment_that_was_sent() {
    let upload = Client::with_session(25, SMALL).with_exchange(&fragment_ack(10)).upload;
    let bits_proto::client::Poll::Send(transmit) = upload.poll() else { panic!("{upload:?}") };
    let content_range = Some(ContentRange::new(10, 19, 25).expect("a range"));
    let session_id = Some(session());
    assert_eq!(
        transmit.ack_context(),
        AckContext::Fragment { session_id, content_range, sent_up_to: Some(10) }
    );
    assert_eq!(transmit.ack_context().kind(), MessageKind::FragmentAck);
    assert!(matches!(transmit.request(), Request::Fragment(it) if it.content_name.is_none()));
}

#[test]
fn the_defaults_are_those_documented() {
    let it = Options::default();
    let seconds = [it.request_timeout, it.response_timeout, it.initial_backoff, it.max_backoff];
    assert_eq!(seconds.map(|it| it.as_millis()), [120_000, 300_000, 1_000, 60_000]);
    assert_eq!((it.max_retry_after.as_secs(), it.name_on_create), (3600, false));
    assert_eq!((it.max_retries, it.max_restarts, it.max_stalls), (10, 3, 2));
    let sizing = FragmentSizing::default();
    assert_eq!((sizing.min(), sizing.length(), sizing.max()), (5_120, 1_048_576, 13_631_488));
    assert_eq!(it.fragments, sizing);
    assert_eq!(Upload::new(1, it, 0).fragments(), sizing);
}
