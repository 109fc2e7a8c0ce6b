//! Compares values, and the kinds and offsets of errors, with grammars written with nom, the standard library and
//! `uuid`: values have fast paths, and these have none.

use bits_proto::error::{Error, ErrorKind};
use bits_proto::field::{
    ContentRange, Host, HostId, HttpDate, Protocol, ReplyUrl, StaticResponseUrl,
};
use nom::bytes::complete::{tag, tag_no_case, take_till, take_till1, take_while};
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, opt, recognize, rest};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser as _};
use uuid::Uuid;

type Parsed<'t, T> = IResult<&'t [u8], T, ()>;
type Outcome<T> = Result<T, (ErrorKind, usize)>;

fn outcome<T>(read: Result<T, Error>) -> Outcome<T> {
    read.map_err(|error| (error.kind(), error.offset().expect("an offset")))
}

/// Calls `each` with every text of up to `max` bytes of this alphabet.
fn for_each_text(alphabet: &[u8], max: usize, each: &mut impl FnMut(&[u8])) {
    fn extend(text: &mut Vec<u8>, alphabet: &[u8], max: usize, each: &mut impl FnMut(&[u8])) {
        each(text);
        for byte in alphabet.iter().filter(|_| text.len() < max).copied().collect::<Vec<_>>() {
            text.push(byte);
            extend(text, alphabet, max, each);
            text.pop();
        }
    }
    extend(&mut Vec::new(), alphabet, max, each);
}

/// Calls `each` with a text, its prefixes, and every text that differs in one byte.
fn for_each_neighbour(text: &[u8], each: &mut impl FnMut(&[u8])) {
    for at in 0..text.len() {
        each(&text[..at]);
        let mut changed = text.to_vec();
        for byte in 0..=u8::MAX {
            changed[at] = byte;
            each(&changed);
        }
    }
}

fn range(value: &[u8]) -> Outcome<(u64, u64, u64)> {
    let at = |rest: &[u8]| value.len() - rest.len();
    let syntax = |rest: &[u8]| (ErrorKind::NotByteRange, at(rest));
    let unit: Parsed<'_, _> = tag_no_case(&b"bytes"[..]).parse(value);
    let (rest, _) = unit.map_err(|_| syntax(value))?;
    let blank: Parsed<'_, _> = take_while(|byte| matches!(byte, b' ' | b'\t')).parse(rest);
    let (numbers, blank) = blank.expect("any number of bytes");
    if blank.is_empty() {
        return Err(syntax(numbers));
    }
    let number = |text| {
        let digits: Parsed<'_, &[u8]> = digit1.parse(text);
        let (rest, digits) = digits.map_err(|_| (ErrorKind::NotDecimal, at(text)))?;
        let digits = std::str::from_utf8(digits).expect("digits");
        Ok((rest, digits.parse::<u64>().map_err(|_| (ErrorKind::NumberTooLarge, at(text)))?))
    };
    let mark = |mark: &'static [u8], rest| {
        let found: Parsed<'_, _> = tag(mark).parse(rest);
        found.map(|(rest, _)| rest).map_err(|_| syntax(rest))
    };
    let (rest, first) = number(numbers)?;
    let (rest, last) = number(mark(b"-", rest)?)?;
    let (rest, total) = number(mark(b"/", rest)?)?;
    match (first, last, total) {
        _ if !rest.is_empty() => Err(syntax(rest)),
        _ if first > last => Err((ErrorKind::FirstBeyondLast, at(numbers))),
        _ if last >= total => Err((ErrorKind::LastBeyondTotal, at(numbers))),
        numbers => Ok(numbers),
    }
}

fn check_range(value: &[u8]) {
    let read = ContentRange::try_from(value);
    let read = read.map(|range| (range.first(), range.last(), range.total()));
    assert_eq!(outcome(read), range(value), "{}", value.escape_ascii());
}

