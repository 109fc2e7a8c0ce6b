//! BITS-Original-Request-URL.

use super::url::{self, Url, authority_of, is_escape, is_url_byte, put_encoded};
use super::{Decode, FieldName, check_not_empty, check_present, decode_checked, opaque_value};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::http1::RequestTarget;
use crate::util::sink::{LenSink, Sink, SliceSink};

/// [2.2.12.2] BITS-Original-Request-URL: the destination URL of an upload, in the notification of
/// the server application.
///
/// The server builds it from the scheme of its listener, and from the request target and the Host
/// field of the client's request: see [`compose_into`](Self::compose_into).
///
/// ```text
/// original-url = ( "http" / "https" ) "://" host [ ":" port ] [ path ] [ "?" query ]
/// ```
///
/// `TryFrom` accepts only such a URL, without user, password and fragment. All bytes are visible
/// ASCII, and every `%` starts an escape of two hexadecimal digits. Parsing a notification is
/// lenient: any text is accepted, and the deviation
/// [`RelativeOriginalUrl`](Deviation::RelativeOriginalUrl) is recorded if it is not an absolute URL.
///
/// # Errors
///
/// [`ErrorKind::Empty`], [`ErrorKind::NotAbsoluteUrl`], [`ErrorKind::UnsupportedScheme`], and
/// [`ErrorKind::InvalidByte`] with the offset of the byte that has to be escaped or left out.
///
/// # Example
///
/// ```
/// use bits_proto::field::OriginalRequestUrl;
///
/// let url = OriginalRequestUrl::try_from("http://origin.example/dir/entity")?;
/// assert_eq!(url.to_string(), "http://origin.example/dir/entity");
/// assert!(OriginalRequestUrl::try_from("/dir/entity").is_err());
/// assert!(OriginalRequestUrl::try_from("http://origin.example/two words").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.12.2; RFC 2616 section 3.2.2; RFC 3986 section 2.1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginalRequestUrl<'b>(&'b [u8]);

impl<'b> OriginalRequestUrl<'b> {
    /// Composes the URL from the scheme of the server's listener, and from the Host field and the
    /// request target of the client's request. Writes it to `out`.
    ///
    /// If `target` is an absolute URL, it replaces `scheme` and `host`. User, password and fragment
    /// are omitted. Bytes that are not allowed in a URL are percent-encoded.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::UnsupportedScheme`] if `scheme` is neither `http` nor `https`;
    /// * [`ErrorKind::NotHost`] if `host` is not a host name or an address with an optional port;
    /// * [`ErrorKind::NotAbsoluteUrl`] if `target` is neither a path nor an absolute URL;
    /// * [`ErrorKind::BufferTooSmall`] with a sufficient size. Nothing is written.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::field::OriginalRequestUrl;
    /// use bits_proto::http1::RequestTarget;
    ///
    /// let target = RequestTarget::try_from("/dir/{1}?a=100%")?;
    /// let mut buffer = [0; 64];
    /// let url = OriginalRequestUrl::compose_into("https", "origin.example", target, &mut buffer)?;
    /// assert_eq!(url.to_string(), "https://origin.example/dir/%7B1%7D?a=100%25");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn compose_into(
        scheme: &str,
        host: &str,
        target: RequestTarget<'_>,
        out: &'b mut [u8],
    ) -> Result<Self, Error> {
        let parts = Parts::new(scheme, host, target)?;
        let needed = parts.put(LenSink::default()).0;
        let Some(url) = out.get_mut(..needed) else {
            let error = ValueError::new(ErrorKind::BufferTooSmall { needed }, 0);
            return Err(Self::NAME.caller_error(error));
        };
        parts.put(SliceSink(&mut *url));
        Ok(Self(url))
    }

    /// Composes the URL like [`compose_into`](Self::compose_into), and returns it as text.
    ///
    /// # Errors
    ///
    /// As [`compose_into`](Self::compose_into), without
    /// [`BufferTooSmall`](ErrorKind::BufferTooSmall).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::field::OriginalRequestUrl;
    /// use bits_proto::http1::RequestTarget;
    ///
    /// let target = RequestTarget::try_from("/dir/entity")?;
    /// let url = OriginalRequestUrl::compose("http", "origin.example:8080", target)?;
    /// assert_eq!(url, "http://origin.example:8080/dir/entity");
    /// assert!(OriginalRequestUrl::try_from(&*url).is_ok());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[cfg(feature = "alloc")]
    pub fn compose(
        scheme: &str,
        host: &str,
        target: RequestTarget<'_>,
    ) -> Result<alloc::string::String, Error> {
        let url = Parts::new(scheme, host, target)?.put(alloc::vec::Vec::new());
        Ok(url.into_iter().map(char::from).collect())
    }

    /// Parses a URL that the caller passed.
    fn from_wire(value: &'b [u8]) -> Result<Self, Error> {
        let checked = check_present(value).and_then(|()| check_sendable(value));
        checked.map_err(|error| Self::NAME.value_error(value, error))?;
        Ok(Self(value))
    }
}

