//! BITS-Reply-URL.

use super::url::{self, Url};
use super::{Decode, FieldName, ResolvedUrl, check_not_empty, decode_checked, opaque_value};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};

/// [2.2.7.2] BITS-Reply-URL: the location of the reply to an upload.
///
/// The field is part of the Ack for the last Fragment of an upload-reply. Windows sends a URL
/// relative to the destination URL, with backslashes and braces;
/// [`resolve_into`](Self::resolve_into) converts it to a URL that can be fetched. The URL may point
/// to any server: check [`ResolvedUrl::is_same_origin`] before fetching it.
///
/// A URL of more than [`MAX_LEN`](Self::MAX_LEN) bytes is the deviation
/// [`LongReplyUrl`](Deviation::LongReplyUrl).
///
/// ```text
/// reply-url = 1*( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
///           ; an absolute http or https URL if it starts with a scheme
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`] (in a message, an empty value means that the field is absent),
/// [`ErrorKind::InvalidByte`], [`ErrorKind::UnsupportedScheme`], [`ErrorKind::NotAbsoluteUrl`].
///
/// # Example
///
/// ```
/// use bits_proto::field::ReplyUrl;
///
/// let reply = ReplyUrl::try_from(r"BITS-Sessions\Replies\{1}\reply.bin")?;
/// let mut buffer = [0; 128];
/// let resolved = reply.resolve_into("http://origin.example/dir/entity", &mut buffer)?;
/// assert_eq!(
///     resolved.as_str(),
///     "http://origin.example/dir/BITS-Sessions/Replies/%7B1%7D/reply.bin"
/// );
/// assert!(resolved.is_same_origin());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.7.2; the capture in 4.2; RFC 3986 section 5.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyUrl<'b>(&'b [u8]);

impl<'b> ReplyUrl<'b> {
    /// The maximum length that servers forward, in bytes.
    pub const MAX_LEN: usize = 2200;

    /// Returns the host of the URL; `None` if it is relative.
    pub(crate) fn host(&self) -> Option<&'b [u8]> {
        url::host(self.0)
    }

    /// Resolves the URL against the destination URL of the upload, and writes it to `out`.
    ///
    /// `destination` is the URL on the *origin* server, not on the host in BITS-Host-Id.
    /// Backslashes are replaced by slashes, dot segments are removed, and bytes that are not
    /// allowed in a URL are percent-encoded. User and password are omitted.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::NotDestination`] if `destination` is not an absolute http or https URL;
    /// * [`ErrorKind::NotAbsoluteUrl`] if the host in the reply URL is invalid;
    /// * [`ErrorKind::BufferTooSmall`] with a sufficient size. Nothing is written.
    pub fn resolve_into<'o>(
        &self,
        destination: &str,
        out: &'o mut [u8],
    ) -> Result<ResolvedUrl<'o>, Error> {
        let destination = Url::of_destination(destination)?;
        url::resolve(self.0, destination, out).map_err(|error| match error.kind {
            ErrorKind::BufferTooSmall { .. } => FieldName::ReplyUrl.caller_error(error),
            _ => FieldName::ReplyUrl.value_error(self.0, error),
        })
    }

    /// Resolves the URL against the destination URL of the upload, like
    /// [`resolve_into`](Self::resolve_into), and returns an owned URL.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::NotDestination`] if `destination` is not an absolute http or https URL;
    /// * [`ErrorKind::NotAbsoluteUrl`] if the host in the reply URL is invalid.
    #[cfg(feature = "alloc")]
    pub fn resolve(&self, destination: &str) -> Result<super::ResolvedUrlBuf, Error> {
        let destination = Url::of_destination(destination)?;
        url::resolve_to_buf(self.0, destination)
            .map_err(|error| FieldName::ReplyUrl.value_error(self.0, error))
    }
}

impl<'b> Decode<'b> for ReplyUrl<'b> {
    const NAME: FieldName = FieldName::ReplyUrl;

    decode_checked!('b);

    #[inline]
    fn decode_content(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        check_not_empty(value)?;
        url::is_absolute(value)?;
        if value.len() > Self::MAX_LEN {
            deviations.insert(Deviation::LongReplyUrl);
        }
        Ok(Self(value))
    }
}

opaque_value!(ReplyUrl "Returns the bytes of the URL, as received.");
