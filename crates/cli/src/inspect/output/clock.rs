//! Points in time as text.

use time::OffsetDateTime;

use crate::inspect::source::Time;

/// Returns the seconds after the first message, such as `+0.003`.
pub fn relative(time: Time, first: Time, digits: usize) -> String {
    let nanoseconds = time.0.saturating_sub(first.0);
    let sign = if nanoseconds < 0 { '-' } else { '+' };
    let nanoseconds = nanoseconds.unsigned_abs();
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    format!("{sign}{seconds}.{}", fraction(rest, digits))
}

/// Returns date and time in UTC as in RFC 3339, which has years of four digits.
pub fn absolute(time: Time, digits: usize) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(time.0).ok()?;
    let year = u32::try_from(time.year()).ok()?;
    let date = format!("{year:04}-{:02}-{:02}", u8::from(time.month()), time.day());
    let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    Some(format!("{date}T{clock}.{}Z", fraction(u128::from(time.nanosecond()), digits)))
}

/// Returns the first digits of a number of nanoseconds below one second.
fn fraction(nanoseconds: u128, digits: usize) -> String {
    let mut text = format!("{nanoseconds:09}");
    text.truncate(digits);
    text
}
