//! Retries, credentials, interruptions, replies that cannot be fetched, and servers that lose bytes.

use crate::support;
use std::collections::BTreeSet;
use std::time::Duration;

use bits_proto::client::{Exchange, Options, Poll, State, StopReason, Upload};
use bits_proto::message::Ack;
use support::upload::{
    Client, HOST, NANOSECOND, REPLY, SECOND, SMALL, Server, WITH_REPLY, all_reachable, cancelled,
    closed, created, created_on, fragment_ack, fragment_ack_with_reply, in_state, out_of_sync,
    pinged, reach, refused, refused_with, session_not_found,
};

#[test]
fn credentials_are_given_with_the_same_packet() {
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        for code in [401, 407] {
            let mut client = in_state(state);
            let packet = client.next_action();
            for _ in 0..3 {
                client.exchange(&refused(code));
                assert_eq!(client.next_action(), format!("credentials {code}"), "{state}");
                assert_eq!((client.upload.poll_timeout(), client.upload.failures()), (None, 0));
                client.upload.provide_credentials().expect("credentials are expected");
                assert_eq!(client.next_action(), packet, "{state}");
            }
        }
    }
}

#[test]
fn the_same_packet_is_sent_again_when_the_server_fails() {
    // Close-Session and Cancel-Session too.
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        for code in (500..600).filter(|code| ![501, 505].contains(code)) {
            let mut client = in_state(state);
            let packet = client.next_action();
            client.exchange(&refused(code));
            client.wait();
            assert_eq!(client.next_action(), packet, "{state}, {code}");
        }
    }
}

#[test]
fn a_cancellation_is_retried_regardless_of_earlier_failures() {
    let mut client = in_state(State::Fragment);
    while client.upload.exchange() != Exchange::Suspended {
        client.exchange(&refused(503));
        if client.upload.exchange() == Exchange::BackOff {
            client.wait();
        }
    }
    client.upload.cancel().expect("it can be cancelled");
    client.exchange(&refused(503));
    assert_eq!(client.next_action(), "wait");
    client.wait();
    assert_eq!(client.with_exchange(&cancelled()).next_action(), "cancelled");
}

/// Returns the back-offs of consecutive failures, until the upload is suspended.
fn backoffs(options: Options, seed: u64) -> Vec<Duration> {
    let mut client = Client { upload: Upload::new(10, options, seed), now: SECOND };
    let mut delays = Vec::new();
    loop {
        client.disconnect();
        assert_eq!(client.upload.failures() as usize, delays.len() + 1);
        if client.upload.exchange() == Exchange::Suspended {
            return delays;
        }
        delays.push(client.wait());
        assert_eq!(client.upload.exchange(), Exchange::Ready);
    }
}

#[test]
fn the_backoff_doubles_up_to_a_maximum_and_is_randomized() {
    let options = SMALL.with_max_retries(40);
    let mut firsts = BTreeSet::new();
    for seed in 0..50 {
        let delays = backoffs(options, seed);
        assert_eq!(delays.len(), 40);
        for (index, delay) in delays.iter().enumerate() {
            let doubled = 1_000_u64.saturating_mul(1 << index.min(20));
            let max = Duration::from_millis(doubled.min(60_000));
            assert!(*delay >= max / 2 && *delay <= max, "{index}: {delay:?} of {max:?}");
        }
        // The jitter is neither always the minimum nor always the maximum.
        let capped = delays.get(10..).expect("40 of them");
        assert!(
            capped.iter().any(|it| *it < SECOND * 45) && capped.iter().any(|it| *it > SECOND * 45)
        );
        assert_eq!(self::backoffs(options, seed), delays, "same seed");
        firsts.insert(delays[0]);
    }
    assert!(firsts.len() > 45, "back-offs do not depend on the seed: {firsts:?}");
}

#[test]
fn the_first_backoff_is_at_most_a_second_and_all_are_at_most_a_minute() {
    // The longest of many is close to the maximum.
    let is_close = |delay, max| delay > max - Duration::from_millis(1) && delay <= max;
    let firsts = (0..10_000).map(|seed| backoffs(SMALL.with_max_retries(1), seed)[0]);
    let first = firsts.max().expect("many");
    assert!(is_close(first, SECOND), "{first:?}");
    let longest = backoffs(SMALL.with_max_retries(200_000), 1).into_iter().max().expect("many");
    assert!(is_close(longest, SECOND * 60), "{longest:?}");
}

