//! The Acks: what a server answers.

use super::encoder::{Encoder, Start};
use super::message_error::MessageError;
use super::parse_options::MAX_VALUE;
use super::presence;
use super::scan::Scan;
use super::survey::{self, Survey};
use super::value::{FieldVisitor, Value};
use super::{
    AckContext, CancelSessionAck, CloseSessionAck, CreateSessionAck, Decoded, ErrorFields, Failure,
    FragmentAck, MessageKind, PingAck, Refusal,
};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::field::{FieldName, PacketType, SessionId, bit};
use crate::http1::{Framing, Index, ResponseHead, StatusCode, StatusLine, Version};

/// A server's answer: what was granted, or a [`Refusal`].
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentRange;
/// use bits_proto::http1::{Progress, ResponseHead, HeaderSlots};
/// use bits_proto::message::{Ack, AckContext};
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
    /// Any of them with a status other than 200 and 201.
    Refused(Refusal<'b>),
}

impl<'b> Ack<'b> {
    /// Reads an Ack from a head.
    ///
    /// A failure status without BITS-Packet-Type is a [`Refusal`] too, classified by its status
    /// alone: a proxy may have answered.
    ///
    /// # Errors
    ///
    /// When the response is no Ack, is not valid, or does not fit the request: nothing may be
    /// concluded from it, and the client stands where it stood. A client that wants to know
    /// whether to try again asks [`Failure::of`] about the status alone.
    pub fn from_head(
        head: &ResponseHead<'_, 'b>,
        ack_context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        let survey = Survey::of_head(head, MAX_VALUE);
        read(head.line(), head.framing(), &mut survey.scan(), ack_context)
            .map_err(|trouble| trouble.in_head(head))
    }

    /// Reads an Ack from what another HTTP stack has read.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets; and when Content-Length is in doubt. A
    /// Transfer-Encoding is an error only on an Ack: the stack has dealt with it.
    pub fn from_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        ack_context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        let mut index = Index::EMPTY;
        let (survey, framing, invalid) = Survey::of_pairs(&mut index, fields, MAX_VALUE);
        let mut scan = survey.scan();
        let is_ack = scan.get(FieldName::PacketType).is_some();
        survey::check_lengths(framing, invalid, is_ack && framing.transfer_encoding)?;
        read(line, framing, &mut scan, ack_context).map_err(MessageError::in_pairs)
    }

    /// Which kind of message it is.
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

    /// The status it is written with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            _ => StatusCode::OK,
        }
    }

    /// What the client does about it; `None` for what was granted.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            Self::Refused(refusal) => Some(refusal.failure()),
            _ => None,
        }
    }

    /// The session it names.
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

    /// Makes it ready to be written: the status line, the message's fields, and `extras` of the
    /// transport such as Date or Server.
    ///
    /// # Errors
    ///
    /// When an extra field cannot be written or belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<E, N, V>(&self, extras: E) -> Result<Encoder<'b, E>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        Encoder::new(Start::Ack(*self), extras)
    }

    /// Shows its fields, in the order of the table; see [`Refusal::visit_fields`].
    #[inline]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visit: V) -> V {
        let visit = visit.field(FieldName::PacketType, Value::PacketType(PacketType::Ack));
        match self {
            Self::Ping(PingAck) => visit.field(FieldName::ContentLength, Value::Number(0)),
            Self::CreateSession(ack) => ack.visit_fields(visit),
            Self::Fragment(ack) => ack.visit_fields(visit),
            Self::CloseSession(CloseSessionAck { session_id })
            | Self::CancelSession(CancelSessionAck { session_id }) => visit
                .optional(FieldName::SessionId, session_id.as_ref().map(Value::SessionId))
                .field(FieldName::ContentLength, Value::Number(0)),
            Self::Refused(refusal) => refusal.visit_fields(error_fields, visit),
        }
    }
}

#[inline(always)]
pub(super) fn read<'b>(
    line: StatusLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    ack_context: &AckContext<'_>,
) -> Result<Decoded<Ack<'b>>, MessageError<'b>> {
    let status = line.status;
    if line.version == Version::Http10 {
        scan.deviations.insert(Deviation::Http10);
    }
    if status.is_interim() {
        return Err(MessageError::in_start_line(ErrorKind::InterimResponse));
    }
    let kind = kind_of(status, ack_context);
    let granted = kind != MessageKind::Refusal;
    let Some(packet_type) = scan.get(FieldName::PacketType) else {
        if status.is_success() {
            return Err(MessageError::absent(ErrorKind::NotAnAck, FieldName::PacketType));
        }
        let refusal = Refusal::read_bare(status, scan, ack_context.content_range());
        // Nothing else is expected of a response that may not be the server's.
        scan.deviations = Deviations::from_iter([presence::absence(FieldName::PacketType)]);
        scan.deviations.extend((line.version == Version::Http10).then_some(Deviation::Http10));
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            scan.record_form(bit(FieldName::ReceivedContentRange));
        }
        return Ok(Decoded { message: refusal?.into(), deviations: scan.deviations });
    };
    check_packet_type(packet_type)?;
    check_shape(kind, status, framing, scan)?;
    let message = if granted {
        read_granted(kind, ack_context, scan)?
    } else {
        let session_id = read_session_id(kind, scan, ack_context)?;
        Refusal::read(status, scan, session_id, ack_context.content_range())?.into()
    };
    Ok(Decoded { message, deviations: scan.deviations })
}