impl<'b> Decode<'b> for OriginalRequestUrl<'b> {
    const NAME: FieldName = FieldName::OriginalRequestUrl;

    decode_checked!('b);

    #[inline]
    fn decode_content(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        check_not_empty(value)?;
        if url::is_absolute(value) != Ok(true) {
            deviations.insert(Deviation::RelativeOriginalUrl);
        }
        Ok(Self(value))
    }
}

opaque_value!(OriginalRequestUrl "Returns the bytes of the URL.");

/// Checks that a URL may be sent in a field: it is absolute, completely escaped, and has neither a
/// user nor a fragment.
fn check_sendable(text: &[u8]) -> Result<(), ValueError> {
    let url = Url::parse(text)?;
    let is_sendable = |(at, byte): (usize, &u8)| match byte {
        b'%' => is_escape(text, at),
        b'#' => false,
        byte => is_url_byte(byte),
    };
    let invalid = text.iter().enumerate().position(|it| !is_sendable(it));
    let user =
        Some(url.scheme.len().saturating_add("://".len())).filter(|_| !url.userinfo.is_empty());
    match user.or(invalid) {
        Some(at) => Err(ValueError::new(ErrorKind::InvalidByte, at)),
        None => Ok(()),
    }
}

/// Parts of a URL to compose.
struct Parts<'u> {
    scheme: &'u [u8],
    host: &'u [u8],
    port: &'u [u8],
    /// Path and query.
    path: &'u [u8],
}

impl<'u> Parts<'u> {
    fn new(scheme: &'u str, host: &'u str, target: RequestTarget<'u>) -> Result<Self, Error> {
        let refused = |value: &[u8], kind| {
            let error = ValueError::new(kind, 0);
            Err(FieldName::OriginalRequestUrl.value_error(value, error))
        };
        let target = target.as_str().as_bytes();
        let is_origin_form = target.first() == Some(&b'/');
        if let (false, Ok(url)) = (is_origin_form, Url::parse(target)) {
            let Url { scheme, host, port, .. } = url;
            let path = target.get(target.len().saturating_sub(url.rest_len())..);
            let path = path.unwrap_or_default();
            // An escaped backslash would become a part of the host.
            if path.first() == Some(&b'\\') {
                return refused(target, ErrorKind::NotAbsoluteUrl);
            }
            return Ok(Self { scheme, host, port, path });
        }
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return refused(scheme.as_bytes(), ErrorKind::UnsupportedScheme);
        }
        let Some((name, port)) = authority_of(host.as_bytes()) else {
            return refused(host.as_bytes(), ErrorKind::NotHost);
        };
        if !is_origin_form {
            return refused(target, ErrorKind::NotAbsoluteUrl);
        }
        Ok(Self { scheme: scheme.as_bytes(), host: name, port, path: target })
    }

    fn put<S: Sink>(&self, sink: S) -> S {
        let sink = sink.put(self.scheme).put(b"://");
        let sink = put_encoded(sink, self.host, false).put(self.port);
        let path = self.path.split(|byte| *byte == b'#').next().unwrap_or_default();
        put_encoded(sink, path, false)
    }
}
