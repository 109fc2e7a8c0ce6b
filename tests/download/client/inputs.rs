//! Every input in every state: the effect where it is legal, and an error that changes nothing elsewhere.

use std::time::Duration;

use bits_proto::download::{
    ByteRange, Download, EventError, Exchange, Options, Poll, Response, Source, State, StopReason,
};
use bits_proto::http1::{StatusCode, StatusLine, Version};
use bits_proto::state_machine::StateMachine as _;

use super::NOW;
use super::persist::{exchanges, form};

/// A download with peers.
pub(super) type Peers = Download<Vec<ByteRange>, Vec<Source>>;

pub(super) type Outcome = Result<(), EventError>;

/// An input, the downloads that accept it, and its effect: true if the second download is the first one after the
/// input.
pub(super) type Input = (
    &'static str,
    fn(&mut Peers) -> Outcome,
    fn(&Peers) -> bool,
    fn(before: &Peers, after: &Peers) -> bool,
);

const NOT_FOUND: StopReason = StopReason::Refused { status: StatusCode::NOT_FOUND };

const INPUTS: &[Input] = &[
    (
        "sending",
        |it| it.handle_sending(NOW),
        |it| it.poll() == Poll::Send,
        |before, after| is(after, before.state(), Exchange::Sending) && waits(after),
    ),
    (
        "sent",
        |it| it.handle_sent(NOW),
        |it| it.exchange() == Exchange::Sending,
        |before, after| is(after, before.state(), Exchange::Awaiting) && waits(after),
    ),
    (
        "not found",
        |it| respond(it, 404, &[]),
        awaits_response,
        |_, after| after.state() == State::Failed && after.poll() == Poll::Failed(NOT_FOUND),
    ),
    (
        "unauthorized",
        |it| respond(it, 401, &[]),
        awaits_response,
        |before, after| {
            let polled = Poll::Credentials(StatusCode::UNAUTHORIZED);
            is(after, before.state(), Exchange::Unauthorized) && after.poll() == polled
        },
    ),
    ("unreadable response", |it| it.handle_unreadable(None, NOW), awaits_response, is_retried),
    (
        "data",
        |it| it.handle_data(b"x", NOW).map(drop),
        awaits_body,
        |before, after| is(after, before.state(), Exchange::Receiving) && waits(after),
    ),
    // Bytes are missing.
    ("end of the body", |it| it.handle_body_end(NOW), awaits_body, is_retried),
    (
        "transport failure",
        |it| it.handle_transport_failure(NOW),
        |it| {
            let is_ready = it.exchange() == Exchange::Ready && it.transmit().is_some();
            it.exchange().is_in_flight() || is_ready
        },
        is_retried,
    ),
    (
        "storage failure",
        |it| it.handle_storage_failure(2),
        |it| !is_terminal(it),
        |before, after| {
            let state =
                if before.state() == State::Commit { State::Download } else { before.state() };
            let polled = match state {
                State::Failed => before.poll(),
                _ => Poll::Suspended(StopReason::Storage),
            };
            (after.state(), after.poll()) == (state, polled)
                && after.received() == before.received().min(2)
        },
    ),
    (
        "committed",
        Peers::handle_committed,
        |it| it.poll() == Poll::Commit,
        |_, after| after.poll() == Poll::Finished,
    ),
    (
        "discarded",
        Peers::handle_discarded,
        |it| it.state() == State::Discard,
        |before, after| is(after, State::Size, before.exchange()) && after.received() == 0,
    ),
    (
        "pause",
        Peers::pause,
        |it| !is_terminal(it) && it.state() != State::Failed,
        |before, after| {
            is(after, before.state(), Exchange::Suspended)
                && after.poll() == Poll::Suspended(StopReason::Paused)
        },
    ),
    (
        "resume",
        Peers::resume,
        |it| !is_terminal(it),
        |before, after| {
            let state =
                if before.state() == State::Failed { State::Download } else { before.state() };
            is(after, state, Exchange::Ready) && after.failures() == 0
        },
    ),
    (
        "restart",
        Peers::restart,
        |it| !is_terminal(it),
        |before, after| {
            let polled = if before.received() > 0 { Poll::Discard } else { Poll::Send };
            let state = if before.received() > 0 { State::Discard } else { State::Size };
            is(after, state, Exchange::Ready)
                && after.poll() == polled
                && after.restarts() == before.restarts() + 1
        },
    ),
    ("cancel", Peers::cancel, |it| !is_terminal(it), |_, after| after.poll() == Poll::Cancelled),
    (
        "credentials",
        Peers::provide_credentials,
        |it| it.exchange() == Exchange::Unauthorized,
        |before, after| is(after, before.state(), Exchange::Ready),
    ),
    (
        "options",
        |it| it.set_options(Options::DEFAULT),
        |it| !it.exchange().is_in_flight(),
        |before, after| (before.state(), before.poll()) == (after.state(), after.poll()),
    ),
    (
        "end of the search",
        |it| it.handle_search_finished(vec![]),
        |it| it.state() == State::Search,
        |before, after| is(after, State::Download, before.exchange()),
    ),
    ("fetched from a peer", Peers::handle_peer_fetched, uses_peer, |_, after| {
        (after.poll(), after.received()) == (Poll::Commit, 10)
    }),
    ("failure of a peer", Peers::handle_peer_failed, uses_peer, |_, after| {
        after.poll() == Poll::Search
    }),
];

