//! Parses URLs and resolves references against them.
//!
//! This is the subset of RFC 3986 that the protocol needs: http and https URLs with a host,
//! relative references, and the backslashes that Windows writes instead of slashes.

use super::ResolvedUrl;
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::copy_within::copy_within;
use crate::util::digits::{decimal, hex_digit};
use crate::util::sink::{LenSink, Sink, SliceSink};

type Parsed<'u, T> = nom::IResult<&'u [u8], T, ()>;

/// User, host and port, as in [`Url`].
type Authority<'u> = (&'u [u8], &'u [u8], &'u [u8]);

/// An http or https URL.
///
/// ```text
/// url = scheme "://" [ userinfo "@" ] host [ ":" port ] [ path ] [ "?" query ] [ "#" fragment ]
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'u> {
    pub(super) scheme: &'u [u8],
    /// With the `@`, or empty.
    pub(super) userinfo: &'u [u8],
    /// With brackets if it is an IPv6 address.
    pub(super) host: &'u [u8],
    /// With the `:`, or empty.
    pub(super) port: &'u [u8],
    pub(super) path: &'u [u8],
    /// Query and fragment, with `?` and `#`.
    pub(super) tail: &'u [u8],
}

/// Returns true for bytes that a URL may contain unescaped.
pub(super) const fn is_url_byte(byte: &u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Returns true for the end of an authority.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'\\')
}

/// The bytes that are part of the host wherever they appear in an authority: those that may be
/// unescaped and are not delimiters. A table, because every byte of every URL is looked up.
#[expect(clippy::indexing_slicing, reason = "a constant")]
const IS_HOST_BYTE: [bool; 256] = {
    let (mut is_host_byte, mut byte) = ([false; 256], 0_u8);
    while byte < u8::MAX {
        let delimits = is_delimiter(byte) || matches!(byte, b'@' | b':' | b'[' | b']');
        is_host_byte[byte as usize] = is_url_byte(&byte) && !delimits;
        byte += 1;
    }
    is_host_byte
};

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, followed by a colon that is consumed.
#[inline(always)]
fn scheme(text: &[u8]) -> Parsed<'_, &[u8]> {
    // Fast path for the common schemes.
    for length in ["http".len(), "https".len()] {
        if let Some((scheme, [b':', rest @ ..])) = text.split_at_checked(length) {
            if is_http(scheme) {
                return Ok((rest, scheme));
            }
        }
    }
    any_scheme(text)
}

/// Parses any scheme. Most references have none.
fn any_scheme(text: &[u8]) -> Parsed<'_, &[u8]> {
    let is_scheme_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = text.iter().position(|byte| !is_scheme_byte(byte)).unwrap_or(text.len());
    match text.split_at_checked(length) {
        Some((scheme @ [b'A'..=b'Z' | b'a'..=b'z', ..], [b':', rest @ ..])) => Ok((rest, scheme)),
        _ => Err(nom::Err::Error(())),
    }
}

fn is_http(scheme: &[u8]) -> bool {
    eq_ignore_case!(scheme, b"http") || eq_ignore_case!(scheme, b"https")
}

fn not_absolute(_: nom::Err<()>) -> ValueError {
    ValueError::new(ErrorKind::NotAbsoluteUrl, 0)
}

/// `authority = [ userinfo "@" ] host [ ":" port ]`
#[inline(always)]
fn authority(text: &[u8]) -> Parsed<'_, Authority<'_>> {
    let is_host_byte = |byte: &u8| IS_HOST_BYTE.get(usize::from(*byte)) == Some(&true);
    let length = text.iter().position(|byte| !is_host_byte(byte)).unwrap_or(text.len());
    match text.split_at_checked(length) {
        // Fast path for an authority without user and port.
        Some((host @ [_, ..], rest)) if rest.first().is_none_or(|byte| is_delimiter(*byte)) => {
            Ok((rest, (&[], host, &[])))
        }
        _ => any_authority(text),
    }
}

fn position(text: &[u8], wanted: u8) -> Option<usize> {
    text.iter().position(|byte| *byte == wanted)
}

