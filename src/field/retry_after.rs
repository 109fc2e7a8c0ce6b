//! Retry-After.

use core::time::Duration;

use super::{Decode, FieldName, HttpDate, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::digits::decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.1] Retry-After: the time before which the server does not want another request.
///
/// The protocol does not define the field. Servers and proxies send it with 429 and 503, as with any
/// other HTTP request.
///
/// ```text
/// retry-after = 1*DIGIT / HTTP-date   ; seconds, or a date
/// ```
///
/// A number of seconds beyond the maximum of `u64` is that maximum.
///
/// # Errors
///
/// [`ErrorKind::NotRetryAfter`].
///
/// # Example
///
/// ```
/// use core::time::Duration;
///
/// use bits_proto::field::RetryAfter;
///
/// let seconds: RetryAfter = "120".parse()?;
/// assert_eq!(seconds, RetryAfter::Seconds(120));
/// let date: RetryAfter = "Sun, 06 Nov 1994 08:49:37 GMT".parse()?;
/// // `SystemTime::now().duration_since(UNIX_EPOCH)` in a program.
/// let now = Duration::from_secs(784_111_700);
/// assert_eq!(date.delay(now), Duration::from_secs(77));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 10.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryAfter {
    /// The number of seconds after the response.
    Seconds(u64),
    /// The earliest time at which the client may send the next request.
    Date(HttpDate),
}

impl RetryAfter {
    /// Returns the time to wait, from `now`: the time since the start of 1970. It is zero if the date
    /// has passed.
    #[must_use]
    pub fn delay(self, now: Duration) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds),
            Self::Date(date) => date.since_unix_epoch().saturating_sub(now),
        }
    }

    /// Returns the number of seconds to wait; `None` for a date, which depends on the time of day.
    #[must_use]
    pub const fn seconds(self) -> Option<u64> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Date(_) => None,
        }
    }
}

impl Decode<'_> for RetryAfter {
    const NAME: FieldName = FieldName::RetryAfter;

    fn decode(value: &[u8], _: &mut Deviations) -> Result<Self, ValueError> {
        match decimal(value) {
            Ok(seconds) => Ok(Self::Seconds(seconds)),
            Err(error) if error.kind == ErrorKind::NumberTooLarge => Ok(Self::Seconds(u64::MAX)),
            Err(_) => HttpDate::decode_alone(value)
                .map(Self::Date)
                .map_err(|_| ValueError::new(ErrorKind::NotRetryAfter, 0)),
        }
    }
}

try_from_wire!(RetryAfter);

impl From<HttpDate> for RetryAfter {
    fn from(date: HttpDate) -> Self {
        Self::Date(date)
    }
}

impl Wire for RetryAfter {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match self {
            Self::Seconds(seconds) => sink.put_decimal(*seconds),
            Self::Date(date) => date.put_into(sink),
        }
    }
}

wire_display!(RetryAfter);