#[test]
fn a_range_has_the_value_and_the_error_of_the_grammar() {
    for prefix in ["bytes ", "bytes 1", "BYTES ", "bytes", ""] {
        for_each_text(b"019-/ \ta", 5, &mut |text| {
            check_range(&[prefix.as_bytes(), text].concat());
        });
    }
    for_each_neighbour(b"bytes 128-212/213", &mut check_range);
    // Numbers of more digits than the fast path takes, and beyond the largest.
    let digits = ["9".repeat(18), "9".repeat(19), "0".repeat(30) + "7", u64::MAX.to_string()];
    let beyond = ["18446744073709551616".into(), "9".repeat(20), "1".repeat(40)];
    let numbers: Vec<_> = digits.into_iter().chain(beyond).chain(["0".into()]).collect();
    for (first, last) in
        numbers.iter().flat_map(|first| numbers.iter().map(move |last| (first, last)))
    {
        for total in &numbers {
            check_range(format!("bytes {first}-{last}/{total}").as_bytes());
        }
    }
}

#[test]
fn a_guid_is_the_one_of_uuid() {
    let check = |value: &[u8]| {
        // `uuid` accepts other forms too, such as one without hyphens.
        let inner = value.strip_prefix(b"{").and_then(|value| value.strip_suffix(b"}"));
        let inner = inner.unwrap_or(value);
        let expected = Uuid::try_parse_ascii(inner).ok().filter(|_| inner.len() == 36);
        let expected = expected.ok_or((ErrorKind::NotGuid, 0));
        let read = Protocol::try_from(value).map(Uuid::from);
        assert_eq!(outcome(read), expected, "{}", value.escape_ascii());
    };
    for text in ["{7DF0354D-249b-430f-820d-3d2a9bef4931}", "01234567-89ab-cdef-ABCD-EF9876543210"] {
        for_each_neighbour(text.as_bytes(), &mut |value| check(value));
        check(text.as_bytes());
        check(format!("{text}0").as_bytes());
    }
    check(b"7df0354d249b430f820d3d2a9bef4931");
    check(b"urn:uuid:7df0354d-249b-430f-820d-3d2a9bef4931");
}

fn name_or_v4(text: &str) -> Option<Host<'_>> {
    if let Ok(address) = text.parse() {
        return Some(Host::V4(address));
    }
    let labels: Vec<_> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let are_labels = labels.iter().all(|label| !label.is_empty() && label.chars().all(is_valid));
    let last = labels.last()?.to_ascii_lowercase();
    let is_number = last.chars().all(|letter| letter.is_ascii_digit());
    let digits = last.strip_prefix("0x");
    let is_hexadecimal =
        digits.is_some_and(|digits| digits.chars().all(|it| it.is_ascii_hexdigit()));
    (are_labels && !is_number && !is_hexadecimal).then_some(Host::Name(text))
}

fn host(value: &[u8]) -> Option<(Host<'_>, Option<u16>)> {
    let text = std::str::from_utf8(value).ok()?;
    if let Ok(address) = text.parse() {
        return Some((Host::V6(address), None));
    }
    let bracketed = delimited(tag("["), take_till(|letter| letter == ']'), tag("]"));
    let port = || opt(preceded(tag(":"), rest));
    let address: IResult<_, _, ()> = all_consuming((bracketed, port())).parse(text);
    let name: IResult<_, _, ()> =
        all_consuming((take_till1(|letter| letter == ':'), port())).parse(text);
    let (host, port) = match (address, name) {
        (Ok((_, (address, port))), _) => (Host::V6(address.parse().ok()?), port),
        (_, Ok((_, (name, port)))) => (name_or_v4(name)?, port),
        _ => return None,
    };
    let digits = port.filter(|port| !port.starts_with('+'));
    match (port, digits.map(str::parse)) {
        (None, _) => Some((host, None)),
        (Some(_), Some(Ok(port))) => Some((host, Some(port))),
        _ => None,
    }
}

#[test]
fn a_host_is_the_one_of_the_grammar() {
    let mut check = |value: &[u8]| {
        let error = if value.is_empty() { ErrorKind::Empty } else { ErrorKind::NotHost };
        let expected = host(value).ok_or((error, 0));
        let read = HostId::try_from(value).map(|it| (it.host(), it.port()));
        assert_eq!(outcome(read), expected, "{}", value.escape_ascii());
    };
    for_each_text(b"aZ0x-_.:[]1 \x80", 4, &mut check);
    for text in ["NODE07", "node7.example:8080", "[2001:db8::1]:80", "192.0.2.1:7", "host."] {
        for_each_neighbour(text.as_bytes(), &mut check);
        check(text.as_bytes());
    }
}

