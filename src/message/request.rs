//! The five requests of a client.

use super::encoder::{Encoder, Start};
use super::message_error::MessageError;
use super::presence::{self, Presence};
use super::scan::Scan;
use super::survey::{self, Survey};
use super::value::{FieldVisitor, Value};
use super::{
    CancelSession, CloseSession, CreateSession, Decoded, Fragment, MessageKind,
    MissingContentLength, ParseOptions, Ping,
};
use crate::deviation::Deviation;
use crate::error::{CheckStage, Error, ErrorKind, ValueError};
use crate::field::{ContentName, FieldName, PacketType, SessionId};
use crate::http1::{
    Framing, Index, RequestHead, RequestLine, RequestTarget, Version, trim_white_space,
};

/// [2.2.1] The method of every request of a client.
pub const METHOD: &str = "BITS_POST";

/// A request of a client, read from or to be written into an HTTP head.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{Progress, RequestHead, HeaderSlots, RequestTarget};
/// use bits_proto::message::{ParseOptions, Request};
///
/// let bytes = b"BITS_POST /entity HTTP/1.1\r\n\
///     BITS-Packet-Type: Close-Session\r\n\
///     BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}\r\n\
///     Host: origin.example\r\n\
///     Content-Length: 0\r\n\r\n";
/// let mut slots = HeaderSlots::new();
/// let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else { panic!() };
/// let decoded = Request::from_head(&head, &ParseOptions::DEFAULT)?;
/// assert!(matches!(decoded.message, Request::CloseSession(_)));
/// assert!(decoded.deviations.is_empty());
///
/// let again = decoded.message.encode(RequestTarget::try_from("/entity")?, [("Host", "origin.example")])?;
/// let mut buffer = [0; 256];
/// let written = again.write(&mut buffer)?;
/// assert_eq!(&buffer[..written], bytes);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'b> {
    /// [2.2.4] PING.
    Ping(Ping<'b>),
    /// [2.2.2] CREATE-SESSION.
    CreateSession(CreateSession<'b>),
    /// [2.2.6] FRAGMENT.
    Fragment(Fragment<'b>),
    /// [2.2.8] CLOSE-SESSION.
    CloseSession(CloseSession<'b>),
    /// [2.2.10] CANCEL-SESSION.
    CancelSession(CancelSession<'b>),
}

impl<'b> Request<'b> {
    /// Whether a request means to be one of a client's, for one who watches other requests too: by
    /// its method, by a BITS-Packet-Type, or by an `X-HTTP-Method-Override`. Whether it is a valid
    /// one, reading says.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::{RequestLine, Version};
    /// use bits_proto::message::Request;
    ///
    /// let line = RequestLine { method: "POST", target: "/e", version: Version::Http11 };
    /// assert!(Request::is_bits_request(&line, [("BITS-Packet-Type", &b"Ping"[..])]));
    /// assert!(!Request::is_bits_request(&line, [("Host", &b"h"[..])]));
    /// ```
    #[must_use]
    pub fn is_bits_request(
        line: &RequestLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> bool {
        let is_ours = |(name, value): (&str, &[u8])| match FieldName::from_name(name) {
            Some(FieldName::PacketType) => true,
            Some(FieldName::MethodOverride) => trim_white_space(value) == METHOD.as_bytes(),
            _ => false,
        };
        line.method == METHOD || fields.into_iter().any(is_ours)
    }

    /// Reads a request from a head.
    ///
    /// Checks go in the order of [`CheckStage`]; the first that fails is reported. The body follows the
    /// head and is [`RequestHead::body_length`] bytes long, even where a lenient policy took a
    /// packet that should have none.
    ///
    /// # Errors
    ///
    /// When the head is not one of the five requests, or not a valid one. What to answer is
    /// [`Refusal::for_error`](super::Refusal::for_error).
    pub fn from_head(
        head: &RequestHead<'_, 'b>,
        policy: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        let survey = Survey::of_head(head, policy.max_value);
        read(head.line(), head.framing(), &mut survey.scan(), policy)
            .map_err(|trouble| trouble.in_head(head))
    }

    /// Reads a request from what another HTTP stack has read.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets; and when the framing is in doubt.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::http1::{RequestLine, Version};
    /// use bits_proto::message::{ParseOptions, Request};
    ///
    /// let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    /// let fields = [("bits-packet-type", &b"Ping"[..]), ("content-length", b"0")];
    /// let decoded = Request::from_fields(line, fields, &ParseOptions::DEFAULT)?;
    /// assert!(matches!(decoded.message, Request::Ping(_)));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn from_fields(
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        policy: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        let mut index = Index::EMPTY;
        let (survey, framing, invalid) = Survey::of_pairs(&mut index, fields, policy.max_value);
        survey::check_lengths(framing, invalid, framing.transfer_encoding)?;
        read(line, framing, &mut survey.scan(), policy).map_err(MessageError::in_pairs)
    }

    /// Which of the five it is.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Ping(_) => MessageKind::Ping,
            Self::CreateSession(_) => MessageKind::CreateSession,
            Self::Fragment(_) => MessageKind::Fragment,
            Self::CloseSession(_) => MessageKind::CloseSession,
            Self::CancelSession(_) => MessageKind::CancelSession,
        }
    }

    /// Its packet type.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Ping(_) => PacketType::Ping,
            Self::CreateSession(_) => PacketType::CreateSession,
            Self::Fragment(_) => PacketType::Fragment,
            Self::CloseSession(_) => PacketType::CloseSession,
            Self::CancelSession(_) => PacketType::CancelSession,
        }
    }

    /// The session it belongs to; Ping and Create-Session belong to none.
    #[must_use]
    pub const fn session_id(&self) -> Option<&SessionId<'b>> {
        match self {
            Self::Ping(_) | Self::CreateSession(_) => None,
            Self::Fragment(Fragment { session_id, .. })
            | Self::CloseSession(CloseSession { session_id, .. })
            | Self::CancelSession(CancelSession { session_id, .. }) => Some(session_id),
        }
    }

    /// The entity's name, which any packet may carry.
    #[must_use]
    pub const fn content_name(&self) -> Option<ContentName<'b>> {
        match self {
            Self::Ping(Ping { content_name })
            | Self::CreateSession(CreateSession { content_name, .. })
            | Self::Fragment(Fragment { content_name, .. })
            | Self::CloseSession(CloseSession { content_name, .. })
            | Self::CancelSession(CancelSession { content_name, .. }) => *content_name,
        }
    }

    /// How many bytes of body follow the head when it is written.
    #[must_use]
    pub const fn content_length(&self) -> u64 {
        match self {
            Self::Fragment(fragment) => fragment.content_range.len(),
            _ => 0,
        }
    }

    /// Makes it ready to be written: the request line for `target`, the message's fields, and
    /// `extras` of the transport such as Host, User-Agent or Authorization.
    ///
    /// # Errors
    ///
    /// When an extra field cannot be written or belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<E, N, V>(
        &self,
        target: RequestTarget<'b>,
        extras: E,
    ) -> Result<Encoder<'b, E>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        Encoder::new(Start::Request(target, *self), extras)
    }

    /// Shows its fields, in the order of the table.
    #[inline]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visit: V) -> V {
        let visit = visit.field(FieldName::PacketType, Value::PacketType(self.packet_type()));
        let visit = match self {
            Self::CreateSession(create) => create.visit_protocols(visit),
            _ => visit,
        };
        let name = self.content_name();
        let visit = visit
            .optional(FieldName::SessionId, self.session_id().map(Value::SessionId))
            .optional(FieldName::ContentName, name.map(|name| Value::Bytes(name.as_bytes())));
        let visit = match self {
            Self::Fragment(fragment) => fragment.visit_range(visit),
            _ => visit,
        };
        visit.field(FieldName::ContentLength, Value::Number(self.content_length()))
    }
}

