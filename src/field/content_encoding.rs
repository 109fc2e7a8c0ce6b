//! Content-Encoding and Accept-Encoding.

use super::{Decode, FieldName, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.6.1] Content-Encoding of a Fragment, and [2.2.3.1] Accept-Encoding of the Ack for
/// Create-Session: the encoding of the entity.
///
/// The protocol defines one encoding, identity, and clients may omit the field. The value is
/// compared case-insensitively. The enum is open because the specification allows for others.
///
/// ```text
/// content-encoding = "identity"
/// ```
///
/// # Errors
///
/// [`ErrorKind::UnsupportedEncoding`] for any other value.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentEncoding {
    /// The bytes of the entity, unchanged.
    #[default]
    Identity,
}

impl ContentEncoding {
    /// Returns the value as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
        }
    }
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

impl AsRef<str> for ContentEncoding {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Wire for ContentEncoding {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.as_str().as_bytes())
    }
}

wire_display!(ContentEncoding);
