//! What a caller can choose.

use core::time::Duration;

use crate::limits::MIN_FRAGMENT;

/// How an upload goes about it.
///
/// # Example
///
/// ```
/// use bits_proto::client::{FragmentSizing, Mode, Options};
///
/// let options = Options {
///     mode: Mode::UploadReply,
///     fragments: FragmentSizing::new(4 * 1024 * 1024),
///     ..Options::DEFAULT
/// };
/// assert_eq!(options.max_retries, 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Options {
    /// With or without a reply. Default: without.
    pub mode: Mode,
    /// How long fragments are.
    pub fragments: FragmentSizing,
    /// [3.1.2.1] How long it may take to send a request. Default: 2 minutes.
    pub request_timeout: Duration,
    /// [3.1.2.2] How long it may take until the answer is there. Default: 5 minutes.
    pub response_timeout: Duration,
    /// How long to wait after a first failure. Default: 1 second.
    ///
    /// After each further one the time doubles; between half of it and the whole of it is waited.
    pub initial_backoff: Duration,
    /// How long to wait at most. Default: 1 minute.
    pub max_backoff: Duration,
    /// How many failures in a row are tried again; one more suspends the upload. Any byte that the
    /// server acknowledges for the first time ends the row. Default: 10.
    ///
    /// While another host cannot be reached, its fallback timeout counts instead.
    pub max_retries: u32,
    /// How many times the upload starts over because the server does not know its session; one
    /// more suspends it. Default: 3.
    pub restarts: u32,
    /// How many answers without progress, such as 416, are acted on; one more is a failure.
    /// Default: 2, so that the third in a row is one.
    pub max_stalls: u32,
}

/// [1.3] With or without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Mode {
    /// The entity is uploaded.
    Upload,
    /// The entity is uploaded, and the server application has a reply to it.
    UploadReply,
}

/// [2.2.6] How long fragments are, in bytes.
///
/// Fragments begin at a chosen length, and a server that answers 413 gets shorter ones, half as
/// long each time, until the floor. The last fragment of an entity is as short as need be.
///
/// # Example
///
/// ```
/// use bits_proto::client::FragmentSizing;
///
/// assert_eq!(FragmentSizing::default().length(), 1_048_576);
/// assert_eq!(FragmentSizing::new(1).length(), FragmentSizing::FLOOR);
/// assert_eq!(FragmentSizing::new(u64::MAX).length(), FragmentSizing::CEILING);
/// assert_eq!(FragmentSizing::within(100, 10, 1000).length(), 100);
/// ```
///
/// Source: \[MC-BUP\] notes 10 and 16 (what Windows does).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::persist::StoredSizing", try_from = "super::persist::StoredSizing")
)]
pub struct FragmentSizing {
    pub(super) length: u64,
    pub(super) floor: u64,
    pub(super) ceiling: u64,
}

impl FragmentSizing {
    /// The shortest fragments that Windows sends, but for last ones: 5 KiB.
    pub const FLOOR: u64 = MIN_FRAGMENT;
    /// The longest fragments that Windows sends: 13 MiB.
    pub const CEILING: u64 = 13 * 1024 * 1024;

    /// Fragments of `length` bytes, or as near to it as [`FLOOR`](Self::FLOOR) and
    /// [`CEILING`](Self::CEILING) let it be.
    #[must_use]
    pub const fn new(length: u64) -> Self {
        Self::within(length, Self::FLOOR, Self::CEILING)
    }

    /// Fragments of `length` bytes, within bounds of the caller's: for servers that are not
    /// Windows. No bound is less than 1, and none of the three is beyond the next.
    #[must_use]
    pub const fn within(length: u64, floor: u64, ceiling: u64) -> Self {
        let floor = if floor == 0 { 1 } else { floor };
        let ceiling = if ceiling < floor { floor } else { ceiling };
        Self { length, floor, ceiling }.with_length(length)
    }

    /// Within the same bounds, another length.
    #[must_use]
    pub(super) const fn with_length(self, length: u64) -> Self {
        let length = if length < self.floor {
            self.floor
        } else if length > self.ceiling {
            self.ceiling
        } else {
            length
        };
        Self { length, ..self }
    }

    /// The length of the fragments to come.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The length that a server's 413 does not push below.
    #[must_use]
    pub const fn floor(&self) -> u64 {
        self.floor
    }

    /// The length that is not gone beyond.
    #[must_use]
    pub const fn ceiling(&self) -> u64 {
        self.ceiling
    }
}

impl Default for FragmentSizing {
    /// 1 MiB.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FragmentSizing {
    const DEFAULT: Self = Self::new(1024 * 1024);
}

impl Options {
    /// What suits a file on a network that fails now and then.
    pub const DEFAULT: Self = Self {
        mode: Mode::Upload,
        fragments: FragmentSizing::DEFAULT,
        request_timeout: Duration::from_secs(2 * 60),
        response_timeout: Duration::from_secs(5 * 60),
        initial_backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(60),
        max_retries: 10,
        restarts: 3,
        max_stalls: 2,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
