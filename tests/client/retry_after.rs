//! Retry-After: the earliest time of the next try.

use crate::support;
use std::time::Duration;

use bits_proto::client::{Exchange, Poll, State};
use bits_proto::field::{HttpDate, RetryAfter};
use bits_proto::message::{Ack, Refusal};
use support::upload::{
    Client, SECOND, SMALL, busy, fragment_ack, in_state, out_of_sync, reach, refused, status,
};

const MINUTE: Duration = Duration::from_secs(60);

fn seconds(number: u64) -> Ack<'static> {
    busy(RetryAfter::Seconds(number))
}

/// Returns how long an upload waits after a refusal of its first fragment.
fn delay_after(ack: &Ack<'_>) -> Duration {
    let mut client = Client::with_session(20, SMALL).with_exchange(ack);
    assert_eq!(client.states(), (State::Fragment, Exchange::BackOff));
    client.wait()
}

#[test]
fn the_number_of_seconds_is_the_shortest_wait() {
    assert_eq!(delay_after(&seconds(120)), MINUTE * 2);
    // The back-off after the first failure is half a second to a second.
    for ack in [refused(429), seconds(0)] {
        assert!((SECOND / 2..=SECOND).contains(&delay_after(&ack)), "{ack:?}");
    }
    assert_eq!(delay_after(&seconds(1)), SECOND);
}

#[test]
fn the_wait_is_limited_by_an_option() {
    assert_eq!(delay_after(&seconds(3600)), MINUTE * 60);
    for number in [3601, u64::MAX] {
        assert_eq!(delay_after(&seconds(number)), MINUTE * 60, "{number}");
    }
    let impatient = SMALL.with_max_retry_after(SECOND * 5);
    let mut client = Client::with_session(20, impatient).with_exchange(&seconds(3600));
    assert_eq!(client.wait(), SECOND * 5);
    let mut client = Client::with_session(20, SMALL.with_max_retry_after(Duration::ZERO));
    client.exchange(&seconds(3600));
    assert!(client.wait() <= SECOND, "the back-off remains");
}

#[test]
fn every_transient_failure_waits_and_the_same_request_is_sent_again() {
    for code in [302_u16, 303, 408, 409, 429, 500, 503] {
        let Ok(refusal) = Refusal::new(status(code)) else { panic!("{code}") };
        let ack = Ack::from(refusal.with_retry_after(RetryAfter::Seconds(90)));
        let client = Client::with_session(20, SMALL).with_exchange(&fragment_ack(10));
        let mut refused = client.with_exchange(&ack);
        match refused.upload.poll() {
            Poll::Wait(_) => assert_eq!(refused.wait(), SECOND * 90, "{code}"),
            Poll::Failed(_) => assert!((300..=305).contains(&code), "{code}"),
            other => panic!("{code}: {other:?}"),
        }
        if code >= 400 {
            assert_eq!(refused.next_action(), "fragment 10..20", "{code}: the session is kept");
        }
    }
}

#[test]
fn a_date_is_the_callers_delay() {
    let date = HttpDate::from_unix_seconds(784_111_777).expect("a date");
    let mut client = Client::with_session(20, SMALL).with_exchange(&busy(date.into()));
    // The upload does not know the time of day.
    assert!(client.upload.poll_timeout() <= Some(client.now + SECOND));
    let unix_time = Duration::from_secs(784_111_700);
    client.upload.handle_retry_after(RetryAfter::Date(date).delay(unix_time), client.now);
    assert_eq!(client.wait(), SECOND * 77);
    assert_eq!(client.next_action(), "fragment 0..10");
}

#[test]
fn a_delay_never_shortens_the_wait_and_may_be_reported_repeatedly() {
    let mut client = Client::with_session(20, SMALL).with_exchange(&seconds(120));
    for delay in [Duration::ZERO, SECOND, MINUTE, MINUTE * 2] {
        client.upload.handle_retry_after(delay, client.now);
        assert_eq!(client.upload.poll_timeout(), Some(client.now + MINUTE * 2), "{delay:?}");
    }
    client.upload.handle_retry_after(MINUTE * 3, client.now);
    client.upload.handle_retry_after(MINUTE * 3, client.now);
    assert_eq!(client.wait(), MINUTE * 3);
}

#[test]
fn a_response_that_is_not_an_ack_may_delay_the_retry() {
    let mut client = Client::with_session(20, SMALL);
    client.send();
    client.upload.handle_unreadable(Some(status(503)), client.now).expect("a response is due");
    client.upload.handle_retry_after(MINUTE, client.now);
    assert_eq!(client.wait(), MINUTE);
}

#[test]
fn a_reply_that_cannot_be_fetched_yet_may_delay_the_retry() {
    let mut client = in_state(State::GetReply);
    client.upload.handle_reply_failed(client.now).expect("a reply is due");
    client.upload.handle_retry_after(MINUTE, client.now);
    assert_eq!(client.wait(), MINUTE);
    assert_eq!(client.states(), (State::GetReply, Exchange::Ready));
}

#[test]
fn a_delay_has_no_effect_unless_a_retry_is_due() {
    for state in State::ALL {
        for exchange in Exchange::ALL.iter().filter(|it| **it != Exchange::BackOff) {
            let Some(client) = reach(*state, *exchange) else { continue };
            let mut after = client.upload;
            after.handle_retry_after(MINUTE, client.now);
            assert_eq!(after, client.upload, "{state}, {exchange}");
        }
    }
    // The offset of a 416 is sent at once, regardless of the rest of the response.
    let mut client = Client::with_session(20, SMALL).with_exchange(&out_of_sync(0));
    client.upload.handle_retry_after(MINUTE, client.now);
    assert_eq!(client.next_action(), "fragment 0..10");
}

#[test]
fn a_long_wait_can_be_paused_cancelled_and_resumed() {
    let waiting = Client::with_session(20, SMALL).with_exchange(&seconds(3600));
    let mut paused = waiting;
    paused.upload.pause().expect("it waits");
    assert_eq!(paused.next_action(), "suspended: upload is paused");
    let mut resumed = waiting;
    resumed.upload.resume().expect("it waits");
    assert_eq!(resumed.next_action(), "ping", "the caller does not want to wait");
    let mut cancelled = waiting;
    cancelled.upload.cancel().expect("it waits");
    assert_eq!(cancelled.next_action(), "cancel");
}

#[test]
fn a_long_wait_is_one_failure() {
    let mut client = Client::with_session(20, SMALL.with_max_retries(2));
    for failures in 1..=2 {
        client.exchange(&seconds(3600));
        assert_eq!((client.wait(), client.upload.failures()), (MINUTE * 60, failures));
    }
    client.exchange(&seconds(3600));
    assert!(
        client.next_action().starts_with("suspended: server rejected the request with status 429")
    );
}