#[test]
fn a_backoff_of_any_length_stays_within_its_bounds() {
    let bounds = [Duration::ZERO, NANOSECOND, SECOND, SECOND * 60, Duration::MAX];
    for initial_backoff in bounds {
        for max_backoff in bounds {
            let options = SMALL
                .with_initial_backoff(initial_backoff)
                .with_max_backoff(max_backoff)
                .with_max_retries(3);
            let mut client = Client { upload: Upload::new(10, options, 1), now: Duration::ZERO };
            client.disconnect();
            let max = initial_backoff.min(max_backoff);
            let delay = client.wait();
            // Random numbers of nanoseconds have 64 bits: 584 years.
            let half = (max / 2).min(Duration::from_nanos(u64::MAX / 2));
            assert!(delay <= max && delay >= half, "{delay:?} of {max:?}");
        }
    }
}

#[test]
fn too_many_failures_suspend_with_the_reason_and_resuming_continues_at_the_servers_offset() {
    type Failure = fn(&mut Client);
    let failures: [(Failure, &str); 5] = [
        (Client::disconnect, "suspended: connection to the server failed"),
        (
            |it| {
                it.send();
                it.now = it.upload.poll_timeout().expect("a response timer");
                it.upload.handle_timeout(it.now);
            },
            "suspended: request timed out",
        ),
        (
            |it| it.exchange(&refused(503)),
            "suspended: server rejected the request with status 503 Service Unavailable",
        ),
        (|it| it.exchange(&fragment_ack(21)), "suspended: server sends invalid responses"),
        (
            |it| {
                it.send();
                it.upload.handle_unreadable(None, it.now).expect("a response is expected");
            },
            "suspended: server sends invalid responses",
        ),
    ];
    for (fail, said) in failures {
        for max_retries in [0, 1, 10] {
            let options = SMALL.with_max_retries(max_retries);
            let mut client = Client::with_session(25, options).with_exchange(&fragment_ack(10));
            for failed in 0..max_retries {
                assert_eq!(client.upload.failures(), failed);
                fail(&mut client);
                assert_eq!(client.next_action(), "wait");
                client.wait();
            }
            fail(&mut client);
            assert_eq!((client.next_action().as_str(), client.upload.poll_timeout()), (said, None));
            client.upload.resume().expect("it can be resumed");
            assert_eq!((client.next_action().as_str(), client.upload.failures()), ("ping", 0));
            client.exchange(&pinged());
            assert_eq!(client.next_action(), "fragment 10..20");
            assert_eq!(client.with_exchange(&out_of_sync(5)).next_action(), "fragment 5..15");
        }
    }
}

#[test]
fn a_new_byte_or_a_new_session_resets_the_count_of_failures() {
    let mut client = Client::with_session(25, SMALL);
    client.disconnect();
    client.wait();
    assert_eq!(client.with_exchange(&fragment_ack(0)).upload.failures(), 1);
    assert_eq!(client.with_exchange(&fragment_ack(1)).upload.failures(), 0);
    let mut client = Client::new(25, SMALL);
    client.disconnect();
    client.wait();
    assert_eq!(
        (client.upload.failures(), client.with_exchange(&created()).upload.failures()),
        (1, 0)
    );
}

#[test]
fn an_upload_that_is_paused_at_any_time_continues_with_a_ping() {
    for mut client in all_reachable() {
        let (before, at) = (client, client.states());
        if client.upload.pause().is_err() {
            assert!(matches!(at.0, State::Finished | State::Cancelled | State::Failed), "{at:?}");
            continue;
        }
        assert_eq!(client.next_action(), "suspended: upload is paused");
        assert_eq!(client.upload.received(), before.upload.received());
        let again = client.upload;
        client.upload.pause().expect("a paused upload can be paused");
        assert_eq!(client.upload, again, "{at:?}");
        client.upload.resume().expect("it can be resumed");
        let expected = if at.0 == State::Cancel { "cancel" } else { "ping" };
        assert!(client.next_action().starts_with(expected), "{at:?}");
        let mut server =
            Server { received: client.upload.received().0, reply: at.0 == State::GetReply };
        server.finish(&mut client, 12);
        let end = if at.0 == State::Cancel { "cancelled" } else { "finished" };
        assert_eq!(client.next_action(), end, "{at:?}");
    }
}

