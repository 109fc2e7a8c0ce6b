//! BITS-Host-Id-Fallback-Timeout.

use core::time::Duration;

use super::{Decode, FieldName, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::digits::decimal;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.3.2] BITS-Host-Id-Fallback-Timeout: the time in seconds after which a client that cannot
/// reach the host of [`HostId`](super::HostId) returns to the origin server.
///
/// A client that received a host without a timeout, or with [`INFINITE`](Self::INFINITE), never
/// returns to the origin server.
///
/// ```text
/// timeout = 1*DIGIT   ; seconds, 0 to 4294967295
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotDecimal`], [`ErrorKind::NumberTooLarge`].
///
/// # Example
///
/// ```
/// use bits_proto::field::HostIdFallbackTimeout;
///
/// let timeout = HostIdFallbackTimeout::try_from("110")?;
/// assert_eq!(timeout.duration().as_secs(), 110);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.3.2; Microsoft's page on the properties of its server (32 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostIdFallbackTimeout(pub u32);

impl HostIdFallbackTimeout {
    /// The maximum value: the client never returns to the origin server.
    pub const INFINITE: Self = Self(u32::MAX);

    /// Returns the timeout as a duration, or `None` for [`INFINITE`](Self::INFINITE).
    #[must_use]
    pub fn limit(self) -> Option<Duration> {
        (self != Self::INFINITE).then_some(self.duration())
    }

    /// Returns the number of seconds as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Decode<'_> for HostIdFallbackTimeout {
    const NAME: FieldName = FieldName::HostIdFallbackTimeout;

    fn decode(value: &[u8], _: &mut Deviations) -> Result<Self, ValueError> {
        let seconds = u32::try_from(decimal(value)?);
        seconds.map(Self).map_err(|_| ValueError::new(ErrorKind::NumberTooLarge, 0))
    }
}

try_from_wire!(HostIdFallbackTimeout);

impl From<u32> for HostIdFallbackTimeout {
    fn from(seconds: u32) -> Self {
        Self(seconds)
    }
}

impl From<HostIdFallbackTimeout> for u32 {
    fn from(timeout: HostIdFallbackTimeout) -> Self {
        timeout.0
    }
}

impl Wire for HostIdFallbackTimeout {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put_decimal(u64::from(self.0))
    }
}

wire_display!(HostIdFallbackTimeout);