fn is(download: &Peers, state: State, exchange: Exchange) -> bool {
    (download.state(), download.exchange()) == (state, exchange)
}

/// Returns true if the timer was started with one of the default times.
fn waits(download: &Peers) -> bool {
    download.poll() == Poll::Wait(NOW + Options::DEFAULT.response_timeout)
}

fn is_retried(before: &Peers, after: &Peers) -> bool {
    is(after, before.state(), Exchange::BackOff) && after.failures() == before.failures() + 1
}

fn awaits_response(download: &Peers) -> bool {
    matches!(download.exchange(), Exchange::Sending | Exchange::Awaiting)
}

pub(super) fn awaits_body(download: &Peers) -> bool {
    download.exchange() == Exchange::Receiving
}

fn is_terminal(download: &Peers) -> bool {
    matches!(download.poll(), Poll::Finished | Poll::Cancelled)
}

fn uses_peer(download: &Peers) -> bool {
    matches!(download.poll(), Poll::FetchFromPeer(_))
}

pub(super) fn respond(download: &mut Peers, status: u16, fields: &[(&str, &str)]) -> Outcome {
    let status = StatusCode::try_from(status).unwrap();
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    download.handle_response(&Response::from_fields(line, fields).unwrap(), NOW)
}

/// Accepts the rest of the range.
pub(super) fn respond_partial(download: &mut Peers) -> Outcome {
    respond(download, 206, &[("Content-Range", "bytes 4-9/20"), ("ETag", "\"a\"")])
}

/// Returns downloads in every state and exchange, with and without stored bytes.
pub(super) fn downloads() -> Vec<Peers> {
    let mut all = Vec::new();
    for state in State::STATES {
        for exchange in exchanges(*state) {
            let form = form(*state, *exchange, Some("\"a\""));
            let load = |form| serde_json::from_value::<Peers>(form).unwrap();
            all.push(load(form.clone()));
            if *state == State::Size {
                let mut with_bytes = form.clone();
                with_bytes["progress"]["next"] = 4.into();
                all.push(load(with_bytes));
                let mut whole = form.clone();
                (whole["ranges"], whole["progress"]["total"]) = (serde_json::json!([]), 0.into());
                all.push(load(whole));
            } else if !matches!(state, State::Commit | State::Finished) {
                let mut without_bytes = form.clone();
                without_bytes["progress"]["next"] = 0.into();
                all.push(load(without_bytes));
            }
            if *state == State::Download && *exchange == Exchange::Awaiting {
                let mut receiving = load(form.clone());
                respond_partial(&mut receiving).unwrap();
                all.push(receiving);
            } else if *state == State::Download && !exchange.is_in_flight() {
                let mut from_peer = form;
                from_peer["progress"]["has_sources"] = true.into();
                let peer = [Source::Peer { index: 3, offset: 0 }];
                from_peer["sources"] = serde_json::to_value(peer).unwrap();
                all.push(load(from_peer));
            }
        }
    }
    all
}

