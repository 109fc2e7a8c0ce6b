//! The events that an error lists as expected.

use std::time::Duration;

use bits_proto::download::{Event, EventError, Exchange, ExchangeEvent, Poll};

use super::NOW;
use super::inputs::{Peers, awaits_body, downloads, for_each_call, respond, respond_partial};

/// Returns true if the event can occur.
fn can_occur(event: Event, mut it: Peers) -> bool {
    let is_head = it.transmit().is_some_and(|it| it.method().as_str() == "HEAD");
    let size = |it: &mut Peers, length| {
        is_head && respond(it, 200, &[("Content-Length", length), ("ETag", "\"a\"")]).is_ok()
    };
    match event {
        Event::Begin => it.handle_sending(NOW).is_ok(),
        Event::Sized | Event::SizedForSearch => size(&mut it, "20"),
        Event::Searched => it.handle_search_finished(vec![]).is_ok(),
        Event::PeerFailed => it.handle_peer_failed().is_ok(),
        Event::Received => it.handle_data(b"x", NOW).is_ok_and(|data| data.store.is_some()),
        Event::AllReceived => {
            let has_arrived = size(&mut it, "0") || it.handle_data(b"456789", NOW).is_ok();
            has_arrived && it.poll() == Poll::Commit
        }
        Event::Committed => it.handle_committed().is_ok(),
        Event::StorageFailed => it.handle_storage_failure(2).is_ok(),
        Event::Invalidated | Event::RestartedWithHead | Event::RestartedWithGet => {
            it.restart().is_ok()
        }
        Event::TransientFailure => it.handle_transport_failure(NOW).is_ok(),
        Event::Credentials => respond(&mut it, 401, &[]).is_ok(),
        Event::PermanentFailure => respond(&mut it, 404, &[]).is_ok(),
        Event::Pause => it.pause().is_ok(),
        Event::Resume => it.resume().is_ok(),
        Event::Cancel => it.cancel().is_ok(),
        _ => panic!("untested: {event}"),
    }
}

/// Returns true if the event can occur.
fn can_occur_in_exchange(event: ExchangeEvent, mut it: Peers) -> bool {
    match event {
        ExchangeEvent::Begin => it.handle_sending(NOW).is_ok(),
        ExchangeEvent::Sent => it.handle_sent(NOW).is_ok(),
        ExchangeEvent::Answered => it.handle_unreadable(None, NOW).is_ok(),
        ExchangeEvent::HeadReceived => respond_partial(&mut it).is_ok() && awaits_body(&it),
        ExchangeEvent::Data => it.handle_data(b"x", NOW).is_ok(),
        ExchangeEvent::BodyComplete => it.handle_body_end(NOW).is_ok(),
        ExchangeEvent::Failed => it.handle_transport_failure(NOW).is_ok(),
        // A limit is exceeded by a request that is made or repeated.
        ExchangeEvent::GivenUp => {
            it.exchange() == Exchange::BackOff || it.handle_transport_failure(NOW).is_ok()
        }
        ExchangeEvent::Challenged => respond(&mut it, 401, &[]).is_ok(),
        ExchangeEvent::CredentialsGiven => it.provide_credentials().is_ok(),
        ExchangeEvent::BackoffElapsed => {
            let waits = it.exchange() == Exchange::BackOff;
            it.handle_timeout(NOW + Duration::from_secs(3600));
            waits && it.exchange() == Exchange::Ready
        }
        ExchangeEvent::Pause => it.pause().is_ok(),
        ExchangeEvent::Reset => it.resume().is_ok(),
        _ => panic!("untested: {event}"),
    }
}

/// The events that an error lists as expected are those that can occur in the state.
#[test]
fn an_error_lists_events_that_can_occur() {
    let all = downloads();
    for_each_call(|(name, ..), before, _, outcome| match outcome {
        Err(EventError::State(illegal)) => {
            let state = before.state();
            for event in illegal.expected() {
                let mut same = all.iter().filter(|it| it.state() == state);
                assert!(same.any(|it| can_occur(event, it.clone())), "{name}, {state}: {event}");
            }
        }
        Err(EventError::Exchange(illegal)) => {
            let exchange = before.exchange();
            for event in illegal.expected() {
                let mut same = all.iter().filter(|it| it.exchange() == exchange);
                let occurs = same.any(|it| can_occur_in_exchange(event, it.clone()));
                assert!(occurs, "{name}, {exchange}: {event}");
            }
        }
        _ => {}
    });
}
