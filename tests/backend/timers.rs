//! The three timers of a notification: when they start and expire, and early and late calls.

use crate::support::notifications;
use std::time::Duration;

use bits_proto::backend::{
    EventError, Notification, NotificationError, NotificationType, Outcome, Poll, Reply, State,
    Timeouts, Timer,
};
use notifications::{LENGTH, done, reachable, refusing, success, with_length, with_url};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The smallest unit of time.
const TICK: Duration = Duration::from_nanos(1);

/// Three different timeouts, so that the timers can be distinguished.
const TIMEOUTS: Timeouts = Timeouts::DEFAULT
    .with_send(seconds(10))
    .with_receive(seconds(30))
    .with_receive_response(seconds(20));

/// Times at which the notifications start, when their heads are sent, and when their requests are sent.
const START: Duration = seconds(1_000);
const HEADERS: Duration = seconds(1_004);
const SENT: Duration = seconds(1_009);
const ANSWERED: Duration = seconds(1_020);

/// An input with a time.
type Input = fn(&mut Notification, Duration) -> Result<(), EventError>;

/// Returns a notification by value in a state with a running timer.
fn in_state(state: State, timeouts: Timeouts) -> Notification {
    let mut it = Notification::new(NotificationType::ByValue, LENGTH, timeouts, START);
    let calls: [(Input, Duration); 3] = [
        (|it, now| it.handle_headers_sent(now), HEADERS),
        (|it, now| it.handle_data_sent(LENGTH, now), SENT),
        (|it, now| it.handle_response(&success(), now), ANSWERED),
    ];
    for (call, now) in calls {
        if it.state() != state {
            done([call(&mut it, now)]);
        }
    }
    assert_eq!(it.state(), state);
    it
}

/// Returns a notification by value that the application accepted before the entity was sent.
fn accepted_early() -> Notification {
    let mut it = in_state(State::SendData, TIMEOUTS);
    done([it.handle_response(&success(), SENT)]);
    assert_eq!(it.state(), State::SendRest);
    it
}

/// Returns the action after a timer has expired.
fn expired(before: &Notification, timer: Timer) -> Poll {
    let error = NotificationError::Timeout(timer);
    match before.state() {
        State::ReceiveData => Poll::Complete(Outcome::new(false, Reply::Lost(error))),
        _ => Poll::Failed(error),
    }
}

/// Returns each state with the timer that expires first and its deadline.
fn rows() -> [(Notification, Timer, Duration); 5] {
    let hasty = TIMEOUTS.with_receive(seconds(20)).with_receive_response(seconds(30));
    [
        (in_state(State::SendHeaders, TIMEOUTS), Timer::Send, seconds(1_010)),
        (in_state(State::SendData, TIMEOUTS), Timer::Send, seconds(1_010)),
        (in_state(State::ReceiveHeaders, TIMEOUTS), Timer::ReceiveResponse, seconds(1_029)),
        (in_state(State::ReceiveHeaders, hasty), Timer::Receive, seconds(1_029)),
        (in_state(State::ReceiveData, TIMEOUTS), Timer::Receive, seconds(1_039)),
    ]
}

/// [MC-BUP] 3.3.2.
#[test]
fn each_timer_takes_five_minutes_by_default() {
    assert_eq!(Timeouts::DEFAULT, Timeouts::default());
    for (state, timer, start) in [
        (State::SendHeaders, Timer::Send, START),
        (State::SendData, Timer::Send, START),
        (State::ReceiveHeaders, Timer::ReceiveResponse, SENT),
        (State::ReceiveData, Timer::Receive, SENT),
    ] {
        let mut it = in_state(state, Timeouts::DEFAULT);
        let (before, due) = (it, start + seconds(300));
        assert_eq!(it.poll_timeout(), Some(due), "{state}");
        it.handle_timeout(due);
        assert_eq!(it.poll(), expired(&before, timer), "{state}");
    }
    // A failure after an early success is reported without a time: the send timer may have expired before.
    let mut it = in_state(State::SendData, Timeouts::DEFAULT);
    done([it.handle_response(&success(), SENT), it.handle_transport_failure()]);
    assert_eq!(it.poll_timeout(), Some(START + seconds(600)));
}

#[test]
fn every_action_has_the_deadline_of_its_timer() {
    for (it, _, due) in rows() {
        assert_eq!(it.poll_timeout(), Some(due));
        let named = match it.poll() {
            Poll::SendHeaders { deadline }
            | Poll::SendData { deadline, .. }
            | Poll::ReceiveHeaders { deadline }
            | Poll::ReceiveData { deadline, .. } => deadline,
            step => panic!("{step:?}"),
        };
        assert_eq!(named, due);
    }
}

