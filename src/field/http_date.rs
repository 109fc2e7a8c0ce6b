//! HTTP dates.

use core::time::Duration;

use super::try_from_wire;
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::ascii::put_at;
use crate::util::calendar::{self, Civil, Split};
use crate::util::digits::{DigitPattern, two_digits};
use crate::util::sink::{Sink, Wire, wire_display};

/// A point in time in an HTTP field, such as Retry-After or Last-Modified: a whole number of seconds
/// in the years 1601 to 9999.
///
/// Three forms are read: the current one, and two obsolete ones. The current form is written.
///
/// ```text
/// IMF-fixdate  = "Sun, 06 Nov 1994 08:49:37 GMT"
/// rfc850-date  = "Sunday, 06-Nov-94 08:49:37 GMT"
/// asctime-date = "Sun Nov  6 08:49:37 1994"
/// ```
///
/// Names are compared ignoring ASCII case. The day of the week must be the name of a day, but may be
/// another day than that of the date: some servers compute it wrongly, and the digits are unambiguous.
/// A leap second is the first second of the next minute.
///
/// A year of two digits depends on the current time, see [`parse_at`](Self::parse_at). The
/// conversions read 70 to 99 as 1970 to 1999, and 00 to 69 as 2000 to 2069.
///
/// # Errors
///
/// [`ErrorKind::NotHttpDate`].
///
/// # Example
///
/// ```
/// use bits_proto::field::HttpDate;
///
/// let date: HttpDate = "Sunday, 06-Nov-94 08:49:37 GMT".parse()?;
/// assert_eq!(date.unix_seconds(), 784_111_777);
/// assert_eq!(date.to_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// assert_eq!(HttpDate::from_unix_seconds(784_111_777), Some(date));
/// assert!("2026-11-29T19:50:40Z".parse::<HttpDate>().is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 5.6.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "i64", try_from = "i64")
)]
pub struct HttpDate {
    /// The number of seconds since the start of 1970, negative before.
    seconds: i64,
}

impl HttpDate {
    /// The first second of the year 1601, where the time of Windows starts.
    pub const MIN: Self = Self { seconds: -11_644_473_600 };
    /// The last second of the year 9999.
    pub const MAX: Self = Self { seconds: 253_402_300_799 };

    /// Creates a date from the number of seconds since the start of 1970, without leap seconds. `None`
    /// outside the years 1601 to 9999.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Option<Self> {
        if seconds < Self::MIN.seconds || seconds > Self::MAX.seconds {
            return None;
        }
        Some(Self { seconds })
    }

    /// Returns the number of seconds since the start of 1970, without leap seconds. It is negative
    /// before 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the time since the start of 1970; zero before.
    #[must_use]
    pub(super) fn since_unix_epoch(self) -> Duration {
        Duration::from_secs(u64::try_from(self.seconds).unwrap_or(0))
    }

    /// Parses a date. A year of two digits is the latest one with these digits that is at most 50
    /// years after `now`.
    ///
    /// ```
    /// use bits_proto::field::HttpDate;
    ///
    /// let now: HttpDate = "Sun, 29 Nov 2026 19:50:40 GMT".parse()?;
    /// let date = HttpDate::parse_at("Monday, 01-Jan-76 00:00:00 GMT", now)?;
    /// assert_eq!(date.to_string(), "Wed, 01 Jan 2076 00:00:00 GMT");
    /// let date = HttpDate::parse_at("Monday, 01-Jan-77 00:00:00 GMT", now)?;
    /// assert_eq!(date.to_string(), "Sat, 01 Jan 1977 00:00:00 GMT");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotHttpDate`].
    pub fn parse_at(value: impl AsRef<[u8]>, now: Self) -> Result<Self, Error> {
        let value = value.as_ref();
        let latest =
            Civil::of_day(Split::of_unix_seconds(now.seconds)).years_later(50).unix_seconds();
        Self::decode(value, latest).map_err(|error| value_error(value, error))
    }

    fn from_wire(value: &[u8]) -> Result<Self, Error> {
        Self::decode_alone(value).map_err(|error| value_error(value, error))
    }

    /// Parses a date without the current time.
    pub(crate) fn decode_alone(value: &[u8]) -> Result<Self, ValueError> {
        /// The last second of 2069.
        const LATEST: i64 = 3_155_759_999;
        Self::decode(value, LATEST)
    }

    /// Parses a date. A year of two digits is the latest one that does not exceed `latest`.
    fn decode(value: &[u8], latest: i64) -> Result<Self, ValueError> {
        imf_fixdate(value)
            .or_else(|| obsolete_date(value, latest))
            .and_then(Self::from_unix_seconds)
            .ok_or(ValueError::new(ErrorKind::NotHttpDate, 0))
    }
}

