//! URLs: taken apart, and references resolved against them.
//!
//! Only as much of RFC 3986 as the protocol needs: http and https URLs with a host, references
//! relative to them, and the backslashes that Windows writes in place of slashes.

use core::fmt;

use nom::Parser as _;
use nom::bytes::complete::{tag, take_till, take_till1, take_while};
use nom::combinator::{opt, recognize};
use nom::sequence::terminated;

use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits::decimal;
use crate::util::sink::{LenSink, Sink, SliceSink, hex_digit};

type Parsed<'u, T> = nom::IResult<&'u [u8], T, ()>;

/// An http or https URL.
///
/// ```text
/// url       = scheme "://" [ userinfo "@" ] host [ ":" port ] [ path ] [ "?" query ] [ "#" … ]
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'u> {
    pub(super) scheme: &'u [u8],
    /// With its `@`; empty where there is none.
    pub(super) userinfo: &'u [u8],
    /// With brackets around an IPv6 address.
    pub(super) host: &'u [u8],
    /// With its `:`; empty where there is none.
    pub(super) port: &'u [u8],
    pub(super) path: &'u [u8],
    /// Query and fragment, with their marks.
    pub(super) tail: &'u [u8],
}

/// Bytes that stand for themselves in a URL.
const fn is_url_byte(byte: &u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Ends an authority.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'\\')
}

/// Which bytes leave no doubt, in an authority, that they belong to a host: those that stand for
/// themselves and delimit nothing. A table, as it is asked of each byte of every URL.
#[expect(clippy::indexing_slicing, reason = "a constant")]
const IS_OF_HOST: [bool; 256] = {
    let (mut is_of_host, mut byte) = ([false; 256], 0_u8);
    while byte < u8::MAX {
        let delimits = is_delimiter(byte) || matches!(byte, b'@' | b':' | b'[' | b']');
        is_of_host[byte as usize] = is_url_byte(&byte) && !delimits;
        byte += 1;
    }
    is_of_host
};

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, followed by a colon that is consumed.
#[inline(always)]
fn scheme(text: &[u8]) -> Parsed<'_, &[u8]> {
    // It is hardly ever another than these.
    for length in ["http".len(), "https".len()] {
        if let Some((scheme, [b':', rest @ ..])) = text.split_at_checked(length) {
            if is_http(scheme) {
                return Ok((rest, scheme));
            }
        }
    }
    any_scheme(text)
}

/// A scheme of whatever name.
#[cold]
fn any_scheme(text: &[u8]) -> Parsed<'_, &[u8]> {
    let letters = take_till1(|byte: u8| !byte.is_ascii_alphanumeric() && !b"+-.".contains(&byte));
    let (rest, scheme) = terminated(letters, tag(&b":"[..])).parse(text)?;
    if scheme.first().is_some_and(u8::is_ascii_alphabetic) {
        Ok((rest, scheme))
    } else {
        Err(nom::Err::Error(()))
    }
}

fn is_http(scheme: &[u8]) -> bool {
    eq_ignore_case!(scheme, b"http") || eq_ignore_case!(scheme, b"https")
}

fn not_absolute(_: nom::Err<()>) -> ValueError {
    ValueError::new(ErrorKind::NotAbsoluteUrl, 0)
}

/// `authority = [ userinfo "@" ] host [ ":" port ]`
#[inline]
fn authority(text: &[u8]) -> Parsed<'_, (&[u8], &[u8], &[u8])> {
    let is_of_host = |byte: &u8| IS_OF_HOST.get(usize::from(*byte)) == Some(&true);
    let length = text.iter().position(|byte| !is_of_host(byte)).unwrap_or(text.len());
    match text.split_at_checked(length) {
        // Most have a host and nothing else.
        Some((host @ [_, ..], rest)) if rest.first().is_none_or(|byte| is_delimiter(*byte)) => {
            Ok((rest, (&[], host, &[])))
        }
        _ => any_authority(text),
    }
}

