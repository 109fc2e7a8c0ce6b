//! BITS-Host-Id.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::url::Url;
use super::{Decode, FieldName, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::digits::decimal;
use crate::util::external::external;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.3.2] BITS-Host-Id: the host to which the client sends the other requests of the upload.
///
/// The value is a name, an IPv4 address, or an IPv6 address with or without brackets. A port is
/// the deviation [`HostIdPort`](Deviation::HostIdPort) and is used. A scheme, user, path or query
/// is an error.
///
/// ```text
/// host-id = host [ ":" port ]
/// host    = name / IPv4address / "[" IPv6address "]" / IPv6address
/// name    = label *( "." label ) [ "." ]   ; the last label is not a number
/// label   = 1*( ALPHA / DIGIT / "-" / "_" )
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`], [`ErrorKind::NotHost`].
///
/// # Example
///
/// ```
/// use bits_proto::field::HostId;
///
/// let host = HostId::try_from("2001:db8::1")?;
/// let url = host.rewrite("http://origin.example:8080/dir/entity")?;
/// assert_eq!(url.to_string(), "http://[2001:db8::1]:8080/dir/entity");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.3.2; RFC 1738 section 5; RFC 2373 appendix B.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostId<'b> {
    /// Checked to be UTF-8.
    text: &'b [u8],
    host: HostKind,
    port: Option<u16>,
}

/// The kind of the host in a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum HostKind {
    /// A name of this length, at the start of the text.
    Name(usize),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// The host of a [`HostId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host<'b> {
    /// A host name.
    Name(&'b str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl<'b> HostId<'b> {
    /// Returns the text that the server sent.
    #[must_use]
    pub const fn as_str(&self) -> &'b str {
        self.first(self.text.len())
    }

    /// Returns the first `length` bytes of the text.
    const fn first(&self, length: usize) -> &'b str {
        match self.text.split_at_checked(length) {
            Some((text, _)) => match core::str::from_utf8(text) {
                Ok(text) => text,
                Err(_) => "",
            },
            None => "",
        }
    }

    /// Returns the text that the server sent, as bytes.
    #[inline]
    pub(crate) const fn as_bytes(&self) -> &'b [u8] {
        self.text
    }

    /// Returns the host.
    #[must_use]
    pub const fn host(&self) -> Host<'b> {
        match self.host {
            HostKind::Name(length) => Host::Name(self.first(length)),
            HostKind::V4(address) => Host::V4(address),
            HostKind::V6(address) => Host::V6(address),
        }
    }

    /// Returns the port, which servers should not send.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Replaces the host of `url`, the destination URL.
    ///
    /// Scheme, user, path and query are unchanged, and so is the port unless the host id has one.
    /// An IPv6 address is put in brackets.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDestination`] if `url` is not an absolute http or https URL.
    pub fn rewrite<'u>(&self, url: &'u str) -> Result<RewrittenUrl<'b, 'u>, Error> {
        let parts = Url::of_destination(url)?;
        let before = [parts.scheme.len(), 3, parts.userinfo.len()].iter().sum::<usize>();
        let (before, rest) = url.split_at_checked(before).unwrap_or_default();
        let (_, rest) = rest.split_at_checked(parts.host.len()).unwrap_or_default();
        let replaced = if self.port.is_some() { parts.port.len() } else { 0 };
        let (_, after) = rest.split_at_checked(replaced).unwrap_or_default();
        Ok(RewrittenUrl { before, host: *self, after })
    }
}

/// A destination URL with the host of a [`HostId`], returned by [`HostId::rewrite`].
///
/// It borrows the parts and needs no allocation; its `Display` is the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewrittenUrl<'b, 'u> {
    /// Scheme and user.
    before: &'u str,
    host: HostId<'b>,
    /// Port, path and query.
    after: &'u str,
}

impl<'b> RewrittenUrl<'b, '_> {
    /// Returns the host id with the new host.
    #[must_use]
    pub const fn host_id(&self) -> HostId<'b> {
        self.host
    }
}

