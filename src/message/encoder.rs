//! Writing of messages.

use super::extras::{ExtraLines, Extras, ExtrasStorage, Placement};
use super::value::{FieldVisitor, Value};
use super::{Ack, METHOD, MessageKind, NotificationRequest, NotificationResponse, Request};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, SupportedProtocols};
use crate::http1::{RequestTarget, StatusCode};
#[cfg(feature = "bytes")]
use crate::util::sink::write_to_buf;
#[cfg(feature = "std")]
use crate::util::sink::write_to_io;
#[cfg(feature = "alloc")]
use crate::util::sink::write_to_vec;
use crate::util::sink::{LenSink, MaxLenSink, Sink, SliceSink, Wire, format_value};

/// A message and its extra fields, ready to be written.
///
/// Created by `encode` of [`Request`], [`Ack`], [`NotificationRequest`] and
/// [`NotificationResponse`], which reject extra fields that belong to this or another message, or that
/// change the framing. Writing then fails only if the buffer is too small.
///
/// Fields are spelt and ordered as in Microsoft's captures. The fields of the message are in the
/// order of the table at [`MessageKind`]. In a response all extra fields precede them. In a request
/// Accept is first, Connection is last, and other extra fields precede Content-Length.
///
/// # Example
///
/// ```
/// use bits_proto::message::{Ack, Extras, PingAck};
///
/// let extras = Extras::from_fields([0; 64], [("Server", "example")])?;
/// let mut buffer = [0; 128];
/// let written = Ack::Ping(PingAck).encode(&extras)?.write(&mut buffer)?;
/// assert_eq!(
///     &buffer[..written],
///     b"HTTP/1.1 200 OK\r\nServer: example\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n",
/// );
/// let extras = Extras::from_fields([0; 64], [("Content-Length", "9")])?;
/// assert!(Ack::Ping(PingAck).encode(&extras).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Encoder<'b> {
    message: AnyMessage<'b>,
    extras: ExtraLines<'b>,
    error_fields: ErrorFields,
}

/// The fields that carry the error code of a refusal.
///
/// # Example
///
/// ```
/// use bits_proto::message::{Ack, ErrorFields, NO_EXTRAS, Refusal};
///
/// let ack = Ack::from(Refusal::access_denied());
/// let encoder = ack.encode(&NO_EXTRAS)?.with_error_fields(ErrorFields::ErrorCode);
/// encoder.for_each_field(|name, _| assert_ne!(name, "BITS-Error"));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ErrorFields {
    /// Both fields, with equal values, because clients read one or the other.
    #[default]
    Both,
    /// BITS-Error, the name in \[MC-BUP\].
    Error,
    /// BITS-Error-Code, the name in Microsoft's documentation of BITS.
    ErrorCode,
}

/// Any message that can be written, with the request target of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum AnyMessage<'b> {
    Request(RequestTarget<'b>, &'b Request<'b>),
    Ack(&'b Ack<'b>),
    NotificationRequest(RequestTarget<'b>, &'b NotificationRequest<'b>),
    NotificationResponse(&'b NotificationResponse<'b>),
}

impl AnyMessage<'_> {
    #[inline]
    const fn kind(&self) -> MessageKind {
        match self {
            Self::Request(_, request) => request.kind(),
            Self::Ack(ack) => ack.kind(),
            Self::NotificationRequest(_, request) => request.kind(),
            Self::NotificationResponse(_) => MessageKind::NotificationResponse,
        }
    }

    /// Writes the start line, without the line end.
    #[inline(always)]
    fn put_line<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Request(target, _) => put_request_line(sink, METHOD, *target),
            Self::NotificationRequest(target, _) => put_request_line(sink, "POST", *target),
            Self::Ack(ack) => put_status_line(sink, ack.status()),
            Self::NotificationResponse(response) => put_status_line(sink, response.status),
        }
    }

    #[inline(always)]
    fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visitor: V) -> V {
        match self {
            Self::Request(_, request) => request.visit_fields(visitor),
            Self::Ack(ack) => ack.visit_fields(error_fields, visitor),
            Self::NotificationRequest(_, request) => request.visit_fields(visitor),
            Self::NotificationResponse(response) => response.visit_fields(visitor),
        }
    }
}

