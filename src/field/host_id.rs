//! BITS-Host-Id.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use nom::Parser as _;
use nom::bytes::complete::{tag, take_till, take_till1};
use nom::combinator::{all_consuming, opt, rest};
use nom::sequence::{delimited, preceded};

use super::url::Url;
use super::{Decode, FieldName, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::digits::decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.3.2] BITS-Host-Id: the host a client sends everything else of the upload to.
///
/// A name, an IPv4 address or an IPv6 address, the last with or without brackets. A port is the
/// deviation [`HostIdPort`](Deviation::HostIdPort) and kept; a scheme, a user, a path or a query
/// is an error.
///
/// ```text
/// host-id = host [ ":" port ]
/// host    = name / IPv4address / "[" IPv6address "]" / IPv6address
/// name    = label *( "." label ) [ "." ]   ; the last label is no number
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
    text: &'b str,
    host: Host<'b>,
    port: Option<u16>,
}

/// What a [`HostId`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host<'b> {
    /// A name to look up.
    Name(&'b str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl<'b> HostId<'b> {
    /// The text as the server spelt it.
    #[must_use]
    pub const fn as_str(&self) -> &'b str {
        self.text
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> Host<'b> {
        self.host
    }

    /// The port, which a server should not send.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Puts the host in the place of the host of `url`, the destination URL.
    ///
    /// Everything else stays: scheme, user, path, query, and the port unless the host id has one
    /// of its own. An IPv6 address gets brackets.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDestination`] when `url` is no absolute http or https URL.
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

/// A URL with another host, as three pieces; its `Display` is the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewrittenUrl<'b, 'u> {
    /// Up to the host: scheme and user.
    pub before: &'u str,
    /// The host.
    pub host: HostId<'b>,
    /// From behind the host: port, path and query.
    pub after: &'u str,
}

impl fmt::Display for RewrittenUrl<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.before)?;
        match self.host.host {
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

fn name_or_v4(text: &str) -> Option<Host<'_>> {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        if let Ok(address) = text.parse() {
            return Some(Host::V4(address));
        }
    }
    is_name(text).then_some(Host::Name(text))
}

/// `name = label *( "." label ) [ "." ]`, in one pass.
///
/// What ends in a number is an address, and if it is none here it is one to some resolvers.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    // What is true of the label as far as it goes.
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
    // So is an empty label, which is no name either.
    let is_address = is_number || has_x && ends_in_hexadecimal(text);
    !is_address
}

/// `0x7f000001` is a number too.
#[cold]
fn ends_in_hexadecimal(text: &str) -> bool {
    let label = text.rsplit('.').next().unwrap_or_default();
    let digits = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

type Parsed<'t, T> = nom::IResult<&'t str, T, ()>;

/// `"[" address "]"`
fn bracketed(text: &str) -> Parsed<'_, &str> {
    delimited(tag("["), take_till(|letter| letter == ']'), tag("]")).parse(text)
}

/// `[ ":" port ]`
fn port(text: &str) -> Parsed<'_, Option<&str>> {
    opt(preceded(tag(":"), rest)).parse(text)
}

/// Host and the text of the port.
fn split(text: &str) -> Option<(Host<'_>, Option<&str>)> {
    if !text.contains(':') {
        return Some((name_or_v4(text)?, None));
    }
    if let Ok(address) = text.parse() {
        return Some((Host::V6(address), None));
    }
    if let Ok((_, (address, port))) = all_consuming((bracketed, port)).parse(text) {
        return Some((Host::V6(address.parse().ok()?), port));
    }
    let name = take_till1(|letter| letter == ':');
    let (_, (name, port)) = all_consuming((name, port)).parse(text).ok()?;
    Some((name_or_v4(name)?, port))
}

impl<'b> Decode<'b> for HostId<'b> {
    const NAME: FieldName = FieldName::HostId;

    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        if value.is_empty() {
            return Err(ValueError::new(ErrorKind::Empty, 0));
        }
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
        Ok(Self { text, host, port })
    }
}

try_from_wire!(HostId<'b>);

impl fmt::Debug for HostId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostId").field(&self.text).finish()
    }
}

impl Wire for HostId<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.text.as_bytes())
    }
}

wire_display!(HostId<'_>);