/// An authority of whatever form.
fn any_authority(text: &[u8]) -> Parsed<'_, (&[u8], &[u8], &[u8])> {
    let (rest, whole) = take_till(is_delimiter).parse(text)?;
    let host_start =
        whole.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at.saturating_add(1));
    let (userinfo, host_port) = whole.split_at_checked(host_start).ok_or(nom::Err::Error(()))?;
    let bracketed = recognize((tag(&b"["[..]), take_till(|byte| byte == b']'), tag(&b"]"[..])));
    let name = take_till(|byte| byte == b':');
    let (port, host) = nom::branch::alt((bracketed, name)).parse(host_port)?;
    let digits = recognize((tag(&b":"[..]), take_while(|byte: u8| byte.is_ascii_digit())));
    let (left, port) = opt(digits).parse(port)?;
    let port = port.unwrap_or_default();
    let is_port = match port {
        [] | [_] => true,
        [_, digits @ ..] => decimal(digits).is_ok_and(|port| port <= u64::from(u16::MAX)),
    };
    if host.is_empty() || !left.is_empty() || !host.iter().all(is_url_byte) || !is_port {
        return Err(nom::Err::Error(()));
    }
    Ok((rest, (userinfo, host, port)))
}

impl<'u> Url<'u> {
    /// Takes an absolute URL apart.
    #[inline]
    pub(super) fn parse(text: &'u [u8]) -> Result<Self, ValueError> {
        let (rest, scheme) = scheme(text).map_err(not_absolute)?;
        Self::behind(scheme, rest)
    }

    /// Takes apart what follows a scheme.
    #[inline]
    fn behind(scheme: &'u [u8], rest: &'u [u8]) -> Result<Self, ValueError> {
        if !is_http(scheme) {
            return Err(ValueError::new(ErrorKind::UnsupportedScheme, 0));
        }
        let (rest, _) = tag::<_, _, ()>(&b"//"[..]).parse(rest).map_err(not_absolute)?;
        let (rest, (userinfo, host, port)) = authority(rest).map_err(not_absolute)?;
        let (path, tail) = split_tail(rest);
        Ok(Self { scheme, userinfo, host, port, path, tail })
    }

    /// Takes the URL apart that an upload goes to, which the caller gives.
    pub(super) fn of_destination(text: &'u str) -> Result<Self, Error> {
        Self::parse(text.as_bytes()).map_err(|_| Error::caller(ErrorKind::NotDestination))
    }

    /// The port in numbers, the scheme's own where none is given.
    fn effective_port(&self) -> Option<u64> {
        match self.port {
            [b':', digits @ ..] if !digits.is_empty() => decimal(digits).ok(),
            _ if self.scheme.eq_ignore_ascii_case(b"https") => Some(443),
            _ => Some(80),
        }
    }

    /// Whether both have one scheme, host and port.
    fn same_origin(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.effective_port() == other.effective_port()
    }
}

/// Whether a reference is absolute: it is relative unless it begins with a scheme, which must be http
/// or https.
pub(super) fn is_absolute(reference: &[u8]) -> Result<bool, ValueError> {
    match scheme(reference) {
        Ok((rest, scheme)) => Url::behind(scheme, rest).map(|_| true),
        Err(_) => Ok(false),
    }
}

/// An absolute URL, in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedUrl<'o> {
    /// The URL: visible ASCII, percent-encoded, without dot segments.
    pub url: &'o str,
    /// Whether scheme, host and port are those of the destination. Nothing else should be fetched
    /// without asking.
    pub same_origin: bool,
}

impl fmt::Display for ResolvedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url)
    }
}