/// Calls every input on every download.
pub(super) fn for_each_call(mut check: impl FnMut(&Input, &Peers, &Peers, Outcome)) {
    for before in downloads() {
        for input in INPUTS {
            let mut after = before.clone();
            let outcome = input.1(&mut after);
            check(input, &before, &after, outcome);
        }
    }
}

#[test]
fn every_input_has_its_effect_or_changes_nothing() {
    for_each_call(|(name, _, is_legal, has_effect), before, after, outcome| {
        let cell = format!("{name} during {} {}", before.state(), before.exchange());
        assert_eq!(outcome.is_ok(), is_legal(before), "{cell}: {outcome:?}");
        let Err(error) = outcome else {
            assert!(has_effect(before, after), "{cell}: {after:?}");
            return;
        };
        assert_eq!(before, after, "{cell}");
        assert_eq!(before.poll(), after.poll(), "{cell}");
        let stored = |it: &Peers| serde_json::to_value(it).unwrap();
        assert_eq!(stored(before), stored(after), "{cell}");
        match error {
            EventError::State(illegal) => assert_eq!(illegal.state, before.state(), "{cell}"),
            EventError::Exchange(illegal) => assert_eq!(illegal.state, before.exchange(), "{cell}"),
            _ => {}
        }
    });
}

#[test]
fn the_time_has_an_effect_after_the_deadline_only() {
    let late = NOW + Duration::from_secs(3600);
    for before in downloads() {
        let mut after = before.clone();
        after.handle_timeout(Duration::ZERO);
        if before.exchange() != Exchange::BackOff {
            after.handle_retry_after(Duration::from_secs(5), NOW);
        }
        assert_eq!(before, after);
        after.handle_timeout(late);
        match before.exchange() {
            Exchange::BackOff => assert!(is(&after, before.state(), Exchange::Ready)),
            exchange if exchange.is_in_flight() => assert!(is_retried(&before, &after)),
            _ => assert_eq!(before, after),
        }
    }
}

#[test]
fn a_failure_beyond_the_limit_suspends() {
    let mut count = 0;
    for mut download in downloads() {
        let mut form = serde_json::to_value(&download).unwrap();
        form["progress"]["options"]["max_retries"] = 0.into();
        let mut limited = serde_json::from_value::<Peers>(form).unwrap();
        if download.handle_transport_failure(NOW).is_ok() {
            let state = limited.state();
            limited.handle_transport_failure(NOW).unwrap();
            assert!(is(&limited, state, Exchange::Suspended));
            assert_eq!(limited.poll(), Poll::Suspended(StopReason::Transport));
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn a_download_without_stored_bytes_starts_over_as_its_options_say() {
    for (state, exchange) in [
        (State::Size, Exchange::Awaiting),
        (State::Download, Exchange::Awaiting),
        (State::Commit, Exchange::Ready),
        (State::Failed, Exchange::Ready),
    ] {
        for (head_first, first) in [(true, State::Size), (false, State::Download)] {
            let mut form = form(state, exchange, Some("\"a\""));
            // A whole entity, which is empty.
            form["ranges"] = serde_json::json!([]);
            let progress = &mut form["progress"];
            (progress["next"], progress["total"]) = (0.into(), 0.into());
            progress["uses_peers"] = false.into();
            progress["options"]["peers"] = false.into();
            progress["options"]["head_first"] = head_first.into();
            let mut download = serde_json::from_value::<Peers>(form).unwrap();
            assert!(is(&download, state, exchange));
            download.restart().unwrap();
            assert!(is(&download, first, Exchange::Ready), "{state}, {head_first}: {download:?}");
        }
    }
}
