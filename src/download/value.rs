//! The values of the fields that a download writes.

use super::Transmit;
use super::field::{Boundary, ContentRange, FieldName};
use super::presence::{self, MessageKind};
use crate::field::HttpDate;
use crate::util::sink::{Sink, Wire};

/// The value of a field to write.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Bytes(&'v [u8]),
    Number(u64),
    Date(HttpDate),
    ContentRange(ContentRange),
    /// `multipart/byteranges` with this boundary.
    Multipart(Boundary),
    /// The ranges of a request, at least one.
    Ranges(&'v Transmit<'v>),
}

impl Wire for Value<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Bytes(bytes) => sink.put(bytes),
            Self::Number(number) => sink.put_decimal(*number),
            Self::Date(date) => date.put_into(sink),
            Self::ContentRange(range) => range.put_into(sink),
            Self::Multipart(boundary) => {
                boundary.put_into(sink.put(b"multipart/byteranges; boundary="))
            }
            Self::Ranges(transmit) => put_ranges(sink, transmit),
        }
    }
}

#[inline(never)]
fn put_ranges<S: Sink>(sink: S, transmit: &Transmit<'_>) -> S {
    let ranges = transmit.ranges().into_iter().flatten().enumerate();
    ranges.fold(sink.put(b"bytes="), |sink, (index, range)| {
        let sink = if index == 0 { sink } else { sink.put(b",") };
        sink.put_decimal(range.first()).put(b"-").put_decimal(range.last())
    })
}

/// Receives the fields of a message, in the order in which they are written.
pub(super) trait FieldVisitor: Sized {
    /// Visits a field.
    fn field(self, field: FieldName, value: Value<'_>) -> Self;

    /// Visits a field if it has a value and the presence table has it in messages of this kind.
    #[inline(always)]
    fn of(self, kind: MessageKind, field: FieldName, value: Option<Value<'_>>) -> Self {
        match value {
            Some(value) if presence::of(kind, field).is_written() => self.field(field, value),
            _ => self,
        }
    }
}
