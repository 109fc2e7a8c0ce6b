//! The stored form of a notification: valid forms are restored, and all others are refused.
#![cfg(feature = "serde")]

use crate::support::notifications;
use std::collections::HashSet;

use bits_proto::backend::{
    AcceptedStatuses, Event, Notification, NotificationType, State, Timeouts,
};
use bits_proto::state_machine::StateMachine as _;
use notifications::{
    LENGTH, NOW, done, new, occur, reachable, refusing, success, with_copy, with_url,
};
use serde_json::{Value, json};

fn stored(it: &Notification) -> Value {
    serde_json::to_value(it).unwrap_or_else(|error| panic!("{it:?}: {error}"))
}

fn read(value: &Value) -> Result<Notification, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// Returns the stored form of a notification of this type in this phase.
fn form(kind: &str, phase: Value) -> Value {
    let five = json!({ "secs": 300, "nanos": 0 });
    json!({
        "version": 1,
        "kind": kind,
        "accepted_statuses": "any-success",
        "timeouts": { "send": five, "receive": five, "receive_response": five },
        "entity_length": LENGTH,
        "since": { "secs": 1000, "nanos": 0 },
        "phase": phase,
    })
}

#[test]
fn every_state_is_restored() {
    let mut states = HashSet::new();
    for it in reachable() {
        states.insert(it.state());
        assert_eq!(read(&stored(&it)), Ok(it));
        let text = serde_json::to_string(&it).unwrap();
        assert_eq!(serde_json::from_str::<Notification>(&text).unwrap(), it);
    }
    assert_eq!(states.len(), State::STATES.len(), "{states:?}");
}

#[test]
fn a_restored_notification_continues_like_the_original() {
    for it in reachable() {
        for event in Event::ALL {
            let (mut one, mut other) = (it, read(&stored(&it)).unwrap());
            assert_eq!(occur(&mut one, *event), occur(&mut other, *event), "{it:?}: {event}");
            assert_eq!(one, other, "{it:?}: {event}");
        }
    }
}

#[test]
fn extreme_values_are_restored() {
    let most = core::time::Duration::MAX;
    let timeouts = Timeouts::DEFAULT.with_send(most).with_receive(most).with_receive_response(most);
    let it = Notification::new(NotificationType::ByValue, u64::MAX, timeouts, most);
    assert_eq!(read(&stored(&it)), Ok(it));
    for code in [100, 199, 201, 299, 300, 416, 999] {
        let it = new(NotificationType::ByReference);
        let mut it = it.with_accepted_statuses(AcceptedStatuses::OnlyOk);
        done([it.handle_response(&refusing(code), NOW)]);
        assert_eq!(read(&stored(&it)), Ok(it), "{code}");
    }
    let mut it = new(NotificationType::ByValue);
    done([
        it.handle_headers_sent(NOW),
        it.handle_data_sent(LENGTH, NOW),
        it.handle_response(&with_copy(with_url(success())), NOW),
        it.handle_reply_data(u64::MAX, NOW),
    ]);
    assert_eq!(read(&stored(&it)), Ok(it));
}

/// Later versions must read what this version stores.
#[test]
fn the_stored_form_is_stable() {
    let it = new(NotificationType::ByValue);
    assert_eq!(stored(&it), form("by-value", json!("send-headers")));
    let mut it = new(NotificationType::ByValue);
    done([it.handle_headers_sent(NOW), it.handle_data_sent(2, NOW)]);
    assert_eq!(stored(&it), form("by-value", json!({ "send-data": { "sent": 2 } })));
    let mut early = it;
    done([early.handle_response(&success(), NOW)]);
    let body = json!({ "received": 0, "remaining": null, "is_static": false, "copy_to_destination": false });
    assert_eq!(
        stored(&early),
        form("by-value", json!({ "send-rest": { "sent": 2, "body": body } }))
    );
    done([it.handle_data_sent(498, NOW)]);
    assert_eq!(stored(&it), form("by-value", json!("receive-headers")));
    done([it.handle_response(&with_copy(success()), NOW)]);
    let body = json!({ "received": 0, "remaining": null, "is_static": false, "copy_to_destination": true });
    assert_eq!(stored(&it), form("by-value", json!({ "receive-data": body })));
    done([it.handle_reply_data(3, NOW), it.handle_reply_end(NOW)]);
    let outcome = json!({ "copy_to_destination": true, "reply": { "body": { "length": 3 } } });
    assert_eq!(stored(&it), form("by-value", json!({ "complete": outcome })));

    let mut it = new(NotificationType::ByReference);
    done([it.handle_headers_sent(NOW)]);
    let mut other = it;
    let mut lost = it;
    done([lost.handle_response(&success(), NOW), lost.handle_storage_failure()]);
    let outcome = json!({ "copy_to_destination": false, "reply": { "lost": "storage" } });
    assert_eq!(stored(&lost), form("by-reference", json!({ "complete": outcome })));
    done([it.handle_response(&success(), NOW)]);
    let phase = json!({ "find-reply": { "copy_to_destination": false } });
    assert_eq!(stored(&it), form("by-reference", phase));
    done([other.handle_response(&refusing(403), NOW)]);
    assert_eq!(stored(&other), form("by-reference", json!({ "error": { "application": 403 } })));
}