#[test]
fn a_timer_that_fires_early_does_nothing() {
    for (before, _, due) in rows() {
        for now in [Duration::ZERO, START, due - TICK] {
            let mut it = before;
            it.handle_timeout(now);
            assert_eq!(it, before, "at {now:?}");
        }
    }
}

#[test]
fn a_timer_expires_once_at_its_deadline_or_later() {
    for (before, timer, due) in rows() {
        for now in [due, due + TICK, Duration::MAX] {
            let mut it = before;
            it.handle_timeout(now);
            assert_eq!(it.poll(), expired(&before, timer), "at {now:?}");
            assert_eq!(it.poll_timeout(), None);
            let refusal = NotificationError::Timeout(timer).refusal();
            assert_eq!(refusal.status().get(), 408);
            assert_eq!(refusal.code().map(|code| code.get()), Some(0x8007_0112));
            assert_eq!(refusal.context().map(|context| context.0), Some(7));

            let after = it;
            it.handle_timeout(now);
            it.handle_timeout(Duration::MAX);
            assert_eq!(it, after, "twice");
        }
    }
}

#[test]
fn no_timer_runs_when_nothing_is_sent_or_received() {
    let idle = reachable()
        .into_iter()
        .filter(|it| matches!(it.state(), State::FindReply | State::Complete | State::Error));
    let mut seen = 0;
    for before in idle {
        assert_eq!(before.poll_timeout(), None, "{before:?}");
        let mut it = before;
        it.handle_timeout(Duration::MAX);
        assert_eq!(it, before);
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn partial_data_restarts_no_timer() {
    let mut it = in_state(State::SendData, TIMEOUTS);
    done([it.handle_data_sent(1, SENT)]);
    assert_eq!(it.poll_timeout(), Some(seconds(1_010)));

    let mut it = in_state(State::ReceiveData, TIMEOUTS);
    done([it.handle_reply_data(1, ANSWERED + seconds(5))]);
    assert_eq!(it.poll_timeout(), Some(seconds(1_039)));
}

#[test]
fn by_reference_the_receive_timers_start_with_the_head() {
    let mut it = Notification::new(NotificationType::ByReference, LENGTH, TIMEOUTS, START);
    assert_eq!(it.poll_timeout(), Some(seconds(1_010)));
    let deadline = seconds(1_024);
    assert_eq!(
        it.handle_headers_sent(HEADERS).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { deadline })
    );
}

#[test]
fn an_empty_entity_starts_the_receive_timers_with_the_head() {
    let mut it = Notification::new(NotificationType::ByValue, 0, TIMEOUTS, START);
    let deadline = seconds(1_024);
    assert_eq!(
        it.handle_headers_sent(HEADERS).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { deadline })
    );
}

/// Returns inputs with the states in which they are legal.
fn inputs() -> Vec<(&'static [State], Input)> {
    use State::*;
    vec![
        (&[SendHeaders], |it, now| it.handle_headers_sent(now)),
        (&[SendHeaders, SendData, ReceiveHeaders], |it, now| {
            it.handle_response(&refusing(403), now)
        }),
        (&[SendData, ReceiveHeaders], |it, now| it.handle_response(&success(), now)),
        (&[SendData, ReceiveHeaders], |it, now| it.handle_response(&with_length(0), now)),
        (&[SendData], |it, now| it.handle_data_sent(1, now)),
        (&[SendData], |it, now| it.handle_data_sent(LENGTH, now)),
        (&[ReceiveData], |it, now| it.handle_reply_data(1, now)),
        (&[ReceiveData], |it, now| it.handle_reply_end(now)),
    ]
}

#[test]
fn an_input_at_the_deadline_is_too_late() {
    for (index, (states, input)) in inputs().into_iter().enumerate() {
        for (before, timer, due) in rows() {
            if !states.contains(&before.state()) {
                continue;
            }
            let too_late = expired(&before, timer);
            let mut it = before;
            let result = input(&mut it, due - TICK);
            assert!(result.is_ok() && it.poll() != too_late, "{index}: {before:?}: {result:?}");
            for now in [due, Duration::MAX] {
                let mut it = before;
                assert_eq!(input(&mut it, now), Ok(()), "{index}: {before:?}");
                assert_eq!(it.poll(), too_late, "{index}: {before:?}");
            }
        }
    }
}

#[test]
fn an_illegal_input_is_an_error_at_any_time() {
    for (index, (states, input)) in inputs().into_iter().enumerate() {
        for (before, ..) in rows() {
            if states.contains(&before.state()) {
                continue;
            }
            let mut it = before;
            let result = input(&mut it, Duration::MAX);
            assert!(matches!(result, Err(EventError::State(_))), "{index}: {result:?}");
            assert_eq!(it, before, "{index}");
        }
    }
}

