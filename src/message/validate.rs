//! Reads messages to their end and returns every error, where parsing stops at the first.
//!
//! Validation runs the same readers as parsing.

use super::parse_options::MAX_VALUE;
use super::reader::Reader;
use super::report::{FailFast, Report};
use super::source::{self, HeadSource, ParsedFields, Source, Validated};
use super::{
    Ack, AckContext, Fields, MessageKind, NotificationRequest, NotificationResponse, ParseOptions,
    Request, RequestHead, ResponseHead, ack, notification_request, notification_response, request,
};
use crate::deviation::Deviations;
use crate::error::Error;
use crate::field::{ContentName, ContentRange, FieldName, SessionId, SupportedProtocols};
use crate::http1::{HeadVisitor as _, RequestLine, StatusLine};

impl<'b> Request<'b> {
    /// Reads a request to its end and hands every error to `each`. Parsing with
    /// [`from_head`](Self::from_head) returns the first of them.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::error::ErrorKind;
    /// use bits_proto::http1::Progress;
    /// use bits_proto::message::{HeaderSlots, ParseOptions, Request, RequestHead};
    ///
    /// let bytes = b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\n\
    ///     Content-Range: bytes 5-4/9\r\nContent-Length: 1\r\n\r\n";
    /// let mut slots = HeaderSlots::new();
    /// let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else { panic!() };
    /// let mut errors = Vec::new();
    /// let validated =
    ///     Request::validate(&head, &ParseOptions::DEFAULT, |error| errors.push(error.kind()));
    /// assert_eq!(errors, [ErrorKind::MissingField, ErrorKind::FirstBeyondLast]);
    /// assert!(validated.message.is_none());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn validate(
        head: &RequestHead<'_, 'b>,
        options: &ParseOptions,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let source = HeadSource { head, max_value: options.max_value };
        source::validate(&source, &mut each, |line, reader| request::read(line, reader, options))
    }

    /// Reads a request that another HTTP stack has parsed to its end and hands every error to
    /// `each`.
    pub fn validate_fields(
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        options: &ParseOptions,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, options.max_value);
        source::validate(&source, &mut each, |line, reader| request::read(line, reader, options))
    }
}

impl<'b> Ack<'b> {
    /// Reads an Ack to its end and hands every error to `each`. Parsing with
    /// [`from_head`](Self::from_head) returns the first of them.
    pub fn validate(
        head: &ResponseHead<'_, 'b>,
        context: &AckContext<'_>,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let source = HeadSource { head, max_value: MAX_VALUE };
        source::validate(&source, &mut each, |line, reader| ack::read(line, reader, context))
    }

    /// Reads an Ack that another HTTP stack has parsed to its end and hands every error to `each`.
    pub fn validate_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        context: &AckContext<'_>,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, MAX_VALUE);
        source::validate(&source, &mut each, |line, reader| ack::read(line, reader, context))
    }
}

impl<'b> NotificationRequest<'b> {
    /// Reads a notification to its end and hands every error to `each`. Parsing with
    /// [`from_head`](Self::from_head) returns the first of them.
    pub fn validate(head: &RequestHead<'_, 'b>, mut each: impl FnMut(Error)) -> Validated<Self> {
        validate_notification(&HeadSource { head, max_value: usize::MAX }, &mut each)
    }

    /// Reads a notification that another HTTP stack has parsed to its end and hands every error to
    /// `each`.
    pub fn validate_fields(
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, usize::MAX);
        validate_notification(&source, &mut each)
    }
}

impl<'b> NotificationResponse<'b> {
    /// Reads a response to its end and hands every error to `each`. Parsing with
    /// [`from_head`](Self::from_head) returns the first of them.
    pub fn validate(head: &ResponseHead<'_, 'b>, mut each: impl FnMut(Error)) -> Validated<Self> {
        validate_notification_response(&HeadSource { head, max_value: usize::MAX }, &mut each)
    }

    /// Reads a response that another HTTP stack has parsed to its end and hands every error to
    /// `each`.
    pub fn validate_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        mut each: impl FnMut(Error),
    ) -> Validated<Self> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, usize::MAX);
        validate_notification_response(&source, &mut each)
    }
}

/// The valid parts of a request, regardless of its other errors.
#[derive(Default)]
pub(crate) struct RequestSummary<'b> {
    /// The kind of packet, if it is known.
    pub(crate) kind: Option<MessageKind>,
    /// True if the request has no error.
    pub(crate) is_valid: bool,
    /// The length of the body, if it is known.
    pub(crate) content_length: Option<u64>,
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
            content_length: reader.framing.content_length,
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
    /// True if the response has a field that only a server of this protocol sends.
    pub(crate) is_of_server: bool,
    /// True if the response has an error code, which may be 0.
    pub(crate) has_error_code: bool,
}

/// Validates an Ack in the context of its request and hands every error to `each`.
pub(crate) fn validate_ack<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    context: &AckContext<'_>,
    each: &mut impl FnMut(Error),
) -> ValidatedAck<'b> {
    const CODES: [FieldName; 2] = [FieldName::Error, FieldName::ErrorCode];
    let kind = ack::kind_of(source.line().status, context);
    let mut this = ValidatedAck {
        message: None,
        deviations: Deviations::EMPTY,
        is_of_other_request: false,
        is_of_server: false,
        has_error_code: false,
    };
    let Validated { message, deviations } = source::validate(source, each, |line, reader| {
        this.is_of_other_request = kind.is_success() && reader.has_fields_of_other_ack(kind);
        this.is_of_server = reader.has_fields_of_server();
        this.has_error_code = CODES.iter().any(|field| reader.get(*field).is_some());
        ack::read(line, reader, context)
    });
    ValidatedAck { message, deviations, ..this }
}

/// Validates an Ack whose request is unknown and hands every error to `each`.
///
/// Returns `None` for a response without a packet type, which may belong to another protocol.
pub(crate) fn validate_ack_without_request<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    each: &mut impl FnMut(Error),
) -> Option<ValidatedAck<'b>> {
    let fields = source.reader(FailFast);
    let has = |field| fields.get(field).is_some();
    let context = AckContext::assumed_for(source.line().status, has)?;
    Some(validate_ack(source, &context, each))
}

/// Validates a notification of a server application and hands every error to `each`.
#[expect(clippy::redundant_closure, reason = "the function is not general over lifetimes")]
pub(crate) fn validate_notification<'b>(
    source: &impl Source<'b, Line = RequestLine<'b>>,
    each: &mut impl FnMut(Error),
) -> Validated<NotificationRequest<'b>> {
    source::validate(source, each, |line, reader| notification_request::read(line, reader))
}

/// Validates the response of a server application and hands every error to `each`.
#[expect(clippy::redundant_closure, reason = "the function is not general over lifetimes")]
pub(crate) fn validate_notification_response<'b>(
    source: &impl Source<'b, Line = StatusLine<'b>>,
    each: &mut impl FnMut(Error),
) -> Validated<NotificationResponse<'b>> {
    source::validate(source, each, |line, reader| notification_response::read(line, reader))
}
