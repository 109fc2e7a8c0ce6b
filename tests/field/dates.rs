//! HTTP dates and Retry-After.

use std::time::Duration;

use bits_proto::error::ErrorKind;
use bits_proto::field::{HttpDate, RetryAfter};
use proptest::prelude::*;

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [(&str, u32); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

fn date(text: &str) -> HttpDate {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn is_leap_year(year: u32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Calls `each` for every day of the years 1601 to 9999, which are counted one by one: the number of
/// days since 1970, the day of the week, the day, the month, and the year.
fn for_every_day(mut each: impl FnMut(i64, &str, u32, &str, u32)) {
    // 1601-01-01 was a Monday.
    let mut days = -134_774_i64;
    for year in 1601..=9999 {
        for (month, length) in MONTHS {
            let leap_day = u32::from(month == "Feb" && is_leap_year(year));
            for day in 1..=length + leap_day {
                let index = (days + 134_774) % 7;
                each(days, DAYS[usize::try_from(index).expect("a day")], day, month, year);
                days += 1;
            }
        }
    }
    assert_eq!(days, 2_932_897, "days from 1970 to 10000");
}

#[test]
fn every_day_has_its_number_and_its_text() {
    for_every_day(|days, name, day, month, year| {
        let seconds = days * 86_400 + days.rem_euclid(86_400);
        let date = HttpDate::from_unix_seconds(seconds).expect("a date until 9999");
        let second = days.rem_euclid(86_400);
        let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let text = format!("{}, {day:02} {month} {year} {time} GMT", &name[..3]);
        assert_eq!(date.to_string(), text);
        // Every other day, to save time.
        if days % 2 == 0 {
            assert_eq!(text.parse(), Ok(date), "{text}");
            let asctime = format!("{} {month} {day:2} {time} {year}", &name[..3]);
            assert_eq!(HttpDate::try_from(asctime.as_str()), Ok(date), "{asctime}");
        }
        if (1970..2070).contains(&year) {
            let rfc850 = format!("{name}, {day:02}-{month}-{:02} {time} GMT", year % 100);
            assert_eq!(HttpDate::try_from(rfc850.as_bytes()), Ok(date), "{rfc850}");
        }
    });
}

proptest! {
    #[test]
    fn a_date_is_parsed_from_its_text(seconds in -11_644_473_600_i64..=253_402_300_799) {
        let date = HttpDate::from_unix_seconds(seconds).expect("in the range");
        prop_assert_eq!(date.unix_seconds(), seconds);
        prop_assert_eq!(date.to_string().parse(), Ok(date));
        prop_assert_eq!(i64::from(date), seconds);
        prop_assert_eq!(HttpDate::try_from(seconds), Ok(date));
    }

    #[test]
    fn other_numbers_are_no_dates(seconds: i64) {
        let is_date = (HttpDate::MIN.unix_seconds()..=HttpDate::MAX.unix_seconds()).contains(&seconds);
        prop_assert_eq!(HttpDate::from_unix_seconds(seconds).is_some(), is_date);
        let kind = HttpDate::try_from(seconds).err().map(|error| error.kind());
        prop_assert_eq!(kind, (!is_date).then_some(ErrorKind::NotHttpDate));
    }

    /// The year is the latest one with these digits that is at most 50 years after the current one.
    #[test]
    fn a_year_of_two_digits_is_near_the_current_year(now in 1701..9900_i32, digits in 0..100_i32) {
        let at = date(&format!("Mon, 15 Jun {now} 00:00:00 GMT"));
        let text = format!("Monday, 15-Jun-{digits:02} 00:00:00 GMT");
        let expected = (now - 49..=now + 50).find(|year| year % 100 == digits).expect("100 years");
        let expected = date(&format!("Mon, 15 Jun {expected} 00:00:00 GMT"));
        prop_assert_eq!(HttpDate::parse_at(&text, at), Ok(expected));
    }

    #[test]
    fn any_bytes_are_a_date_or_an_error(bytes in "[A-Za-z]{3,9}[, ]{0,2}[ -~]{0,26}") {
        if let Ok(date) = HttpDate::try_from(bytes.as_str()) {
            prop_assert_eq!(HttpDate::from_unix_seconds(date.unix_seconds()), Some(date));
        }
    }
}

#[test]
fn the_limits_are_the_first_and_the_last_second() {
    assert_eq!(HttpDate::MIN.to_string(), "Mon, 01 Jan 1601 00:00:00 GMT");
    assert_eq!(HttpDate::MAX.to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT").unix_seconds(), 0);
}

#[test]
fn only_the_three_forms_are_dates() {
    for text in [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun,  06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 06 08:49:37 1994 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Nov, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Sun 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT",
        "Sun, 31 Dec 1600 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "1994-11-06T08:49:37Z",
        "784111777",
    ] {
        let error = HttpDate::try_from(text).expect_err(text);
        assert_eq!((error.kind(), error.field()), (ErrorKind::NotHttpDate, None), "{text}");
        assert!(error.to_string().starts_with("expected an HTTP date"), "{error}");
    }
}

#[test]
fn letter_case_and_the_day_of_the_week_do_not_matter() {
    let expected = date("Sun, 06 Nov 1994 08:49:37 GMT");
    for text in [
        "sun, 06 nov 1994 08:49:37 gmt",
        "MON, 06 NOV 1994 08:49:37 GMT",
        "friday, 06-nov-94 08:49:37 Gmt",
        "Tue Nov  6 08:49:37 1994",
        "Tue Nov 06 08:49:37 1994",
    ] {
        assert_eq!(date(text), expected, "{text}");
    }
}

#[test]
fn a_leap_second_is_the_first_of_the_next_minute() {
    let leap = date("Sat, 31 Dec 2016 23:59:60 GMT");
    assert_eq!(leap.to_string(), "Sun, 01 Jan 2017 00:00:00 GMT");
}

#[test]
fn the_day_decides_about_a_year_at_the_limit() {
    let now = date("Sun, 29 Nov 2026 12:00:00 GMT");
    for (day, year) in [("28-Nov-76", 2076), ("29-Nov-76", 2076), ("30-Nov-76", 1976)] {
        let parsed = HttpDate::parse_at(format!("Sunday, {day} 00:00:00 GMT"), now);
        let text = parsed.expect("a date").to_string();
        assert!(text.contains(&format!(" {year} ")), "{day}: {text}");
    }
}

#[test]
fn without_the_current_time_two_digits_are_a_year_up_to_2069() {
    let last = date("Tuesday, 31-Dec-69 23:59:59 GMT");
    assert_eq!(last.to_string(), "Tue, 31 Dec 2069 23:59:59 GMT");
    assert_eq!(date("Thursday, 01-Jan-70 00:00:00 GMT").unix_seconds(), 0);
}

#[test]
fn a_delay_is_seconds_or_the_time_to_a_date() {
    let now = Duration::new(784_111_770, 250_000_000);
    let zero = Duration::ZERO;
    for (value, delay) in [
        ("0", zero),
        ("007", Duration::from_secs(7)),
        ("18446744073709551615", Duration::from_secs(u64::MAX)),
        // Longer numbers are longer times, which the caller limits anyway.
        ("99999999999999999999999", Duration::from_secs(u64::MAX)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Duration::from_millis(6750)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Duration::from_millis(6750)),
        ("Sun Nov  6 08:49:37 1994", Duration::from_millis(6750)),
        ("Sun, 06 Nov 1994 08:49:30 GMT", zero),
        ("Mon, 01 Jan 1601 00:00:00 GMT", zero),
    ] {
        let retry_after = RetryAfter::try_from(value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(retry_after.delay(now), delay, "{value}");
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        assert_eq!(retry_after.seconds().map(Duration::from_secs), is_number.then_some(delay));
    }
}

#[test]
fn other_values_of_retry_after_are_invalid() {
    for value in ["", "-1", "+1", "1.5", "1 s", "soon", "Sun, 06 Nov 1994"] {
        let error = RetryAfter::try_from(value).expect_err(value);
        assert_eq!(error.kind(), ErrorKind::NotRetryAfter, "{value}");
        assert_eq!(error.field(), Some("Retry-After"), "{value}");
    }
}

#[test]
fn retry_after_is_written_as_it_is_read() {
    for value in ["120", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        assert_eq!(value.parse::<RetryAfter>().map(|it| it.to_string()), Ok(value.to_owned()));
    }
    let date = date("Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(RetryAfter::from(date), RetryAfter::Date(date));
}
