//! The timers of an upload: calls before, at and after the deadline, and repeated calls.

use crate::support;
use std::time::Duration;

use bits_proto::client::{Exchange, Poll, State, Upload};
use support::upload::{
    Client, NANOSECOND, SECOND, SMALL, START, all_reachable, created, created_on, fragment_ack,
    pinged, reach, refused, status,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const REQUEST: Duration = Duration::from_secs(2 * 60);
const RESPONSE: Duration = Duration::from_secs(5 * 60);
const FALLBACK: Duration = Duration::from_secs(100);

/// Reports the time twice. The second call changes nothing, and no expired timer is left.
fn tick(upload: &Upload, now: Duration) -> Upload {
    let mut after = *upload;
    after.handle_timeout(now);
    let mut again = after;
    again.handle_timeout(now);
    assert_eq!(again, after, "the second call changes nothing");
    let next = after.poll_timeout();
    assert!(next.is_none_or(|next| next > now), "{next:?} is left at {now:?}: {after:?}");
    if let Poll::Wait(until) = after.poll() {
        assert_eq!(Some(until), next);
    }
    after
}

/// Returns the upload after its timer expired: at the deadline `due`, and days later.
fn fires(upload: &Upload, due: Duration) -> [Upload; 2] {
    assert_eq!(upload.poll_timeout(), Some(due));
    for early in [Duration::ZERO, START, due / 2, due - NANOSECOND] {
        assert_eq!(tick(upload, early), *upload, "{early:?} is too early");
    }
    let fired = [due, due + DAY * 30].map(|now| tick(upload, now));
    assert!(fired.iter().all(|after| after != upload), "{due:?}");
    fired
}

/// Checks that the request is dropped, and retried after a back-off.
fn check_dropped(before: &Client, due: Duration) {
    for (after, now) in fires(&before.upload, due).into_iter().zip([due, due + DAY * 30]) {
        assert_eq!((after.state(), after.exchange()), (before.states().0, Exchange::BackOff));
        assert_eq!(after.failures(), before.upload.failures() + 1);
        assert_eq!(after.received(), before.upload.received());
        // The back-off starts when the timeout is reported.
        let next = after.poll_timeout().expect("a back-off");
        assert!(next >= now + SECOND / 2 && next <= now + SECOND, "{next:?} after {now:?}");
    }
}

#[test]
fn a_request_that_cannot_be_sent_in_time_is_dropped() {
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        let client = reach(state, Exchange::Sending).expect("a state with requests");
        check_dropped(&client, START + REQUEST);
    }
}

#[test]
fn a_late_response_is_a_failure() {
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        let mut client = reach(state, Exchange::Sending).expect("a state with requests");
        client.now += REQUEST - NANOSECOND;
        client.upload.handle_sent(client.now).expect("the request is being sent");
        // The request timer was replaced by the response timer.
        check_dropped(&client, START + REQUEST - NANOSECOND + RESPONSE);
    }
}

#[test]
fn the_last_timeout_suspends_with_the_reason() {
    let options = SMALL.with_max_retries(0);
    let mut client = Client::with_session(20, options);
    client.start_sending();
    for mut after in fires(&client.upload, START + REQUEST) {
        assert_eq!(support::upload::next_action(&after), "suspended: request timed out");
        assert_eq!(after.poll_timeout(), None);
        after.resume().expect("it can be resumed");
        assert_eq!(support::upload::next_action(&after), "ping");
    }
}

#[test]
fn a_timer_is_stopped_by_the_response_and_by_the_caller() {
    let mut awaiting = Client::with_session(20, SMALL);
    awaiting.send();
    let stopped: [fn(&mut Client); 6] = [
        |it| it.upload.handle_ack(&fragment_ack(10), it.now).expect("a response is expected"),
        |it| it.upload.handle_ack(&refused(401), it.now).expect("a response is expected"),
        |it| it.upload.handle_ack(&refused(403), it.now).expect("a response is expected"),
        |it| it.upload.pause().expect("it can be paused"),
        |it| it.upload.resume().expect("it can be resumed"),
        |it| it.upload.cancel().expect("it can be cancelled"),
    ];
    for stop in stopped {
        let mut client = awaiting;
        stop(&mut client);
        assert_eq!(client.upload.poll_timeout(), None);
        for later in [SECOND, REQUEST, RESPONSE, DAY] {
            assert_eq!(tick(&client.upload, START + later), client.upload);
        }
    }
}

#[test]
fn after_a_backoff_the_same_packet_is_sent() {
    for state in State::ALL {
        let Some(client) = reach(*state, Exchange::BackOff) else { continue };
        let due = client.upload.poll_timeout().expect("a back-off");
        assert!(due >= START + SECOND / 2 && due <= START + SECOND);
        for after in fires(&client.upload, due) {
            assert_eq!((after.state(), after.exchange()), (*state, Exchange::Ready));
            assert_eq!((after.failures(), after.poll_timeout()), (1, None));
        }
    }
}

