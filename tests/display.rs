//! `Display` and `Debug` output of values.

use crate::support::messages;
use bits_proto::client::{Options, Upload};
use bits_proto::field::{HResult, HostId, SupportedProtocols};
use bits_proto::http1::{Progress, StatusCode};
use bits_proto::message::{Ack, CreateSessionAck, HeaderSlots, MessageKind, RequestHead};
use messages::{PROTOCOL, protocols, session};
use std::time::Duration;

#[test]
fn values_are_printed_with_their_type_and_their_text() {
    let host = HostId::try_from("h.example:80").expect("a host");
    assert_eq!(format!("{host:?}"), r#"HostId("h.example:80")"#);
    assert_eq!(format!("{:?}", session("1")), r#"SessionId("1")"#);
    assert_eq!(format!("{:?}", HResult::DISK_FULL), "HResult(0x80070070 DISK_FULL)");
    assert_eq!(format!("{:?}", HResult::new(1)), "Some(HResult(0x00000001))");
    assert_eq!(format!("{:?}", StatusCode::NOT_FOUND), "StatusCode(404)");
    let list: SupportedProtocols<'_> = protocols(PROTOCOL);
    let protocol = list.iter().next().expect("one");
    assert_eq!(format!("{list:?}"), format!("[{protocol:?}]"));
}

#[test]
fn a_head_is_printed_with_its_fields() {
    let bytes = b"GET / HTTP/1.1\r\nHost: h\r\nX-Other: caf\xE9\r\n\r\n";
    let mut slots = HeaderSlots::<'_, 7>::with_capacity();
    assert_eq!(format!("{slots:?}"), "HeaderSlots { capacity: 7 }");
    let head = RequestHead::parse(bytes, &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("{head:?}") };
    assert_eq!(format!("{:?}", head.fields()), r#"{"Host": "h", "X-Other": "caf\xe9"}"#);
}

#[test]
fn an_upload_is_printed_with_the_texts_it_keeps() {
    let mut upload = Upload::new(10, Options::DEFAULT, 7);
    upload.handle_sending(Duration::ZERO).expect("a packet is due");
    upload.handle_sent(Duration::ZERO).expect("it is being sent");
    let protocol = protocols(PROTOCOL).iter().next().expect("one");
    let ack = Ack::from(CreateSessionAck::new(protocol, session("s-1")));
    upload.handle_ack(&ack, Duration::ZERO).expect("an answer is due");
    let printed = format!("{upload:?}");
    assert!(printed.contains(r#"session_id: Some("s-1")"#), "{printed}");
}

#[test]
fn the_kind_of_a_message_is_printed_as_its_name() {
    for kind in MessageKind::ALL {
        assert_eq!(kind.to_string(), kind.name());
    }
}
