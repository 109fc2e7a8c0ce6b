//! The code that one would write without this crate: httparse, a `HeaderMap`, and parsers of the standard
//! library. It validates far less.

use std::hint::black_box;

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::heads::SLOTS;

/// httparse alone, on bytes that may be invalid or incomplete. Each byte must be examined once, so this is the lower
/// bound.
#[inline]
pub fn httparse_alone(bytes: &[u8]) {
    let mut slots = [const { std::mem::MaybeUninit::uninit() }; SLOTS];
    let bytes = black_box(bytes);
    if bytes.starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let status = config.parse_response_with_uninit_headers(&mut response, bytes, &mut slots);
        let _ = black_box(&(status, &response));
    } else {
        let mut request = httparse::Request::new(&mut []);
        let status = request.parse_with_uninit_headers(bytes, &mut slots);
        let _ = black_box(&(status, &request));
    }
}

/// Parses the fields of a head into a `HeaderMap`.
#[inline]
pub fn header_map(bytes: &[u8]) -> HeaderMap {
    let mut slots = [httparse::EMPTY_HEADER; SLOTS];
    let fields = if bytes.starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut slots);
        assert!(response.parse(bytes).expect("valid").is_complete());
        response.headers
    } else {
        let mut request = httparse::Request::new(&mut slots);
        assert!(request.parse(bytes).expect("valid").is_complete());
        request.headers
    };
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).expect("a name");
        map.append(name, HeaderValue::from_bytes(field.value).expect("a value"));
    }
    map
}

/// A message as parsed with `get` and `parse`.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "keeps the values from being optimised away")]
pub struct Message<'m> {
    packet_type: Option<&'m str>,
    session_id: Option<Uuid>,
    content_name: Option<&'m str>,
    content_length: Option<u64>,
    content_range: Option<(u64, u64, u64)>,
    protocol: Option<Uuid>,
    supported_protocols: Vec<Uuid>,
    received: Option<u64>,
    host_id: Option<&'m str>,
    host_id_fallback_timeout: Option<u32>,
    reply_url: Option<&'m str>,
    error_code: Option<u32>,
    error_context: Option<u32>,
    original_request_url: Option<&'m str>,
    data_files: (Option<&'m str>, Option<&'m str>),
}

fn guid(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text.trim()).ok()
}

fn range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// Parses field by field with `get` and `parse`: the fields of requests, or those of Acks.
pub fn get_and_parse(map: &HeaderMap, is_response: bool) -> Message<'_> {
    let get = |name: &str| map.get(name).and_then(|value| value.to_str().ok());
    let common = Message {
        packet_type: get("bits-packet-type"),
        session_id: get("bits-session-id").and_then(guid),
        content_length: get("content-length").and_then(|text| text.parse().ok()),
        ..Message::default()
    };
    if is_response {
        Message {
            protocol: get("bits-protocol").and_then(guid),
            received: get("bits-received-content-range").and_then(|text| text.parse().ok()),
            host_id: get("bits-host-id"),
            host_id_fallback_timeout: get("bits-host-id-fallback-timeout")
                .and_then(|text| text.parse().ok()),
            reply_url: get("bits-reply-url"),
            error_code: get("bits-error-code").and_then(hexadecimal),
            error_context: get("bits-error-context").and_then(hexadecimal),
            ..common
        }
    } else {
        let protocols = get("bits-supported-protocols").unwrap_or_default();
        Message {
            content_name: get("content-name"),
            content_range: get("content-range").and_then(range),
            supported_protocols: protocols.split_whitespace().filter_map(guid).collect(),
            original_request_url: get("bits-original-request-url"),
            data_files: (get("bits-request-datafile-name"), get("bits-response-datafile-name")),
            ..common
        }
    }
}