impl<'b> Encoder<'b> {
    #[inline(always)]
    pub(super) fn new(
        message: AnyMessage<'b>,
        extras: &'b Extras<impl ExtrasStorage>,
    ) -> Result<Self, Error> {
        let extras = extras.lines();
        extras.check(|| message.kind())?;
        Ok(Self { message, extras, error_fields: ErrorFields::Both })
    }

    /// Sets the fields that carry the error code of a refusal. Default: [`ErrorFields::Both`].
    pub fn with_error_fields(self, error_fields: ErrorFields) -> Self {
        Self { error_fields, ..self }
    }

    /// Calls `callback` with the name and value of each field, in the order of writing.
    ///
    /// Extra fields are included. Use it with HTTP stacks that write heads themselves.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, NO_EXTRAS, Refusal};
    ///
    /// let ack = Ack::from(Refusal::access_denied());
    /// let mut fields = Vec::new();
    /// ack.encode(&NO_EXTRAS)?.for_each_field(|name, value| {
    ///     fields.push((name.to_string(), value.to_vec()));
    /// });
    /// assert_eq!(ack.status().get(), 403);
    /// assert_eq!(fields[0], ("BITS-Packet-Type".into(), b"Ack".to_vec()));
    /// assert_eq!(fields.len(), 5);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn for_each_field(&self, callback: impl FnMut(&str, &[u8])) {
        self.visit_all(FieldCallback(callback));
    }

    /// Returns the length of the head in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.measure(LenSink(self.extras.as_bytes().len())).0
    }

    /// Writes the head to the start of `buffer` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] with the required length. The buffer is unchanged.
    #[inline(always)]
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        // The upper bound is cheaper than the exact length, which only a small buffer requires.
        let max_length = self.measure(MaxLenSink(self.extras.as_bytes().len())).0;
        if buffer.len() < max_length {
            self.check_exact_length(buffer)?;
        }
        let capacity = buffer.len();
        let SliceSink(rest) = self.put_into(SliceSink(buffer));
        Ok(capacity.saturating_sub(rest.len()))
    }

    /// Writes the head to a new vector.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_vec(&self) -> alloc::vec::Vec<u8> {
        write_to_vec(self, self.encoded_len())
    }

    /// Appends the head to a `BufMut` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] with the required length if less space remains. The buffer is
    /// unchanged.
    #[cfg(feature = "bytes")]
    pub fn put(&self, buffer: &mut impl bytes::BufMut) -> Result<usize, Error> {
        write_to_buf(self, self.encoded_len(), buffer)
    }

    /// Writes the head to a writer, with many small writes. Use a buffered writer for files and
    /// sockets.
    ///
    /// # Errors
    ///
    /// The first error of the writer. Part of the head may have been written.
    #[cfg(feature = "std")]
    pub fn write_to(&self, writer: &mut impl std::io::Write) -> std::io::Result<()> {
        write_to_io(self, writer)
    }

    /// Fails if the buffer is too small. Takes a copy, so that the encoder of the caller can stay in
    /// registers.
    #[cold]
    #[inline(never)]
    fn check_exact_length(self, buffer: &[u8]) -> Result<(), Error> {
        let needed = self.encoded_len();
        if buffer.len() < needed {
            return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
        }
        Ok(())
    }

    /// Adds the length of the head without the extra fields, whose length is known.
    #[inline(always)]
    fn measure<S: Sink>(&self, sink: S) -> S {
        let sink = self.message.put_line(sink);
        let HeaderLines(sink) = self.message.visit_fields(self.error_fields, HeaderLines(sink));
        sink.put(b"\r\n\r\n")
    }

    /// Visits all fields in the order in which they are written.
    #[inline(always)]
    fn visit_all<A: ExtraVisitor>(&self, visitor: A) -> A {
        let extras = self.extras;
        match &self.message {
            AnyMessage::Ack(_) | AnyMessage::NotificationResponse(_) => {
                self.message.visit_fields(self.error_fields, visitor.all_extras(extras))
            }
            AnyMessage::Request(..) | AnyMessage::NotificationRequest(..) => {
                let visitor = visitor.extras_at(Placement::First, extras);
                let fields = WithExtras { extras, visitor };
                let WithExtras { visitor, .. } =
                    self.message.visit_fields(self.error_fields, fields);
                visitor.extras_at(Placement::Last, extras)
            }
        }
    }
}

