//! From what an HTTP stack has read already: an `http::HeaderMap`.

use std::hint::black_box;

use bits_proto::head::{RequestLine, Status, StatusLine, Version};
use bits_proto::message::{Ack, NotificationRequest, NotificationResponse, Policy, Request};
use http::HeaderMap;

use super::heads::{Head, Kind};
use super::{Bars, Group, Pair, today};

pub fn group(heads: &'static [Head]) -> Group {
    let pair = |head: &'static Head| {
        let map: &HeaderMap = Box::leak(Box::new(today::header_map(&head.bytes)));
        let is_response = head.is_response();
        Pair::new(
            &*head.name,
            move || read(head.kind, black_box(map)),
            move || drop(black_box(today::get_and_parse(black_box(map), is_response))),
        )
    };
    Group {
        name: "built",
        pairs: heads.iter().map(pair).collect(),
        each: Bars { instructions: 0.25, time: f64::INFINITY },
        mean: None,
    }
}

#[inline]
fn read(kind: Kind, map: &HeaderMap) {
    let fields = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let line = |method| RequestLine { method, target: "/", version: Version::Http11 };
    let status = StatusLine { version: Version::Http11, status: Status::OK, reason: "" };
    match kind {
        Kind::Request => {
            let line = line(bits_proto::message::METHOD);
            let request = Request::from_fields(line, fields, &Policy::DEFAULT);
            black_box(&request).as_ref().expect("valid");
        }
        Kind::Ack(ack_for) => {
            black_box(&Ack::from_fields(status, fields, &ack_for)).as_ref().expect("valid");
        }
        Kind::NotificationRequest => {
            let request = NotificationRequest::from_fields(line("POST"), fields);
            black_box(&request).as_ref().expect("valid");
        }
        Kind::NotificationResponse => {
            let response = NotificationResponse::from_fields(status, fields);
            black_box(&response).as_ref().expect("valid");
        }
    }
}
