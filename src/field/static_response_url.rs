//! BITS-Static-Response-URL.

use super::{Decode, FieldName, check_not_empty, decode_checked, opaque_value, url};
use crate::deviation::{Deviation, Deviations};
use crate::error::ValueError;

/// [2.2.13.2] BITS-Static-Response-URL: the absolute URL of an existing entity that the server
/// application uses as its reply.
///
/// A relative URL is the deviation [`RelativeStaticUrl`](Deviation::RelativeStaticUrl). It is sent
/// to the client unchanged, and resolved there like every [`ReplyUrl`](super::ReplyUrl). In a
/// message, an empty value means that the field is absent.
///
/// ```text
/// static-url = 1*( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`](crate::error::ErrorKind::Empty),
/// [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte),
/// [`ErrorKind::UnsupportedScheme`](crate::error::ErrorKind::UnsupportedScheme),
/// [`ErrorKind::NotAbsoluteUrl`](crate::error::ErrorKind::NotAbsoluteUrl).
///
/// # Example
///
/// ```
/// use bits_proto::field::StaticResponseUrl;
///
/// let url = StaticResponseUrl::try_from("https://app.example/replies/1")?;
/// assert_eq!(url.as_bytes(), b"https://app.example/replies/1");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.13.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StaticResponseUrl<'b>(&'b [u8]);

impl<'b> Decode<'b> for StaticResponseUrl<'b> {
    const NAME: FieldName = FieldName::StaticResponseUrl;

    decode_checked!('b);

    #[inline]
    fn decode_content(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        check_not_empty(value)?;
        if !url::is_absolute(value)? {
            deviations.insert(Deviation::RelativeStaticUrl);
        }
        Ok(Self(value))
    }
}

opaque_value!(StaticResponseUrl "Returns the bytes of the URL.");
