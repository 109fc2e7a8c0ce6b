//! Extracts the readable parts of a malformed head.

use bits_proto::Error;
use bits_proto::field::{FieldName, PacketType};
use bits_proto::message::Request;

use crate::inspect::decode::packet_name;
use crate::inspect::pending::PendingRequest;
use crate::inspect::sniff::head_end;

/// Returns the packet type of a head with an error, if the head is otherwise well-formed HTTP.
pub fn kind_of_malformed(error: &Error, bytes: &[u8]) -> Option<&'static str> {
    error.field()?;
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut slots);
    let mut response_slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut response_slots);
    let headers: &[_] = if request.parse(bytes).is_ok() {
        request.headers
    } else if response.parse(bytes).is_ok() {
        response.headers
    } else {
        return None;
    };
    let value = FieldName::PacketType.find_in(headers.iter().map(|it| (it.name, it.value)))?;
    PacketType::try_from(value).ok().map(packet_name)
}

/// Returns the pending request of a head.
pub fn pending_of_malformed(bytes: &[u8]) -> PendingRequest<'static> {
    if find(bytes, FieldName::OriginalRequestUrl).is_some() {
        return PendingRequest::Notification;
    }
    let packet_type = find(bytes, FieldName::PacketType);
    let packet_type = packet_type.and_then(|value| PacketType::try_from(value).ok());
    let packet = packet_type.and_then(|it| PendingRequest::assumed(packet_name(it)));
    match packet.or_else(|| PendingRequest::assumed("ping")) {
        Some(packet) if is_bits(bytes) => packet,
        _ => PendingRequest::Foreign,
    }
}

/// Returns whether a head belongs to a message of the protocol.
pub fn is_bits(bytes: &[u8]) -> bool {
    Request::is_bits_head(bytes) || find(bytes, FieldName::OriginalRequestUrl).is_some()
}

/// Returns the value of a field. Lines may be malformed.
fn find(bytes: &[u8], field: FieldName) -> Option<&[u8]> {
    bytes[..head_end(bytes)].split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
        let is_field = name.trim_ascii().eq_ignore_ascii_case(field.as_str().as_bytes());
        is_field.then(|| value[1..].trim_ascii())
    })
}
