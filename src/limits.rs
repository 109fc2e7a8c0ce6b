//! How much of a peer's input is looked at before it is refused.

/// Limits on a head that is read from bytes.
///
/// A head past a limit is an error and never [`Partial`](crate::http1::Progress::Partial), so that
/// a peer cannot make a reader wait, or a buffer grow, for ever. The limit on a single value,
/// which the protocol itself sets, is [`ParseOptions::max_value`](crate::message::ParseOptions::max_value).
///
/// # Example
///
/// ```
/// use bits_proto::limits::Limits;
///
/// let limits = Limits { head_bytes: 4096, ..Limits::default() };
/// assert_eq!(limits.fields, 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Limits {
    /// The largest head, in bytes, start line and final empty line included. Default 16384.
    pub head_bytes: usize,
    /// The largest number of fields. Default 64. More than the
    /// [`HeaderSlots`](crate::http1::HeaderSlots) have room for cannot be had.
    pub fields: usize,
}

impl Limits {
    /// 16 KiB and 64 fields.
    pub const DEFAULT: Self = Self { head_bytes: 16 * 1024, fields: 64 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The fragment that clients do not go below, in bytes, but for the last one: 5 KiB.
///
/// Source: \[MC-BUP\] notes 10 and 16 (what Windows does).
pub const MIN_FRAGMENT: u64 = 5 * 1024;