#[cold]
fn obsolete_date(value: &[u8], latest: i64) -> Option<i64> {
    rfc850_date(value, latest).or_else(|| asctime_date(value))
}

fn value_error(value: &[u8], error: ValueError) -> Error {
    Error::caller(error.kind).with_received(value, error.at).at(Some(error.at))
}

/// `day-name "," SP 2DIGIT SP month SP 4DIGIT SP time-of-day SP "GMT"`
#[inline]
fn imf_fixdate(value: &[u8]) -> Option<i64> {
    const DAY: DigitPattern = DigitPattern::new(b", 00 ???");
    const YEAR: DigitPattern = DigitPattern::new(b"?? 0000 ");
    let (text, zone) = <&[u8; 29]>::try_from(value).ok()?.split_last_chunk::<4>()?;
    let eight = |at: usize| text.get(at..).and_then(|rest| rest.first_chunk::<8>()).copied();
    let day = DAY.pairs(eight(3)?)?.at(2);
    let year = YEAR.pairs(eight(9)?)?;
    short_day_of_week(*text.first_chunk()?)?;
    let month = month_number(*text.get(8..)?.first_chunk()?)?;
    let year = year.at(3).wrapping_mul(100).wrapping_add(year.at(5));
    before_gmt(zone)?;
    at_time(Civil::new(year, month, day)?, text.get(17..)?)
}

/// `day-name-long "," SP 2DIGIT "-" month "-" 2DIGIT SP time-of-day SP "GMT"`
fn rfc850_date(value: &[u8], latest: i64) -> Option<i64> {
    let comma = value.iter().position(|byte| *byte == b',')?;
    let (day_name, rest) = value.split_at_checked(comma)?;
    let [b',', b' ', d1, d2, b'-', m1, m2, m3, b'-', y1, y2, b' ', time @ ..] = rest else {
        return None;
    };
    calendar::DAYS
        .into_iter()
        .any(|day| day.as_bytes().eq_ignore_ascii_case(day_name))
        .then_some(())?;
    let time = before_gmt(time)?;
    let (month, day) = ([*m1, *m2, *m3], [*d1, *d2]);
    let in_year = |year: u64| {
        let civil = Civil::new(year, month_number(month)?, number(day)?)?;
        at_time(civil, time).filter(|seconds| *seconds <= latest)
    };
    let latest_year = Civil::of_day(Split::of_unix_seconds(latest)).year();
    let two_digits = number([*y1, *y2])?;
    let same_century = latest_year.checked_sub(latest_year % 100)?.checked_add(two_digits)?;
    in_year(same_century).or_else(|| in_year(same_century.checked_sub(100)?))
}

/// `day-name SP month SP ( 2DIGIT / SP DIGIT ) SP time-of-day SP 4DIGIT`
fn asctime_date(value: &[u8]) -> Option<i64> {
    let [w1, w2, w3, b' ', m1, m2, m3, b' ', d1, d2, b' ', rest @ ..] = value else {
        return None;
    };
    let [time @ .., b' ', y1, y2, y3, y4] = rest else { return None };
    short_day_of_week([*w1, *w2, *w3])?;
    let day = if *d1 == b' ' { [b'0', *d2] } else { [*d1, *d2] };
    at_time(date([*y1, *y2, *y3, *y4], [*m1, *m2, *m3], day)?, time)
}

/// Maps three letters to a value, ignoring ASCII case.
macro_rules! match_letters {
    ($name:expr, $( $letters:literal => $value:expr ),+) => {{
        let name = lower_case($name);
        $( if name == const { lower_case(*$letters) } { Some($value) } else )+ { None }
    }};
}

/// Checks that the letters are the first three of a day of the week.
#[inline(always)]
fn short_day_of_week(name: [u8; 3]) -> Option<()> {
    match_letters!(name, b"sun" => (), b"mon" => (), b"tue" => (), b"wed" => (), b"thu" => (),
        b"fri" => (), b"sat" => ())
}

