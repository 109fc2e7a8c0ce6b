//! The request target of a request.

use core::fmt;

use crate::error::{Error, ErrorKind};

/// A valid request target: at least one byte, all visible ASCII.
///
/// [2.2.1] The request target is the path and query of the destination URL, or the whole URL.
///
/// ```text
/// request-target = 1*VCHAR
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotTarget`] for any other text. Percent-encode spaces and non-ASCII characters
/// first.
///
/// # Example
///
/// ```
/// use bits_proto::http1::RequestTarget;
///
/// assert_eq!(RequestTarget::try_from("/upload/report.bin")?.as_str(), "/upload/report.bin");
/// assert!(RequestTarget::try_from("/two words").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1; RFC 9112 section 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestTarget<'a>(&'a str);

impl<'a> RequestTarget<'a> {
    /// Returns the request target as text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for RequestTarget<'a> {
    type Error = Error;

    fn try_from(text: &'a str) -> Result<Self, Error> {
        // No early exit, so that the compiler vectorises the loop.
        let is_visible = text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
        if text.is_empty() || !is_visible {
            return Err(Error::caller(ErrorKind::NotTarget));
        }
        Ok(Self(text))
    }
}

impl AsRef<str> for RequestTarget<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for RequestTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