#[test]
fn the_reply_is_fetched_before_the_session_is_closed_and_retried() {
    let reply = Client::with_session(10, WITH_REPLY)
        .with_exchange(&fragment_ack_with_reply(10, REPLY.as_bytes()));
    let fetch = reply.next_action();
    assert!(fetch.starts_with("fetch BITS-Sessions"), "{fetch}");
    let mut client = reply;
    for failed in 1..=SMALL.max_retries {
        client.upload.handle_reply_failed(client.now).expect("a reply is expected");
        assert_eq!((client.next_action().as_str(), client.upload.failures()), ("wait", failed));
        client.wait();
        assert_eq!(client.next_action(), fetch);
    }
    let mut fetched = client;
    fetched.upload.handle_reply_fetched().expect("a reply is expected");
    assert_eq!((fetched.next_action().as_str(), fetched.upload.failures()), ("close", 0));
    // The reply is not fetched again.
    fetched.upload.ping_first().expect("a request is ready");
    fetched.exchange(&pinged());
    assert_eq!(fetched.with_exchange(&closed()).next_action(), "finished");
    // A new session has another reply.
    fetched.exchange(&session_not_found());
    fetched.exchange(&created());
    assert_eq!(fetched.with_exchange(&fragment_ack(10)).next_action(), "no reply");

    client.upload.handle_reply_failed(client.now).expect("a reply is expected");
    assert_eq!(client.next_action(), "suspended: reply could not be fetched");
    client.upload.resume().expect("it can be resumed");
    client.exchange(&pinged());
    assert_eq!(client.next_action(), fetch);
}

#[test]
fn texts_that_exceed_their_limits_are_not_stored() {
    for (length, kept) in [(2200, true), (2201, false), (4000, false)] {
        let url = vec![b'u'; length];
        let client =
            Client::with_session(10, WITH_REPLY).with_exchange(&fragment_ack_with_reply(10, &url));
        assert_eq!(client.next_action() != "no reply", kept, "{length}");
        assert_eq!(client.upload.reply_url().map(|it| it.as_bytes().len()), kept.then_some(length));
    }
    for (length, kept) in [(300, true), (301, false)] {
        let host = "h".repeat(60) + "." + &"a.".repeat(119) + "b";
        assert_eq!(host.len(), 300);
        let host = host + &"c".repeat(length - 300);
        let client = Client::new(10, SMALL).with_exchange(&created_on(&host, Some(1)));
        assert_eq!(client.upload.host().map(|it| it.as_str() == host), kept.then_some(true));
        assert_eq!(client.upload.session_id().is_some(), kept, "{length}");
        let next = if kept {
            (State::Ping, Exchange::Ready)
        } else {
            (State::CreateSession, Exchange::BackOff)
        };
        assert_eq!(client.states(), next);
    }
}

#[test]
fn a_server_that_loses_bytes_but_advances_is_not_a_stall() {
    // The server accepts a fragment and loses most of it, but keeps one more byte each time.
    let mut client = Client::with_session(200, SMALL);
    let mut kept = 0;
    for _ in 0..100 {
        client.exchange(&fragment_ack((kept + 10).min(200)));
        kept += 1;
        client.exchange(&out_of_sync(kept));
        assert_eq!((client.upload.received().0, client.upload.failures()), (kept, 0));
    }
    Server { received: kept, reply: false }.finish(&mut client, 15);
    assert_eq!(client.next_action(), "finished");
}

#[test]
fn a_server_that_repeatedly_loses_the_same_bytes_suspends_the_upload() {
    let mut client = Client::with_session(200, SMALL);
    let mut answers = 0;
    while client.upload.exchange() != Exchange::Suspended {
        let answer =
            if client.upload.received().0 == 0 { fragment_ack(10) } else { out_of_sync(0) };
        client.exchange(&answer);
        answers += 1;
        assert!(answers < 200, "{client:?}");
        if client.upload.exchange() == Exchange::BackOff {
            client.wait();
        }
    }
    assert_eq!(client.next_action(), format!("suspended: {}", StopReason::NoProgress));
}

#[test]
fn lost_bytes_that_are_sent_again_are_not_progress() {
    let mut client = Client::with_session(100, SMALL)
        .with_exchange(&fragment_ack(10))
        .with_exchange(&fragment_ack(20));
    client.exchange(&fragment_ack(0));
    client.exchange(&fragment_ack(10));
    client.exchange(&fragment_ack(20));
    client.exchange(&out_of_sync(20));
    assert_eq!((client.next_action().as_str(), client.upload.failures()), ("fragment 20..30", 0));
    client.exchange(&out_of_sync(20));
    assert_eq!((client.next_action().as_str(), client.upload.failures()), ("wait", 1));
}

