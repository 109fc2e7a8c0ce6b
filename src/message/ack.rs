//! The Acks of a server, and the rules they share.

use super::encoder::{AnyMessage, Encoder};
use super::extras::{Extras, ExtrasStorage};
use super::message_error::MessageError;
use super::parse_options::MAX_VALUE;
use super::reader::Reader;
use super::report::{Checked, Outcome, Report};
use super::source::{self, HeadSource, ParsedFields};
use super::value::{FieldVisitor, Value};
use super::{
    AckContext, CancelSessionAck, CloseSessionAck, CreateSessionAck, Decoded, ErrorFields, Failure,
    Fields, FragmentAck, MessageKind, PingAck, Refusal, ResponseHead, presence,
};
use crate::deviation::{Deviation, Deviations};
use crate::error::{CheckStage, Error, ErrorKind, ValueError};
use crate::field::{Decode as _, FieldName, FieldSet, PacketType, SessionId};
use crate::http1::HeadVisitor as _;
use crate::http1::framing::AllowedCoding;
use crate::http1::{StatusCode, StatusLine, Version};

/// The response of a server to a packet: a success, or a [`Refusal`].
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentRange;
/// use bits_proto::http1::Progress;
/// use bits_proto::message::{Ack, AckContext, HeaderSlots, ResponseHead};
///
/// let bytes = b"HTTP/1.1 200 OK\r\n\
///     BITS-Packet-Type: Ack\r\n\
///     BITS-Session-Id: 1\r\n\
///     Content-Length: 0\r\n\
///     BITS-Received-Content-Range: 213\r\n\r\n";
/// let mut slots = HeaderSlots::new();
/// let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else { panic!() };
/// let sent = ContentRange::new(128, 212, 213)?;
/// let ack_context = AckContext::Fragment {
///     session_id: None,
///     content_range: Some(sent),
///     sent_up_to: None,
/// };
/// let decoded = Ack::from_head(&head, &ack_context)?;
/// assert!(matches!(decoded.message, Ack::Fragment(ack) if ack.received.0 == 213));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.3, 2.2.5, 2.2.7, 2.2.9, 2.2.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ack<'b> {
    /// [2.2.5] ACK for PING.
    Ping(PingAck),
    /// [2.2.3] Ack Response for CREATE-SESSION.
    CreateSession(CreateSessionAck<'b>),
    /// [2.2.7] ACK for FRAGMENT.
    Fragment(FragmentAck<'b>),
    /// [2.2.9] ACK for CLOSE-SESSION.
    CloseSession(CloseSessionAck<'b>),
    /// [2.2.11] ACK for CANCEL-SESSION.
    CancelSession(CancelSessionAck<'b>),
    /// Any of them with a status code other than 2xx.
    Refused(Refusal<'b>),
}

impl<'b> Ack<'b> {
    /// Reads an Ack from a head.
    ///
    /// Every 2xx status with BITS-Packet-Type is a success. A failure status without BITS-Packet-Type
    /// is a [`Refusal`] too, because a proxy may have sent it; it may have an error code, a context and
    /// an offset. Parts of a refusal that are unreadable are a deviation and count as absent.
    ///
    /// A reverse proxy may send the Ack in chunks, which is a
    /// [deviation](Deviation::ChunkedResponse). The head does not say whether such an Ack has a
    /// body; [`body_length`](crate::http1::Head::body_length) says how to find its end.
    ///
    /// # Errors
    ///
    /// An error if the response is not a valid Ack for the request. The client does not change its offset
    /// then. [`Failure::of`] says from the status alone whether another try makes sense.
    pub fn from_head(
        head: &ResponseHead<'_, 'b>,
        context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        let source = HeadSource { head, max_value: MAX_VALUE };
        source::parse(&source, |line, reader| read(line, reader, context))
    }

    /// Reads an Ack from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets. An ambiguous Content-Length is an error
    /// too. Transfer-Encoding is never an error, because the stack has decoded the body.
    pub fn from_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, MAX_VALUE);
        source::parse(&source, |line, reader| read(line, reader, context))
    }

    /// Returns the kind of Ack.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Ping(_) => MessageKind::PingAck,
            Self::CreateSession(_) => MessageKind::CreateSessionAck,
            Self::Fragment(_) => MessageKind::FragmentAck,
            Self::CloseSession(_) => MessageKind::CloseSessionAck,
            Self::CancelSession(_) => MessageKind::CancelSessionAck,
            Self::Refused(_) => MessageKind::Refusal,
        }
    }

    /// Returns the status code that the Ack is written with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            _ => StatusCode::OK,
        }
    }

    /// Returns the class of the failure; `None` for a success.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            Self::Refused(refusal) => Some(refusal.failure()),
            _ => None,
        }
    }

    /// Returns the session id.
    #[must_use]
    pub const fn session_id(&self) -> Option<&SessionId<'b>> {
        match self {
            Self::Ping(_) => None,
            Self::CreateSession(ack) => Some(&ack.session_id),
            Self::Fragment(FragmentAck { session_id, .. })
            | Self::CloseSession(CloseSessionAck { session_id })
            | Self::CancelSession(CancelSessionAck { session_id }) => session_id.as_ref(),
            Self::Refused(refusal) => refusal.session_id(),
        }
    }

    /// Prepares the head for writing: the status line, the fields of the message, and `extras` such
    /// as Date or Server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReservedExtra`] if an extra field belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<'e>(
        &'e self,
        extras: &'e Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'e>, Error> {
        Encoder::new(AnyMessage::Ack(self), extras)
    }

    /// Visits the fields, in the order of the presence table; see [`Refusal::visit_fields`].
    #[inline(always)]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visitor: V) -> V {
        let visitor = visitor.field(FieldName::PacketType, Value::PacketType(PacketType::Ack));
        match self {
            Self::Ping(PingAck) => visitor.field(FieldName::ContentLength, Value::Number(0)),
            Self::CreateSession(ack) => ack.visit_fields(visitor),
            Self::Fragment(ack) => ack.visit_fields(visitor),
            Self::CloseSession(CloseSessionAck { session_id })
            | Self::CancelSession(CancelSessionAck { session_id }) => visitor
                .optional(FieldName::SessionId, session_id.as_ref().map(Value::SessionId))
                .field(FieldName::ContentLength, Value::Number(0)),
            Self::Refused(refusal) => refusal.visit_fields(error_fields, visitor),
        }
    }
}

