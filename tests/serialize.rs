//! Errors, deviations and violations as records for logs.
#![cfg(feature = "serde")]

use bits_proto::client::{self, Exchange, Upload};
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::field::ContentRange;
use bits_proto::message::{Ack, HeaderSlots, MessageKind, PingAck, RequestHead};
use bits_proto::observer::{DownloadRule, SequenceRule, Severity, Violation};
use bits_proto::state_machine::IllegalEvent;
use bits_proto::{backend, server};
use core::time::Duration;
use serde::Serialize;
use serde_json::{Value, json};

fn serialize(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("a serializable value")
}

#[test]
fn an_error_is_a_record_of_all_its_properties() {
    let error = ContentRange::try_from(b"bytes 0-10/10").expect_err("beyond the total");
    let expected = json!({
        "kind": "last-beyond-total",
        "field": "Content-Range",
        "offset": 6,
        "section": "2.2.6.1",
        "fault": "caller",
        "stage": "packet",
        "message": error.to_string()
    });
    assert_eq!(serialize(&error), expected);

    let mut slots = HeaderSlots::new();
    let error = RequestHead::parse(b"PUT / HTTP/1.1\r\n\n", &mut slots).expect_err("a bare LF");
    let expected = json!({
        "kind": "bare-line-feed",
        "field": null,
        "offset": 16,
        "section": "2.2.1",
        "fault": "peer-bytes",
        "stage": "http",
        "message": error.to_string()
    });
    assert_eq!(serialize(&error), expected);
}

#[test]
fn types_with_a_name_are_serialized_as_that_name() {
    for kind in ErrorKind::ALL {
        assert_eq!(serialize(kind), kind.name());
    }
    for deviation in Deviation::ALL {
        assert_eq!(serialize(deviation), deviation.name());
    }
    for kind in MessageKind::ALL {
        assert_eq!(serialize(kind), kind.name());
    }
    for rule in SequenceRule::ALL {
        assert_eq!(serialize(rule), rule.name());
    }
    for rule in DownloadRule::ALL {
        assert_eq!(serialize(rule), rule.name());
    }
    for severity in Severity::ALL {
        assert_eq!(serialize(severity), severity.name());
    }
    assert_eq!(serialize(&Fault::PeerBehaviour), "peer-behaviour");
    assert_eq!(serialize(&CheckStage::PacketType), "packet-type");
}

#[test]
fn deviations_are_a_list() {
    assert_eq!(serialize(&Deviations::EMPTY), json!([]));
    let both = [Deviation::MissingSessionId, Deviation::Http10];
    let set = Deviations::from_iter(both);
    assert_eq!(serialize(&set), json!(["http-1-0", "missing-session-id"]));
}

#[test]
fn a_violation_is_a_record_with_rule_and_severity() {
    let error = ContentRange::try_from(b"bytes 0-10/10").expect_err("beyond the total");
    let of_message = Violation::from(error);
    let expected = json!({
        "rule": "last-beyond-total",
        "severity": "MUST",
        "section": "2.2.6.1",
        "field": "Content-Range",
        "offset": 6,
        "message": error.to_string()
    });
    assert_eq!(serialize(&of_message), expected);
    for violation in [
        Violation::from(Deviation::LongContentName),
        Violation::from(SequenceRule::FragmentAfterClose),
        Violation::from(DownloadRule::RangeIgnored),
    ] {
        let expected = json!({
            "rule": violation.rule(),
            "severity": "SHOULD",
            "section": violation.section(),
            "field": null,
            "offset": null,
            "message": violation.to_string()
        });
        assert_eq!(serialize(&violation), expected);
    }
}

#[test]
fn an_illegal_event_is_a_record() {
    let mut upload = Upload::new(1, client::Options::DEFAULT, 7);
    let error = upload.handle_sent(Duration::ZERO).expect_err("nothing is being sent");
    let client::EventError::Exchange(illegal) = error else { panic!("{error:?}") };
    assert_eq!(illegal.state, Exchange::Ready);
    let expected =
        json!({ "exchange": { "state": "ready", "got": "sent", "message": error.to_string() } });
    assert_eq!(serialize(&error), expected);

    upload.handle_sending(Duration::ZERO).expect("a request to send");
    upload.handle_sent(Duration::ZERO).expect("a request is being sent");
    let error = upload.handle_ack(&Ack::Ping(PingAck), Duration::ZERO).expect_err("another Ack");
    let expected = json!({
        "unexpected-ack": { "expected": "Ack for Create-Session", "got": "Ack for Ping" }
    });
    assert_eq!(serialize(&error), expected);
}

#[test]
fn errors_of_inputs_are_serialized_by_name() {
    use server::{Event, EventError, State};
    let illegal = IllegalEvent { state: State::Storing, got: Event::Close };
    let expected = json!({
        "illegal": { "state": "storing", "got": "close", "message": illegal.to_string() }
    });
    assert_eq!(serialize(&EventError::Illegal(illegal)), expected);
    assert_eq!(serialize(&EventError::StaleToken), json!("stale-token"));
    let too_many = json!({ "too-many-bytes": { "remaining": 5 } });
    assert_eq!(serialize(&EventError::TooManyBytes { remaining: 5 }), too_many);
    assert_eq!(serialize(&backend::EventError::TooManyBytes { remaining: 5 }), too_many);
    #[cfg(feature = "alloc")]
    {
        let error = server::SessionsError::<&str>::Event(EventError::StaleToken);
        assert_eq!(serialize(&error), json!({ "event": "stale-token" }));
        assert_eq!(serialize(&server::SessionsError::Store("down")), json!({ "store": "down" }));
    }
}
