//! Parsing from the types of the `http` crate.
#![cfg(feature = "http")]

use bits_proto::Error;
use bits_proto::error::{CheckStage, ErrorKind};
use bits_proto::http1::{RequestLine, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, NotificationRequest, NotificationResponse, ParseOptions, Request,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::read::{Message, Pair, Read, any};

fn header_map(fields: &[Pair<'_>]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(headers)
}

fn version(version: Version) -> http::Version {
    if version == Version::Http10 { http::Version::HTTP_10 } else { http::Version::HTTP_11 }
}

/// Returns the parts of an error that do not depend on the order of fields, which a map does not keep. If
/// several fields are invalid, another one may be reported.
fn without_order(error: &Error) -> (CheckStage, Option<(ErrorKind, Option<&'static str>)>) {
    let is_of_one = !matches!(error.stage(), CheckStage::Http | CheckStage::Limits);
    (error.stage(), is_of_one.then_some((error.kind(), error.field())))
}

fn assert_same(from_http: Vec<Read<'_>>, from_head: &[Read<'_>]) {
    assert_eq!(from_http.len(), from_head.len());
    for (from_http, from_head) in from_http.iter().zip(from_head) {
        match (from_http, from_head) {
            (Err(from_http), Err(from_head)) => {
                assert_eq!(without_order(from_http), without_order(from_head));
            }
            (from_http, from_head) => assert_eq!(from_http, from_head),
        }
    }
}

/// Parses a request from `http` types, as a whole and from its parts, and compares the result with that of
/// parsing bytes. Returns `false` if the `http` crate cannot represent it.
pub fn check_request(line: &RequestLine<'_>, fields: &[Pair<'_>], from_head: &[Read<'_>]) -> bool {
    let Some(whole) = request(line, fields) else { return false };
    let of_whole = vec![
        any(Request::from_http(&whole, &ParseOptions::DEFAULT)),
        any(Request::from_http(&whole, &ParseOptions::LENIENT)),
        any(NotificationRequest::from_http(&whole)),
    ];
    let (parts, ()) = whole.clone().into_parts();
    let of_parts = vec![
        any(Request::from_http(&parts, &ParseOptions::DEFAULT)),
        any(Request::from_http(&parts, &ParseOptions::LENIENT)),
        any(NotificationRequest::from_http(&parts)),
    ];
    assert_eq!(of_whole, of_parts);
    let check_converted = |request: Result<Request<'_>, _>, notification: Result<_, _>| {
        let messages = [request.map(Message::from), notification.map(Message::NotificationRequest)];
        assert_eq!(messages.map(Result::ok), [0, 2].map(|at| message_of(&of_whole[at])));
    };
    check_converted((&whole).try_into(), (&whole).try_into());
    check_converted((&parts).try_into(), (&parts).try_into());
    assert_same(of_whole, from_head);
    true
}

fn message_of<'b>(read: &Read<'b>) -> Option<Message<'b>> {
    read.as_ref().ok().map(|decoded| decoded.message)
}

/// Parses a response from `http` types and compares the result with that of parsing bytes. Returns `false` if
/// the `http` crate cannot represent it.
pub fn check_response(
    line: &StatusLine<'_>,
    fields: &[Pair<'_>],
    ack_context: &AckContext<'_>,
    from_head: &[Read<'_>],
) -> bool {
    let Some(whole) = response(line, fields) else { return false };
    let of_whole = vec![
        any(Ack::from_http(&whole, ack_context)),
        any(NotificationResponse::from_http(&whole)),
    ];
    let (parts, ()) = whole.clone().into_parts();
    let of_parts = vec![
        any(Ack::from_http(&parts, ack_context)),
        any(NotificationResponse::from_http(&parts)),
    ];
    assert_eq!(of_whole, of_parts);
    let check_converted = |ack: Result<Ack<'_>, _>, response: Result<_, _>| {
        let messages = [ack.map(Message::from), response.map(Message::NotificationResponse)];
        assert_eq!(messages.map(Result::ok), [0, 1].map(|at| message_of(&of_whole[at])));
    };
    check_converted((&whole, ack_context).try_into(), (&whole).try_into());
    check_converted((&parts, ack_context).try_into(), (&parts).try_into());
    assert_same(of_whole, from_head);
    true
}

/// Returns the request as an HTTP stack passes it on.
fn request(line: &RequestLine<'_>, fields: &[Pair<'_>]) -> Option<http::Request<()>> {
    let mut request = http::Request::new(());
    *request.method_mut() = Method::from_bytes(line.method.as_bytes()).ok()?;
    *request.uri_mut() = line.target.parse().ok()?;
    *request.version_mut() = version(line.version);
    *request.headers_mut() = header_map(fields)?;
    Some(request)
}

fn response(line: &StatusLine<'_>, fields: &[Pair<'_>]) -> Option<http::Response<()>> {
    let mut response = http::Response::new(());
    *response.status_mut() = StatusCode::from_u16(line.status.get()).ok()?;
    *response.version_mut() = version(line.version);
    *response.headers_mut() = header_map(fields)?;
    Some(response)
}
