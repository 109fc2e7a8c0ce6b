//! The five requests of a client, and the rules they share.

use super::encoder::{AnyMessage, Encoder};
use super::extras::{Extras, ExtrasStorage};
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Checked, Outcome, Report};
use super::source::{self, HeadSource, ParsedFields};
use super::value::{FieldVisitor, Value};
use super::{
    CancelSession, CloseSession, CreateSession, Decoded, Fields, Fragment, MessageKind,
    MissingContentLength, ParseOptions, Ping, RequestHead, presence,
};
use crate::deviation::{Deviation, Deviations};
use crate::error::{CheckStage, Error, ErrorKind, ValueError};
use crate::field::{ContentName, Decode as _, FieldName, FieldSet, PacketType, SessionId};
use crate::http1::HeadVisitor as _;
use crate::http1::framing::AllowedCoding;
use crate::http1::{RequestLine, RequestTarget, Version, trim_white_space};

/// [2.2.1] The method of every request of a client.
pub const METHOD: &str = "BITS_POST";

/// A request of a client.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{Progress, RequestTarget};
/// use bits_proto::message::{Extras, HeaderSlots, ParseOptions, Request, RequestHead};
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
/// let extras = Extras::from_fields([0; 64], [("Host", "origin.example")])?;
/// let again = decoded.message.encode(RequestTarget::try_from("/entity")?, &extras)?;
/// let mut buffer = [0; 256];
/// let written = again.write(&mut buffer)?;
/// assert_eq!(&buffer[..written], bytes);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Returns true if a request claims to be a BITS packet: by its method, by a BITS-Packet-Type,
    /// or by an `X-HTTP-Method-Override`. It may be invalid all the same.
    ///
    /// Meant for servers and monitors that see other requests too.
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
        line.method == METHOD || fields.into_iter().any(claims_bits)
    }

    /// Returns true if a head that cannot be parsed claims to be a BITS packet, as in
    /// [`is_bits_request`](Self::is_bits_request).
    ///
    /// `head` may be incomplete, and the body may follow it.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::Request;
    ///
    /// assert!(Request::is_bits_head(b"BITS_POST /e HTTP/9\r\nHost: h\r\n\r\n"));
    /// assert!(Request::is_bits_head(b"POST /e\r\nbits-packet-type: Ping\r\n\r\n"));
    /// assert!(!Request::is_bits_head(b"POST /e\r\nHost: h\r\n\r\nBITS-Packet-Type: Ping"));
    /// ```
    #[must_use]
    pub fn is_bits_head(head: &[u8]) -> bool {
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let start_line = lines.find(|line| !line.is_empty()).unwrap_or_default();
        let method = start_line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let fields = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let name = core::str::from_utf8(name.trim_ascii_end()).ok()?;
            Some((name, value.strip_prefix(b":")?))
        });
        method == METHOD.as_bytes() || fields.into_iter().any(claims_bits)
    }

    /// Reads a request from a head.
    ///
    /// Checks are made in the order of [`CheckStage`]. The body follows the head and is
    /// [`body_length`](crate::http1::Head::body_length) bytes long, even on a packet without a body
    /// that lenient options accept.
    ///
    /// # Errors
    ///
    /// The first error, when the head is not a valid packet.
    /// [`Refusal::for_error`](super::Refusal::for_error) turns it into the Ack to send.
    pub fn from_head(
        head: &RequestHead<'_, 'b>,
        options: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        let source = HeadSource { head, max_value: options.max_value };
        source::parse(&source, |line, reader| read(line, reader, options))
    }

    /// Reads a request from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets. Ambiguous framing is an error too.
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
        options: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let source = ParsedFields::collect(&mut slot, line, fields, options.max_value);
        source::parse(&source, |line, reader| read(line, reader, options))
    }

    /// Returns the kind of request.
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

    /// Returns the packet type.
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

    /// Returns the session id; Ping and Create-Session have none.
    #[must_use]
    pub const fn session_id(&self) -> Option<&SessionId<'b>> {
        match self {
            Self::Ping(_) | Self::CreateSession(_) => None,
            Self::Fragment(Fragment { session_id, .. })
            | Self::CloseSession(CloseSession { session_id, .. })
            | Self::CancelSession(CancelSession { session_id, .. }) => Some(session_id),
        }
    }

    /// Returns the name of the entity, which any packet may carry.
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

    /// Returns the length of the body in bytes.
    #[must_use]
    pub const fn content_length(&self) -> u64 {
        match self {
            Self::Fragment(fragment) => fragment.content_range.len(),
            _ => 0,
        }
    }

    /// Prepares the head for writing: the request line with `target`, the fields of the message, and
    /// `extras` such as Host, User-Agent or Authorization.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReservedExtra`] if an extra field belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<'e>(
        &'e self,
        target: RequestTarget<'e>,
        extras: &'e Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'e>, Error> {
        Encoder::new(AnyMessage::Request(target, self), extras)
    }

    /// Visits the fields, in the order of the presence table.
    #[inline(always)]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        match self {
            // Most requests are Fragments; a separate function keeps their code small.
            Self::Fragment(fragment) => fragment.visit_fields(visitor),
            _ => self.visit_fields_without_body(visitor),
        }
    }

    /// Visits the fields of a request that is not a Fragment.
    #[inline]
    fn visit_fields_without_body<V: FieldVisitor>(&self, visitor: V) -> V {
        let visitor = visitor.field(FieldName::PacketType, Value::PacketType(self.packet_type()));
        let visitor = match self {
            Self::CreateSession(create) => create.visit_protocols(visitor),
            _ => visitor,
        };
        let name = self.content_name();
        visitor
            .optional(FieldName::SessionId, self.session_id().map(Value::SessionId))
            .optional(FieldName::ContentName, name.map(|name| Value::Bytes(name.as_bytes())))
            .field(FieldName::ContentLength, Value::Number(0))
    }
}