/// Reads an Ack in the context of its request.
#[inline(always)]
pub(super) fn read<'b, R: Report<'b>>(
    line: StatusLine<'b>,
    reader: &mut Reader<'_, 'b, R>,
    context: &AckContext<'_>,
) -> Outcome<'b, Ack<'b>, R> {
    let status = line.status;
    let packet_type = reader.get(FieldName::PacketType);
    reader.check_framing(AllowedCoding::Any)?;
    if line.version == Version::Http10 {
        reader.deviations.insert(Deviation::Http10);
    }
    if status.is_interim() {
        let error = MessageError::in_start_line(ErrorKind::InterimResponse);
        return reader.report(error).map(Err);
    }
    let Some(packet_type) = packet_type else {
        return read_without_packet_type(status, reader, context);
    };
    let kind = kind_of(status, context);
    check_packet_type(packet_type, reader)?;
    let fields = match kind {
        // The other fields are details, which are optional.
        MessageKind::Refusal => FieldSet::of(FieldName::PacketType),
        _ => presence::fields(kind).carried(),
    };
    reader.check_conflicts(fields, CheckStage::Limits)?;
    reader.record_fields(kind);
    record_status(kind, status, reader);
    record_body(kind, status, reader);
    if kind != MessageKind::Refusal {
        return read_success(kind, reader, context);
    }
    let session_id = reader.detail(Deviation::UnreadableSessionId);
    record_other_session_id(session_id, reader, context);
    Ok(Refusal::read(status, reader, session_id, context.content_range())?.map(Ack::Refused))
}

/// Reads a response that may not be the server's.
#[inline(always)]
fn read_without_packet_type<'b, R: Report<'b>>(
    status: StatusCode,
    reader: &mut Reader<'_, 'b, R>,
    context: &AckContext<'_>,
) -> Outcome<'b, Ack<'b>, R> {
    if status.is_success() {
        let error = MessageError::absent(ErrorKind::NotAnAck, FieldName::PacketType);
        return reader.report(error).map(Err);
    }
    reader.deviations.insert(presence::absence(FieldName::PacketType));
    Ok(Refusal::read_bare(status, reader, context.content_range())?.map(Ack::Refused))
}

