//! Writing messages.

use super::presence::TABLE;
use super::{Ack, METHOD, MessageKind, NotificationRequest, NotificationResponse, Request, extras};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, SupportedProtocols};
use crate::head::{Status, Target};
use crate::message::extras::Zone;
use crate::message::value::Value;
use crate::sink::{Count, Fill, Sink, Wire, put_decimal};

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
    error_fields: ErrorFields,
}

/// Which of the two fields carries the error code of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    Request(Target<'b>, Request<'b>),
    Ack(Ack<'b>),
    NotificationRequest(Target<'b>, NotificationRequest<'b>),
    NotificationResponse(NotificationResponse<'b>),
}

impl Start<'_> {
    const fn status(&self) -> Option<Status> {
        match self {
            Self::Ack(ack) => Some(ack.status()),
            Self::NotificationResponse(response) => Some(response.status),
            Self::Request(..) | Self::NotificationRequest(..) => None,
        }
    }

    const fn kind(&self) -> MessageKind {
        match self {
            Self::Request(_, request) => request.kind(),
            Self::Ack(ack) => ack.kind(),
            Self::NotificationRequest(_, request) => request.kind(),
            Self::NotificationResponse(_) => MessageKind::NotificationResponse,
        }
    }

    fn value(&self, field: FieldName) -> Option<Value<'_>> {
        // With 204 there is no body, and its length must not be written.
        if field == FieldName::ContentLength && self.status() == Some(Status::NO_CONTENT) {
            return None;
        }
        match self {
            Self::Request(_, request) => request.value(field),
            Self::Ack(ack) => ack.value(field),
            Self::NotificationRequest(_, request) => request.value(field),
            Self::NotificationResponse(response) => response.value(field),
        }
    }
}

impl<'b, E, N, V> Encoder<'b, E>
where
    E: IntoIterator<Item = (N, V)> + Clone,
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    pub(super) fn new(start: Start<'b>, extras: E) -> Result<Self, Error> {
        let kind = start.kind();
        for (name, value) in extras.clone() {
            extras::check(kind, name.as_ref(), value.as_ref())?;
        }
        Ok(Self { start, extras, error_fields: ErrorFields::default() })
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
        self.walk(&mut Pairs(each));
    }

    /// The length of the head in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let mut count = Count::default();
        self.put_into(&mut count);
        count.0
    }

    /// Writes the head to the start of `buffer` and returns its length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] with the length that is needed; then the buffer is as it was.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let needed = self.encoded_len();
        let Some(place) = buffer.get_mut(..needed) else {
            return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
        };
        self.put_into(&mut Fill(place));
        Ok(needed)
    }

    /// The head in a vector of its own.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_vec(&self) -> alloc::vec::Vec<u8> {
        let mut head = alloc::vec::Vec::with_capacity(self.encoded_len());
        self.put_into(&mut head);
        head
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
        self.put_into(&mut crate::sink::Buf(buffer));
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
        let mut stream = crate::sink::Stream { writer, result: Ok(()) };
        self.put_into(&mut stream);
        stream.result
    }

    fn put_into(&self, sink: &mut impl Sink) {
        self.put_start_line(sink);
        self.walk(&mut Lines(sink));
        sink.put(b"\r\n");
    }

    /// Goes through all fields in the order in which they are written.
    fn walk(&self, visit: &mut impl Visit) {
        let kind = self.start.kind();
        self.walk_extras(visit, kind, Zone::Lead);
        for (field, _) in &TABLE {
            if *field == FieldName::ContentLength {
                self.walk_extras(visit, kind, Zone::Middle);
            }
            let left_out = match field {
                FieldName::Error => self.error_fields == ErrorFields::ErrorCode,
                FieldName::ErrorCode => self.error_fields == ErrorFields::Error,
                _ => false,
            };
            if let Some(value) = self.start.value(*field).filter(|_| !left_out) {
                visit.field(field.as_str(), value);
            }
        }
        self.walk_extras(visit, kind, Zone::Trail);
    }

    #[inline]
    fn walk_extras(&self, visit: &mut impl Visit, kind: MessageKind, zone: Zone) {
        for (name, value) in self.extras.clone() {
            if Zone::of(kind, name.as_ref()) == zone {
                visit.field(name.as_ref(), Value::Bytes(value.as_ref()));
            }
        }
    }

    fn put_start_line(&self, sink: &mut impl Sink) {
        match &self.start {
            Start::Request(target, _) => put_request_line(sink, METHOD, *target),
            Start::NotificationRequest(target, _) => put_request_line(sink, "POST", *target),
            Start::Ack(ack) => put_status_line(sink, ack.status()),
            Start::NotificationResponse(response) => put_status_line(sink, response.status),
        }
    }
}

/// Looks at one field after the other.
trait Visit {
    fn field(&mut self, name: &str, value: Value<'_>);
}

/// Writes each field as a line of the head.
struct Lines<'s, S>(&'s mut S);

impl<S: Sink> Visit for Lines<'_, S> {
    #[inline]
    fn field(&mut self, name: &str, value: Value<'_>) {
        self.0.put(name.as_bytes());
        self.0.put(b": ");
        value.put_into(self.0);
        self.0.put(b"\r\n");
    }
}

/// Hands each field to a function, its value as bytes.
struct Pairs<F>(F);

impl<F: FnMut(&str, &[u8])> Visit for Pairs<F> {
    fn field(&mut self, name: &str, value: Value<'_>) {
        if let Value::Bytes(bytes) = value {
            return (self.0)(name, bytes);
        }
        // The longest value that is made here is a list of protocols.
        let mut text = [0; SupportedProtocols::MAX * (uuid::fmt::Braced::LENGTH + 1)];
        let mut length = Count::default();
        value.put_into(&mut length);
        value.put_into(&mut Fill(&mut text));
        (self.0)(name, text.get(..length.0).unwrap_or_default());
    }
}

fn put_request_line(sink: &mut impl Sink, method: &str, target: Target<'_>) {
    for part in [method, " ", target.as_str(), " HTTP/1.1\r\n"] {
        sink.put(part.as_bytes());
    }
}

fn put_status_line(sink: &mut impl Sink, status: Status) {
    sink.put(b"HTTP/1.1 ");
    put_decimal(sink, u64::from(status.get()));
    sink.put(b" ");
    sink.put(status.reason().as_bytes());
    sink.put(b"\r\n");
}
