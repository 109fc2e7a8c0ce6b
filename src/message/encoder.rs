//! Writing messages.

use super::extras::{self, Placement, Zones};
use super::value::{FieldVisitor, Value};
use super::{Ack, METHOD, MessageKind, NotificationRequest, NotificationResponse, Request};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, SupportedProtocols};
use crate::http1::{RequestTarget, StatusCode};
use crate::util::sink::{LenSink, MaxLenSink, Sink, SliceSink, Wire};

/// No extra fields.
pub const NO_EXTRAS: [(&str, &[u8]); 0] = [];

/// A message and its extra fields, checked and ready to be written.
///
/// Made by `encode` of [`Request`], [`Ack`], [`NotificationRequest`] and
/// [`NotificationResponse`]. From then on only want of space can stop it. Fields are spelt and
/// ordered as in Microsoft's captures, so that a captured head is written again byte for byte from
/// its values and extras: the message's fields in the order of the
/// [table](super::presence::TABLE); a client's extras before Content-Length, but for Accept, which
/// comes first, and Connection, which comes last; a server's extras first.
///
/// Extra fields are gone through several times and must be the same each time, as they are in any
/// collection. They are checked: names are tokens, values hold no control characters and no outer
/// white space, and none is a field that the message itself writes, or that would change where the
/// message ends.
///
/// # Example
///
/// ```
/// use bits_proto::message::{Ack, PingAck};
///
/// let ack = Ack::Ping(PingAck).encode([("Server", "example")])?;
/// let mut buffer = [0; 128];
/// let written = ack.write(&mut buffer)?;
/// assert_eq!(
///     &buffer[..written],
///     b"HTTP/1.1 200 OK\r\nServer: example\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n",
/// );
/// assert!(Ack::Ping(PingAck).encode([("Server", "a\r\nContent-Length: 9")]).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Encoder<'b, E> {
    start: Start<'b>,
    extras: E,
    /// The length of the lines of all extras.
    extras_length: usize,
    zones: Zones,
    error_fields: ErrorFields,
}

/// Which of the two fields carries the error code of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ErrorFields {
    /// Both, with one value: clients look for either.
    #[default]
    Both,
    /// BITS-Error, as \[MC-BUP\] calls it.
    Error,
    /// BITS-Error-Code, as Microsoft's pages call it.
    ErrorCode,
}

/// A message and what its start line needs beside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'b> {
    Request(RequestTarget<'b>, Request<'b>),
    Ack(Ack<'b>),
    NotificationRequest(RequestTarget<'b>, NotificationRequest<'b>),
    NotificationResponse(NotificationResponse<'b>),
}

impl Start<'_> {
    #[inline]
    const fn kind(&self) -> MessageKind {
        match self {
            Self::Request(_, request) => request.kind(),
            Self::Ack(ack) => ack.kind(),
            Self::NotificationRequest(_, request) => request.kind(),
            Self::NotificationResponse(_) => MessageKind::NotificationResponse,
        }
    }

    /// Puts the start line, without its end.
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
    fn visit_fields<V: FieldVisitor>(&self, error_fields: ErrorFields, visit: V) -> V {
        match self {
            Self::Request(_, request) => request.visit_fields(visit),
            Self::Ack(ack) => ack.visit_fields(error_fields, visit),
            Self::NotificationRequest(_, request) => request.visit_fields(visit),
            Self::NotificationResponse(response) => response.visit_fields(visit),
        }
    }
}

