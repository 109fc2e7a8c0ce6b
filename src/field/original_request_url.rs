//! BITS-Original-Request-URL.

use super::url::Url;
use super::{Decode, FieldName, check_present, opaque_value};
use crate::deviation::{Deviation, Deviations};
use crate::error::ValueError;

/// [2.2.12.2] BITS-Original-Request-URL: the destination URL of an upload, in the notification of
/// the server application.
///
/// The server builds it from the request target and the Host field of the client's requests, so
/// this crate does not interpret it. If it is not an absolute URL, that is the deviation
/// [`RelativeOriginalUrl`](Deviation::RelativeOriginalUrl).
///
/// ```text
/// original-url = 1*( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`](crate::error::ErrorKind::Empty),
/// [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte).
///
/// # Example
///
/// ```
/// use bits_proto::field::OriginalRequestUrl;
///
/// let url = OriginalRequestUrl::try_from("http://origin.example/dir/entity")?;
/// assert_eq!(url.to_string(), "http://origin.example/dir/entity");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.12.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginalRequestUrl<'b>(&'b [u8]);

impl<'b> Decode<'b> for OriginalRequestUrl<'b> {
    const NAME: FieldName = FieldName::OriginalRequestUrl;

    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        check_present(value)?;
        if Url::parse(value).is_err() {
            deviations.insert(Deviation::RelativeOriginalUrl);
        }
        Ok(Self(value))
    }
}

opaque_value!(OriginalRequestUrl "Returns the bytes of the URL.");
