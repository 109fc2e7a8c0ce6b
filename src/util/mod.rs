//! Helpers that do not depend on the protocol: ASCII, digits, dates, sinks, short strings.

pub(crate) mod ascii;
pub(crate) mod ascii_case;
pub(crate) mod backoff;
pub(crate) mod calendar;
pub(crate) mod copy_within;
pub(crate) mod digits;
pub(crate) mod excerpt;
pub(crate) mod external;
pub(crate) mod inline_str;
pub(crate) mod list;
pub(crate) mod packed;
pub(crate) mod random;
#[cfg(feature = "serde")]
pub(crate) mod serialize;
pub(crate) mod setters;
#[cfg(feature = "alloc")]
pub(crate) mod short_str;
pub(crate) mod sink;