/// Returns an upload that is ready, and whose host has been unreachable since [`START`].
fn unreachable() -> Client {
    let mut client = Client::on_other_host(20, Some(100));
    client.disconnect();
    client.wait();
    assert_eq!(client.states(), (State::Fragment, Exchange::Ready));
    client
}

#[test]
fn the_upload_falls_back_when_the_fallback_timer_expires() {
    let client = unreachable();
    for after in fires(&client.upload, START + FALLBACK) {
        assert_eq!((support::upload::next_action(&after).as_str(), after.failures()), ("ping", 0));
        assert_eq!((after.host(), after.poll_timeout()), (None, None));
    }
}

#[test]
fn the_upload_falls_back_during_a_backoff() {
    let mut client = Client::on_other_host(20, Some(100));
    client.upload = {
        let options = SMALL.with_initial_backoff(DAY).with_max_backoff(DAY);
        let mut slow = Client::new(20, options);
        slow.exchange(&created_on(support::upload::HOST, Some(100)));
        slow.with_exchange(&pinged()).upload
    };
    client.disconnect();
    assert_eq!(client.states(), (State::Fragment, Exchange::BackOff));
    for after in fires(&client.upload, START + FALLBACK) {
        assert_eq!(
            support::upload::next_action(&after),
            "ping",
            "the back-off ends with the fallback"
        );
    }
}

#[test]
fn the_upload_does_not_fall_back_while_a_request_is_in_flight() {
    let mut client = unreachable();
    client.now = START + FALLBACK - SECOND;
    client.send();
    let answer_due = client.now + RESPONSE;
    assert_eq!(client.upload.poll_timeout(), Some(answer_due));
    assert_eq!(tick(&client.upload, START + FALLBACK), client.upload);
    // A response stops the fallback timer.
    let mut answered = client.upload;
    answered
        .handle_ack(&fragment_ack(10), START + FALLBACK + SECOND)
        .expect("a response is expected");
    assert_eq!(tick(&answered, START + DAY), answered);
    assert!(answered.host().is_some());
    // Without a response, the fallback happens without a further back-off.
    for after in fires(&client.upload, answer_due) {
        assert_eq!((support::upload::next_action(&after).as_str(), after.host()), ("ping", None));
    }
}

#[test]
fn a_fallback_timeout_of_zero_expires_at_once() {
    let mut client = Client::on_other_host(20, Some(0));
    client.disconnect();
    assert_eq!(client.upload.poll_timeout(), Some(client.now));
    assert_eq!(support::upload::next_action(&tick(&client.upload, client.now)), "ping");
    let mut client = Client::on_other_host(20, Some(0));
    client.start_sending();
    for after in fires(&client.upload, START + REQUEST) {
        assert_eq!(support::upload::next_action(&after), "ping");
    }
}

#[test]
fn the_upload_falls_back_while_it_is_stopped_too() {
    let mut paused = unreachable();
    paused.upload.pause().expect("it can be paused");
    let mut failed = unreachable();
    failed.send();
    failed.upload.handle_unreadable(Some(status(403)), failed.now).expect("a response is expected");
    let mut asked = unreachable();
    asked.send();
    asked.upload.handle_unreadable(Some(status(407)), asked.now).expect("a response is expected");
    for (client, said) in [(paused, "suspended"), (failed, "failed"), (asked, "credentials")] {
        let due = client.upload.poll_timeout();
        // A response may stop the fallback timer. If it still runs, the upload falls back.
        let Some(due) = due else { continue };
        for mut after in fires(&client.upload, due) {
            assert!(support::upload::next_action(&after).starts_with(said), "{said}: {after:?}");
            assert_eq!(after.host(), None);
            let continued = after.provide_credentials().or_else(|_| after.resume());
            continued.expect("it can be continued");
            assert_eq!(support::upload::next_action(&after), "ping");
        }
    }
    assert_eq!(paused.upload.poll_timeout(), Some(START + FALLBACK));
}

#[test]
fn a_cancellation_falls_back_to_the_origin_server() {
    let mut client = unreachable();
    client.upload.cancel().expect("it can be cancelled");
    assert_eq!(client.next_action(), "cancel at node-7.example");
    for after in fires(&client.upload, START + FALLBACK) {
        assert_eq!(support::upload::next_action(&after), "cancel");
    }
}