/// Returns the kind of Ack that a response of this status is.
pub(super) const fn kind_of(status: StatusCode, context: &AckContext<'_>) -> MessageKind {
    if status.is_success() { context.kind() } else { MessageKind::Refusal }
}

#[inline(always)]
fn read_success<'b, R: Report<'b>>(
    kind: MessageKind,
    reader: &mut Reader<'_, 'b, R>,
    context: &AckContext<'_>,
) -> Outcome<'b, Ack<'b>, R> {
    Ok(match context {
        AckContext::Ping => Ok(PingAck.into()),
        AckContext::CreateSession { offered } => {
            CreateSessionAck::read(reader, *offered)?.map(Ack::CreateSession)
        }
        AckContext::Fragment { content_range, sent_up_to, .. } => {
            let session_id = read_session_id(kind, reader, context)?;
            FragmentAck::read(reader, session_id, *content_range, *sent_up_to)?.map(Ack::Fragment)
        }
        AckContext::CloseSession { .. } => read_session_id(kind, reader, context)?
            .map(|session_id| CloseSessionAck { session_id }.into()),
        AckContext::CancelSession { .. } => read_session_id(kind, reader, context)?
            .map(|session_id| CancelSessionAck { session_id }.into()),
    })
}

/// Checks that the packet type is Ack.
#[inline(always)]
fn check_packet_type<'b, R: Report<'b>>(
    packet_type: &'b [u8],
    reader: &mut Reader<'_, 'b, R>,
) -> Checked<'b, R> {
    let mut ignored = Deviations::EMPTY;
    if PacketType::decode(packet_type, &mut ignored) == Ok(PacketType::Ack) {
        return Ok(());
    }
    let error = ValueError::new(ErrorKind::WrongPacketType, 0);
    reader.report(MessageError::in_value(FieldName::PacketType, packet_type, error)).map(drop)
}

/// Records a success status other than 200. A 201 is documented for Create-Session, and seen in the
/// captures on Close-Session.
#[inline(always)]
fn record_status<'b, R: Report<'b>>(
    kind: MessageKind,
    status: StatusCode,
    reader: &mut Reader<'_, 'b, R>,
) {
    let deviation = match (status, kind) {
        (StatusCode::OK, _) | (_, MessageKind::Refusal) => return,
        (StatusCode::CREATED, MessageKind::CreateSessionAck | MessageKind::CloseSessionAck) => {
            return;
        }
        (StatusCode::CREATED, _) => Deviation::UnexpectedCreated,
        _ => Deviation::UnexpectedSuccess,
    };
    reader.deviations.insert(deviation);
}

/// Records a value that is too long, a body, and a missing length. None of them is an error.
#[inline(always)]
fn record_body<'b, R: Report<'b>>(
    kind: MessageKind,
    status: StatusCode,
    reader: &mut Reader<'_, 'b, R>,
) {
    reader.record_long_value();
    if status.has_no_body() {
        return;
    }
    reader.record_length(kind);
    if reader.framing.announces_body() {
        reader.deviations.insert(Deviation::UnexpectedBody);
    }
}

/// Reads the session id and compares it with the one of the request.
#[inline(always)]
fn read_session_id<'b, R: Report<'b>>(
    kind: MessageKind,
    reader: &mut Reader<'_, 'b, R>,
    context: &AckContext<'_>,
) -> Outcome<'b, Option<SessionId<'b>>, R> {
    let received: Result<Option<SessionId<'b>>, _> = reader.optional(kind)?;
    record_other_session_id(received.ok().flatten(), reader, context);
    Ok(received)
}

#[inline(always)]
fn record_other_session_id<'b, R: Report<'b>>(
    received: Option<SessionId<'b>>,
    reader: &mut Reader<'_, 'b, R>,
    context: &AckContext<'_>,
) {
    if let (Some(received), Some(sent)) = (received, context.session_id()) {
        if received != sent {
            reader.deviations.insert(Deviation::OtherSessionId);
        }
    }
}
