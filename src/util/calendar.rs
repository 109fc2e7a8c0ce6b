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
    /// The year starts in March here, so that the leap day is its last.
    pub(crate) fn of_unix_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(SECONDS_PER_DAY).saturating_add(DAYS_TO_1970);
        let days = u64::try_from(days).unwrap_or(0);
        let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
        let leap_days = (day_of_era / 36_524)
            .saturating_sub(day_of_era / 146_096)
            .wrapping_add(day_of_era)
            .saturating_sub(day_of_era / 1460);
        let year_of_era = leap_days / 365;
        let day_of_year = day_of_era.saturating_sub(days_before_year(year_of_era));
        let month_from_march = day_of_year.wrapping_mul(5).wrapping_add(2) / 153;
        let day = day_of_year.saturating_sub(days_before_month(month_from_march)).wrapping_add(1);
        let year = era.wrapping_mul(400).wrapping_add(year_of_era);
        let is_next_year = month_from_march >= 10;
        let month = month_from_march.wrapping_add(2) % 12;
        Self {
            year: year.wrapping_add(u64::from(is_next_year)).clamp(1, 9999),
            month: month.wrapping_add(1),
            day,
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

    pub(crate) fn day_of_week(self) -> &'static str {
        // 1970 started on a Thursday.
        let index = self.days().wrapping_add(4).rem_euclid(7);
        DAYS.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or_default()
    }
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