#[test]
fn resuming_restarts_the_fallback_timeout() {
    let mut client = unreachable();
    client.upload.resume().expect("it can be resumed");
    assert_eq!(
        (client.upload.poll_timeout(), client.next_action().as_str()),
        (None, "ping at node-7.example")
    );
    client.now += SECOND * 7;
    client.disconnect();
    let since = client.now;
    client.wait();
    assert_eq!(client.upload.poll_timeout(), Some(since + FALLBACK));
}

#[test]
fn the_largest_times_do_not_overflow() {
    for options in [
        SMALL,
        SMALL
            .with_request_timeout(Duration::MAX)
            .with_response_timeout(Duration::MAX)
            .with_initial_backoff(Duration::MAX)
            .with_max_backoff(Duration::MAX),
    ] {
        for now in [Duration::ZERO, Duration::MAX - NANOSECOND, Duration::MAX] {
            let mut client = Client::new(20, options);
            client.now = now;
            client.exchange(&created_on(support::upload::HOST, Some(u32::MAX - 1)));
            client.start_sending();
            assert_eq!(
                client.upload.poll_timeout(),
                Some(now.saturating_add(options.request_timeout))
            );
            client.upload.handle_sent(now).expect("the request is being sent");
            assert_eq!(
                client.upload.poll_timeout(),
                Some(now.saturating_add(options.response_timeout))
            );
            // All timers have expired, also the fallback timer.
            client.upload.handle_timeout(Duration::MAX);
            assert_eq!(client.next_action(), "ping");
            assert_eq!((client.upload.host(), client.upload.poll_timeout()), (None, None));
        }
    }
}

#[test]
fn timeouts_of_zero_do_not_cause_a_busy_loop() {
    let options = SMALL
        .with_request_timeout(Duration::ZERO)
        .with_response_timeout(Duration::ZERO)
        .with_initial_backoff(Duration::ZERO)
        .with_max_backoff(Duration::ZERO);
    let mut client = Client::new(20, options).with_exchange(&created());
    for failures in 1..=options.max_retries {
        client.start_sending();
        client.upload = tick(&client.upload, client.now);
        assert_eq!(
            (client.upload.exchange(), client.upload.failures()),
            (Exchange::Ready, failures)
        );
    }
    client.start_sending();
    assert_eq!(tick(&client.upload, client.now).exchange(), Exchange::Suspended);
}

#[test]
fn only_waiting_states_have_a_timer() {
    for client in all_reachable() {
        let waits = [Exchange::Sending, Exchange::Awaiting, Exchange::BackOff];
        assert_eq!(client.upload.poll_timeout().is_some(), waits.contains(&client.states().1));
        let late = tick(&client.upload, START + DAY);
        assert_eq!(
            late == client.upload,
            !waits.contains(&client.states().1),
            "{:?}",
            client.states()
        );
    }
    // An upload that ended while its host was unreachable has no timer either.
    let mut ended = unreachable();
    ended.upload.cancel().expect("it can be cancelled");
    ended.exchange(&support::upload::cancelled());
    assert_eq!((ended.next_action().as_str(), ended.upload.poll_timeout()), ("cancelled", None));
    assert_eq!(tick(&ended.upload, START + DAY), ended.upload);
}

#[test]
fn without_a_backoff_no_random_number_is_drawn() {
    let at_once = SMALL.with_initial_backoff(Duration::ZERO);
    let lucky = Client::with_session(20, at_once).with_exchange(&fragment_ack(10));
    let mut unlucky = Client::with_session(20, at_once);
    unlucky.disconnect();
    unlucky.wait();
    assert_eq!(unlucky.with_exchange(&fragment_ack(10)), lucky);
}

#[test]
fn the_backoff_is_randomized_like_the_splitmix64_reference() {
    // A seed and its first random number.
    for (seed, drawn) in [(0, 0xE220_A839_7B1D_CDAF), (1_234_567, 6_457_827_717_110_365_317)] {
        let options = SMALL.with_initial_backoff(Duration::MAX).with_max_backoff(Duration::MAX);
        let mut client = Client { upload: Upload::new(10, options, seed), now: Duration::ZERO };
        client.disconnect();
        // Half of the longest back-off, plus the random number modulo the rest.
        let half = u64::MAX / 2;
        assert_eq!(client.wait(), Duration::from_nanos(half + drawn % (half + 2)));
    }
}

#[test]
fn a_clock_that_goes_back_is_harmless() {
    let mut client = Client::with_session(20, SMALL);
    client.send();
    client.upload.handle_ack(&fragment_ack(10), Duration::ZERO).expect("a response is expected");
    client.now = Duration::ZERO;
    client.disconnect();
    assert_eq!(tick(&client.upload, Duration::ZERO), client.upload);
    assert!(client.wait() <= SECOND);
    assert_eq!(client.next_action(), "fragment 10..20");
}