/// Parses any authority.
fn any_authority(text: &[u8]) -> Parsed<'_, Authority<'_>> {
    let invalid = nom::Err::Error(());
    let length = text.iter().position(|byte| is_delimiter(*byte)).unwrap_or(text.len());
    let (whole, rest) = text.split_at_checked(length).ok_or(invalid.clone())?;
    let host_start =
        whole.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at.saturating_add(1));
    let (userinfo, host_port) = whole.split_at_checked(host_start).ok_or(invalid.clone())?;
    // The closing bracket of `"[" address "]"`, or the end of a name.
    let bracket = host_port.strip_prefix(b"[").and_then(|address| position(address, b']'));
    let host_end = match bracket {
        Some(at) => at.saturating_add(2),
        None => position(host_port, b':').unwrap_or(host_port.len()),
    };
    let (host, port) = host_port.split_at_checked(host_end).ok_or(invalid.clone())?;
    let is_port = match port {
        [] | [b':'] => true,
        [b':', digits @ ..] => decimal(digits).is_ok_and(|port| port <= u64::from(u16::MAX)),
        _ => false,
    };
    if host.is_empty() || !host.iter().all(is_url_byte) || !is_port {
        return Err(invalid);
    }
    Ok((rest, (userinfo, host, port)))
}

/// Parses the authority of a URL after its scheme, which must be http or https.
#[inline(always)]
fn authority_after<'u>(
    scheme: &[u8],
    rest: &'u [u8],
) -> Result<(&'u [u8], Authority<'u>), ValueError> {
    if !is_http(scheme) {
        return Err(ValueError::new(ErrorKind::UnsupportedScheme, 0));
    }
    let rest = rest.strip_prefix(b"//").ok_or(ValueError::new(ErrorKind::NotAbsoluteUrl, 0))?;
    authority(rest).map_err(not_absolute)
}

impl<'u> Url<'u> {
    /// Parses an absolute URL.
    #[inline(always)]
    pub(super) fn parse(text: &'u [u8]) -> Result<Self, ValueError> {
        let (rest, scheme) = scheme(text).map_err(not_absolute)?;
        Self::after_scheme(scheme, rest)
    }

    /// Parses the rest of a URL after its scheme.
    #[inline(always)]
    fn after_scheme(scheme: &'u [u8], rest: &'u [u8]) -> Result<Self, ValueError> {
        let (rest, (userinfo, host, port)) = authority_after(scheme, rest)?;
        let (path, tail) = split_tail(rest);
        Ok(Self { scheme, userinfo, host, port, path, tail })
    }

    /// Parses the destination URL of an upload, which the caller passed.
    pub(super) fn of_destination(text: &'u str) -> Result<Self, Error> {
        Self::parse(text.as_bytes()).map_err(|_| Error::caller(ErrorKind::NotDestination))
    }

    /// Returns the length of path, query and fragment.
    pub(super) const fn rest_len(&self) -> usize {
        self.path.len().saturating_add(self.tail.len())
    }

    /// Returns the port, or the default port of the scheme.
    fn effective_port(&self) -> Option<u64> {
        match self.port {
            [b':', digits @ ..] if !digits.is_empty() => decimal(digits).ok(),
            _ if self.scheme.eq_ignore_ascii_case(b"https") => Some(443),
            _ => Some(80),
        }
    }

    /// Compares scheme, host and port.
    fn same_origin(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.effective_port() == other.effective_port()
    }
}

/// Returns true if a reference is absolute, that is, starts with a scheme. The scheme must be http
/// or https.
pub(super) fn is_absolute(reference: &[u8]) -> Result<bool, ValueError> {
    match scheme(reference) {
        Ok((rest, scheme)) => authority_after(scheme, rest).map(|_| true),
        Err(_) => Ok(false),
    }
}

/// Returns host and port of an authority without a user; `None` if it is not one.
pub(super) fn authority_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match authority(text) {
        Ok(([], ([], host, port))) => Some((host, port)),
        _ => None,
    }
}

/// Returns true if the `%` at `at` starts an escape of two hexadecimal digits.
pub(super) fn is_escape(text: &[u8], at: usize) -> bool {
    let digit = |offset: usize| at.checked_add(offset).and_then(|at| text.get(at));
    [1, 2].iter().all(|offset| digit(*offset).is_some_and(u8::is_ascii_hexdigit))
}

