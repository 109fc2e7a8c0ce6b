//! Content-Encoding and Accept-Encoding.

use super::{Decode, FieldName, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.6.1] Content-Encoding of a Fragment, [2.2.3.1] Accept-Encoding of the Ack for
/// Create-Session: the coding of the entity on its way.
///
/// The protocol has one, identity, which a client may leave out. Open, since the specification
/// leaves room for others.
///
/// ```text
/// content-encoding = "identity"
/// ```
///
/// # Errors
///
/// [`ErrorKind::UnsupportedEncoding`] for anything else.
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentEncoding;
///
/// assert_eq!(ContentEncoding::try_from("Identity")?, ContentEncoding::Identity);
/// assert!(ContentEncoding::try_from("gzip").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.3.1, 2.2.6.1 and its note 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentEncoding {
    /// The bytes as they are.
    Identity,
}

impl Decode<'_> for ContentEncoding {
    const NAME: FieldName = FieldName::ContentEncoding;

    fn decode(value: &[u8], _: &mut Deviations) -> Result<Self, ValueError> {
        if eq_ignore_case!(value, b"identity") {
            return Ok(Self::Identity);
        }
        Err(ValueError::new(ErrorKind::UnsupportedEncoding, 0))
    }
}

try_from_wire!(ContentEncoding);

impl Wire for ContentEncoding {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Identity => sink.put(b"identity"),
        }
    }
}

wire_display!(ContentEncoding);
