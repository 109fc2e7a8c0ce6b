//! The stored form of an upload: every state is restored, and invalid forms are refused.
#![cfg(feature = "serde")]

use crate::support;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use bits_proto::client::{Exchange, State, Upload};
use serde_json::{Value, json};
use support::upload::{
    Client, HOST, SECOND, SMALL, Server, WITH_REPLY, all_reachable, created_on, fragment_ack,
    fragment_ack_with_reply, in_state, reach, refused, refused_with, session_not_found,
};

fn stored(upload: &Upload) -> Value {
    serde_json::to_value(upload).expect("it can be stored")
}

fn read(value: &Value) -> Result<Upload, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

/// Checks that a stored upload is restored, and stored again in the same form.
fn check_round_trip(upload: &Upload) {
    let text = serde_json::to_string(upload).expect("it can be stored");
    let back: Upload =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(back, *upload);
    assert_eq!(serde_json::to_string(&back).expect("it can be stored"), text);
    // A binary format too.
    let mut bytes = Vec::new();
    ciborium::into_writer(upload, &mut bytes).expect("it can be stored");
    let back = ciborium::from_reader::<Upload, _>(&bytes[..]);
    assert_eq!(back.unwrap_or_else(|error| panic!("{error}: {text}")), *upload);
}

#[test]
fn every_state_and_exchange_reads_back_equal() {
    for client in all_reachable() {
        check_round_trip(&client.upload);
    }
}

#[test]
fn an_upload_and_its_copy_hash_alike_and_others_do_not() {
    let uploads: Vec<Upload> = all_reachable().iter().map(|client| client.upload).collect();
    let different: HashSet<Upload> = uploads.iter().copied().collect();
    assert_eq!(different.len(), uploads.len());
    for upload in uploads {
        assert!(different.contains(&read(&stored(&upload)).expect("it reads back")));
    }
    // Uploads that differ in one text have different hashes.
    let on = |host| Client::new(20, SMALL).with_exchange(&created_on(host, None)).upload;
    let hash = |upload: Upload| BuildHasherDefault::<DefaultHasher>::default().hash_one(upload);
    assert_ne!(on("a.example"), on("b.example"));
    assert_ne!(hash(on("a.example")), hash(on("b.example")));
}

#[test]
fn every_stop_reason_and_history_reads_back_equal() {
    let strict = SMALL.with_max_retries(0).with_max_restarts(0);
    let begun = Client::with_session(25, strict);
    let mut broken = begun;
    broken.disconnect();
    let mut late = begun;
    late.send();
    late.wait();
    let mut unread = Client::with_session(10, WITH_REPLY)
        .with_exchange(&fragment_ack_with_reply(10, b"caf\xE9\\x"));
    let mut all = vec![
        broken,
        late,
        begun.with_exchange(&session_not_found()),
        begun.with_exchange(&fragment_ack(26)),
        begun.with_exchange(&refused(503)),
        begun.with_exchange(&refused_with(400, 0x8007_0057)),
        begun.with_exchange(&fragment_ack(10)).with_exchange(&fragment_ack(3)),
        unread,
        Client::with_session(0, WITH_REPLY),
    ];
    for _ in 0..=WITH_REPLY.max_retries {
        unread.upload.handle_reply_failed(unread.now).expect("a reply is expected");
        all.push(unread);
        if unread.upload.exchange() == Exchange::BackOff {
            unread.wait();
        }
    }
    let mut elsewhere = Client::on_other_host(20, Some(60));
    elsewhere.disconnect();
    all.push(elsewhere);
    elsewhere.now += SECOND * 60;
    elsewhere.upload.handle_timeout(elsewhere.now);
    assert_eq!(elsewhere.upload.host(), None);
    all.push(elsewhere);
    let mut closing = Client::fully_received();
    closing.disconnect();
    all.push(closing);
    for client in all {
        check_round_trip(&client.upload);
    }
}