impl fmt::Display for RewrittenUrl<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.before)?;
        match self.host.host() {
            Host::Name(name) => f.write_str(name)?,
            Host::V4(address) => write!(f, "{address}")?,
            Host::V6(address) => write!(f, "[{address}]")?,
        }
        if let Some(port) = self.host.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.after)
    }
}

/// Returns true for a name of one label that starts with a letter: nearly every host of a server.
#[inline]
fn is_label(text: &[u8]) -> bool {
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.iter().all(is_valid)
}

fn name_or_v4(text: &str) -> Option<Host<'_>> {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        if let Ok(address) = external(|| text.parse()) {
            return Some(Host::V4(address));
        }
    }
    is_name(text).then_some(Host::Name(text))
}

/// `name = label *( "." label ) [ "." ]`, in one pass.
///
/// A name whose last label is a number is rejected: some resolvers interpret it as an address.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    // Properties of the current label.
    let (mut is_empty, mut is_number) = (true, true);
    let mut has_x = false;
    for byte in text.bytes() {
        match byte {
            b'.' if is_empty => return false,
            b'.' => (is_empty, is_number) = (true, true),
            b'0'..=b'9' => is_empty = false,
            b'x' | b'X' => (is_empty, is_number, has_x) = (false, false, true),
            b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => (is_empty, is_number) = (false, false),
            _ => return false,
        }
    }
    // `is_number` also holds for an empty last label.
    let is_address = is_number || has_x && ends_in_hexadecimal(text);
    !is_address
}

/// Resolvers also accept hexadecimal numbers such as `0x7f000001`.
#[cold]
fn ends_in_hexadecimal(text: &str) -> bool {
    let label = text.as_bytes().rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    match label {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    external(|| text.parse()).ok()
}

/// Splits the value into the host and the text of the port: `host [ ":" port ]`. An IPv6 address before
/// a port is in brackets.
fn split(text: &str) -> Option<(Host<'_>, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
        return Some((Host::V6(v6(address)?), port));
    }
    let Some((name, port)) = text.split_once(':') else {
        return Some((name_or_v4(text)?, None));
    };
    match v6(text) {
        Some(address) => Some((Host::V6(address), None)),
        None => Some((name_or_v4(name)?, Some(port))),
    }
}

impl<'b> Decode<'b> for HostId<'b> {
    const NAME: FieldName = FieldName::HostId;

    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        if value.is_empty() {
            return Err(ValueError::new(ErrorKind::Empty, 0));
        }
        if is_label(value) {
            return Ok(Self { text: value, host: HostKind::Name(value.len()), port: None });
        }
        Self::decode_any(value, deviations)
    }
}

impl<'b> HostId<'b> {
    /// Parses any host, for which the text is converted to `str`.
    fn decode_any(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        let not_a_host = ValueError::new(ErrorKind::NotHost, 0);
        let text = core::str::from_utf8(value).map_err(|_| not_a_host)?;
        let (host, port) = split(text).ok_or(not_a_host)?;
        let port = match port {
            Some(digits) => {
                deviations.insert(Deviation::HostIdPort);
                let port =
                    decimal(digits.as_bytes()).ok().and_then(|port| u16::try_from(port).ok());
                Some(port.ok_or(not_a_host)?)
            }
            None => None,
        };
        let host = match host {
            Host::Name(name) => HostKind::Name(name.len()),
            Host::V4(address) => HostKind::V4(address),
            Host::V6(address) => HostKind::V6(address),
        };
        Ok(Self { text: value, host, port })
    }
}

try_from_wire!(HostId<'b>);

impl AsRef<str> for HostId<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<[u8]> for HostId<'_> {
    fn as_ref(&self) -> &[u8] {
        self.text
    }
}

impl fmt::Debug for HostId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostId").field(&self.as_str()).finish()
    }
}

impl Wire for HostId<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.text)
    }
}

wire_display!(HostId<'_>);
