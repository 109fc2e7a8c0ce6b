//! Values without the padding that their alignment requires, for records of which there are many.

use core::fmt;
use core::time::Duration;

/// `Duration` in 12 bytes instead of 16.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, packed(4))]
pub(crate) struct PackedDuration {
    seconds: u64,
    nanoseconds: u32,
}

impl PackedDuration {
    pub(crate) const ZERO: Self = Self::new(Duration::ZERO);

    #[inline]
    pub(crate) const fn new(duration: Duration) -> Self {
        Self { seconds: duration.as_secs(), nanoseconds: duration.subsec_nanos() }
    }

    #[inline]
    pub(crate) const fn get(self) -> Duration {
        // The remainder has no effect. It shows the compiler that the sum does not overflow.
        Duration::new(self.seconds, self.nanoseconds % 1_000_000_000)
    }
}

impl From<Duration> for PackedDuration {
    fn from(duration: Duration) -> Self {
        Self::new(duration)
    }
}

impl From<PackedDuration> for Duration {
    fn from(packed: PackedDuration) -> Self {
        packed.get()
    }
}

impl fmt::Debug for PackedDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// `Option<u64>` in 9 bytes instead of 16.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C, packed)]
pub(crate) struct PackedOption {
    /// 0 if there is no value.
    value: u64,
    is_some: bool,
}

impl PackedOption {
    pub(crate) const NONE: Self = Self { value: 0, is_some: false };

    #[inline]
    pub(crate) const fn some(value: u64) -> Self {
        Self { value, is_some: true }
    }

    #[inline]
    pub(crate) const fn get(self) -> Option<u64> {
        if self.is_some { Some(self.value) } else { None }
    }
}

impl From<Option<u64>> for PackedOption {
    fn from(option: Option<u64>) -> Self {
        option.map_or(Self::NONE, Self::some)
    }
}

impl From<PackedOption> for Option<u64> {
    fn from(packed: PackedOption) -> Self {
        packed.get()
    }
}

impl fmt::Debug for PackedOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