#[test]
fn a_restored_upload_continues_to_its_end() {
    for client in all_reachable() {
        let mut back = read(&stored(&client.upload)).expect("it reads back");
        let at = client.states();
        if back.state().is_terminal() {
            assert!(back.resume().is_err(), "{at:?}");
            continue;
        }
        back.resume().expect("it has not ended");
        let mut server = Server { received: back.received().0, reply: at.0 == State::GetReply };
        let mut client = Client { upload: back, now: SECOND };
        server.finish(&mut client, 10);
        let end = if at.0 == State::Cancel { "cancelled" } else { "finished" };
        assert_eq!(client.next_action(), end, "{at:?}");
    }
}

#[test]
fn a_close_that_was_in_flight_when_it_was_stored_may_have_arrived() {
    let client = reach(State::Close, Exchange::Awaiting).expect("a request");
    let mut back =
        Client { upload: read(&stored(&client.upload)).expect("it reads back"), ..client };
    back.upload.resume().expect("it has not ended");
    back.exchange(&support::upload::pinged());
    assert_eq!(back.with_exchange(&session_not_found()).next_action(), "finished");
}

/// Returns the stored upload with another value of one field.
fn with(upload: &Upload, field: &str, value: Value) -> Value {
    let mut all = stored(upload);
    let mut at = &mut all;
    for part in field.split('.') {
        at = at.get_mut(part).unwrap_or_else(|| panic!("no field {field}"));
    }
    *at = value;
    all
}

fn check_refused(value: &Value, why: &str) {
    match read(value) {
        Ok(upload) => panic!("{value} is restored as {upload:?}; expected: {why}"),
        Err(error) => assert!(error.contains(why), "{error:?} does not contain {why:?}"),
    }
}

#[test]
fn the_stored_form_is_stable() {
    // Later versions must read what this version stores.
    let client = Client::new(20, SMALL).with_exchange(&created_on(HOST, Some(60)));
    let options = json!({
        "mode": "upload",
        "fragments": {"length": 10, "min": 3, "max": 40},
        "request_timeout": {"secs": 120, "nanos": 0},
        "response_timeout": {"secs": 300, "nanos": 0},
        "max_retry_after": {"secs": 3600, "nanos": 0}, "name_on_create": false,
        "initial_backoff": {"secs": 1, "nanos": 0},
        "max_backoff": {"secs": 60, "nanos": 0},
        "max_retries": 10, "max_restarts": 3, "max_stalls": 2,
    });
    let mut expected = json!({
        "version": 1, "options": options, "total": 20, "state": "ping", "exchange": "ready",
        "session_id": support::upload::SESSION, "host_id": HOST,
        "fallback_timeout": {"secs": 60, "nanos": 0}, "fallback_at": null,
        "next": 0, "max_acked": 0, "sent_up_to": 0, "accepted_len": 0, "acked_before": 0, "is_unconfirmed": false, "reply_url": null, "reply_done": false, "maybe_closed": false,
        "failures": 0, "restarts": 0, "stalls": 0, "random": 7, "stop_reason": null, "challenge": null,
    });
    // The deadline of a timer that does not run has no effect.
    expected["deadline"] = stored(&client.upload)["deadline"].clone();
    assert_eq!(stored(&client.upload), expected);
    assert_eq!(read(&expected), Ok(client.upload));
    let failed =
        stored(&Client::with_session(20, SMALL).with_exchange(&refused_with(400, 5)).upload);
    let stop = json!({"refused": {"status": 400, "code": 5, "context": 5}});
    assert_eq!((&failed["stop_reason"], &failed["state"]), (&stop, &json!("failed")));
}

#[test]
fn another_version_is_refused() {
    let upload = in_state(State::Fragment).upload;
    for version in [0, 2, 255] {
        let why = format!("stored upload has version {version}, expected 1");
        check_refused(&with(&upload, "version", json!(version)), &why);
    }
}

