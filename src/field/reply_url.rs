//! BITS-Reply-URL.

use super::url::{self, Url};
use super::{Decode, FieldName, ResolvedUrl, check_present, opaque_value};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};

/// [2.2.7.2] BITS-Reply-URL: where the reply to the upload is.
///
/// It comes with the Ack for the last Fragment of an upload-reply. Windows sends it relative to
/// the destination URL, with backslashes and braces; [`resolve_into`](Self::resolve_into) makes it
/// a URL that can be fetched. It is a claim of the server's, not a permission: it may point
/// anywhere, which [`ResolvedUrl::same_origin`] says, and this crate fetches nothing.
///
/// More than [`MAX_LEN`](Self::MAX_LEN) bytes are the deviation
/// [`LongReplyUrl`](Deviation::LongReplyUrl).
///
/// ```text
/// reply-url = 1*( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
///           ; if it begins with a scheme, an absolute http or https URL
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`](crate::error::ErrorKind::Empty) (in a message, an empty value is as good
/// as none), [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte),
/// [`ErrorKind::UnsupportedScheme`](crate::error::ErrorKind::UnsupportedScheme),
/// [`ErrorKind::NotAbsoluteUrl`](crate::error::ErrorKind::NotAbsoluteUrl).
///
/// # Example
///
/// ```
/// use bits_proto::field::ReplyUrl;
///
/// let reply = ReplyUrl::try_from(r"BITS-Sessions\Replies\{1}\reply.bin")?;
/// let mut buffer = [0; 128];
/// let resolved = reply.resolve_into("http://origin.example/dir/entity", &mut buffer)?;
/// assert_eq!(resolved.url, "http://origin.example/dir/BITS-Sessions/Replies/%7B1%7D/reply.bin");
/// assert!(resolved.same_origin);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.7.2; the capture in 4.2; RFC 3986 section 5.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplyUrl<'b>(&'b [u8]);

impl<'b> ReplyUrl<'b> {
    /// The longest URL a server passes on, in bytes.
    pub const MAX_LEN: usize = 2200;

    /// The host that it names; a relative one names none.
    pub(crate) fn host(&self) -> Option<&'b [u8]> {
        url::host(self.0)
    }

    /// Resolves it against the destination URL of the upload, into `out`.
    ///
    /// `destination` is the URL on the *origin* server, not on a host that BITS-Host-Id named.
    /// Backslashes become slashes, dot segments are removed, and bytes that a URL cannot hold are
    /// percent-encoded. User and password are left out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDestination`](crate::error::ErrorKind::NotDestination) when `destination` is
    /// no absolute http or https URL,
    /// [`ErrorKind::NotAbsoluteUrl`](crate::error::ErrorKind::NotAbsoluteUrl) when the reply URL
    /// names a host that cannot be one, and
    /// [`ErrorKind::BufferTooSmall`](crate::error::ErrorKind::BufferTooSmall) with the length that
    /// is enough.
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

    /// Resolves it against the destination URL of the upload: the URL, and whether it has the
    /// destination's origin.
    ///
    /// # Errors
    ///
    /// As [`resolve_into`](Self::resolve_into), but for want of space.
    #[cfg(feature = "alloc")]
    pub fn resolve(&self, destination: &str) -> Result<(alloc::string::String, bool), Error> {
        let base = Url::of_destination(destination)?;
        let needed = url::resolved_len(self.0, base)
            .map_err(|error| FieldName::ReplyUrl.value_error(self.0, error))?;
        let mut out = alloc::vec![0; needed];
        let resolved = self.resolve_into(destination, &mut out)?;
        Ok((resolved.url.into(), resolved.same_origin))
    }
}

impl<'b> Decode<'b> for ReplyUrl<'b> {
    const NAME: FieldName = FieldName::ReplyUrl;

    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        check_present(value)?;
        url::is_absolute(value)?;
        if value.len() > Self::MAX_LEN {
            deviations.insert(Deviation::LongReplyUrl);
        }
        Ok(Self(value))
    }
}

opaque_value!(ReplyUrl "The bytes as they are on the wire.");