impl<'b, E, N, V> Encoder<'b, E>
where
    E: IntoIterator<Item = (N, V)> + Clone,
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    #[inline(always)]
    pub(super) fn new(start: Start<'b>, extras: E) -> Result<Self, Error> {
        let is_response = matches!(start, Start::Ack(_) | Start::NotificationResponse(_));
        let (mut extras_length, mut zones) = (0_usize, Zones::default());
        for (name, value) in extras.clone() {
            let (name, value) = (name.as_ref(), value.as_ref());
            if !extras::is_usual(name, value) {
                extras::check(start.kind(), name, value)?;
            }
            zones.insert(if is_response { Placement::Lead } else { Placement::of(name) });
            let line = [b"\r\n: ".len(), name.len(), value.len()];
            extras_length = line.into_iter().fold(extras_length, usize::saturating_add);
        }
        let error_fields = ErrorFields::default();
        Ok(Self { start, extras, extras_length, zones, error_fields })
    }

    /// The same, with the error code in other fields than the default [`ErrorFields::Both`].
    pub fn error_fields(self, error_fields: ErrorFields) -> Self {
        Self { error_fields, ..self }
    }

    /// Hands every field, the extras among them, to `each` in the order in which they are written:
    /// the way out to an HTTP stack that writes heads itself.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, NO_EXTRAS, Refusal};
    ///
    /// let ack = Ack::from(Refusal::access_denied());
    /// let mut fields = Vec::new();
    /// ack.encode(NO_EXTRAS)?.for_each_field(|name, value| {
    ///     fields.push((name.to_string(), value.to_vec()));
    /// });
    /// assert_eq!(ack.status().get(), 403);
    /// assert_eq!(fields[0], ("BITS-Packet-Type".into(), b"Ack".to_vec()));
    /// assert_eq!(fields.len(), 5);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn for_each_field(&self, each: impl FnMut(&str, &[u8])) {
        self.walk(Pairs(each));
    }

    /// The length of the head in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.measure(LenSink(self.extras_length)).0
    }

    /// Writes the head to the start of `buffer` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] with the length that is needed; then the buffer is as it was.
    #[inline]
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        // Only a buffer that may be too small makes it worth while to count.
        let most = self.measure(MaxLenSink(self.extras_length)).0;
        if buffer.len() < most {
            let needed = self.encoded_len();
            if buffer.len() < needed {
                return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
            }
        }
        let room = buffer.len();
        let SliceSink(rest) = self.put_into(SliceSink(buffer));
        Ok(room.saturating_sub(rest.len()))
    }

    /// The head in a vector of its own.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_vec(&self) -> alloc::vec::Vec<u8> {
        self.put_into(alloc::vec::Vec::with_capacity(self.encoded_len()))
    }

    /// Appends the head to a `BufMut` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] with the length that is needed, when less remains; then
    /// nothing is written.
    #[cfg(feature = "bytes")]
    pub fn put(&self, buffer: &mut impl bytes::BufMut) -> Result<usize, Error> {
        let needed = self.encoded_len();
        if buffer.remaining_mut() < needed {
            return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
        }
        self.put_into(crate::util::sink::BufMutSink(buffer));
        Ok(needed)
    }

    /// Writes the head in small pieces; a writer that costs something for each wants to be
    /// buffered.
    ///
    /// # Errors
    ///
    /// The writer's first error; some of the head may have been written.
    #[cfg(feature = "std")]
    pub fn write_to(&self, writer: &mut impl std::io::Write) -> std::io::Result<()> {
        self.put_into(crate::util::sink::IoSink { writer, result: Ok(()) }).result
    }

    /// Measures all but the extras, which have been.
    #[inline]
    fn measure<S: Sink>(&self, measure: S) -> S {
        let measure = self.start.put_line(measure);
        let HeaderLines(measure) = self.start.visit_fields(self.error_fields, HeaderLines(measure));
        measure.put(b"\r\n\r\n")
    }

    #[inline]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let HeaderLines(sink) = self.walk(HeaderLines(self.start.put_line(sink)));
        sink.put(b"\r\n\r\n")
    }

    /// Goes through all fields in the order in which they are written.
    #[inline]
    fn walk<A: VisitAll>(&self, visit: A) -> A {
        let visit = self.walk_extras(Placement::Lead, visit);
        let among = self.start.visit_fields(self.error_fields, WithExtras { encoder: self, visit });
        self.walk_extras(Placement::Trail, among.visit)
    }

    #[inline(always)]
    fn walk_extras<A: VisitAll>(&self, placement: Placement, visit: A) -> A {
        if self.zones.contain(placement) { self.walk_zone(placement, visit) } else { visit }
    }

    fn walk_zone<A: VisitAll>(&self, placement: Placement, visit: A) -> A {
        let is_here = |name: &str| self.zones.contain_one() || Placement::of(name) == placement;
        self.extras.clone().into_iter().fold(visit, |visit, (name, value)| {
            if is_here(name.as_ref()) { visit.extra(name.as_ref(), value.as_ref()) } else { visit }
        })
    }
}

