//! The options of an upload.

use core::time::Duration;

use crate::limits::MIN_FRAGMENT;
use crate::util::setters::setters;

/// The options of an upload. Start from [`DEFAULT`](Self::DEFAULT), and change fields with the
/// setters.
///
/// # Example
///
/// ```
/// use bits_proto::client::{FragmentSizing, Mode, Options};
///
/// let options = Options::DEFAULT
///     .with_mode(Mode::UploadReply)
///     .with_fragments(FragmentSizing::new(4 * 1024 * 1024));
/// assert_eq!(options.max_retries, 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Options {
    /// The type of the upload: with or without a reply. Default: [`Mode::Upload`].
    pub mode: Mode,
    /// The length of fragments. Default: 1 MiB.
    pub fragments: FragmentSizing,
    /// [3.1.2.1] The maximum time for sending a request. Default: 2 minutes.
    pub request_timeout: Duration,
    /// [3.1.2.2] The maximum time from the end of a request to its response. Default: 5 minutes.
    pub response_timeout: Duration,
    /// The maximum time that the server can delay a retry with Retry-After; longer ones are shortened.
    /// Default: 1 hour.
    ///
    /// Such a delay counts as one failure like a back-off: [`max_retries`](Self::max_retries) limits
    /// the number of delays, not their length.
    pub max_retry_after: Duration,
    /// [2.2.2.1] Sends the name of the entity with Create-Session too, and not only with fragments; see
    /// [`Transmit::request_with_name`](super::Transmit::request_with_name). Default: false, like
    /// Windows since Vista SP1.
    pub name_on_create: bool,
    /// The back-off after the first failure. Default: 1 second.
    ///
    /// It doubles with each consecutive failure. The upload waits for a random time between half of
    /// it and all of it.
    pub initial_backoff: Duration,
    /// The maximum back-off. Default: 1 minute.
    pub max_backoff: Duration,
    /// The maximum number of consecutive failures that are retried; one more suspends the upload.
    /// A new session and each newly acknowledged byte reset the count. Default: 10.
    ///
    /// While another host is unreachable, its fallback timeout applies instead, if it has one.
    pub max_retries: u32,
    /// The maximum number of times that the upload starts over because the server lost its
    /// session; one more suspends it. Default: 3.
    pub max_restarts: u32,
    /// The maximum number of consecutive responses without progress, such as 416; one more is a
    /// failure. Default: 2.
    pub max_stalls: u32,
}

/// [1.3] The type of an upload: with or without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Mode {
    /// The entity is uploaded.
    Upload,
    /// The entity is uploaded, and the server application's reply to it is fetched.
    UploadReply,
}

/// [2.2.6] The length of fragments in bytes, with a minimum and a maximum.
///
/// Each 413 response halves the length, down to the minimum. So does a 404 to a fragment that is
/// longer than those that the server accepted in the session, and each fragment that cannot be sent
/// within the request timeout. The last fragment of an entity may be shorter than the minimum.
///
/// # Example
///
/// ```
/// use bits_proto::client::FragmentSizing;
///
/// assert_eq!(FragmentSizing::default().length(), 1_048_576);
/// assert_eq!(FragmentSizing::new(1).length(), FragmentSizing::MIN);
/// assert_eq!(FragmentSizing::new(u64::MAX).length(), FragmentSizing::MAX);
/// assert_eq!(FragmentSizing::with_bounds(100, 10, 1000).length(), 100);
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
    pub(super) min: u64,
    pub(super) max: u64,
}

impl FragmentSizing {
    /// The minimum length that Windows uses, except for the last fragment: 5 KiB.
    pub const MIN: u64 = MIN_FRAGMENT;
    /// The maximum length that Windows uses: 13 MiB.
    pub const MAX: u64 = 13 * 1024 * 1024;

    /// Creates a sizing with fragments of `length` bytes, clamped to [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(length: u64) -> Self {
        Self::with_bounds(length, Self::MIN, Self::MAX)
    }

    /// Creates a sizing with fragments of `length` bytes, clamped to bounds other than those of
    /// Windows. A minimum of 0 counts as 1, and a maximum below the minimum counts as the minimum.
    #[must_use]
    pub const fn with_bounds(length: u64, min: u64, max: u64) -> Self {
        let min = if min == 0 { 1 } else { min };
        let max = if max < min { min } else { max };
        Self { length, min, max }.with_length(length)
    }

    /// Returns a sizing with another length, clamped to the same bounds.
    #[must_use]
    pub(super) const fn with_length(self, length: u64) -> Self {
        let length = if length < self.min {
            self.min
        } else if length > self.max {
            self.max
        } else {
            length
        };
        Self { length, ..self }
    }

    /// Returns the length of fragments, in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Returns the minimum length, in bytes.
    #[must_use]
    pub const fn min(&self) -> u64 {
        self.min
    }

    /// Returns the maximum length, in bytes.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
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
    /// Suitable for files on an unreliable network.
    pub const DEFAULT: Self = Self {
        mode: Mode::Upload,
        fragments: FragmentSizing::DEFAULT,
        request_timeout: Duration::from_secs(2 * 60),
        response_timeout: Duration::from_secs(5 * 60),
        max_retry_after: Duration::from_secs(60 * 60),
        name_on_create: false,
        initial_backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(60),
        max_retries: 10,
        max_restarts: 3,
        max_stalls: 2,
    };
}

setters!(Options {
    with_mode: mode: Mode,
    with_fragments: fragments: FragmentSizing,
    with_request_timeout: request_timeout: Duration,
    with_response_timeout: response_timeout: Duration,
    with_max_retry_after: max_retry_after: Duration,
    with_name_on_create: name_on_create: bool,
    with_initial_backoff: initial_backoff: Duration,
    with_max_backoff: max_backoff: Duration,
    with_max_retries: max_retries: u32,
    with_max_restarts: max_restarts: u32,
    with_max_stalls: max_stalls: u32,
});

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