impl Wire for Encoder<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let HeaderLines(sink) = self.visit_all(HeaderLines(self.message.put_line(sink)));
        sink.put(b"\r\n\r\n")
    }
}

/// Receives the fields of a message and the extra fields.
trait ExtraVisitor: FieldVisitor {
    /// Visits all extra fields, in the order of the caller.
    fn all_extras(self, extras: ExtraLines<'_>) -> Self;

    /// Visits the extra fields of a request with this placement.
    fn extras_at(self, placement: Placement, extras: ExtraLines<'_>) -> Self;
}

/// Visits the fields of a request, and inserts the extra fields before Content-Length.
struct WithExtras<'e, A> {
    extras: ExtraLines<'e>,
    visitor: A,
}

impl<A: ExtraVisitor> FieldVisitor for WithExtras<'_, A> {
    #[inline(always)]
    fn field(self, field: FieldName, value: Value<'_>) -> Self {
        let visitor = match field {
            FieldName::ContentLength => {
                self.visitor.extras_at(Placement::BeforeLength, self.extras)
            }
            _ => self.visitor,
        };
        Self { visitor: visitor.field(field, value), ..self }
    }
}

/// Writes each field as a field line, preceded by the end of the previous line.
struct HeaderLines<S>(S);

impl<S: Sink> FieldVisitor for HeaderLines<S> {
    #[inline(always)]
    fn field(self, field: FieldName, value: Value<'_>) -> Self {
        Self(match value {
            Value::PacketType(packet_type) => self.0.put(packet_type.line()),
            value => value.put_into(self.0.put(field.line_start())),
        })
    }
}

impl<S: Sink> ExtraVisitor for HeaderLines<S> {
    #[inline(always)]
    fn all_extras(self, extras: ExtraLines<'_>) -> Self {
        Self(self.0.put(extras.as_bytes()))
    }

    #[inline(always)]
    fn extras_at(self, placement: Placement, extras: ExtraLines<'_>) -> Self {
        Self(extras.put_at(placement, self.0))
    }
}

/// Calls a function with the name and value of each field.
struct FieldCallback<F>(F);

impl<F: FnMut(&str, &[u8])> FieldVisitor for FieldCallback<F> {
    fn field(mut self, field: FieldName, value: Value<'_>) -> Self {
        let mut callback = |bytes: &[u8]| (self.0)(field.as_str(), bytes);
        match value {
            Value::Bytes(bytes) => callback(bytes),
            Value::SessionId(id) => callback(id.as_bytes()),
            value => format_value::<MAX_FORMATTED_LENGTH>(&value, callback),
        }
        self
    }
}

/// The maximum length of a value that is formatted: a list of protocols.
const MAX_FORMATTED_LENGTH: usize = SupportedProtocols::MAX * (uuid::fmt::Braced::LENGTH + 1);

impl<F: FnMut(&str, &[u8])> ExtraVisitor for FieldCallback<F> {
    fn all_extras(mut self, extras: ExtraLines<'_>) -> Self {
        extras.fields().for_each(|(name, value)| (self.0)(name, value));
        self
    }

    fn extras_at(mut self, placement: Placement, extras: ExtraLines<'_>) -> Self {
        extras.fields_at(placement).for_each(|(name, value)| (self.0)(name, value));
        self
    }
}

#[inline(always)]
pub(crate) fn put_request_line<S: Sink>(sink: S, method: &str, target: RequestTarget<'_>) -> S {
    sink.put(method.as_bytes()).put(b" ").put(target.as_str().as_bytes()).put(b" HTTP/1.1")
}

#[inline(always)]
pub(crate) fn put_status_line<S: Sink>(sink: S, status: StatusCode) -> S {
    if status == StatusCode::OK {
        return sink.put(b"HTTP/1.1 200 OK");
    }
    let sink = sink.put(b"HTTP/1.1 ").put_decimal(status.get().into());
    sink.put(b" ").put(status.reason().as_bytes())
}
