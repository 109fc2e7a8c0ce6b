//! The options of a download.

use core::time::Duration;

use crate::util::setters::setters;

/// The options of a download. Start from [`DEFAULT`](Self::DEFAULT), and change fields with the
/// setters.
///
/// # Example
///
/// ```
/// use bits_proto::download::{Options, Validator};
///
/// let options = Options::DEFAULT.with_validator(Validator::IfMatch).with_max_length(1 << 20);
/// assert_eq!(options.max_restarts, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Options {
    /// Sends HEAD first, to learn the length and the date of the entity. Default: true, as in
    /// Windows.
    pub head_first: bool,
    /// Asks the caller to search for peers that have the entity. It implies `head_first`. Default:
    /// false.
    pub peers: bool,
    /// The maximum number of bytes in one request (`FRAGMENT_LENGTH`); 0 counts as 1. Default:
    /// `u64::MAX`, so that one request fetches all ranges.
    ///
    /// A whole entity whose length is unknown is requested at once. So is an entity without a
    /// validator: see [`allow_missing_validator`](Self::allow_missing_validator).
    pub max_length: u64,
    /// The maximum number of ranges in one request, clamped to 1 and
    /// [`MAX_RANGES`](Self::MAX_RANGES). Default: 64.
    ///
    /// Servers limit the length of a field to about 8 KiB.
    pub max_ranges: u32,
    /// The condition that is sent with each request for ranges. Default:
    /// [`Validator::IfUnmodifiedSince`].
    pub validator: Validator,
    /// Accepts an entity whose length the server does not state, if the framing shows the end of the
    /// body. If the transfer breaks, it starts over, which counts in
    /// [`max_restarts`](Self::max_restarts). Default: false.
    pub dynamic: bool,
    /// Continues a download whose responses have neither Last-Modified nor a strong entity tag, if the
    /// length of the entity is equal in all responses. Default: false.
    ///
    /// Versions of equal length can mix then. Set it only for entities that never change, or if the
    /// complete entity is verified with a hash. Without it, such an entity is requested at once, as
    /// far as [`max_ranges`](Self::max_ranges) allows it, and the download starts over if the transfer
    /// breaks.
    #[cfg_attr(feature = "serde", serde(default))]
    pub allow_missing_validator: bool,
    /// Accepts the whole entity in place of a range, and skips the bytes before the range. Default:
    /// false.
    pub skip_to_range: bool,
    /// [3.6.2.1] The maximum time for sending a request. Default: 5 minutes.
    pub request_timeout: Duration,
    /// [3.6.2.2] The maximum time without a byte of the response. Default: 5 minutes.
    pub response_timeout: Duration,
    /// The back-off after the first failure. Default: 1 second.
    ///
    /// It doubles with each consecutive failure. The download waits for a random time between half
    /// of it and all of it.
    pub initial_backoff: Duration,
    /// The maximum back-off. Default: 1 minute.
    pub max_backoff: Duration,
    /// The maximum delay that Retry-After can request. Default: 1 hour.
    pub max_retry_after: Duration,
    /// The maximum number of consecutive failures that are retried; one more suspends the download.
    /// Each byte of the entity resets the count. Default: 10.
    pub max_retries: u32,
    /// The maximum number of times that the download starts over because the entity changed, or
    /// because received bytes cannot be continued; one more suspends it. Default: 3.
    pub max_restarts: u32,
}

/// The condition that a client sends, so that the server rejects a request for ranges of another
/// version of the entity.
///
/// The client compares date, tag and length of each response in any case, because caches ignore
/// conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Validator {
    /// No condition.
    None,
    /// If-Unmodified-Since with the received Last-Modified, as Windows sends it.
    IfUnmodifiedSince,
    /// If-Match with the received strong tag.
    IfMatch,
    /// If-Range with the received strong tag, or else with the date. The response to a changed
    /// entity is the new entity. A date is sent although the client cannot tell whether it is strong.
    IfRange,
}

impl Options {
    /// The largest value of [`max_ranges`](Self::max_ranges).
    pub const MAX_RANGES: u32 = 128;

    /// Suitable for files.
    pub const DEFAULT: Self = Self {
        head_first: true,
        peers: false,
        max_length: u64::MAX,
        max_ranges: 64,
        validator: Validator::IfUnmodifiedSince,
        dynamic: false,
        allow_missing_validator: false,
        skip_to_range: false,
        request_timeout: Duration::from_secs(5 * 60),
        response_timeout: Duration::from_secs(5 * 60),
        initial_backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(60),
        max_retry_after: Duration::from_secs(60 * 60),
        max_retries: 10,
        max_restarts: 3,
    };
}

setters!(Options {
    with_head_first: head_first: bool,
    with_peers: peers: bool,
    with_max_length: max_length: u64,
    with_max_ranges: max_ranges: u32,
    with_validator: validator: Validator,
    with_dynamic: dynamic: bool,
    with_allow_missing_validator: allow_missing_validator: bool,
    with_skip_to_range: skip_to_range: bool,
    with_request_timeout: request_timeout: Duration,
    with_response_timeout: response_timeout: Duration,
    with_initial_backoff: initial_backoff: Duration,
    with_max_backoff: max_backoff: Duration,
    with_max_retry_after: max_retry_after: Duration,
    with_max_retries: max_retries: u32,
    with_max_restarts: max_restarts: u32,
});

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