/// Reads in the order of [`CheckStage`].
#[inline(always)]
pub(super) fn read<'b>(
    line: RequestLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    policy: &ParseOptions,
) -> Result<Decoded<Request<'b>>, MessageError<'b>> {
    scan.check_coding(framing)?;
    if line.version != Version::Http11 {
        return Err(MessageError::in_start_line(ErrorKind::HttpVersion).at_stage(CheckStage::Http));
    }
    check_override(line.method, scan, policy)?;
    check_method(line.method, scan, policy)?;
    let kind = packet_kind(scan)?;
    if let Some(trouble) = scan.long_value() {
        return Err(trouble);
    }
    scan.check_conflicts(kind)?;
    scan.record_fields(kind);
    check_length(kind, framing, scan, policy)?;
    let message = match kind {
        MessageKind::Fragment => Request::Fragment(Fragment::read(framing, scan)?),
        MessageKind::CreateSession => Request::CreateSession(CreateSession::read(scan)?),
        MessageKind::CloseSession => Request::CloseSession(CloseSession::read(scan)?),
        MessageKind::CancelSession => Request::CancelSession(CancelSession::read(scan)?),
        _ => Request::Ping(Ping::read(scan)?),
    };
    Ok(Decoded { message, deviations: scan.deviations })
}

