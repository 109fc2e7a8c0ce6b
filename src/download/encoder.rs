//! Writing of heads.

use super::field::FieldName;
use super::plan::Body;
use super::presence::is_reserved;
use super::value::{FieldVisitor, Value};
use super::{Condition, Options, Plan, Transmit};
use crate::error::Error;
use crate::http1::RequestTarget;
use crate::message::{ExtraLines, Extras, ExtrasStorage, put_request_line, put_status_line};
#[cfg(feature = "bytes")]
use crate::util::sink::write_to_buf;
#[cfg(feature = "std")]
use crate::util::sink::write_to_io;
#[cfg(feature = "alloc")]
use crate::util::sink::write_to_vec;
use crate::util::sink::{LenSink, Sink, Wire, format_value, write_to_slice};

/// The head of a download message with its extra fields, ready to be written.
///
/// Created by [`Plan::encode`] and [`Transmit::encode`], which check that no extra field is one that
/// the message decides about. Extra fields precede those of the message.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::Boundary;
/// use bits_proto::download::{Entity, Plan, PlanLimits, Request};
/// use bits_proto::http1::{RequestLine, Version};
/// use bits_proto::message::Extras;
///
/// let line = RequestLine { method: "HEAD", target: "/file", version: Version::Http11 };
/// let request = Request::from_fields(line, [])?;
/// let boundary = Boundary::from_random(7); // from a random generator
/// let plan = Plan::new(&request, &Entity::new(9), &PlanLimits::DEFAULT, boundary);
/// let extras = Extras::from_fields([0; 64], [("Server", "example")])?;
/// let mut buffer = [0; 128];
/// let written = plan.encode(&extras)?.write(&mut buffer)?;
/// assert_eq!(
///     &buffer[..written],
///     b"HTTP/1.1 200 OK\r\nServer: example\r\nAccept-Ranges: bytes\r\nContent-Length: 9\r\n\r\n"
/// );
/// let extras = Extras::from_fields([0; 64], [("Content-Length", "9")])?;
/// assert!(plan.encode(&extras).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Encoder<'p> {
    message: Message<'p>,
    extras: ExtraLines<'p>,
}

/// A message that can be written.
#[derive(Clone, Debug)]
enum Message<'p> {
    Request(RequestTarget<'p>, Transmit<'p>),
    Response(Plan<'p>),
}

impl<'p> Plan<'p> {
    /// Prepares the head for writing: the status line, the fields of the response, and `extras` such
    /// as Date or Server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReservedExtra`] for a field that the plan decides about.
    ///
    /// [`ErrorKind::ReservedExtra`]: crate::error::ErrorKind::ReservedExtra
    pub fn encode(&self, extras: &'p Extras<impl ExtrasStorage>) -> Result<Encoder<'p>, Error> {
        Encoder::new(Message::Response(*self), extras)
    }
}

impl<'d> Transmit<'d> {
    /// Prepares the head for writing: the request line, the fields of the request, and `extras` such
    /// as Host or Authorization.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReservedExtra`] for a field that the download decides about.
    ///
    /// [`ErrorKind::ReservedExtra`]: crate::error::ErrorKind::ReservedExtra
    pub fn encode(
        &self,
        target: RequestTarget<'d>,
        extras: &'d Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'d>, Error> {
        Encoder::new(Message::Request(target, self.clone()), extras)
    }
}

impl Message<'_> {
    /// Returns true for the fields that only the message itself may write.
    fn reserves(&self, field: FieldName) -> bool {
        is_reserved(field, matches!(self, Self::Request(..)))
    }

    #[inline(always)]
    fn put_line<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Request(target, transmit) => {
                put_request_line(sink, transmit.method().as_str(), *target)
            }
            Self::Response(plan) => put_status_line(sink, plan.status()),
        }
    }

    /// Visits the fields of the presence table that have a value, in its order.
    #[inline(always)]
    fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        match self {
            Self::Request(_, transmit) => visit_request(transmit, visitor),
            Self::Response(plan) => visit_response(plan, visitor),
        }
    }
}

