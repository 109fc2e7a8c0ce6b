//! The result of resolving a reply URL or the URL of a redirect.

use core::fmt;

use super::check_present;
use super::url::{self, Url};
use crate::error::{Error, ErrorKind, ValueError};

/// An absolute URL that was resolved against another one, in the caller's buffer.
///
/// It is visible ASCII, percent-encoded, and has no dot segments, user or password.
/// [`ReplyUrl::resolve_into`](super::ReplyUrl::resolve_into) returns it for a reply, and
/// [`from_redirect`](Self::from_redirect) for a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedUrl<'o> {
    url: &'o str,
    is_same_origin: bool,
}

impl<'o> ResolvedUrl<'o> {
    pub(super) const fn new(url: &'o str, is_same_origin: bool) -> Self {
        Self { url, is_same_origin }
    }

    /// Resolves the value of Location in a redirect of a request for `url`, and writes the result to
    /// `out`.
    ///
    /// The value is an absolute URL or relative to `url`. A redirect may lead to any server: check
    /// [`is_same_origin`](Self::is_same_origin) before credentials are sent there. A fragment is kept;
    /// it is not part of a request target.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::InsecureRedirect`] if `url` is an https URL and the result an http URL;
    /// * [`ErrorKind::Empty`], [`ErrorKind::InvalidByte`], [`ErrorKind::UnsupportedScheme`] and
    ///   [`ErrorKind::NotAbsoluteUrl`] if the value is not valid;
    /// * [`ErrorKind::NotDestination`] if `url` is not an absolute http or https URL;
    /// * [`ErrorKind::BufferTooSmall`] with a sufficient size. Nothing is written.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::field::ResolvedUrl;
    ///
    /// let mut buffer = [0; 128];
    /// let url = ResolvedUrl::from_redirect(b"../new", "https://h.example/a/b/f", &mut buffer)?;
    /// assert_eq!(url.as_str(), "https://h.example/a/new");
    /// assert!(url.is_same_origin());
    /// assert!(ResolvedUrl::from_redirect(b"http://h.example/", "https://h.example/", &mut []).is_err());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    ///
    /// Source: RFC 9110 section 10.2.2; RFC 3986 section 5.2.
    pub fn from_redirect(location: &[u8], url: &str, out: &'o mut [u8]) -> Result<Self, Error> {
        let base = redirect_base(location, url)?;
        url::resolve(location, base, out).map_err(|error| match error.kind {
            ErrorKind::BufferTooSmall { .. } => Error::caller(error.kind),
            _ => location_error(location, error),
        })
    }

    /// Returns the URL.
    #[must_use]
    pub const fn as_str(&self) -> &'o str {
        self.url
    }

    /// Returns true if scheme, host and port are those of the other URL.
    ///
    /// Do not fetch other URLs without the consent of the user.
    #[must_use]
    pub const fn is_same_origin(&self) -> bool {
        self.is_same_origin
    }
}

/// Checks the value of Location, and returns the URL to resolve it against.
fn redirect_base<'u>(location: &[u8], url: &'u str) -> Result<Url<'u>, Error> {
    let base = Url::of_destination(url)?;
    let checked = check_present(location).and_then(|()| url::is_absolute(location));
    checked.map_err(|error| location_error(location, error))?;
    let is_https = |url: &Url<'_>| url.scheme.eq_ignore_ascii_case(b"https");
    if is_https(&base) && Url::parse(location).is_ok_and(|target| !is_https(&target)) {
        let error = ValueError::new(ErrorKind::InsecureRedirect, 0);
        return Err(location_error(location, error));
    }
    Ok(base)
}

/// Returns the error in the value of Location.
#[cold]
fn location_error(location: &[u8], error: ValueError) -> Error {
    Error::caller(error.kind).at(Some(error.at)).with_received(location, error.at)
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

/// An owned [`ResolvedUrl`], returned by [`ReplyUrl::resolve`](super::ReplyUrl::resolve) for a reply and
/// by [`from_redirect`](Self::from_redirect) for a redirect.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedUrlBuf {
    url: alloc::string::String,
    is_same_origin: bool,
}

#[cfg(feature = "alloc")]
impl ResolvedUrlBuf {
    /// Resolves the value of Location in a redirect of a request for `url`, like
    /// [`ResolvedUrl::from_redirect`], and returns an owned URL.
    ///
    /// # Errors
    ///
    /// Those of [`ResolvedUrl::from_redirect`], except [`ErrorKind::BufferTooSmall`].
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::field::ResolvedUrlBuf;
    ///
    /// let url = ResolvedUrlBuf::from_redirect(b"//other.example/f", "https://h.example/f")?;
    /// assert_eq!(url.as_str(), "https://other.example/f");
    /// assert!(!url.is_same_origin());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn from_redirect(location: &[u8], url: &str) -> Result<Self, Error> {
        let base = redirect_base(location, url)?;
        url::resolve_to_buf(location, base).map_err(|error| location_error(location, error))
    }

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

    /// Returns true if scheme, host and port are those of the other URL.
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