/// Returns true for a field that only BITS packets have.
fn claims_bits((name, value): (&str, &[u8])) -> bool {
    match FieldName::from_name(name) {
        Some(FieldName::PacketType) => true,
        Some(FieldName::MethodOverride) => trim_white_space(value) == METHOD.as_bytes(),
        _ => false,
    }
}

/// Reads a request in the order of [`CheckStage`].
#[inline(always)]
pub(super) fn read<'b, R: Report<'b>>(
    line: RequestLine<'b>,
    reader: &mut Reader<'_, 'b, R>,
    options: &ParseOptions,
) -> Outcome<'b, Request<'b>, R> {
    reader.check_framing(AllowedCoding::None)?;
    if line.version != Version::Http11 {
        let error = MessageError::in_start_line(ErrorKind::HttpVersion);
        reader.report(error.at_stage(CheckStage::Http))?;
    }
    if line.method == "POST" && options.method_override {
        let method = FieldSet::of(FieldName::MethodOverride);
        reader.check_conflicts(method, CheckStage::Method)?;
    }
    if let Err(invalid) = check_method(line.method, reader, options)? {
        return Ok(Err(invalid));
    }
    let kind = match read_kind(reader)? {
        Ok(kind) => kind,
        Err(invalid) => return Ok(Err(invalid)),
    };
    reader.check_value_lengths()?;
    reader.check_conflicts(presence::fields(kind).carried(), CheckStage::Limits)?;
    reader.record_fields(kind);
    check_length(kind, reader, options)?;
    Ok(match kind {
        MessageKind::Fragment => Fragment::read(reader)?.map(Request::Fragment),
        MessageKind::CreateSession => CreateSession::read(reader)?.map(Request::CreateSession),
        MessageKind::CloseSession => CloseSession::read(reader)?.map(Request::CloseSession),
        MessageKind::CancelSession => CancelSession::read(reader)?.map(Request::CancelSession),
        _ => Ping::read(reader)?.map(Request::Ping),
    })
}

/// Checks the method, or the alternatives to it that the options allow.
#[inline(always)]
fn check_method<'b, R: Report<'b>>(
    method: &'b str,
    reader: &mut Reader<'_, 'b, R>,
    options: &ParseOptions,
) -> Outcome<'b, (), R> {
    if method == METHOD {
        return Ok(Ok(()));
    }
    let overridden = reader.get(FieldName::MethodOverride) == Some(METHOD.as_bytes());
    let deviation = match method {
        "POST" if overridden && options.method_override => Deviation::MethodOverride,
        "POST" if options.plain_post && reader.get(FieldName::PacketType).is_some() => {
            Deviation::PlainPost
        }
        _ => {
            return reader.report(MessageError::in_method(ErrorKind::NotBits, method)).map(Err);
        }
    };
    reader.deviations.insert(deviation);
    Ok(Ok(()))
}

/// Reads the packet type.
#[inline(always)]
fn read_kind<'b, R: Report<'b>>(reader: &mut Reader<'_, 'b, R>) -> Outcome<'b, MessageKind, R> {
    let field = FieldName::PacketType;
    let error = match reader.get(field) {
        None => MessageError::missing(field),
        Some(value) => match kind_of(value) {
            Ok(kind) => return Ok(Ok(kind)),
            Err(error) => MessageError::in_value(field, value, error),
        },
    };
    reader.report(error.at_stage(CheckStage::PacketType)).map(Err)
}

/// Returns the kind of a request from its packet type.
#[inline(always)]
pub(super) fn kind_of(packet_type: &[u8]) -> Result<MessageKind, ValueError> {
    Ok(match PacketType::decode(packet_type, &mut Deviations::EMPTY.clone())? {
        PacketType::Ping => MessageKind::Ping,
        PacketType::CreateSession => MessageKind::CreateSession,
        PacketType::Fragment => MessageKind::Fragment,
        PacketType::CloseSession => MessageKind::CloseSession,
        PacketType::CancelSession => MessageKind::CancelSession,
        PacketType::Ack => return Err(ValueError::new(ErrorKind::UnknownPacketType, 0)),
    })
}

/// Checks that the length is present, and that a packet without a body has none.
#[inline(always)]
fn check_length<'b, R: Report<'b>>(
    kind: MessageKind,
    reader: &mut Reader<'_, 'b, R>,
    options: &ParseOptions,
) -> Checked<'b, R> {
    const FIELD: FieldName = FieldName::ContentLength;
    let has_body = kind == MessageKind::Fragment;
    let is_required =
        has_body || options.missing_content_length != MissingContentLength::AcceptOnEmpty;
    let error = match (reader.get(FIELD), reader.framing.content_length) {
        (None, _) if is_required => MessageError::missing(FIELD),
        (None, _) => {
            reader.record_absence(kind, FIELD);
            return Ok(());
        }
        (Some(value), Some(length)) if !has_body && length > options.max_ignored_body => {
            let limit = options.max_ignored_body;
            MessageError::in_number(ErrorKind::UnexpectedBody, FIELD, value, limit)
        }
        (Some(_), Some(1..)) if !has_body => {
            reader.deviations.insert(Deviation::UnexpectedBody);
            return Ok(());
        }
        (Some(_), _) => return Ok(()),
    };
    reader.report(error.at_stage(CheckStage::Length)).map(drop)
}
