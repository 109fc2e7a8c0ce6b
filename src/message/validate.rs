//! Reads messages to their end and returns every error, where parsing stops at the first.
//!
//! Validation runs the same readers as parsing.

use super::parse_options::MAX_VALUE;
use super::reader::Reader;
use super::report::Report;
use super::source::{self, HeadSource, ParsedFields, Source, Validated};
use super::{
    Ack, AckContext, Fields, MessageKind, NotificationRequest, NotificationResponse, ParseOptions,
    ack, notification_request, notification_response, request,
};
use crate::deviation::Deviations;
use crate::error::Error;
use crate::field::{ContentName, ContentRange, FieldName, SessionId, SupportedProtocols};
use crate::http1::{Head, RequestLine, StatusLine};

impl<'a, 'h, 'b, L> HeadSource<'a, 'h, 'b, L> {
    /// Validates a head, with the specification's limit on the length of values.
    pub(crate) const fn validating(head: &'a Head<'h, 'b, L, Fields<'b>>) -> Self {
        Self { head, max_value: MAX_VALUE }
    }
}

impl<'h, 'b, L> ParsedFields<'h, 'b, L> {
    /// Validates fields, with the specification's limit on the length of values.
    pub(crate) fn validating(
        slot: &'h mut Fields<'b>,
        line: L,
        pairs: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Self {
        Self::collect(slot, line, pairs, MAX_VALUE)
    }
}

/// The valid parts of a request, whatever else is wrong with it.
#[derive(Default)]
pub(crate) struct RequestSummary<'b> {
    /// The kind of packet, if it is known.
    pub(crate) kind: Option<MessageKind>,
    /// True if the request has no error.
    pub(crate) is_valid: bool,
    pub(crate) session_id: Option<SessionId<'b>>,
    pub(crate) content_range: Option<ContentRange>,
    pub(crate) content_name: Option<ContentName<'b>>,
    pub(crate) supported_protocols: Option<SupportedProtocols<'b>>,
    pub(crate) deviations: Deviations,
}

impl<'b> RequestSummary<'b> {
    fn new<R: Report<'b>>(reader: &Reader<'_, 'b, R>) -> Self {
        let packet_type = reader.get(FieldName::PacketType);
        let kind = packet_type.and_then(|packet_type| request::kind_of(packet_type).ok());
        let Some(known) = kind else { return Self::default() };
        Self {
            kind,
            is_valid: false,
            session_id: reader.valid(known),
            content_range: reader.valid(known),
            content_name: reader.valid(known),
            supported_protocols: reader.valid_protocols(known),
            deviations: Deviations::EMPTY,
        }
    }
}

/// Validates a request and hands every error to `each`.
pub(crate) fn validate_request<'b>(
    source: &impl Source<'b, Line = RequestLine<'b>>,
    options: &ParseOptions,
    each: &mut impl FnMut(Error),
) -> RequestSummary<'b> {
    let mut summary = RequestSummary::default();
    let Validated { message, deviations } = source::validate(source, each, |line, reader| {
        let outcome = request::read(line, reader, options);
        summary = RequestSummary::new(reader);
        outcome
    });
    RequestSummary { is_valid: message.is_some(), deviations, ..summary }
}

/// The result of validating an Ack.
pub(crate) struct ValidatedAck<'b> {
    /// The Ack, if it is valid.
    pub(crate) message: Option<Ack<'b>>,
    pub(crate) deviations: Deviations,
    /// True for a success that carries fields of Acks for other requests only.
    pub(crate) is_of_other_request: bool,
}

/// Validates an Ack in the context of its request and hands every error to `each`.
pub(crate) fn validate_ack<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    context: &AckContext<'_>,
    each: &mut impl FnMut(Error),
) -> ValidatedAck<'b> {
    let kind = ack::kind_of(source.line().status, context);
    let mut is_of_other_request = false;
    let Validated { message, deviations } = source::validate(source, each, |line, reader| {
        is_of_other_request = kind.is_success() && reader.has_fields_of_other_ack(kind);
        ack::read(line, reader, context)
    });
    ValidatedAck { message, deviations, is_of_other_request }
}

/// Validates a notification of a server application and hands every error to `each`.
pub(crate) fn validate_notification<'b>(
    source: &impl Source<'b, Line = RequestLine<'b>>,
    each: &mut impl FnMut(Error),
) -> Validated<NotificationRequest<'b>> {
    source::validate(source, each, |line, reader| notification_request::read(line, reader))
}

/// Validates the response of a server application and hands every error to `each`.
pub(crate) fn validate_notification_response<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    each: &mut impl FnMut(Error),
) -> Validated<NotificationResponse<'b>> {
    source::validate(source, each, |line, reader| notification_response::read(line, reader))
}