/// Tells everything that is wrong with an Ack, where [`read`] stops at the first.
pub(super) fn each_trouble<'b>(
    line: StatusLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    ack_context: &AckContext<'_>,
    each: &mut impl FnMut(MessageError<'b>),
) {
    let (status, kind) = (line.status, kind_of(line.status, ack_context));
    match scan.get(FieldName::PacketType) {
        // It has only one thing to be read.
        None => return read(line, framing, scan, ack_context).map(drop).unwrap_or_else(each),
        Some(packet_type) => check_packet_type(packet_type).unwrap_or_else(&mut *each),
    }
    scan.check_coding(framing).unwrap_or_else(&mut *each);
    scan.each_conflict(kind, each);
    scan.record_fields(kind);
    record_status(kind, status, scan);
    record_body(kind, status, framing, scan);
    scan.each_flaw(kind, &[FieldName::PacketType, FieldName::ContentLength], each);
    // Those of the fields alone are told by now.
    let _ = read_session_id(kind, scan, ack_context);
    let sent = ack_context.content_range();
    let in_light_of_request = match ack_context {
        _ if kind == MessageKind::Refusal => Refusal::read(status, scan, None, sent).err(),
        AckContext::CreateSession { offered } => {
            CreateSessionAck::remark(scan);
            CreateSessionAck::read_protocol(scan, *offered).err()
        }
        AckContext::Fragment { sent_up_to, .. } => {
            FragmentAck::read(scan, None, sent, *sent_up_to).err()
        }
        AckContext::Ping | AckContext::CloseSession { .. } | AckContext::CancelSession { .. } => {
            None
        }
    };
    if let Some(trouble) = in_light_of_request.filter(MessageError::needs_request) {
        // What is an error in this light is no deviation as well.
        trouble.field_missing().into_iter().for_each(|field| scan.forget_absence(field));
        each(trouble);
    }
}

/// What the status makes of the Ack.
pub(super) const fn kind_of(status: StatusCode, ack_context: &AckContext<'_>) -> MessageKind {
    match status {
        StatusCode::OK | StatusCode::CREATED => ack_context.kind(),
        _ => MessageKind::Refusal,
    }
}

#[inline(always)]
fn read_granted<'b>(
    kind: MessageKind,
    ack_context: &AckContext<'_>,
    scan: &mut Scan<'_, 'b>,
) -> Result<Ack<'b>, MessageError<'b>> {
    Ok(match ack_context {
        AckContext::Ping => PingAck.into(),
        AckContext::CreateSession { offered } => CreateSessionAck::read(scan, *offered)?.into(),
        AckContext::Fragment { content_range, sent_up_to, .. } => {
            let session_id = read_session_id(kind, scan, ack_context)?;
            FragmentAck::read(scan, session_id, *content_range, *sent_up_to)?.into()
        }
        AckContext::CloseSession { .. } => {
            CloseSessionAck { session_id: read_session_id(kind, scan, ack_context)? }.into()
        }
        AckContext::CancelSession { .. } => {
            CancelSessionAck { session_id: read_session_id(kind, scan, ack_context)? }.into()
        }
    })
}

/// 201 is documented for Create-Session, and seen on Close-Session.
const fn is_created_documented(kind: MessageKind) -> bool {
    matches!(kind, MessageKind::CreateSessionAck | MessageKind::CloseSessionAck)
}

/// What every Ack has in common: no contradictions, no body.
#[inline(always)]
fn check_shape<'b>(
    kind: MessageKind,
    status: StatusCode,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
) -> Result<(), MessageError<'b>> {
    scan.check_coding(framing)?;
    scan.check_conflicts(kind)?;
    scan.record_fields(kind);
    record_status(kind, status, scan);
    record_body(kind, status, framing, scan);
    Ok(())
}

#[inline(always)]
fn record_status(kind: MessageKind, status: StatusCode, scan: &mut Scan<'_, '_>) {
    if status == StatusCode::CREATED && !is_created_documented(kind) {
        scan.deviations.insert(Deviation::UnexpectedCreated);
    }
}

#[inline(always)]
fn check_packet_type(packet_type: &[u8]) -> Result<(), MessageError<'_>> {
    if PacketType::try_from(packet_type) == Ok(PacketType::Ack) {
        return Ok(());
    }
    let flaw = ValueError::new(ErrorKind::WrongPacketType, 0);
    Err(MessageError::in_value(FieldName::PacketType, packet_type, flaw))
}

#[inline(always)]
fn record_body(kind: MessageKind, status: StatusCode, framing: Framing, scan: &mut Scan<'_, '_>) {
    if scan.long_value().is_some() {
        scan.deviations.insert(Deviation::LongValue);
    }
    if status.has_no_body() {
        return;
    }
    // No Ack is refused for want of it; its absence is remarked on.
    let _ = scan.carried(kind, FieldName::ContentLength);
    if framing.content_length.is_some_and(|length| length > 0) {
        scan.deviations.insert(Deviation::UnexpectedBody);
    }
}

#[inline(always)]
fn read_session_id<'b>(
    kind: MessageKind,
    scan: &mut Scan<'_, 'b>,
    ack_context: &AckContext<'_>,
) -> Result<Option<SessionId<'b>>, MessageError<'b>> {
    let named: Option<SessionId<'b>> = scan.optional(kind)?;
    if let (Some(named), Some(sent)) = (named, ack_context.session_id()) {
        if named != sent {
            scan.deviations.insert(Deviation::OtherSessionId);
        }
    }
    Ok(named)
}
