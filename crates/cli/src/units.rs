//! The grammar of sizes, rates and durations, on the command line and in configuration files.
//!
//! ```text
//! size     = number [unit]      5000, 20MB, 1MiB, 1.5GiB; without a unit: bytes
//! rate     = size ["/s"]        20MB/s
//! duration = seconds / span     90, 0.5, 30s, 15min, 12h, 2d, 1h30m; without a unit: seconds
//! ```
//!
//! kB, MB, GB are powers of 1000; KiB, MiB, GiB are powers of 1024.

use std::time::Duration;

/// A century: a longer time may overflow a timer.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Parses a number of bytes, which is greater than 0.
///
/// # Errors
///
/// The expected form.
pub fn size(text: &str) -> Result<u64, String> {
    parse_size(text, "expected a number of bytes, such as 5000, 20MB or 1MiB")
}

fn parse_size(text: &str, expected: &str) -> Result<u64, String> {
    match parse_size::parse_size(text) {
        Ok(0) => Err("must be greater than 0".into()),
        Ok(size) => Ok(size),
        Err(_) => Err(expected.into()),
    }
}

/// Parses a number of bytes per second.
///
/// # Errors
///
/// The expected form.
pub fn rate(text: &str) -> Result<u64, String> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    parse_size(text, "expected a number of bytes per second, such as 500kB or 20MB/s")
}

/// Parses a time, which is greater than 0.
///
/// # Errors
///
/// The expected form, or the limit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?,
        Err(_) => humantime::parse_duration(text)
            .map_err(|_| "expected a time, such as 90 (seconds), 30s, 15min, 12h or 2d")?,
    };
    if time.is_zero() {
        return Err("must be greater than 0".into());
    }
    if time > MAX_DURATION {
        return Err("must be at most 36500d".into());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        let sizes = [("5000", 5000), ("10GB", 10_000_000_000), ("20MB", 20_000_000)];
        let binary = [("1MiB", 1 << 20), ("1.5 GiB", 3 << 29), ("5KiB", 5 << 10)];
        for (text, expected) in sizes.into_iter().chain(binary) {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "-1", "5 apples", "1e99", "MB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_sizes_per_second() {
        assert_eq!(rate("20MB/s"), Ok(20_000_000));
        assert_eq!(rate("20MB"), Ok(20_000_000));
        assert!(rate("20MB/min").is_err());
        assert_eq!(rate("0/s"), Err("must be greater than 0".into()));
    }

    #[test]
    fn durations_are_seconds_or_have_units() {
        let times = [("90", 90_000), ("0.5", 500), ("30s", 30_000), ("15min", 900_000)];
        let longer = [("12h", 43_200_000), ("2d", 172_800_000), ("1h30m", 5_400_000)];
        for (text, milliseconds) in times.into_iter().chain(longer) {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "0", "0s", "-1", "1e99", "NaN", "inf", "2 fortnights", "36501d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
