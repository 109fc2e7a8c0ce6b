//! BITS-Received-Content-Range.

use super::{Decode, FieldName, try_from_wire};
use crate::deviation::Deviations;
use crate::error::ValueError;
use crate::util::digits::decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.7.2] BITS-Received-Content-Range: the next offset that the server expects, in bytes.
///
/// The value is not a range, despite its name: after a fragment with the bytes 128 to 212 it is
/// 213. Clients continue at this offset and at no other.
///
/// ```text
/// received = 1*DIGIT
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotDecimal`](crate::error::ErrorKind::NotDecimal),
/// [`ErrorKind::NumberTooLarge`](crate::error::ErrorKind::NumberTooLarge).
///
/// # Example
///
/// ```
/// use bits_proto::field::ReceivedContentRange;
///
/// assert_eq!(ReceivedContentRange::try_from("213")?, ReceivedContentRange(213));
/// assert!(ReceivedContentRange::try_from("+213").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.7.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceivedContentRange(pub u64);

impl Decode<'_> for ReceivedContentRange {
    const NAME: FieldName = FieldName::ReceivedContentRange;

    #[inline]
    fn decode(value: &[u8], _: &mut Deviations) -> Result<Self, ValueError> {
        decimal(value).map(Self)
    }
}

try_from_wire!(ReceivedContentRange);

impl From<u64> for ReceivedContentRange {
    fn from(offset: u64) -> Self {
        Self(offset)
    }
}

impl From<ReceivedContentRange> for u64 {
    fn from(received: ReceivedContentRange) -> Self {
        received.0
    }
}

impl Wire for ReceivedContentRange {
    #[inline]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put_decimal(self.0)
    }
}

wire_display!(ReceivedContentRange);