/// Tells everything that is wrong with a request, where [`read`] stops at the first, and which of
/// the five it is.
pub(super) fn each_trouble<'b>(
    line: RequestLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    policy: &ParseOptions,
    each: &mut impl FnMut(MessageError<'b>),
) -> Option<MessageKind> {
    scan.check_coding(framing).unwrap_or_else(&mut *each);
    if line.version != Version::Http11 {
        each(MessageError::in_start_line(ErrorKind::HttpVersion).at_stage(CheckStage::Http));
    }
    check_override(line.method, scan, policy).unwrap_or_else(&mut *each);
    let kind = check_method(line.method, scan, policy).and_then(|()| packet_kind(scan));
    let kind = kind.map_err(&mut *each).ok()?;
    scan.each_conflict(kind, each);
    scan.record_fields(kind);
    check_length(kind, framing, scan, policy).unwrap_or_else(&mut *each);
    scan.each_flaw(kind, &[FieldName::ContentLength, FieldName::SessionId], each);
    if presence::of(kind, FieldName::SessionId) == Presence::Required {
        scan.session_id(kind).map(drop).unwrap_or_else(&mut *each);
    }
    if kind == MessageKind::Fragment {
        Fragment::length_trouble(framing, scan).into_iter().for_each(each);
    }
    Some(kind)
}

/// Where the verb is looked for it must not contradict itself: whoever reads the other value takes it for
/// another request.
#[inline(always)]
fn check_override<'b>(
    method: &str,
    scan: &Scan<'_, 'b>,
    policy: &ParseOptions,
) -> Result<(), MessageError<'b>> {
    if method != "POST" || !policy.method_override {
        return Ok(());
    }
    let checked = scan.check_conflict(FieldName::MethodOverride);
    checked.map_err(|trouble| trouble.at_stage(CheckStage::Method))
}

#[inline(always)]
fn check_method<'b>(
    method: &'b str,
    scan: &mut Scan<'_, 'b>,
    policy: &ParseOptions,
) -> Result<(), MessageError<'b>> {
    if method == METHOD {
        return Ok(());
    }
    let overridden = scan.get(FieldName::MethodOverride) == Some(METHOD.as_bytes());
    let deviation = match method {
        "POST" if overridden && policy.method_override => Deviation::MethodOverride,
        "POST" if policy.plain_post && scan.get(FieldName::PacketType).is_some() => {
            Deviation::PlainPost
        }
        _ => {
            return Err(MessageError::in_method(ErrorKind::NotBits, method));
        }
    };
    scan.deviations.insert(deviation);
    Ok(())
}

#[inline(always)]
fn packet_kind<'b>(scan: &mut Scan<'_, 'b>) -> Result<MessageKind, MessageError<'b>> {
    // Every column of the requests requires it; the Ping's stands for them all.
    let packet_type = scan
        .required::<PacketType>(MessageKind::Ping)
        .map_err(|trouble| trouble.at_stage(CheckStage::PacketType))?;
    Ok(match packet_type {
        PacketType::Ping => MessageKind::Ping,
        PacketType::CreateSession => MessageKind::CreateSession,
        PacketType::Fragment => MessageKind::Fragment,
        PacketType::CloseSession => MessageKind::CloseSession,
        PacketType::CancelSession => MessageKind::CancelSession,
        PacketType::Ack => {
            let value = scan.get(FieldName::PacketType).unwrap_or_default();
            let flaw = ValueError::new(ErrorKind::UnknownPacketType, 0);
            let trouble = MessageError::in_value(FieldName::PacketType, value, flaw);
            return Err(trouble.at_stage(CheckStage::PacketType));
        }
    })
}

#[inline(always)]
fn check_length<'b>(
    kind: MessageKind,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    policy: &ParseOptions,
) -> Result<(), MessageError<'b>> {
    let has_body = kind == MessageKind::Fragment;
    match (scan.carried(kind, FieldName::ContentLength), framing.content_length) {
        (Err(_), _)
            if !has_body
                && policy.missing_content_length == MissingContentLength::AcceptOnEmpty =>
        {
            scan.deviations.insert(Deviation::MissingContentLength);
            Ok(())
        }
        (Err(missing), _) => Err(missing.at_stage(CheckStage::Length)),
        (Ok(value), Some(length)) if !has_body && length > policy.max_ignored_body => {
            let flaw = ValueError::new(ErrorKind::UnexpectedBody, 0);
            let value = value.unwrap_or_default();
            let trouble = MessageError::in_value(FieldName::ContentLength, value, flaw);
            Err(trouble.at_stage(CheckStage::Length))
        }
        (Ok(_), Some(1..)) if !has_body => {
            scan.deviations.insert(Deviation::UnexpectedBody);
            Ok(())
        }
        (Ok(_), _) => Ok(()),
    }
}
