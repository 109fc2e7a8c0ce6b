//! The values of the fields that a message writes.

use crate::field::{
    ContentEncoding, ContentRange, ErrorContext, FieldName, HResult, PacketType, Protocol,
    RetryAfter, SessionId, SupportedProtocols,
};
use crate::http1::StatusCode;
use crate::http1::framing::is_length_written;
use crate::util::sink::{Sink, Wire};

/// The value of a field to write.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Bytes(&'v [u8]),
    Number(u64),
    PacketType(PacketType),
    Protocol(Protocol),
    Protocols(SupportedProtocols<'v>),
    SessionId(&'v SessionId<'v>),
    ContentRange(ContentRange),
    Encoding(ContentEncoding),
    Code(HResult),
    Context(ErrorContext),
    RetryAfter(&'v RetryAfter),
}

impl Wire for Value<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Bytes(bytes) => sink.put(bytes),
            Self::Number(number) => sink.put_decimal(*number),
            Self::PacketType(packet_type) => packet_type.put_into(sink),
            Self::Protocol(protocol) => protocol.put_into(sink),
            Self::Protocols(protocols) => protocols.put_into(sink),
            Self::SessionId(id) => id.put_into(sink),
            Self::ContentRange(range) => range.put_into(sink),
            Self::Encoding(encoding) => encoding.put_into(sink),
            Self::Code(code) => code.put_into(sink),
            Self::Context(context) => context.put_into(sink),
            Self::RetryAfter(retry_after) => put_retry_after(retry_after, sink),
        }
    }
}

/// Separate, because few refusals have it.
#[cold]
#[inline(never)]
fn put_retry_after<S: Sink>(retry_after: &RetryAfter, sink: S) -> S {
    retry_after.put_into(sink)
}

/// Receives the fields of a message, in the order in which they are written.
pub(super) trait FieldVisitor: Sized {
    /// Visits a field.
    fn field(self, field: FieldName, value: Value<'_>) -> Self;

    /// Visits a field that may be absent.
    #[inline(always)]
    fn optional(self, field: FieldName, value: Option<Value<'_>>) -> Self {
        match value {
            Some(value) => self.field(field, value),
            None => self,
        }
    }

    /// Visits the Content-Length of a response, which is omitted with 204.
    #[inline(always)]
    fn body_length(self, status: StatusCode, length: u64) -> Self {
        let length = is_length_written(status).then_some(Value::Number(length));
        self.optional(FieldName::ContentLength, length)
    }
}