#[test]
fn a_failed_upload_can_be_resumed_and_ends() {
    let mut client = in_state(State::Failed);
    assert!(matches!(client.upload.poll(), Poll::Failed(StopReason::Refused { .. })));
    client.upload.resume().expect("a failed upload can be resumed");
    let end: [(&str, Ack<'_>); 4] = [
        ("ping", pinged()),
        ("fragment 0..10", fragment_ack(10)),
        ("fragment 10..20", fragment_ack(20)),
        ("close", closed()),
    ];
    for (expected, ack) in end {
        assert_eq!(client.next_action(), expected);
        client.exchange(&ack);
    }
    assert_eq!(client.next_action(), "finished");
}

#[test]
fn a_host_is_kept_until_another_is_named() {
    let mut client = reach(State::Ping, Exchange::Ready).expect("with a host");
    assert_eq!(client.upload.host().map(|it| it.as_str().to_string()), Some(HOST.to_string()));
    // The session is at that host. A new session without BITS-Host-Id stays there.
    client.exchange(&session_not_found());
    assert_eq!(client.next_action(), format!("create at {HOST}"));
    client.exchange(&created());
    assert_eq!(client.next_action(), format!("fragment 0..10 at {HOST}"));
    client.exchange(&session_not_found());
    client.exchange(&created_on("other.example", None));
    assert_eq!(client.next_action(), "ping at other.example");
}

#[test]
fn a_new_session_keeps_nothing_of_the_lost_one() {
    let stall = |client: &mut Client, at| {
        client.exchange(&out_of_sync(at));
        client.exchange(&out_of_sync(at));
        assert_eq!((client.upload.exchange(), client.upload.failures()), (Exchange::Ready, 0));
    };
    let mut client = Client::with_session(100, SMALL)
        .with_exchange(&fragment_ack(10))
        .with_exchange(&fragment_ack(20));
    stall(&mut client, 20);
    client.exchange(&session_not_found());
    client.exchange(&created());
    // The count of responses without progress is reset, and the first bytes are progress.
    stall(&mut client, 0);
    client.exchange(&fragment_ack(10));
    stall(&mut client, 10);
    client.disconnect();
    client.wait();
    assert_eq!(
        (client.upload.failures(), client.with_exchange(&fragment_ack(11)).upload.failures()),
        (1, 0)
    );
}

#[test]
fn resuming_resets_the_count_of_responses_without_progress() {
    let mut client = Client::with_session(100, SMALL)
        .with_exchange(&out_of_sync(0))
        .with_exchange(&out_of_sync(0));
    client.upload.resume().expect("it can be resumed");
    client.exchange(&pinged());
    client.exchange(&out_of_sync(0));
    client.exchange(&out_of_sync(0));
    assert_eq!((client.next_action().as_str(), client.upload.failures()), ("fragment 0..10", 0));
    client.exchange(&out_of_sync(0));
    assert_eq!((client.next_action().as_str(), client.upload.failures()), ("wait", 1));
}

#[test]
fn a_fragment_that_cannot_be_sent_in_time_is_sent_in_smaller_ones() {
    let mut client = Client::with_session(1000, SMALL);
    let mut lengths = Vec::new();
    for _ in 0..4 {
        lengths.push(client.upload.fragments().length());
        client.start_sending();
        client.wait();
        client.wait();
    }
    assert_eq!(lengths, [10, 5, 3, 3], "halved to the minimum");
    // A late response does not change the length.
    let mut client = Client::with_session(1000, SMALL);
    client.send();
    client.wait();
    assert_eq!(client.upload.fragments().length(), 10);
}

#[test]
fn a_close_that_failed_in_the_server_did_not_close_the_session() {
    for (refusal, due) in [(refused_with(500, 0x8007_0070), "create"), (refused(503), "finished")] {
        let mut client = in_state(State::Close);
        client.exchange(&refusal);
        client.wait();
        assert_eq!(client.with_exchange(&session_not_found()).next_action(), due);
    }
}

#[test]
fn a_rejected_cancellation_is_still_a_cancellation() {
    let mut client = in_state(State::Cancel);
    client.exchange(&refused(403));
    assert_eq!(
        client.next_action(),
        "suspended: server rejected the request with status 403 Forbidden"
    );
    client.upload.resume().expect("it has not ended");
    assert_eq!(client.next_action(), "cancel");
}