/// Returns true for `/` and `\`, which Windows treats alike.
const fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Writes `text`, percent-encoding bytes that a URL may not contain. With `slashes`, backslashes
/// are replaced by slashes.
pub(super) fn put_encoded<S: Sink>(sink: S, text: &[u8], slashes: bool) -> S {
    text.iter().enumerate().fold(sink, |sink, (index, byte)| {
        let keeps = match byte {
            b'%' => is_escape(text, index),
            byte => is_url_byte(byte),
        };
        if *byte == b'\\' && slashes {
            sink.put(b"/")
        } else if keeps {
            sink.put(&[*byte])
        } else {
            sink.put(&[b'%', hex_digit(byte >> 4), hex_digit(*byte)])
        }
    })
}

/// The parts of a resolved URL.
struct Parts<'u> {
    base: Url<'u>,
    /// The directory of the destination, if the path of the reference is relative; or empty.
    directory: &'u [u8],
    path: &'u [u8],
    /// The query of the destination, if the reference is only a fragment; or empty.
    query: &'u [u8],
    tail: &'u [u8],
    same_origin: bool,
}

/// Returns the rest of a reference that starts with two slashes or backslashes.
fn network_path(reference: &[u8]) -> Option<&[u8]> {
    match reference {
        [first, second, rest @ ..] if is_slash(*first) && is_slash(*second) => Some(rest),
        _ => None,
    }
}

/// Returns the host of a reference, if it has one.
pub(super) fn host(reference: &[u8]) -> Option<&[u8]> {
    match network_path(reference) {
        Some(rest) => authority(rest).ok().map(|(_, (_, host, _))| host),
        None => Url::parse(reference).ok().map(|url| url.host),
    }
}

/// RFC 3986 section 5.2.2, for an http or https base URL.
fn transform<'u>(reference: &'u [u8], base: Url<'u>) -> Result<Parts<'u>, ValueError> {
    if let Ok((rest, scheme)) = scheme(reference) {
        let url = Url::after_scheme(scheme, rest)?;
        let same_origin = url.same_origin(&base);
        let (path, tail) = (url.path, url.tail);
        return Ok(Parts { base: url, directory: &[], path, query: &[], tail, same_origin });
    }
    if let Some(rest) = network_path(reference) {
        let (rest, (_, host, port)) = authority(rest).map_err(not_absolute)?;
        let (path, tail) = split_tail(rest);
        let url = Url { host, port, ..base };
        let same_origin = url.same_origin(&base);
        return Ok(Parts { base: url, directory: &[], path, query: &[], tail, same_origin });
    }
    let (path, tail) = split_tail(reference);
    if path.is_empty() {
        // A query or a fragment alone refers to the destination itself.
        let keeps_query = tail.first() != Some(&b'?');
        let query = base.tail.split(|byte| *byte == b'#').next().filter(|_| keeps_query);
        let query = query.unwrap_or_default();
        let path = base.path;
        return Ok(Parts { base, directory: &[], path, query, tail, same_origin: true });
    }
    let directory = if path.first().is_some_and(|byte| is_slash(*byte)) {
        &[]
    } else {
        let end = base.path.iter().rposition(|byte| is_slash(*byte));
        end.and_then(|end| base.path.get(..=end)).unwrap_or(b"/")
    };
    Ok(Parts { base, directory, path, query: &[], tail, same_origin: true })
}

/// Splits text into the path, and the query with the fragment.
fn split_tail(text: &[u8]) -> (&[u8], &[u8]) {
    let path = text.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    (path, text.get(path.len()..).unwrap_or_default())
}

/// Writes scheme, host and port. User and password are omitted: they are credentials for the
/// destination.
fn put_origin<S: Sink>(sink: S, url: &Url<'_>) -> S {
    sink.put(url.scheme).put(b"://").put(url.host).put(url.port)
}

/// Writes the path, without removing dot segments. An empty path is written as `/`.
fn put_path<S: Sink>(sink: S, parts: &Parts<'_>) -> S {
    let is_empty = parts.directory.is_empty() && parts.path.is_empty();
    let sink = if is_empty { sink.put(b"/") } else { sink };
    put_encoded(put_encoded(sink, parts.directory, true), parts.path, true)
}

