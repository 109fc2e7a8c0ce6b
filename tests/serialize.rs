//! Errors, deviations and violations as records for logs.
#![cfg(feature = "serde")]

use bits_proto::client::{self, Exchange, Upload};
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::field::ContentRange;
use bits_proto::message::{Ack, HeaderSlots, MessageKind, PingAck, RequestHead};
use bits_proto::observer::{SequenceRule, Severity, Violation};
use bits_proto::state_machine::IllegalEvent;
use bits_proto::{backend, server};
use core::time::Duration;
use serde::Serialize;
use serde_json::{Value, json};

fn told(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it is written")
}

#[test]
fn an_error_says_all_of_it() {
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
    assert_eq!(told(&error), expected);

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
    assert_eq!(told(&error), expected);
}

/// A name for machines, as the functions that give names say it.
#[test]
fn what_has_a_name_is_its_name() {
    for kind in ErrorKind::ALL {
        assert_eq!(told(kind), kind.name());
    }
    for deviation in Deviation::ALL {
        assert_eq!(told(deviation), deviation.name());
    }
    for kind in MessageKind::ALL {
        assert_eq!(told(kind), kind.name());
    }
    for rule in SequenceRule::ALL {
        assert_eq!(told(rule), rule.name());
    }
    for severity in Severity::ALL {
        assert_eq!(told(severity), severity.name());
    }
    assert_eq!(told(&Fault::PeerBehaviour), "peer-behaviour");
    assert_eq!(told(&CheckStage::PacketType), "packet-type");
}

#[test]
fn deviations_are_a_list() {
    assert_eq!(told(&Deviations::EMPTY), json!([]));
    let both = [Deviation::MissingSessionId, Deviation::Http10];
    let set = Deviations::from_iter(both);
    assert_eq!(told(&set), json!(["http-1-0", "missing-session-id"]));
}

#[test]
fn a_violation_says_its_rule_and_its_weight() {
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
    assert_eq!(told(&of_message), expected);
    for violation in [
        Violation::from(Deviation::LongContentName),
        Violation::from(SequenceRule::FragmentAfterClose),
    ] {
        let expected = json!({
            "rule": violation.rule(),
            "severity": "SHOULD",
            "section": violation.section(),
            "field": null,
            "offset": null,
            "message": violation.to_string()
        });
        assert_eq!(told(&violation), expected);
    }
}

#[test]
fn what_a_machine_does_not_take() {
    let mut upload = Upload::new(1, client::Options::DEFAULT, 7);
    let error = upload.handle_sent(Duration::ZERO).expect_err("nothing is being sent");
    let client::EventError::Exchange(illegal) = error else { panic!("{error:?}") };
    assert_eq!(illegal.state, Exchange::Ready);
    let expected =
        json!({ "exchange": { "state": "ready", "got": "sent", "message": error.to_string() } });
    assert_eq!(told(&error), expected);

    upload.handle_sending(Duration::ZERO).expect("it is to be sent");
    upload.handle_sent(Duration::ZERO).expect("it was being sent");
    let error = upload.handle_ack(&Ack::Ping(PingAck), Duration::ZERO).expect_err("another Ack");
    let expected = json!({
        "unexpected-ack": { "expected": "Ack for Create-Session", "got": "Ack for Ping" }
    });
    assert_eq!(told(&error), expected);
}

#[test]
fn what_a_report_is_refused_with() {
    use server::{Event, EventError, State};
    let illegal = IllegalEvent { state: State::Storing, got: Event::Close };
    let expected = json!({
        "illegal": { "state": "storing", "got": "close", "message": illegal.to_string() }
    });
    assert_eq!(told(&EventError::Illegal(illegal)), expected);
    assert_eq!(told(&EventError::StaleToken), json!("stale-token"));
    let too_many = json!({ "too-many-bytes": { "remaining": 5 } });
    assert_eq!(told(&EventError::TooManyBytes { remaining: 5 }), too_many);
    assert_eq!(told(&backend::EventError::TooManyBytes { remaining: 5 }), too_many);
    #[cfg(feature = "alloc")]
    {
        let error = server::SessionsError::<&str>::Event(EventError::StaleToken);
        assert_eq!(told(&error), json!({ "event": "stale-token" }));
        assert_eq!(told(&server::SessionsError::Store("down")), json!({ "store": "down" }));
    }
}
