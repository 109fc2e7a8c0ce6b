//! The request target.

use core::fmt;

use crate::error::{Error, ErrorKind};

/// A request target that can be written: visible ASCII, at least one byte.
///
/// [2.2.1] The target is the destination URL's path and query, or the whole URL.
///
/// # Errors
///
/// [`ErrorKind::NotTarget`] for anything else; a target with spaces or other letters is to be
/// percent-encoded first.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestTarget<'a>(&'a str);

impl<'a> RequestTarget<'a> {
    /// The target's text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for RequestTarget<'a> {
    type Error = Error;

    fn try_from(text: &'a str) -> Result<Self, Error> {
        // Without stopping, so that many bytes are looked at at a time.
        let is_visible = text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic());
        if text.is_empty() || !is_visible {
            return Err(Error::caller(ErrorKind::NotTarget));
        }
        Ok(Self(text))
    }
}

impl fmt::Display for RequestTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
