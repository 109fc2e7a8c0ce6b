//! The result of resolving a reply URL.

use core::fmt;

/// An absolute URL that was resolved against the destination URL, in the caller's buffer.
///
/// It is visible ASCII, percent-encoded, and has no dot segments, user or password.
/// [`ReplyUrl::resolve_into`](super::ReplyUrl::resolve_into) returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedUrl<'o> {
    url: &'o str,
    is_same_origin: bool,
}

impl<'o> ResolvedUrl<'o> {
    pub(super) const fn new(url: &'o str, is_same_origin: bool) -> Self {
        Self { url, is_same_origin }
    }

    /// Returns the URL.
    #[must_use]
    pub const fn as_str(&self) -> &'o str {
        self.url
    }

    /// Returns true if scheme, host and port are those of the destination URL.
    ///
    /// Do not fetch other URLs without the consent of the user.
    #[must_use]
    pub const fn is_same_origin(&self) -> bool {
        self.is_same_origin
    }
}

impl AsRef<str> for ResolvedUrl<'_> {
    fn as_ref(&self) -> &str {
        self.url
    }
}

impl fmt::Display for ResolvedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.url)
    }
}

/// An owned [`ResolvedUrl`], returned by [`ReplyUrl::resolve`](super::ReplyUrl::resolve).
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedUrlBuf {
    url: alloc::string::String,
    is_same_origin: bool,
}

#[cfg(feature = "alloc")]
impl ResolvedUrlBuf {
    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Returns the URL as a `String`.
    #[must_use]
    pub fn into_string(self) -> alloc::string::String {
        self.url
    }

    /// Returns true if scheme, host and port are those of the destination URL.
    ///
    /// Do not fetch other URLs without the consent of the user.
    #[must_use]
    pub const fn is_same_origin(&self) -> bool {
        self.is_same_origin
    }
}

#[cfg(feature = "alloc")]
impl From<ResolvedUrl<'_>> for ResolvedUrlBuf {
    fn from(resolved: ResolvedUrl<'_>) -> Self {
        Self { url: resolved.url.into(), is_same_origin: resolved.is_same_origin }
    }
}

#[cfg(feature = "alloc")]
impl AsRef<str> for ResolvedUrlBuf {
    fn as_ref(&self) -> &str {
        &self.url
    }
}

#[cfg(feature = "alloc")]
impl fmt::Display for ResolvedUrlBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.url)
    }
}
