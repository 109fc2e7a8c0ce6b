//! Values without the padding that their alignment requires, for records of which there are many.

use core::time::Duration;

/// Implements conversions and `Debug` for a packed type by its functions `new` and `get`.
macro_rules! packed {
    ($packed:ty, $plain:ty) => {
        impl From<$plain> for $packed {
            fn from(plain: $plain) -> Self {
                Self::new(plain)
            }
        }

        impl From<$packed> for $plain {
            fn from(packed: $packed) -> Self {
                packed.get()
            }
        }

        impl core::fmt::Debug for $packed {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.get().fmt(f)
            }
        }
    };
}
pub(crate) use packed;

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

packed!(PackedDuration, Duration);

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
    pub(crate) const fn new(option: Option<u64>) -> Self {
        match option {
            Some(value) => Self { value, is_some: true },
            None => Self::NONE,
        }
    }

    #[inline]
    pub(crate) const fn get(self) -> Option<u64> {
        if self.is_some { Some(self.value) } else { None }
    }
}

packed!(PackedOption, Option<u64>);
