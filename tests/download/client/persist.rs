//! The stored form of a download.

use bits_proto::download::{Download, Exchange, Options, Poll, Source, State, StopReason};
use bits_proto::state_machine::StateMachine as _;
use serde_json::Value;

use super::{DATE, Ranges, answer, get, head, range, receive, requested, send};

#[test]
fn an_inconsistent_stored_form_is_rejected() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    let reload = |download: &Ranges| -> Ranges {
        serde_json::from_str(&serde_json::to_string(download).unwrap()).unwrap()
    };
    send(&mut download);
    answer(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), ("Last-Modified", DATE)]);
    receive(&mut download, "0123");
    let mut loaded = reload(&download);
    assert_eq!(loaded.received(), 4);
    loaded.resume().unwrap();
    assert_eq!(requested(&loaded).as_deref(), Some("bytes=4-9"));
    assert!(head(&loaded).contains(&format!("If-Unmodified-Since: {DATE}")));

    let mut value = serde_json::to_value(&download).unwrap();
    value["progress"]["version"] = 2.into();
    let error = serde_json::from_value::<Ranges>(value).unwrap_err().to_string();
    assert_eq!(error, "stored download has version 2, expected 1");
    download.pause().unwrap();
    for (field, value, rule) in [
        ("state", "finished".into(), "exchange contradicts the state"),
        ("next", 11.into(), "offset exceeds the requested bytes"),
        ("stop_reason", Value::Null, "stop reason contradicts the state"),
        ("challenge", 401.into(), "challenge contradicts the exchange"),
        ("has_sources", true.into(), "sources without peers"),
        ("state", "search".into(), "search without peers"),
        ("state", "commit".into(), "state needs all bytes to be received"),
        ("tag", "W/\"a\"".into(), "invalid date or entity tag"),
    ] {
        let mut stored = serde_json::to_value(&download).unwrap();
        stored["progress"][field] = value;
        let error = serde_json::from_value::<Ranges>(stored).unwrap_err().to_string();
        assert_eq!(error, format!("stored download is invalid: {rule}"));
    }
}

/// Returns the exchanges that a stored download can have in this state.
pub(super) fn exchanges(state: State) -> &'static [Exchange] {
    match state {
        State::Size | State::Download => Exchange::STATES,
        State::Search | State::Discard | State::Commit => &[Exchange::Ready, Exchange::Suspended],
        _ => &[Exchange::Ready],
    }
}

/// Returns the stored form of a download with four of ten bytes, or all of them where the state needs it.
pub(super) fn form(state: State, exchange: Exchange, tag: Option<&str>) -> Value {
    let download: Download<_, [Source; 0]> =
        Download::new_with_peers(vec![range(0, 9)], Options::DEFAULT, 7);
    let mut form = serde_json::to_value(&download).unwrap();
    let stop = match (state, exchange) {
        (State::Failed, _) => "range-outside-entity".into(),
        (_, Exchange::Suspended) => "transport".into(),
        (State::Discard, _) => "missing-validator".into(),
        _ => Value::Null,
    };
    let progress = &mut form["progress"];
    progress["state"] = state.to_string().into();
    progress["exchange"] = exchange.to_string().into();
    progress["total"] = 20.into();
    progress["tag"] = tag.into();
    progress["next"] = match state {
        State::Size => 0.into(),
        State::Commit | State::Finished => 10.into(),
        _ => 4.into(),
    };
    progress["deadline"] = serde_json::json!({ "secs": 1000, "nanos": 0 });
    progress["stop_reason"] = stop;
    progress["challenge"] = match exchange {
        Exchange::Unauthorized => 401.into(),
        _ => Value::Null,
    };
    form
}

#[test]
fn every_state_and_exchange_is_restored() {
    for state in State::STATES {
        for exchange in Exchange::STATES {
            let form = form(*state, *exchange, Some("\"a\""));
            let loaded = serde_json::from_value::<Ranges>(form.clone());
            if !exchanges(*state).contains(exchange) {
                let error = loaded.unwrap_err().to_string();
                let rule = "stored download is invalid: exchange contradicts the state";
                assert_eq!(error, rule, "{state} {exchange}");
                continue;
            }
            let mut loaded = loaded.unwrap();
            assert_eq!(serde_json::to_value(&loaded).unwrap(), form, "{state} {exchange}");
            assert_eq!((loaded.state(), loaded.exchange()), (*state, *exchange));
            let resumed = loaded.resume();
            assert_eq!(resumed.is_err(), state.is_terminal(), "{state} {exchange}");
            let expected = match state {
                State::Size => Poll::Send,
                State::Search => Poll::Search,
                State::Download | State::Failed => Poll::Send,
                State::Discard => Poll::Discard,
                State::Commit => Poll::Commit,
                State::Finished => Poll::Finished,
                _ => Poll::Cancelled,
            };
            assert_eq!(loaded.poll(), expected, "{state} {exchange}");
        }
    }
}

/// Neither a process that resumes a stored download nor one that does not can continue bytes without a
/// validator.
#[test]
fn restored_bytes_without_a_validator_are_discarded() {
    for exchange in Exchange::STATES {
        let load = || -> Ranges {
            serde_json::from_value(form(State::Download, *exchange, None)).unwrap()
        };
        let mut resumed = load();
        resumed.resume().unwrap();
        assert_eq!(resumed.poll(), Poll::Discard, "{exchange}");
        assert_eq!(resumed.restart_reason(), Some(StopReason::MissingValidator), "{exchange}");
        let mut continued = load();
        assert_ne!(continued.poll(), Poll::Send, "{exchange}");
        if *exchange == Exchange::Awaiting {
            let rest = [("Content-Range", "bytes 4-9/20"), ("Last-Modified", DATE)];
            answer(&mut continued, 206, &rest);
            assert_eq!(continued.exchange(), Exchange::BackOff);
        }
    }
    let mut failed: Ranges =
        serde_json::from_value(form(State::Failed, Exchange::Ready, None)).unwrap();
    failed.resume().unwrap();
    assert_eq!(failed.poll(), Poll::Discard);
}

/// Options without the latest field are those of an earlier version.
#[test]
fn a_form_of_an_earlier_version_is_restored() {
    let mut form = form(State::Download, Exchange::BackOff, Some("\"a\""));
    let options = form["progress"]["options"].as_object_mut().unwrap();
    assert_eq!(options.remove("allow_missing_validator"), Some(false.into()));
    let mut loaded: Ranges = serde_json::from_value(form).unwrap();
    loaded.resume().unwrap();
    assert_eq!(requested(&loaded).as_deref(), Some("bytes=4-9"));
    // It had no reason to discard bytes.
    let mut discarding = self::form(State::Discard, Exchange::Ready, None);
    discarding["progress"]["stop_reason"] = Value::Null;
    let loaded: Ranges = serde_json::from_value(discarding).unwrap();
    assert_eq!((loaded.poll(), loaded.restart_reason()), (Poll::Discard, None));
}