#[test]
fn a_field_that_is_missing_unknown_or_of_another_type_is_refused() {
    let upload = in_state(State::GetReply).upload;
    let whole = stored(&upload);
    let names: Vec<_> = whole.as_object().expect("fields").keys().cloned().collect();
    assert_eq!(names.len(), 25);
    for name in &names {
        let mut without = whole.clone();
        without.as_object_mut().expect("fields").shift_remove(name);
        check_refused(&without, &format!("missing field `{name}`"));
        check_refused(&with(&upload, name, json!([[]])), "expected");
        check_refused(&with(&upload, name, json!(1.5)), "expected");
    }
    let mut more = whole;
    more["colour"] = json!(1);
    check_refused(&more, "unknown field `colour`");
    for (field, what) in [("options", "colour"), ("options.fragments", "colour")] {
        let mut nested = with(&upload, field, json!({ what: 1 }));
        check_refused(&nested, "unknown field `colour`");
        nested = with(&upload, field, json!({}));
        check_refused(&nested, "missing field");
    }
    for (field, value) in [
        ("state", json!("asleep")),
        ("exchange", json!("asleep")),
        ("options.mode", json!("download")),
        ("stop_reason", json!("bored")),
    ] {
        check_refused(&with(&upload, field, value), "unknown variant");
    }
    for (field, value) in [("next", json!(-1)), ("failures", json!(4_294_967_296_u64))] {
        check_refused(&with(&upload, field, value), "invalid value");
    }
}

#[test]
fn texts_that_are_too_long_or_invalid_are_refused() {
    for (field, longest) in [("session_id", 100), ("host_id", 300), ("reply_url", 2200)] {
        let state = if field == "reply_url" { State::GetReply } else { State::Ping };
        let upload = in_state(state).upload;
        let text = |length: usize| json!("a".repeat(length));
        assert!(read(&with(&upload, field, text(longest))).is_ok(), "{field}");
        let why = format!("expected a string of at most {longest} bytes");
        check_refused(&with(&upload, field, text(longest + 1)), &why);
        check_refused(&with(&upload, field, json!(vec![b'a'; longest + 1])), &why);
        let bytes = read(&with(&upload, field, json!(vec![b'a'; longest])));
        assert_eq!(bytes, read(&with(&upload, field, text(longest))), "{field}");
        check_refused(&with(&upload, field, json!("")), "invalid session id, host or reply URL");
        check_refused(
            &with(&upload, field, json!("a\r\nb")),
            "invalid session id, host or reply URL",
        );
        check_refused(
            &with(&upload, field, json!([97, 0])),
            "invalid session id, host or reply URL",
        );
    }
    let upload = in_state(State::GetReply).upload;
    check_refused(&with(&upload, "host_id", json!("a/b")), "invalid session id, host or reply URL");
    check_refused(
        &with(&upload, "session_id", json!("a b")),
        "invalid session id, host or reply URL",
    );
    check_refused(
        &with(&upload, "reply_url", json!("ftp://a/b")),
        "invalid session id, host or reply URL",
    );
}

