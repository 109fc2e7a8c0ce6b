//! The Gregorian calendar: dates from days, and days from dates.

/// The days of the week.
pub(crate) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The months, as HTTP abbreviates them.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// The number of days from the start of March of the year 0 to the start of 1970.
const DAYS_TO_1970: i64 = 719_468;
/// The number of days in 400 years.
const DAYS_PER_ERA: u64 = 146_097;

/// A date in the years 1 to 9999.
#[derive(Clone, Copy)]
pub(crate) struct Civil {
    year: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31.
    day: u64,
}

impl Civil {
    /// Creates a date. `None` if the calendar does not have it.
    #[inline]
    pub(crate) const fn new(year: u64, month: u64, day: u64) -> Option<Self> {
        let days = match month {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if year == 0 || year > 9999 || day == 0 || day > days {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// Returns the date of a number of seconds since 1970, which is clamped to the years 1 to 9999.
    ///
    /// The year starts in March here, so that the leap day is its last. Four times the number of days
    /// divided by the days of 400 years is the century, and so on for the year. 2141 / 2^16 is the
    /// reciprocal of the length of a month, and 2939745 / 2^32 that of a year in quarters of a day.
    pub(crate) fn of_unix_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(SECONDS_PER_DAY).saturating_add(DAYS_TO_1970);
        let days = if days < 0 { 0 } else { days.unsigned_abs() };
        let quarters = days.wrapping_mul(4).wrapping_add(3);
        let century = quarters / DAYS_PER_ERA;
        let scaled = ((quarters % DAYS_PER_ERA) | 3).wrapping_mul(2_939_745);
        let (year_of_century, day_of_year) = (scaled >> 32, (scaled & 0xFFFF_FFFF) / 2_939_745 / 4);
        let month_and_day = day_of_year.wrapping_mul(2141).wrapping_add(197_913);
        let (month, day) = (month_and_day >> 16, (month_and_day & 0xFFFF) / 2141);
        let year = century.wrapping_mul(100).wrapping_add(year_of_century);
        let is_next_year = month > 12;
        let year = if is_next_year { year.wrapping_add(1) } else { year };
        Self {
            year: year.clamp(1, 9999),
            month: if is_next_year { month.wrapping_sub(12) } else { month },
            day: day.wrapping_add(1),
        }
    }

    /// Returns the number of seconds from 1970 to the start of the date.
    pub(crate) fn unix_seconds(self) -> i64 {
        self.days().wrapping_mul(SECONDS_PER_DAY)
    }

    /// Returns the number of days from 1970 to the date.
    fn days(self) -> i64 {
        let year = self.year.saturating_sub(u64::from(self.month < 3));
        let (era, year_of_era) = (year / 400, year % 400);
        let month_from_march = self.month.wrapping_add(9) % 12;
        let days = era
            .wrapping_mul(DAYS_PER_ERA)
            .wrapping_add(days_before_year(year_of_era))
            .wrapping_add(days_before_month(month_from_march))
            .wrapping_add(self.day)
            .saturating_sub(1);
        i64::try_from(days).unwrap_or(i64::MAX).saturating_sub(DAYS_TO_1970)
    }

    /// Returns the same day in a later year, up to 9999. The leap day becomes the 28th.
    pub(crate) fn years_later(self, years: u64) -> Self {
        let year = self.year.saturating_add(years).min(9999);
        let day = if self.month == 2 { self.day.min(28) } else { self.day };
        Self { year, day, ..self }
    }

    pub(crate) const fn year(self) -> u64 {
        self.year
    }

    pub(crate) const fn day(self) -> u64 {
        self.day
    }

    pub(crate) fn month_name(self) -> &'static str {
        let index = usize::try_from(self.month.saturating_sub(1)).unwrap_or(0);
        MONTHS.get(index).copied().unwrap_or_default()
    }
}

/// Returns the day of the week of a number of seconds since 1970.
pub(crate) fn day_of_week(seconds: i64) -> &'static str {
    // 1970 started on a Thursday.
    let index = seconds.div_euclid(SECONDS_PER_DAY).wrapping_add(4).rem_euclid(7);
    DAYS.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or_default()
}

const fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns the number of days from the start of an era of 400 years to a year of it.
const fn days_before_year(year_of_era: u64) -> u64 {
    year_of_era.wrapping_mul(365).wrapping_add(year_of_era / 4).wrapping_sub(year_of_era / 100)
}

/// Returns the number of days from the start of March to that of a month.
const fn days_before_month(month_from_march: u64) -> u64 {
    month_from_march.wrapping_mul(153).wrapping_add(2) / 5
}
