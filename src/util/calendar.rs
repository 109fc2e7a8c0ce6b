//! The Gregorian calendar: dates from days, and days from dates.

/// The days of the week.
pub(crate) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const SECONDS_PER_DAY: u64 = 86_400;
/// The number of days from the start of March of the year 0 to the start of 1970.
const DAYS_TO_1970: u64 = 719_468;
/// The number of days in 400 years.
const DAYS_PER_ERA: u64 = 146_097;

/// Days and seconds of a point in time. Times before March of the year 0 count as its first second.
#[derive(Clone, Copy)]
pub(crate) struct Split {
    /// Days since the start of March of the year 0.
    days: u64,
    pub(crate) second_of_day: u64,
}

impl Split {
    #[inline(always)]
    pub(crate) const fn of_unix_seconds(seconds: i64) -> Self {
        const SECONDS_TO_1970: i64 = (DAYS_TO_1970 * SECONDS_PER_DAY) as i64;
        let seconds = seconds.saturating_add(SECONDS_TO_1970);
        let seconds = if seconds < 0 { 0 } else { seconds.unsigned_abs() };
        Self { days: seconds / SECONDS_PER_DAY, second_of_day: seconds % SECONDS_PER_DAY }
    }

    /// Returns the day of the week, 0 for Sunday.
    #[inline(always)]
    pub(crate) const fn day_of_week(self) -> usize {
        // March of the year 0 started on a Wednesday.
        (self.days.wrapping_add(3) % 7) as usize
    }
}

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
    #[inline(always)]
    pub(crate) const fn new(year: u64, month: u64, day: u64) -> Option<Self> {
        let days = match month {
            2 if is_leap(year) => 29,
            2 => 28,
            // Odd months until July and even ones after it have 31 days.
            1..=12 => 30 | (month ^ (month >> 3)) & 1,
            _ => return None,
        };
        if year == 0 || year > 9999 || day == 0 || day > days {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// Returns the date of a day, which is clamped to the years 1 to 9999.
    ///
    /// The year starts in March here, so that the leap day is its last. Four times the number of days
    /// divided by the days of 400 years is the century, and so on for the year. 2141 / 2^16 is the
    /// reciprocal of the length of a month, and 2939745 / 2^32 that of a year in quarters of a day.
    #[inline(always)]
    pub(crate) fn of_day(Split { days, .. }: Split) -> Self {
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
    #[inline]
    pub(crate) const fn unix_seconds(self) -> i64 {
        let is_before_march = self.month < 3;
        let year = self.year.saturating_sub(is_before_march as u64);
        let month_from_march =
            if is_before_march { self.month.wrapping_add(9) } else { self.month.wrapping_sub(3) };
        let century = year / 100;
        let leap_days = (year / 4).wrapping_sub(century).wrapping_add(century / 4);
        let days = year
            .wrapping_mul(365)
            .wrapping_add(leap_days)
            .wrapping_add(days_before_month(month_from_march))
            .wrapping_add(self.day.wrapping_sub(1));
        // Negative before 1970.
        (days.wrapping_sub(DAYS_TO_1970) as i64).wrapping_mul(SECONDS_PER_DAY as i64)
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

    pub(crate) const fn month(self) -> u64 {
        self.month
    }
}

const fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns the number of days from the start of March to that of a month.
const fn days_before_month(month_from_march: u64) -> u64 {
    month_from_march.wrapping_mul(153).wrapping_add(2) / 5
}
