//! The grammar of each field, implemented as simply as possible and without code of the crate.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `1*DIGIT`
pub fn decimal(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() || text.chars().any(|letter| !letter.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A number, or a list of equal numbers
pub fn content_length(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let items = text.split(',').map(|item| decimal(item.trim_matches([' ', '\t']).as_bytes()));
    let numbers: Vec<_> = items.collect::<Option<_>>()?;
    numbers.first().copied().filter(|first| numbers.iter().all(|number| number == first))
}

/// `[ "0x" / "0X" / "x" / "X" ] 1*8HEXDIG`
pub fn hexadecimal(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = ["0x", "0X", "x", "X"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let digits = digits.unwrap_or(text);
    if digits.len() > 8 || digits.chars().any(|letter| !letter.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Returns the 128 bits, and true if they are in braces.
pub fn guid(text: &[u8]) -> Option<(u128, bool)> {
    let text = std::str::from_utf8(text).ok()?;
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let groups: Vec<_> = inner.unwrap_or(text).split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    let digits = groups.concat();
    if lengths != [8, 4, 4, 4, 12] || digits.chars().any(|letter| !letter.is_ascii_hexdigit()) {
        return None;
    }
    Some((u128::from_str_radix(&digits, 16).ok()?, inner.is_some()))
}

/// A list of protocols: the first hundred, and flags for one without braces and for more than a hundred.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocols {
    pub guids: Vec<u128>,
    pub unbraced: bool,
    pub excess: bool,
}

pub fn protocols(text: &[u8]) -> Option<Protocols> {
    let items = text.split(|byte| b" \t,".contains(byte)).filter(|item| !item.is_empty());
    let items: Vec<_> = items.collect();
    let read: Vec<_> = items.iter().take(100).map(|item| guid(item)).collect::<Option<_>>()?;
    let unbraced = read.iter().any(|(_, braced)| !braced);
    let guids: Vec<_> = read.into_iter().map(|(guid, _)| guid).collect();
    (!guids.is_empty()).then_some(Protocols { guids, unbraced, excess: items.len() > 100 })
}

/// Returns first, last and total, and true if there is more white space than one space.
pub fn content_range(text: &[u8]) -> Option<((u64, u64, u64), bool)> {
    let text = std::str::from_utf8(text).ok()?;
    let unit = text.get(..5).filter(|unit| unit.eq_ignore_ascii_case("bytes"))?;
    let rest = &text[unit.len()..];
    let numbers = rest.trim_start_matches([' ', '\t']);
    let space = &rest[..rest.len() - numbers.len()];
    let (first, rest) = numbers.split_once('-')?;
    let (last, total) = rest.split_once('/')?;
    let number = |text: &str| decimal(text.as_bytes());
    let (first, last, total) = (number(first)?, number(last)?, number(total)?);
    let is_range = !space.is_empty() && first <= last && last < total;
    is_range.then_some(((first, last, total), space != " "))
}

/// Returns true if a field transports the value unchanged.
pub fn is_content(value: &[u8]) -> bool {
    let is_valid = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7E | 0x80..=0xFF);
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    value.iter().all(is_valid) && !blank(value.first()) && !blank(value.last())
}

pub fn is_session_id(text: &[u8]) -> bool {
    (1..=100).contains(&text.len()) && text.iter().all(|byte| (0x21..=0x7E).contains(byte))
}

/// Reasons why a reference is not an http or https URL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoUrl {
    /// It has no scheme.
    Relative,
    /// It has another scheme.
    OtherScheme,
    /// The host or the port is invalid.
    Malformed,
}

pub fn http_url(text: &[u8]) -> Result<(), NoUrl> {
    let colon = text.iter().position(|byte| *byte == b':').ok_or(NoUrl::Relative)?;
    let scheme = std::str::from_utf8(&text[..colon]).map_err(|_| NoUrl::Relative)?;
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    if !scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        || !scheme.chars().all(letter)
    {
        return Err(NoUrl::Relative);
    }
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(NoUrl::OtherScheme);
    }
    let rest = text[colon + 1..].strip_prefix(b"//").ok_or(NoUrl::Malformed)?;
    let authority = rest.split(|byte| b"/?#\\".contains(byte)).next().unwrap_or_default();
    let host_and_port = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    let bracket = host_and_port.iter().position(|byte| *byte == b']');
    let end = match bracket.filter(|_| host_and_port.starts_with(b"[")) {
        Some(bracket) => bracket + 1,
        None => host_and_port.iter().position(|byte| *byte == b':').unwrap_or(host_and_port.len()),
    };
    let (host, port) = host_and_port.split_at(end);
    let is_host = !host.is_empty()
        && host.iter().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte));
    let is_port = match port.strip_prefix(b":") {
        Some(digits) => digits.is_empty() || decimal(digits).is_some_and(|port| port < 65536),
        None => port.is_empty(),
    };
    if is_host && is_port { Ok(()) } else { Err(NoUrl::Malformed) }
}

/// Returns true if a sender may write the URL: `http_URL` of RFC 2616, completely escaped.
pub fn is_sendable_url(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let authority = text.split('/').nth(2).unwrap_or_default();
    let authority = authority.split('?').next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte);
    let is_escaped =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit());
    http_url(text.as_bytes()).is_ok()
        && !authority.contains('@')
        && text.bytes().all(is_plain)
        && text.split('%').skip(1).all(is_escaped)
}

/// Returns true if the reference can be resolved against a destination URL.
pub fn is_reference(text: &[u8]) -> bool {
    let url = http_url(text);
    !text.is_empty() && is_content(text) && (url.is_ok() || url == Err(NoUrl::Relative))
}

#[derive(Clone, Debug, PartialEq)]
pub enum Host {
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

fn name_or_v4(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse() {
        return Some(Host::V4(address));
    }
    let labels: Vec<_> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let are_labels = labels.iter().all(|label| !label.is_empty() && label.chars().all(is_valid));
    let last = labels.last()?.to_ascii_lowercase();
    let ends_in_number = last.chars().all(|letter| letter.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|it| it.chars().all(|it| it.is_ascii_hexdigit()));
    (are_labels && !ends_in_number).then(|| Host::Name(text.into()))
}

/// Returns the host and its optional port.
pub fn host(text: &[u8]) -> Option<(Host, Option<u16>)> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse() {
        return Some((Host::V6(address), None));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (Host::V6(address.parse().ok()?), port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            (name_or_v4(&text[..end])?, &text[end..])
        }
    };
    if port.is_empty() {
        // A bracketed address without a port.
        return Some((host, None));
    }
    let port = decimal(port.strip_prefix(':')?.as_bytes())?;
    Some((host, Some(u16::try_from(port).ok()?)))
}

/// Returns true if the name is a plain file name on all common systems.
pub fn is_safe_name(name: &[u8]) -> bool {
    let bad = |byte: &u8| *byte < 0x20 || *byte == 0x7F || b"\\/:*?\"<>|".contains(byte);
    if name.is_empty() || name.iter().any(bad) || name.ends_with(b".") || name.ends_with(b" ") {
        return false;
    }
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end().to_ascii_uppercase();
    let mut devices: Vec<Vec<u8>> =
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].map(|name| name.into()).to_vec();
    let numbers = (b'0'..=b'9').chain([0xB9, 0xB2, 0xB3]).map(|digit| vec![digit]);
    for number in numbers.chain(["¹", "²", "³"].map(|digit| digit.as_bytes().to_vec())) {
        devices.extend([b"COM", b"LPT"].map(|port| [&port[..], &number].concat()));
    }
    !devices.contains(&stem)
}
