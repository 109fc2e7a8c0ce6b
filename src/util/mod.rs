//! Helpers without knowledge of the protocol: digits, case folding, sinks, inline strings.

pub(crate) mod ascii_case;
pub(crate) mod digits;
pub(crate) mod excerpt;
pub(crate) mod inline_str;
pub(crate) mod sink;