/// Returns forms that contradict themselves: the type, the phase and the expected error.
fn contradictions() -> Vec<(&'static str, Value, &'static str)> {
    let body = |received: u64, remaining: Option<u64>| {
        let (is_static, copy) = (false, false);
        json!({ "receive-data": {
            "received": received, "remaining": remaining,
            "is_static": is_static, "copy_to_destination": copy,
        } })
    };
    let rest = |sent: u64, received: u64| {
        let body = json!({
            "received": received, "remaining": 3, "is_static": false, "copy_to_destination": false,
        });
        json!({ "send-rest": { "sent": sent, "body": body } })
    };
    let lost = |error: Value| {
        json!({ "complete": {
        "copy_to_destination": true, "reply": { "lost": error },
    } })
    };
    let no_rest =
        "state \"send-rest\" requires the type \"by-value\", unsent bytes and no received byte";
    let outcome = |copy: bool, reply: Value| json!({ "complete": { "copy_to_destination": copy, "reply": reply } });
    let of_body = |length: u64| json!({ "body": { "length": length } });
    let of_file = json!({ "file": { "length": 1 } });
    let find = json!({ "find-reply": { "copy_to_destination": true } });
    let (no_application, no_bytes) = (
        "state requires a server application",
        "state \"send-data\" requires the type \"by-value\" and unsent bytes",
    );
    let (no_body, unfit) = (
        "state \"receive-data\" requires the type \"by-value\" and missing bytes",
        "outcome is impossible for the type",
    );
    let failure = "failure is impossible for the type";
    vec![
        ("none", json!("send-headers"), no_application),
        ("none", json!("receive-headers"), no_application),
        ("none", json!({ "send-data": { "sent": 0 } }), no_bytes),
        ("by-reference", json!({ "send-data": { "sent": 0 } }), no_bytes),
        ("by-value", json!({ "send-data": { "sent": LENGTH } }), no_bytes),
        ("by-value", json!({ "send-data": { "sent": LENGTH + 1 } }), no_bytes),
        ("none", body(0, None), no_body),
        ("by-reference", body(0, None), no_body),
        ("by-value", body(3, Some(0)), no_body),
        ("by-value", body(u64::MAX, Some(1)), no_body),
        ("none", find.clone(), "state \"find-reply\" requires a notification by reference"),
        ("by-value", find, "state \"find-reply\" requires a notification by reference"),
        ("none", outcome(false, json!("none")), unfit),
        ("none", outcome(true, json!("static")), unfit),
        ("none", outcome(true, of_body(1)), unfit),
        ("none", outcome(true, of_file.clone()), unfit),
        ("by-reference", outcome(true, of_body(1)), unfit),
        ("by-value", outcome(true, of_body(0)), unfit),
        ("by-value", outcome(true, of_file), unfit),
        ("none", rest(0, 0), no_rest),
        ("by-reference", rest(0, 0), no_rest),
        ("by-value", rest(LENGTH, 0), no_rest),
        ("by-value", rest(0, 1), no_rest),
        ("none", lost(json!("storage")), unfit),
        ("by-reference", lost(json!("transport")), unfit),
        ("by-reference", lost(json!({ "timeout": "receive" })), unfit),
        ("by-value", lost(json!({ "timeout": "send" })), unfit),
        ("by-value", lost(json!("invalid-response")), unfit),
        ("by-value", lost(json!({ "application": 403 })), unfit),
        ("by-value", json!({ "error": { "application": 204 } }), failure),
        ("none", json!({ "error": "transport" }), failure),
        ("by-value", json!({ "error": { "application": 200 } }), failure),
        ("by-reference", json!({ "error": { "application": 200 } }), failure),
    ]
}

#[test]
fn contradictory_fields_are_refused() {
    for (kind, phase, why) in contradictions() {
        let result = read(&form(kind, phase.clone()));
        assert_eq!(result, Err(format!("stored notification is invalid: {why}")), "{kind} {phase}");
    }
}

#[test]
fn another_version_is_refused() {
    for version in [0, 2, 255] {
        let mut value = stored(&new(NotificationType::ByValue));
        value["version"] = json!(version);
        let expected = format!("stored notification has version {version}, expected 1");
        assert_eq!(read(&value), Err(expected));
    }
}

#[test]
fn an_invalid_status_is_refused() {
    for code in [json!(0), json!(99), json!(1000), json!(65_536), json!(-1), json!("403")] {
        let phase = json!({ "error": { "application": code } });
        let result = read(&form("by-value", phase));
        assert!(result.is_err(), "{code}: {result:?}");
    }
}

/// Collects the paths of all objects within a value.
fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(object) = value.as_object() {
        found.push(path.into());
        for (name, value) in object {
            objects(value, &format!("{path}/{name}"), found);
        }
    }
}

/// Calls `damage` with each path to an object and the names of its fields.
fn damaged(mut damage: impl FnMut(Value, &str, Vec<String>)) {
    for it in reachable() {
        let value = stored(&it);
        let mut paths = Vec::new();
        objects(&value, "", &mut paths);
        for path in paths {
            let object = value.pointer(&path).and_then(Value::as_object).expect("an object");
            let names = object.keys().cloned().collect();
            damage(value.clone(), &path, names);
        }
    }
}

fn object<'v>(value: &'v mut Value, path: &str) -> &'v mut serde_json::Map<String, Value> {
    value.pointer_mut(path).and_then(Value::as_object_mut).expect("an object")
}

#[test]
fn a_missing_field_is_refused() {
    damaged(|value, path, names| {
        for name in names {
            let mut value = value.clone();
            object(&mut value, path).remove(&name);
            assert!(read(&value).is_err(), "{value} without {path}/{name}");
        }
    });
}

#[test]
fn an_unknown_field_is_refused() {
    damaged(|mut value, path, _| {
        object(&mut value, path).insert("other".into(), json!(1));
        assert!(read(&value).is_err(), "{value}");
    });
}

#[test]
fn a_value_of_another_type_is_refused() {
    damaged(|value, path, names| {
        for name in names {
            let mut value = value.clone();
            object(&mut value, path).insert(name, json!([[]]));
            assert!(read(&value).is_err(), "{value}");
        }
    });
}