/// Writes query and fragment.
fn put_tail<S: Sink>(sink: S, parts: &Parts<'_>) -> S {
    put_encoded(put_encoded(sink, parts.query, false), parts.tail, false)
}

/// Returns the lengths of origin, path and rest, before dot segments are removed.
fn lengths(parts: &Parts<'_>) -> (usize, usize, usize) {
    let origin = put_origin(LenSink::default(), &parts.base);
    let path = put_path(LenSink::default(), parts);
    let tail = put_tail(LenSink::default(), parts);
    (origin.0, path.0, tail.0)
}

/// Resolves `reference` against `base` into an owned URL.
#[cfg(feature = "alloc")]
pub(super) fn resolve_to_buf(
    reference: &[u8],
    base: Url<'_>,
) -> Result<super::ResolvedUrlBuf, ValueError> {
    let (origin, path, tail) = lengths(&transform(reference, base)?);
    let mut out = alloc::vec![0; origin.saturating_add(path).saturating_add(tail)];
    resolve(reference, base, &mut out).map(Into::into)
}

/// Resolves `reference` against `base` into `out`.
pub(super) fn resolve<'o>(
    reference: &[u8],
    base: Url<'_>,
    out: &'o mut [u8],
) -> Result<ResolvedUrl<'o>, ValueError> {
    let parts = transform(reference, base)?;
    let (origin, path, tail) = lengths(&parts);
    let needed = origin.saturating_add(path).saturating_add(tail);
    let too_small = ValueError::new(ErrorKind::BufferTooSmall { needed }, 0);
    let out = out.get_mut(..needed).ok_or(too_small)?;

    let (start, rest) = out.split_at_mut_checked(origin).ok_or(too_small)?;
    put_origin(SliceSink(start), &parts.base);
    let (raw, _) = rest.split_at_mut_checked(path).ok_or(too_small)?;
    put_path(SliceSink(raw), &parts);
    let kept = remove_dot_segments(raw);
    put_tail(SliceSink(rest.get_mut(kept..).unwrap_or_default()), &parts);

    let end = needed.saturating_sub(path.saturating_sub(kept));
    let url = out.get(..end).and_then(|url| core::str::from_utf8(url).ok()).ok_or(too_small)?;
    Ok(ResolvedUrl::new(url, parts.same_origin))
}

/// RFC 3986 section 5.2.4, in place. Returns the new length. Percent-encoded `.` and `..` are
/// removed as well, because servers decode them before they interpret the path.
fn remove_dot_segments(path: &mut [u8]) -> usize {
    let (mut read, mut written) = (0_usize, 0_usize);
    while let Some(rest) = path.get(read..).filter(|rest| !rest.is_empty()) {
        // The next segment, with the slash before it.
        let tail = rest.iter().skip(1).position(|byte| *byte == b'/');
        let len = tail.map_or(rest.len(), |tail| tail.saturating_add(1));
        let (dots, is_end) = (count_dots(rest.get(1..len).unwrap_or_default()), tail.is_none());
        match dots {
            Some(dots) => {
                if dots == 2 {
                    let kept = path.get(..written).unwrap_or_default();
                    written = kept.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                }
                if is_end {
                    if let Some(slash) = path.get_mut(written) {
                        *slash = b'/';
                        written = written.saturating_add(1);
                    }
                }
            }
            None => {
                copy_within(path, read..read.saturating_add(len), written);
                written = written.saturating_add(len);
            }
        }
        read = read.saturating_add(len);
    }
    written
}

/// Returns 1 for `.` and 2 for `..`, percent-encoded or not.
fn count_dots(segment: &[u8]) -> Option<usize> {
    let mut rest = segment;
    let mut dots = 0_usize;
    while let [b'.', tail @ ..] | [b'%', b'2', b'E' | b'e', tail @ ..] = rest {
        dots = dots.saturating_add(1);
        rest = tail;
    }
    (rest.is_empty() && matches!(dots, 1 | 2)).then_some(dots)
}
