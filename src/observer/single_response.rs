//! The rules that a response violates by itself.

use super::Violation;
use crate::deviation::Deviation;
use crate::http1::{StatusCode, StatusLine};
use crate::message::{
    MessageKind, Source, Validated, ValidatedAck, validate_ack_without_request,
    validate_notification_response,
};

/// Checks the response of a server application.
pub(super) fn check_notification_response<'b>(
    by_reference: bool,
    source: &impl Source<'b, Line = StatusLine<'b>>,
    report: &mut impl FnMut(Violation),
) {
    let each = &mut |error| report(Violation::from(error));
    let Validated { message, mut deviations } = validate_notification_response(source, each);
    let has_body = |length: Option<u64>| length.is_some_and(|length| length > 0);
    if by_reference && message.is_some_and(|it| it.is_success() && has_body(it.content_length)) {
        // The reply belongs in the file that the notification named.
        deviations.insert(Deviation::UnexpectedBody);
    }
    deviations.iter().for_each(|deviation| report(Violation::from(deviation)));
}

/// Checks an Ack whose request was not observed.
pub(super) fn check_ack_without_request<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    report: &mut impl FnMut(Violation),
) {
    let validated =
        validate_ack_without_request(source, &mut |error| report(Violation::from(error)));
    if let Some(validated) = validated {
        report_deviations(&validated, source.line().status, None, report);
    }
}

/// Reports the deviations of a response that violate this protocol. `kind` is the kind of a
/// successful Ack, if the request is known.
///
/// [3.2.5.2.1] A server may send any HTTP status code without an error code, and an authentication
/// challenge without a packet type.
pub(super) fn report_deviations(
    ack: &ValidatedAck<'_>,
    status: StatusCode,
    kind: Option<MessageKind>,
    report: &mut impl FnMut(Violation),
) {
    let needs_code = ack.has_error_code || Violation::status_needs_error_code(status.get());
    for deviation in ack.deviations.iter() {
        let is_violation = match deviation {
            Deviation::MissingError => needs_code,
            Deviation::MissingPacketType => ack.is_of_server || !status.is_challenge(),
            // `WrongAck` covers the fields of other Acks. Without the kind of request, any field
            // of an Ack may be right.
            Deviation::UnexpectedField => kind.is_some() && !ack.is_of_other_request,
            _ => true,
        };
        let kind = match deviation {
            Deviation::MissingPacketType => Some(MessageKind::Refusal).filter(|_| ack.is_of_server),
            _ => kind,
        };
        if is_violation {
            report(Violation::in_message(deviation, kind));
        }
    }
}