/// Looks at the extras too.
trait VisitAll: FieldVisitor {
    fn extra(self, name: &str, value: &[u8]) -> Self;
}

/// The message's fields among the extras.
struct WithExtras<'e, 'b, E, A> {
    encoder: &'e Encoder<'b, E>,
    visit: A,
}

impl<E, N, V, A> FieldVisitor for WithExtras<'_, '_, E, A>
where
    E: IntoIterator<Item = (N, V)> + Clone,
    N: AsRef<str>,
    V: AsRef<[u8]>,
    A: VisitAll,
{
    #[inline(always)]
    fn field(self, field: FieldName, value: Value<'_>) -> Self {
        let visit = match field {
            FieldName::ContentLength => self.encoder.walk_extras(Placement::Middle, self.visit),
            _ => self.visit,
        };
        Self { visit: visit.field(field, value), ..self }
    }
}

/// Writes each field as a line of the head, without its end.
struct HeaderLines<S>(S);

impl<S: Sink> FieldVisitor for HeaderLines<S> {
    #[inline(always)]
    fn field(self, field: FieldName, value: Value<'_>) -> Self {
        Self(value.put_into(self.0.put(field.line_start())))
    }
}

impl<S: Sink> VisitAll for HeaderLines<S> {
    #[inline]
    fn extra(self, name: &str, value: &[u8]) -> Self {
        Self(self.0.put(b"\r\n").put(name.as_bytes()).put(b": ").put(value))
    }
}

/// Hands each field to a function, its value as bytes.
struct Pairs<F>(F);

impl<F: FnMut(&str, &[u8])> FieldVisitor for Pairs<F> {
    fn field(mut self, field: FieldName, value: Value<'_>) -> Self {
        let bytes = match &value {
            Value::Bytes(bytes) => Some(*bytes),
            Value::SessionId(id) => Some(id.as_bytes()),
            _ => None,
        };
        if let Some(bytes) = bytes {
            (self.0)(field.as_str(), bytes);
            return self;
        }
        // The longest value that is made here is a list of protocols.
        let mut text = [0; SupportedProtocols::MAX * (uuid::fmt::Braced::LENGTH + 1)];
        let room = text.len();
        let SliceSink(rest) = value.put_into(SliceSink(&mut text));
        let length = room.saturating_sub(rest.len());
        (self.0)(field.as_str(), text.get(..length).unwrap_or_default());
        self
    }
}

impl<F: FnMut(&str, &[u8])> VisitAll for Pairs<F> {
    fn extra(mut self, name: &str, value: &[u8]) -> Self {
        (self.0)(name, value);
        self
    }
}

#[inline(always)]
fn put_request_line<S: Sink>(sink: S, method: &str, target: RequestTarget<'_>) -> S {
    sink.put(method.as_bytes()).put(b" ").put(target.as_str().as_bytes()).put(b" HTTP/1.1")
}

#[inline(always)]
fn put_status_line<S: Sink>(sink: S, status: StatusCode) -> S {
    if status == StatusCode::OK {
        return sink.put(b"HTTP/1.1 200 OK");
    }
    let sink = sink.put(b"HTTP/1.1 ").put_decimal(status.get().into());
    sink.put(b" ").put(status.reason().as_bytes())
}