/// Returns the seconds since 1970 of a date in the current form, without a check of the number of days.
fn imf_fixdate(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let (name, rest) = text.split_once(", ")?;
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let mut parts = rest.split(' ');
    let mut part = || parts.next();
    let (day, month, year, time, zone) = (part()?, part()?, part()?, part()?, part()?);
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|known| known.eq_ignore_ascii_case(month))?;
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().expect("digits"))
    };
    let mut times = time.split(':').map(|text| number(text, 2));
    let (hour, minute, second) = (times.next()??, times.next()??, times.next()??);
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |year: i64| if is_leap(year) { 366 } else { 365 };
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_date = days.iter().any(|known| known.eq_ignore_ascii_case(name))
        && zone.eq_ignore_ascii_case("GMT")
        && parts.next().is_none()
        && times.next().is_none()
        && (1601..=9999).contains(&year)
        && (1..=lengths[month]).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    let years: i64 = if year < 1970 {
        -(year..1970).map(days_of).sum::<i64>()
    } else {
        (1970..year).map(days_of).sum()
    };
    let days = years + lengths[..month].iter().sum::<i64>() + day - 1;
    is_date.then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[test]
fn a_date_is_the_one_of_the_grammar() {
    let mut check = |value: &[u8]| {
        let expected = imf_fixdate(value).ok_or((ErrorKind::NotHttpDate, 0));
        let read = HttpDate::try_from(value).map(HttpDate::unix_seconds);
        assert_eq!(outcome(read), expected, "{}", value.escape_ascii());
    };
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "tue, 29 FEB 2000 23:59:60 gmt",
        "Wed, 31 Dec 1969 00:00:00 GMT",
    ] {
        check(text.as_bytes());
        for_each_neighbour(text.as_bytes(), &mut check);
        for extra in [format!("{text} "), format!(" {text}"), text.replace(' ', "")] {
            check(extra.as_bytes());
        }
    }
}

/// Returns true if the reference is absolute.
fn reference(value: &[u8]) -> Outcome<bool> {
    if value.is_empty() {
        return Err((ErrorKind::Empty, 0));
    }
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let scheme: Parsed<'_, &[u8]> =
        terminated(take_till1(|byte| !is_scheme_byte(byte)), tag(&b":"[..])).parse(value);
    let Ok((rest, scheme)) = scheme else { return Ok(false) };
    if !scheme[0].is_ascii_alphabetic() {
        return Ok(false);
    }
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err((ErrorKind::UnsupportedScheme, 0));
    }
    let whole: Parsed<'_, &[u8]> =
        preceded(tag(&b"//"[..]), take_till(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')))
            .parse(rest);
    let malformed = (ErrorKind::NotAbsoluteUrl, 0);
    let (_, authority) = whole.map_err(|_| malformed)?;
    let host_port = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    let bracketed = recognize((tag(&b"["[..]), take_till(|byte| byte == b']'), tag(&b"]"[..])));
    let name = take_till(|byte| byte == b':');
    let host: Parsed<'_, &[u8]> = nom::branch::alt((bracketed, name)).parse(host_port);
    let (port, host) = host.map_err(|_| malformed)?;
    let is_host_byte = |byte: &u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte);
    let is_port = match port {
        [] | [b':'] => true,
        [b':', digits @ ..] => {
            digits.iter().all(u8::is_ascii_digit)
                && std::str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok())
        }
        _ => false,
    };
    if !host.is_empty() && host.iter().all(is_host_byte) && is_port {
        Ok(true)
    } else {
        Err(malformed)
    }
}

#[test]
fn a_reference_is_absolute_where_the_grammar_says_so() {
    let check = |value: &[u8]| {
        let expected = reference(value).map(drop);
        let (reply, fixed) = (ReplyUrl::try_from(value), StaticResponseUrl::try_from(value));
        assert_eq!(outcome(reply.map(drop)), expected, "{}", value.escape_ascii());
        assert_eq!(outcome(fixed.map(drop)), expected, "{}", value.escape_ascii());
    };
    for prefix in ["", "http", "HTTPS:", "http://", "https://h:", "http://[1]", "ftp:"] {
        for_each_text(b"aH1+.:/\\@?[]<", 4, &mut |text| {
            check(&[prefix.as_bytes(), text].concat());
        });
    }
    for port in ["65535", "65536", "0065535", "99999999999999999999", ""] {
        check(format!("http://h:{port}/").as_bytes());
    }
}
