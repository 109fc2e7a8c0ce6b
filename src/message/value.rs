//! The values a message writes.

use crate::field::{
    ContentEncoding, ContentRange, ErrorContext, HResult, PacketType, Protocol, SupportedProtocols,
};
use crate::sink::{Sink, Wire, put_decimal};

/// The value of one field, on its way out.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Bytes(&'v [u8]),
    Number(u64),
    PacketType(PacketType),
    Protocol(Protocol),
    Protocols(SupportedProtocols<'v>),
    ContentRange(ContentRange),
    Encoding(ContentEncoding),
    Code(HResult),
    Context(ErrorContext),
}

impl Wire for Value<'_> {
    #[inline]
    fn put_into(&self, sink: &mut impl Sink) {
        match self {
            Self::Bytes(bytes) => sink.put(bytes),
            Self::Number(number) => put_decimal(sink, *number),
            Self::PacketType(packet_type) => packet_type.put_into(sink),
            Self::Protocol(protocol) => protocol.put_into(sink),
            Self::Protocols(protocols) => protocols.put_into(sink),
            Self::ContentRange(range) => range.put_into(sink),
            Self::Encoding(encoding) => encoding.put_into(sink),
            Self::Code(code) => code.put_into(sink),
            Self::Context(context) => context.put_into(sink),
        }
    }
}