#[test]
fn a_received_response_cannot_time_out() {
    let sent = || {
        let mut it = Notification::new(NotificationType::ByReference, LENGTH, TIMEOUTS, START);
        done([it.handle_headers_sent(HEADERS)]);
        it
    };
    let mut it = sent();
    done([it.handle_response(&success(), HEADERS)]);
    let before = it;
    it.handle_timeout(Duration::MAX);
    assert_eq!(it, before);
    let file = Outcome::new(false, Reply::File { length: 1 });
    assert_eq!(it.handle_reply_file(Some(1)).map(|()| it.poll()), Ok(Poll::Complete(file)));

    let mut it = sent();
    let url = Outcome::new(false, Reply::Static);
    assert_eq!(
        it.handle_response(&with_url(success()), HEADERS).map(|()| it.poll()),
        Ok(Poll::Complete(url))
    );
    it.handle_timeout(Duration::MAX);
    assert_eq!(it.poll(), Poll::Complete(url));
}

#[test]
fn the_largest_times_do_not_overflow() {
    let endless = Timeouts::DEFAULT
        .with_send(Duration::MAX)
        .with_receive(Duration::MAX)
        .with_receive_response(Duration::MAX);
    let mut it = Notification::new(NotificationType::ByValue, LENGTH, endless, seconds(1));
    let last = Duration::MAX - TICK;
    assert_eq!(it.poll_timeout(), Some(Duration::MAX));
    assert!(matches!(it.handle_headers_sent(last).map(|()| it.poll()), Ok(Poll::SendData { .. })));
    assert!(matches!(
        it.handle_data_sent(LENGTH, last).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { .. })
    ));
    assert_eq!(it.poll_timeout(), Some(Duration::MAX));
    assert!(matches!(
        it.handle_response(&success(), last).map(|()| it.poll()),
        Ok(Poll::ReceiveData { .. })
    ));
    let before = it;
    it.handle_timeout(last);
    assert_eq!(it, before);
    it.handle_timeout(Duration::MAX);
    assert_eq!(it.poll(), expired(&before, Timer::Receive));
}

#[test]
fn after_an_early_success_the_send_timer_ends_the_request() {
    // Its deadline is then the start of the receive timer.
    let (due, receive_due) = (seconds(1_010), seconds(1_040));
    let before = accepted_early();
    assert_eq!(before.poll_timeout(), Some(due));
    for now in [due, receive_due - TICK] {
        let mut it = before;
        it.handle_timeout(now);
        assert_eq!((it.state(), it.poll_timeout()), (State::ReceiveData, Some(receive_due)));
    }
    let lost = Outcome::new(false, Reply::Lost(NotificationError::Timeout(Timer::Receive)));
    for now in [receive_due, Duration::MAX] {
        let mut it = before;
        it.handle_timeout(now);
        assert_eq!((it.poll(), it.poll_timeout()), (Poll::Complete(lost), None));
    }
    // Sent bytes that are reported too late are ignored.
    let mut it = before;
    done([it.handle_data_sent(1, due)]);
    assert_eq!(it.state(), State::ReceiveData);
    // A failure is reported without a time.
    let mut it = before;
    done([it.handle_transport_failure()]);
    assert_eq!((it.state(), it.poll_timeout()), (State::ReceiveData, Some(receive_due)));
    // The last byte is reported with its time.
    let mut it = before;
    done([it.handle_data_sent(LENGTH, SENT)]);
    assert_eq!((it.state(), it.poll_timeout()), (State::ReceiveData, Some(seconds(1_039))));
}

#[test]
fn a_clock_that_goes_back_is_harmless() {
    let mut it = Notification::new(NotificationType::ByValue, 4, TIMEOUTS, SENT);
    let deadline = SENT + TIMEOUTS.send;
    let step = it.handle_headers_sent(Duration::ZERO).map(|()| it.poll());
    assert_eq!(step, Ok(Poll::SendData { offset: 0, length: 4, deadline }));
    let deadline = seconds(20);
    assert_eq!(
        it.handle_data_sent(4, Duration::ZERO).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { deadline })
    );
}

#[test]
fn a_timeout_of_zero_expires_at_once() {
    let none = TIMEOUTS.with_send(Duration::ZERO);
    let mut it = Notification::new(NotificationType::ByReference, LENGTH, none, START);
    it.handle_timeout(START);
    assert_eq!(it.poll(), Poll::Failed(NotificationError::Timeout(Timer::Send)));
}

#[test]
fn if_two_timers_expire_together_that_of_the_head_is_reported() {
    let even = TIMEOUTS.with_receive_response(TIMEOUTS.receive);
    let mut it = in_state(State::ReceiveHeaders, even);
    it.handle_timeout(seconds(1_039));
    assert_eq!(it.poll(), Poll::Failed(NotificationError::Timeout(Timer::ReceiveResponse)));
}