#[test]
fn contradictions_are_refused() {
    let at = |state, exchange| reach(state, exchange).expect("a reachable state").upload;
    let ready = |state| at(state, Exchange::Ready);
    let half = Client::with_session(20, SMALL).with_exchange(&fragment_ack(10)).upload;
    let bounds = json!({"length": 10, "min": 11, "max": 40});
    let stop = "stop reason contradicts the state";
    let credentials = "challenge contradicts the exchange";
    for (upload, field, value, why) in [
        (half, "total", json!(9), "offset exceeds the length of the entity"),
        (half, "total", json!(10), "state needs bytes to send"),
        (half, "next", json!(21), "offset exceeds the length of the entity"),
        (half, "next", json!(20), "offsets contradict each other"),
        (half, "next", json!(11), "offsets contradict each other"),
        (half, "max_acked", json!(9), "offsets contradict each other"),
        (half, "max_acked", json!(21), "offsets contradict each other"),
        (half, "acked_before", json!(11), "offsets contradict each other"),
        (half, "accepted_len", json!(21), "offsets contradict each other"),
        (half, "session_id", Value::Null, "offset without a session"),
        (ready(State::Fragment), "session_id", Value::Null, "state needs a session"),
        (ready(State::Cancel), "session_id", Value::Null, "state needs a session"),
        (half, "state", json!("get-reply"), "state needs all bytes to be received"),
        (half, "state", json!("close"), "state needs all bytes to be received"),
        (half, "state", json!("finished"), "state needs all bytes to be received"),
        (half, "state", json!("failed"), stop),
        (half, "stop_reason", json!("paused"), stop),
        (half, "exchange", json!("suspended"), stop),
        (at(State::Fragment, Exchange::Suspended), "stop_reason", Value::Null, stop),
        (at(State::Fragment, Exchange::Suspended), "exchange", json!("ready"), stop),
        (ready(State::Failed), "stop_reason", Value::Null, stop),
        (ready(State::Failed), "state", json!("fragment"), stop),
        (ready(State::Failed), "state", json!("cancelled"), stop),
        (half, "challenge", json!(401), credentials),
        (half, "exchange", json!("unauthorized"), credentials),
        (at(State::Fragment, Exchange::Unauthorized), "challenge", Value::Null, credentials),
        (half, "fallback_at", json!({"secs": 1, "nanos": 0}), "fallback without a host"),
        (ready(State::GetReply), "exchange", json!("sending"), "exchange contradicts the state"),
        (ready(State::GetReply), "exchange", json!("awaiting"), "exchange contradicts the state"),
        (ready(State::Finished), "exchange", json!("awaiting"), "exchange contradicts the state"),
        (ready(State::Finished), "exchange", json!("back-off"), "exchange contradicts the state"),
        (ready(State::Cancelled), "exchange", json!("sending"), "exchange contradicts the state"),
        (ready(State::Failed), "exchange", json!("back-off"), "exchange contradicts the state"),
        (half, "options.fragments", bounds, "fragment length exceeds its bounds"),
        (half, "options.fragments.length", json!(41), "fragment length exceeds its bounds"),
        (half, "options.fragments.min", json!(0), "fragment length exceeds its bounds"),
        (half, "options.fragments.max", json!(2), "fragment length exceeds its bounds"),
    ] {
        check_refused(&with(&upload, field, value.clone()), why);
    }
    let both = {
        let mut value = with(&ready(State::GetReply), "exchange", json!("unauthorized"));
        value["challenge"] = json!(401);
        value
    };
    check_refused(&both, "exchange contradicts the state");
}

#[test]
fn contradictions_between_several_fields_are_refused_too() {
    let fresh = in_state(State::CreateSession).upload;
    let half = Client::with_session(20, SMALL).with_exchange(&fragment_ack(10)).upload;
    let asked = reach(State::Fragment, Exchange::Unauthorized).expect("a reachable state").upload;
    let reply = in_state(State::GetReply).upload;
    let read_all: Vec<_> = [
        (
            "a session that exists before it is created",
            with(&half, "state", json!("create-session")),
        ),
        ("bytes acknowledged without a session", with(&fresh, "max_acked", json!(5))),
        ("bytes sent without a session", with(&fresh, "sent_up_to", json!(5))),
        ("a fragment without a session", with(&fresh, "accepted_len", json!(5))),
        ("a resumed session that does not exist", with(&fresh, "is_unconfirmed", json!(true))),
        ("a close without a session", with(&fresh, "maybe_closed", json!(true))),
        ("a close before the last byte", with(&half, "maybe_closed", json!(true))),
        ("a reply without a session", with(&fresh, "reply_url", json!("r"))),
        ("a reply before the last byte", with(&half, "reply_url", json!("r"))),
        ("a reply that is due and done", with(&reply, "reply_done", json!(true))),
        ("an unexpected reply", with(&reply, "options.mode", json!("upload"))),
        (
            "a fallback timeout without a host",
            with(&half, "fallback_timeout", json!({"secs": 1, "nanos": 0})),
        ),
        ("credentials after a success", with(&asked, "challenge", json!(200))),
        (
            "a failure because of a pause",
            with(&in_state(State::Failed).upload, "stop_reason", json!("paused")),
        ),
    ]
    .into_iter()
    .filter(|(_, value)| read(value).is_ok())
    .map(|(what, _)| what)
    .collect();
    assert_eq!(read_all, [""; 0]);
}