/// `\` and `/` are one to Windows.
const fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Writes `text` with every byte that a URL cannot hold percent-encoded; with `slashes`,
/// backslashes become slashes.
fn put_encoded<S: Sink>(sink: S, text: &[u8], slashes: bool) -> S {
    text.iter().enumerate().fold(sink, |sink, (index, byte)| {
        let escape = |at: usize| index.checked_add(at).and_then(|at| text.get(at));
        let keeps = match byte {
            b'%' => [1, 2].iter().all(|at| escape(*at).is_some_and(u8::is_ascii_hexdigit)),
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

/// The parts a resolved URL is made of.
struct Parts<'u> {
    base: Url<'u>,
    /// What stands before the reference's own path: the destination's directory, or nothing.
    directory: &'u [u8],
    path: &'u [u8],
    /// The destination's query, which a bare fragment leaves as it is.
    query: &'u [u8],
    tail: &'u [u8],
    same_origin: bool,
}

/// What follows two slashes, of either kind, in a reference without a scheme.
fn network_path(reference: &[u8]) -> Option<&[u8]> {
    match reference {
        [first, second, rest @ ..] if is_slash(*first) && is_slash(*second) => Some(rest),
        _ => None,
    }
}

/// The host that a reference names, if it names one.
pub(super) fn host(reference: &[u8]) -> Option<&[u8]> {
    match network_path(reference) {
        Some(rest) => authority(rest).ok().map(|(_, (_, host, _))| host),
        None => Url::parse(reference).ok().map(|url| url.host),
    }
}

/// RFC 3986 section 5.2.2, for a base that is an http or https URL.
fn transform<'u>(reference: &'u [u8], base: Url<'u>) -> Result<Parts<'u>, ValueError> {
    if let Ok((rest, scheme)) = scheme(reference) {
        let url = Url::behind(scheme, rest)?;
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
        // Query and fragment alone refer to the destination itself.
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

/// Path, and query with fragment.
fn split_tail(text: &[u8]) -> (&[u8], &[u8]) {
    let path = text.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    (path, text.get(path.len()..).unwrap_or_default())
}

/// Scheme and authority. User and password of a URL are for its own server and left out.
fn put_origin<S: Sink>(sink: S, url: &Url<'_>) -> S {
    sink.put(url.scheme).put(b"://").put(url.host).put(url.port)
}

/// The path before its dot segments are removed; an empty one is `/`.
fn put_path<S: Sink>(sink: S, parts: &Parts<'_>) -> S {
    let is_empty = parts.directory.is_empty() && parts.path.is_empty();
    let sink = if is_empty { sink.put(b"/") } else { sink };
    put_encoded(put_encoded(sink, parts.directory, true), parts.path, true)
}

/// Query and fragment.
fn put_tail<S: Sink>(sink: S, parts: &Parts<'_>) -> S {
    put_encoded(put_encoded(sink, parts.query, false), parts.tail, false)
}

/// How many bytes the parts take before dot segments are removed: origin, path, and the rest.
fn lengths(parts: &Parts<'_>) -> (usize, usize, usize) {
    let origin = put_origin(LenSink::default(), &parts.base);
    let path = put_path(LenSink::default(), parts);
    let tail = put_tail(LenSink::default(), parts);
    (origin.0, path.0, tail.0)
}

/// How many bytes of buffer resolving takes at most.
#[cfg(feature = "alloc")]
pub(super) fn resolved_len(reference: &[u8], destination: Url<'_>) -> Result<usize, ValueError> {
    let (origin, path, tail) = lengths(&transform(reference, destination)?);
    Ok(origin.saturating_add(path).saturating_add(tail))
}

/// Resolves `reference` against `destination` into `out`.
pub(super) fn resolve<'o>(
    reference: &[u8],
    destination: Url<'_>,
    out: &'o mut [u8],
) -> Result<ResolvedUrl<'o>, ValueError> {
    let parts = transform(reference, destination)?;
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
    Ok(ResolvedUrl { url, same_origin: parts.same_origin })
}

/// RFC 3986 section 5.2.4, in place; the length of what is left. `.` and `..` count when
/// percent-encoded too, as servers decode before they look.
fn remove_dot_segments(path: &mut [u8]) -> usize {
    let (mut read, mut written) = (0_usize, 0_usize);
    while let Some(rest) = path.get(read..).filter(|rest| !rest.is_empty()) {
        // Each segment with the slash before it.
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
                path.copy_within(read..read.saturating_add(len), written);
                written = written.saturating_add(len);
            }
        }
        read = read.saturating_add(len);
    }
    written
}

/// 1 for `.`, 2 for `..`, in any spelling.
fn count_dots(segment: &[u8]) -> Option<usize> {
    let mut rest = segment;
    let mut dots = 0_usize;
    while let [b'.', tail @ ..] | [b'%', b'2', b'E' | b'e', tail @ ..] = rest {
        dots = dots.saturating_add(1);
        rest = tail;
    }
    (rest.is_empty() && matches!(dots, 1 | 2)).then_some(dots)
}