#[inline(always)]
fn month_number(name: [u8; 3]) -> Option<u64> {
    match_letters!(name, b"jan" => 1, b"feb" => 2, b"mar" => 3, b"apr" => 4, b"may" => 5,
        b"jun" => 6, b"jul" => 7, b"aug" => 8, b"sep" => 9, b"oct" => 10, b"nov" => 11, b"dec" => 12)
}

/// Converts letters to lower case, in one word. Other bytes do not become letters.
#[inline(always)]
const fn lower_case([first, second, third]: [u8; 3]) -> u32 {
    u32::from_le_bytes([first, second, third, 0]) | 0x20_20_20
}

#[inline(always)]
fn date(year: [u8; 4], month: [u8; 3], day: [u8; 2]) -> Option<Civil> {
    let [y1, y2, y3, y4] = year;
    let (century, year) = (number([y1, y2])?, number([y3, y4])?);
    let year = century.wrapping_mul(100).wrapping_add(year);
    Civil::new(year, month_number(month)?, number(day)?)
}

/// `2DIGIT ":" 2DIGIT ":" 2DIGIT`
#[inline(always)]
fn at_time(date: Civil, time: &[u8]) -> Option<i64> {
    const TIME: DigitPattern = DigitPattern::new(b"00:00:00");
    let time = TIME.pairs(*<&[u8; 8]>::try_from(time).ok()?)?;
    let (hour, minute, second) = (time.at(0), time.at(3), time.at(6));
    // A leap second is 60.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // None of these wraps: the numbers are small, and so are the seconds of a date.
    let seconds =
        hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60)).wrapping_add(second);
    Some(date.unix_seconds().wrapping_add_unsigned(seconds))
}

/// `2DIGIT`
#[inline(always)]
const fn number([tens, ones]: [u8; 2]) -> Option<u64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        return None;
    }
    Some(tens.wrapping_mul(10).wrapping_add(ones) as u64)
}

/// Returns the text before `SP "GMT"`.
#[inline(always)]
fn before_gmt(text: &[u8]) -> Option<&[u8]> {
    let (rest, [b' ', zone @ ..]) = text.split_last_chunk::<4>()? else { return None };
    match_letters!(*zone, b"gmt" => rest)
}

try_from_wire!(HttpDate);

impl TryFrom<i64> for HttpDate {
    type Error = Error;

    /// Creates a date as [`from_unix_seconds`](Self::from_unix_seconds) does.
    fn try_from(seconds: i64) -> Result<Self, Error> {
        Self::from_unix_seconds(seconds).ok_or(Error::caller(ErrorKind::NotHttpDate))
    }
}

impl From<HttpDate> for i64 {
    fn from(date: HttpDate) -> Self {
        date.unix_seconds()
    }
}

impl HttpDate {
    /// Returns the date in the current form.
    fn imf_fixdate(self) -> [u8; 29] {
        const DAYS: [[u8; 3]; 7] = [*b"Sun", *b"Mon", *b"Tue", *b"Wed", *b"Thu", *b"Fri", *b"Sat"];
        const MONTHS: [[u8; 3]; 12] = [
            *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep",
            *b"Oct", *b"Nov", *b"Dec",
        ];
        let split = Split::of_unix_seconds(self.seconds);
        let (civil, second) = (Civil::of_day(split), split.second_of_day);
        let month = usize::try_from(civil.month()).unwrap_or(0).wrapping_sub(1);
        let (century, minute) = (civil.year() / 100, second / 60);
        let hour = minute / 60;
        let mut text = *b"Sun, 06 Nov 1994 08:49:37 GMT";
        put_at(&mut text, 0, DAYS.get(split.day_of_week()).copied().unwrap_or_default());
        put_at(&mut text, 5, two_digits(civil.day()));
        put_at(&mut text, 8, MONTHS.get(month).copied().unwrap_or_default());
        put_at(&mut text, 12, two_digits(century));
        put_at(&mut text, 14, two_digits(civil.year().wrapping_sub(century.wrapping_mul(100))));
        put_at(&mut text, 17, two_digits(hour));
        put_at(&mut text, 20, two_digits(minute.wrapping_sub(hour.wrapping_mul(60))));
        put_at(&mut text, 23, two_digits(second.wrapping_sub(minute.wrapping_mul(60))));
        text
    }
}

impl Wire for HttpDate {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put_with(|| self.imf_fixdate())
    }
}

wire_display!(HttpDate);
