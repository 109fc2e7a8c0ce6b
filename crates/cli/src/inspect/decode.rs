//! Decodes the head of one message.

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{FieldName, PacketType};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, AckContext, Failure, MissingContentLength, NotificationRequest, NotificationResponse,
    ParseOptions, Refusal, Request, RequestHead, ResponseHead,
};

use crate::inspect::pending::PendingRequest;
use crate::inspect::report::{Report, Verdict};

/// Accepts other methods and a missing Content-Length, which are unambiguous. Rejects a body on
/// packets that must not have one, as every server does.
const OPTIONS: ParseOptions = ParseOptions::DEFAULT
    .with_method_override(true)
    .with_plain_post(true)
    .with_missing_content_length(MissingContentLength::AcceptOnEmpty);

pub fn decode_packet<'b>(report: &mut Report, head: &RequestHead<'_, 'b>) -> PendingRequest<'b> {
    match Request::from_head(head, &OPTIONS) {
        Ok(decoded) => {
            report.kind = packet_name(decoded.message.packet_type());
            accept(report, decoded.deviations);
            PendingRequest::Packet(AckContext::from(&decoded.message))
        }
        Err(error) if error.kind() == ErrorKind::NotBits => {
            report.verdict = Verdict::Foreign;
            PendingRequest::Foreign
        }
        Err(error) => {
            let packet_type = FieldName::PacketType.find_in(head.fields());
            let packet_type = packet_type.and_then(|value| PacketType::try_from(value).ok());
            let is_known = error.field() != Some(FieldName::PacketType.as_str());
            let kind = packet_type.filter(|_| is_known).map_or("other", packet_name);
            report.kind = kind;
            reject(report, error);
            PendingRequest::assumed(kind).unwrap_or(PendingRequest::Packet(AckContext::Ping))
        }
    }
}

pub fn decode_notification_request<'b>(
    report: &mut Report,
    head: &RequestHead<'_, 'b>,
) -> PendingRequest<'b> {
    report.kind = "notification-request";
    match NotificationRequest::from_head(head) {
        Ok(decoded) => accept(report, decoded.deviations),
        Err(error) => reject(report, error),
    }
    PendingRequest::Notification
}

pub fn decode_ack(report: &mut Report, head: &ResponseHead<'_, '_>, ack_context: &AckContext<'_>) {
    report.kind = "ack";
    match Ack::from_head(head, ack_context) {
        Ok(decoded) => {
            report.failure = decoded.message.failure();
            accept(report, decoded.deviations);
        }
        Err(error) if error.kind() == ErrorKind::NotAnAck => report.verdict = Verdict::Foreign,
        Err(error) => reject(report, error),
    }
}

pub fn decode_notification_response(report: &mut Report, head: &ResponseHead<'_, '_>) {
    report.kind = "notification-response";
    match NotificationResponse::from_head(head) {
        Ok(decoded) => accept(report, decoded.deviations),
        Err(error) => reject(report, error),
    }
}

/// Decodes a response without a known request, based on the fields that it carries.
pub fn decode_response_without_request(report: &mut Report, head: &ResponseHead<'_, '_>) {
    let status = head.line().status;
    let Some(ack_context) = AckContext::assumed(status, head.fields()) else {
        return decode_response_without_packet_type(report, head);
    };
    decode_ack(report, head, &ack_context);
    // Only the request determines whether an id is required: the Ack of a Ping has none.
    report.deviations.retain(|deviation| *deviation != Deviation::MissingSessionId);
    if report.deviations.is_empty() && report.verdict == Verdict::Deviates {
        report.verdict = Verdict::Ok;
    }
}

fn decode_response_without_packet_type(report: &mut Report, head: &ResponseHead<'_, '_>) {
    let has = |field: FieldName| field.find_in(head.fields()).is_some();
    let status = head.line().status;
    if has(FieldName::StaticResponseUrl) || has(FieldName::CopyFileToDestination) {
        decode_notification_response(report, head);
    } else if status == StatusCode::PARTIAL_CONTENT {
        report.kind = "download";
    } else if status.is_success() {
        report.verdict = Verdict::Foreign;
    } else {
        report.failure = Failure::of(status, None, None);
        accept(report, Deviations::from_iter([Deviation::MissingPacketType]));
    }
}

fn accept(report: &mut Report, deviations: Deviations) {
    report.deviations = deviations.iter().collect();
    report.deviations.sort_by_key(|deviation| deviation.name());
    report.verdict = if deviations.is_empty() { Verdict::Ok } else { Verdict::Deviates };
}

/// Accepts the missing body of a Fragment that may be the first request of an authentication.
pub fn accept_missing_body(report: &mut Report) {
    let is_excused = |error: Error| {
        let rule = error.kind().name();
        error.kind() == ErrorKind::LengthMismatch
            && report.violations.iter().all(|violation| violation.rule() != rule)
    };
    if report.error.is_some_and(is_excused) {
        report.verdict = Verdict::Ok;
        (report.error, report.reply) = (None, None);
        report.is_authentication = true;
    }
}

/// Records the missing body of a Fragment, as the response shows no authentication.
pub fn record_missing_body(report: &mut Report, error: Error) {
    report.is_authentication = false;
    report.violations.push(error.into());
    if report.error.is_none() {
        reject(report, error);
    }
}

pub fn reject(report: &mut Report, error: Error) {
    report.verdict = Verdict::Rejected;
    report.error = Some(error);
    report.reply = report.is_request().then(|| Refusal::for_error(&error, &OPTIONS));
}

pub fn packet_name(packet_type: PacketType) -> &'static str {
    match packet_type {
        PacketType::Ping => "ping",
        PacketType::CreateSession => "create-session",
        PacketType::Fragment => "fragment",
        PacketType::CloseSession => "close-session",
        PacketType::CancelSession => "cancel-session",
        PacketType::Ack => "ack",
        _ => "unknown",
    }
}
