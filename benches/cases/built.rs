//! Parsing from the values of an HTTP stack: the fields of an `http::HeaderMap`, and whole requests and
//! responses of the `http` crate.

use std::hint::black_box;

use bits_proto::http1::{RequestLine, StatusCode, StatusLine, Version};
use bits_proto::message::{Ack, NotificationRequest, NotificationResponse, ParseOptions, Request};
use http::HeaderMap;

use super::heads::{Head, Kind};
use super::{Group, MaxRatios, Pair, baseline};

pub fn fields(heads: &'static [Head]) -> Group {
    let pair = |head: &'static Head| {
        let map: &HeaderMap = Box::leak(Box::new(baseline::header_map(&head.bytes)));
        beside_get_and_parse(head, map, move || read(head.kind, black_box(map)))
    };
    Group { name: "built", pairs: heads.iter().map(pair).collect(), each: max(0.34), mean: None }
}

pub fn http(heads: &'static [Head]) -> Group {
    let pair = |head: &'static Head| {
        let map: &HeaderMap = Box::leak(Box::new(baseline::header_map(&head.bytes)));
        let mut request = ::http::Request::new(());
        let method = match head.kind {
            Kind::NotificationRequest => "POST",
            _ => bits_proto::message::METHOD,
        };
        *request.method_mut() = method.parse().expect("a method");
        *request.headers_mut() = map.clone();
        let mut response = ::http::Response::new(());
        *response.headers_mut() = map.clone();
        beside_get_and_parse(head, map, move || {
            read_http(head.kind, black_box(&request), black_box(&response));
        })
    };
    let pairs = heads.iter().map(pair).collect();
    Group { name: "http", pairs, each: max(0.29), mean: Some(max(0.22)) }
}

const fn max(instructions: f64) -> MaxRatios {
    MaxRatios { instructions, time: f64::INFINITY }
}

fn beside_get_and_parse(
    head: &Head,
    map: &'static HeaderMap,
    ours: impl FnMut() + 'static,
) -> Pair {
    let is_response = head.is_response();
    let other = move || drop(black_box(baseline::get_and_parse(black_box(map), is_response)));
    Pair::new(&*head.name, ours, other)
}

#[inline]
fn read_http(kind: Kind, request: &::http::Request<()>, response: &::http::Response<()>) {
    match kind {
        Kind::Request => {
            let request = Request::from_http(request, &ParseOptions::DEFAULT);
            black_box(&request).as_ref().expect("valid");
        }
        Kind::Ack(ack_context) => {
            black_box(&Ack::from_http(response, &ack_context)).as_ref().expect("valid");
        }
        Kind::NotificationRequest => {
            black_box(&NotificationRequest::from_http(request)).as_ref().expect("valid");
        }
        Kind::NotificationResponse => {
            black_box(&NotificationResponse::from_http(response)).as_ref().expect("valid");
        }
    }
}

#[inline]
fn read(kind: Kind, map: &HeaderMap) {
    let fields = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let line = |method| RequestLine { method, target: "/", version: Version::Http11 };
    let status = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
    match kind {
        Kind::Request => {
            let line = line(bits_proto::message::METHOD);
            let request = Request::from_fields(line, fields, &ParseOptions::DEFAULT);
            black_box(&request).as_ref().expect("valid");
        }
        Kind::Ack(ack_context) => {
            black_box(&Ack::from_fields(status, fields, &ack_context)).as_ref().expect("valid");
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
