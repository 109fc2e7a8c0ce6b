//! BITS-Copy-File-To-Destination.

use super::{Decode, FieldName, decode_checked, opaque_value};
use crate::deviation::Deviations;
use crate::error::ValueError;

/// [2.2.13.2] BITS-Copy-File-To-Destination: the server application asks the server to copy the
/// entity to its destination URL.
///
/// The presence of the field is the request. Its value is kept but has no meaning.
///
/// ```text
/// copy = *( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte).
///
/// # Example
///
/// ```
/// use bits_proto::field::CopyFileToDestination;
///
/// assert_eq!(CopyFileToDestination::default().to_string(), "1");
/// ```
///
/// Source: \[MC-BUP\] 2.2.13.2; Microsoft's page on the notification protocol (any value).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CopyFileToDestination<'b>(&'b [u8]);

impl Default for CopyFileToDestination<'_> {
    /// Returns the value `1`.
    fn default() -> Self {
        Self(b"1")
    }
}

impl<'b> Decode<'b> for CopyFileToDestination<'b> {
    const NAME: FieldName = FieldName::CopyFileToDestination;

    decode_checked!('b);

    #[inline(always)]
    fn decode_content(value: &'b [u8], _: &mut Deviations) -> Result<Self, ValueError> {
        Ok(Self(value))
    }
}

opaque_value!(CopyFileToDestination "Returns the value, which has no meaning.");
