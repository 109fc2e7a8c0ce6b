//! Any input is parsed without a panic and with the same result however it is split. Errors have an offset within
//! the input, and a refusal.

use bits_proto::field::{ContentRange, SessionId, SupportedProtocols};
use bits_proto::http1::{RequestLine, StatusLine};
use bits_proto::message::AckContext;

use super::roundtrip;
use crate::support::invariants::check_input;

pub fn parse_request(data: &[u8]) {
    check_input::<RequestLine<'_>>(data, &AckContext::Ping, cuts(data));
}

pub fn parse_ack(data: &[u8]) {
    let all = ack_contexts();
    let cut_for = hash(data) as usize % all.len();
    for (index, ack_context) in all.iter().enumerate() {
        let cuts = if index == cut_for { cuts(data) } else { Vec::new() };
        check_input::<StatusLine<'_>>(data, ack_context, cuts);
    }
}

/// Parses both messages between a server and its application, and writes what was parsed.
pub fn parse_notification(data: &[u8]) {
    if data.starts_with(b"HTTP/") {
        check_input::<StatusLine<'_>>(data, &AckContext::Ping, cuts(data));
        roundtrip::notification_response(data);
    } else {
        check_input::<RequestLine<'_>>(data, &AckContext::Ping, cuts(data));
        roundtrip::notification_request(data);
    }
}

/// Returns the contexts with which an Ack is parsed.
pub fn ack_contexts() -> [AckContext<'static>; 8] {
    let session_id = SessionId::try_from("{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}").ok();
    let range = |first, last| ContentRange::new(first, last, 213).ok();
    let fragment =
        |content_range, sent_up_to| AckContext::Fragment { session_id, content_range, sent_up_to };
    [
        AckContext::Ping,
        AckContext::CreateSession { offered: None },
        AckContext::CreateSession { offered: Some(SupportedProtocols::BITS_1_5) },
        AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None },
        fragment(range(0, 127), Some(200)),
        fragment(range(128, 212), None),
        AckContext::CloseSession { session_id },
        AckContext::CancelSession { session_id },
    ]
}

/// FNV-1a, which does not change between Rust releases, so that regressions stay reproducible.
fn hash(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Returns positions at which to split the input: one depends on its hash, others are near the end of the head.
fn cuts(data: &[u8]) -> Vec<usize> {
    let anywhere = hash(data).to_le_bytes();
    let anywhere = anywhere.chunks(2).map(|part| u16::from_le_bytes([part[0], part[1]]));
    let anywhere = anywhere.map(|part| usize::from(part) % (data.len() + 1));
    let end = data.windows(4).position(|end| end == b"\r\n\r\n");
    let about_end = end.into_iter().flat_map(|end| [end + 2, end + 3, end + 4]);
    anywhere.chain(about_end).collect()
}