#[inline(always)]
fn visit_request<V: FieldVisitor>(transmit: &Transmit<'_>, visitor: V) -> V {
    let kind = transmit.method().kind();
    let ranges = transmit.ranges().map(|_| Value::Ranges(transmit));
    let visitor = visitor.of(kind, FieldName::AcceptEncoding, Some(Value::Bytes(b"identity"))).of(
        kind,
        FieldName::Range,
        ranges,
    );
    match transmit.condition().map(Condition::field) {
        Some((field, value)) => visitor.of(kind, field, Some(Value::Bytes(value))),
        None => visitor,
    }
}

#[inline(always)]
fn visit_response<V: FieldVisitor>(plan: &Plan<'_>, visitor: V) -> V {
    let (kind, entity) = (plan.kind(), &plan.entity);
    let content_type = match plan.body {
        Body::Multipart { boundary, .. } => Some(Value::Multipart(boundary)),
        _ => entity.content_type.map(|content_type| Value::Bytes(content_type.as_bytes())),
    };
    visitor
        .of(kind, FieldName::AcceptRanges, Some(Value::Bytes(b"bytes")))
        .of(kind, FieldName::LastModified, entity.modified.map(Value::Date))
        .of(kind, FieldName::ETag, entity.tag.map(|tag| Value::Bytes(tag.as_bytes())))
        .of(kind, FieldName::ContentType, content_type)
        .of(kind, FieldName::ContentRange, plan.content_range().map(Value::ContentRange))
        .of(kind, FieldName::ContentLength, plan.content_length().map(Value::Number))
}

impl<'p> Encoder<'p> {
    fn new(message: Message<'p>, extras: &'p Extras<impl ExtrasStorage>) -> Result<Self, Error> {
        let extras = extras.lines();
        extras.check_for_download(|field| message.reserves(field))?;
        Ok(Self { message, extras })
    }

    /// Calls `callback` with the name and value of each field, in the order of writing.
    ///
    /// Extra fields are included. Use it with HTTP stacks that write heads themselves.
    pub fn for_each_field(&self, callback: impl FnMut(&str, &[u8])) {
        let mut callback = FieldCallback(callback);
        self.extras.fields().for_each(|(name, value)| (callback.0)(name, value));
        self.message.visit_fields(callback);
    }

    /// Returns the length of the head in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.put_into(LenSink(0)).0
    }

    /// Writes the head to the start of `buffer` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`](crate::error::ErrorKind::BufferTooSmall) with the
    /// required length. The buffer is unchanged.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        write_to_slice(self, buffer)
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
    /// [`ErrorKind::BufferTooSmall`](crate::error::ErrorKind::BufferTooSmall) with the
    /// required length if less space remains. The buffer is unchanged.
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
}

impl Wire for Encoder<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let sink = self.message.put_line(sink).put(self.extras.as_bytes());
        let HeaderLines(sink) = self.message.visit_fields(HeaderLines(sink));
        sink.put(b"\r\n\r\n")
    }
}

/// Writes each field as a field line, preceded by the end of the previous line.
struct HeaderLines<S>(S);

impl<S: Sink> FieldVisitor for HeaderLines<S> {
    #[inline(always)]
    fn field(self, field: FieldName, value: Value<'_>) -> Self {
        Self(value.put_into(self.0.put(field.line_start())))
    }
}

/// Calls a function with the name and value of each field.
struct FieldCallback<F>(F);

impl<F: FnMut(&str, &[u8])> FieldVisitor for FieldCallback<F> {
    fn field(mut self, field: FieldName, value: Value<'_>) -> Self {
        let mut callback = |bytes: &[u8]| (self.0)(field.as_str(), bytes);
        match value {
            Value::Bytes(bytes) => callback(bytes),
            Value::Ranges(_) => format_value::<MAX_RANGES_LENGTH>(&value, callback),
            // The longest other value is a Content-Range with three numbers of 20 digits.
            value => format_value::<72>(&value, callback),
        }
        self
    }
}

/// The maximum length of a Range value: two numbers of 20 digits and two separators for each range.
const MAX_RANGES_LENGTH: usize = 6 + 42 * Options::MAX_RANGES as usize;
