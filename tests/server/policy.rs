//! Serialized policies and limits.
#![cfg(all(feature = "alloc", feature = "serde"))]

use std::fmt::Debug;
use std::time::Duration;

use bits_proto::field::{HResult, HostId, HostIdFallbackTimeout, Protocol};
use bits_proto::limits;
use bits_proto::message::{self, ErrorFields, MissingContentLength};
use bits_proto::server::{
    self, CommitAt, EarlyClose, OverlapRule, Policy, PolicyBuf, SessionHost, SessionHostBuf,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// Returns a policy in which every value differs from the default.
fn unusual() -> Policy<'static> {
    const PROTOCOLS: &[Protocol] = &[Protocol(Uuid::from_u128(7)), Protocol::BITS_1_5];
    Policy::DEFAULT
        .with_requests(
            message::ParseOptions::DEFAULT
                .with_method_override(true)
                .with_plain_post(true)
                .with_missing_content_length(MissingContentLength::BadRequest)
                .with_max_ignored_body(7)
                .with_max_value(9000),
        )
        .with_protocols(PROTOCOLS)
        .with_max_entity(10)
        .with_max_fragment(5)
        .with_overlap(OverlapRule::Refuse)
        .with_commit_at(CommitAt::LastFragment)
        .with_empty_entities(false)
        .with_early_close(EarlyClose::Refuse)
        .with_host(Some(SessionHost::new(
            HostId::try_from("node7.example").expect("a host"),
            Some(HostIdFallbackTimeout(110)),
        )))
        .with_overwrites(true)
        .with_notification(true)
        .with_session_timeout(Duration::from_millis(1500))
        .with_store_timeout(Duration::from_secs(2))
        .with_work_timeout(Duration::from_secs(3))
        .with_drain_limit(4)
        .with_disk_full(HResult::DISK_FULL_MC_BUP)
        .with_destination_exists(HResult::E_ACCESSDENIED)
        .with_error_fields(ErrorFields::Error)
}

fn assert_same_through_text<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it is written");
    // Values from a reader cannot be borrowed.
    let read: T = serde_json::from_reader(text.as_bytes()).expect("it is read");
    assert_eq!(read, *value);
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("it is written");
    let read: T = ciborium::from_reader(&*bytes).expect("it is read");
    assert_eq!(read, *value);
}

fn read(value: Value) -> Result<PolicyBuf, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn policies_are_deserialized_as_they_were_serialized() {
    for policy in [Policy::DEFAULT, unusual()] {
        let configured = PolicyBuf::from(policy);
        assert_eq!(configured.as_policy(), policy);
        assert_same_through_text(&configured);
    }
    assert_same_through_text(&message::ParseOptions::LENIENT);
    assert_same_through_text(&limits::Limits::DEFAULT.with_head_bytes(1).with_fields(2));
    assert_same_through_text(
        &server::SessionLimits::default().with_max_sessions(1).with_max_sessions_per_principal(2),
    );
}

#[test]
fn the_serialized_form_is_readable() {
    let written = serde_json::to_value(PolicyBuf::from(unusual())).expect("it is written");
    let expected = json!({
        "protocols": [
            "{00000000-0000-0000-0000-000000000007}",
            "{7df0354d-249b-430f-820d-3d2a9bef4931}"
        ],
        "host": { "host_id": "node7.example", "fallback_timeout": 110 },
        "requests": {
            "method_override": true,
            "plain_post": true,
            "missing_content_length": "bad-request",
            "max_ignored_body": 7,
            "max_value": 9000
        },
        "max_entity": 10,
        "max_fragment": 5,
        "overlap": "refuse",
        "commit_at": "last-fragment",
        "empty_entities": false,
        "early_close": "refuse",
        "overwrites": true,
        "notification": true,
        "session_timeout": { "secs": 1, "nanos": 500_000_000 },
        "store_timeout": { "secs": 2, "nanos": 0 },
        "work_timeout": { "secs": 3, "nanos": 0 },
        "drain_limit": 4,
        "disk_full": 0x8007_0112_u32,
        "destination_exists": 0x8007_0005_u32,
        "error_fields": "error"
    });
    assert_eq!(written, expected);
}

#[test]
fn missing_keys_have_their_default() {
    assert_eq!(read(json!({})), Ok(PolicyBuf::default()));
    assert_eq!(PolicyBuf::default().as_policy(), Policy::DEFAULT);
    let configured = read(json!({ "requests": { "plain_post": true }, "max_entity": 5 }));
    let requests = message::ParseOptions::DEFAULT.with_plain_post(true);
    let expected = Policy::DEFAULT.with_requests(requests).with_max_entity(5);
    assert_eq!(configured.expect("it is read").as_policy(), expected);
    let host = read(json!({ "host": { "host_id": "h" } })).expect("it is read").host;
    assert_eq!(host, Some(SessionHostBuf::new("h", None).expect("a host")));
}

#[test]
fn an_unlimited_value_is_null() {
    let written = serde_json::to_value(PolicyBuf::default()).expect("it is written");
    assert_eq!((&written["max_entity"], &written["max_fragment"]), (&Value::Null, &Value::Null));
    let configured = read(json!({ "max_fragment": null })).expect("it is read");
    assert_eq!(configured.max_fragment, u64::MAX);
}

#[test]
fn unknown_keys_and_invalid_values_are_errors() {
    for (form, expected) in [
        (json!({ "max_length": 5 }), "unknown field `max_length`"),
        (json!({ "requests": { "post": true } }), "unknown field `post`"),
        (json!({ "overlap": "416" }), "unknown variant `416`"),
        (json!({ "protocols": ["{7df0354d}"] }), "expected a GUID of 32 hexadecimal digits"),
        (json!({ "protocols": [7] }), "expected a GUID in braces"),
        (json!({ "host": { "host_id": "http://h/" } }), "a host name or an IP address"),
        (json!({ "host": {} }), "missing field `host_id`"),
        (json!({ "disk_full": 0 }), "nonzero"),
        (json!({ "max_entity": -1 }), "-1"),
    ] {
        let error = read(form.clone()).expect_err("it is not valid");
        assert!(error.contains(expected), "{form}: {error}");
    }
    assert!(SessionHostBuf::new("a b", None).is_err());
}
