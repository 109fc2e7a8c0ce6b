//! Limits of a server, and its behaviour where the specification and Windows differ.

use core::time::Duration;

use crate::error::Error;
use crate::field::{HResult, HostId, HostIdFallbackTimeout, Protocol};
use crate::message::{self, Ack, Encoder, ErrorFields, Extras, ExtrasStorage};

/// [3.2.1.1] `BITSDirectoryConfig`: settings of a directory that accepts uploads.
///
/// A session does not store its policy. Pass the current one with each call, so that a lowered
/// limit takes effect at once.
///
/// # Example
///
/// ```
/// use bits_proto::server::{CommitAt, Policy};
///
/// let policy = Policy::DEFAULT
///     .with_max_entity(10_000_000_000)
///     .with_commit_at(CommitAt::LastFragment);
/// assert!(!policy.overwrites);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy<'p> {
    /// Options for parsing requests: alternative methods, missing Content-Length, ignored bodies.
    pub requests: message::ParseOptions,
    /// Supported protocols. Default: [`Protocol::BITS_1_5`].
    pub protocols: &'p [Protocol],
    /// Maximum length of an entity, in bytes. A longer one is refused with `BG_E_TOO_LARGE`.
    /// Default: unlimited.
    pub max_entity: u64,
    /// Maximum length of a fragment, in bytes. A longer one is refused with 413, and the client
    /// sends shorter ones. A fragment of at most [`MIN_FRAGMENT`](crate::limits::MIN_FRAGMENT)
    /// bytes cannot become shorter, and is refused with `BG_E_TOO_LARGE`. Default: unlimited.
    pub max_fragment: u64,
    /// Handling of bytes that were received before. Default: [`OverlapRule::Trim`].
    pub overlap: OverlapRule,
    /// Time of publication. Default: [`CommitAt::Close`].
    pub commit_at: CommitAt,
    /// Publish an empty entity for a Close-Session without any fragment. Default: `true`.
    ///
    /// If `false`, that is a Close-Session of an incomplete entity.
    pub empty_entities: bool,
    /// Handling of a Close-Session of an incomplete entity. Default: [`EarlyClose::Discard`].
    pub early_close: EarlyClose,
    /// Host at which clients continue their sessions. Default: `None`.
    pub host: Option<SessionHost<'p>>,
    /// Replace an existing entity at the destination. Default: `false`.
    pub overwrites: bool,
    /// Notify a server application of every entity. Default: `false`.
    pub notification: bool,
    /// [3.2.2.1] Time without a stored byte after which a session expires. Default: 14 days.
    pub session_timeout: Duration,
    /// Time without a report after which a fragment counts as interrupted and the next request is
    /// accepted. Default: 1 minute. A shorter time releases a session sooner after a broken
    /// connection that the server did not notice, but interrupts slow clients.
    pub store_timeout: Duration,
    /// Time without a report after which any other work counts as aborted. Default: 15 minutes. With
    /// the default [`Timeouts`](crate::backend::Timeouts), a notification takes 10 minutes at most.
    pub work_timeout: Duration,
    /// Maximum number of unread body bytes to drain so that the connection can be reused.
    /// Default: 16 MiB, more than any fragment of Windows.
    pub drain_limit: u64,
    /// Error code for a full disk. Default: [`HResult::DISK_FULL`], as Windows sends.
    pub disk_full: HResult,
    /// Error code for an entity at the destination that may not be replaced, sent with 403. Default:
    /// [`HResult::FILE_EXISTS`]. \[MC-BUP\] 2.2.1.2 has [`HResult::E_ACCESSDENIED`], which a client
    /// cannot distinguish from missing access.
    pub destination_exists: HResult,
    /// Header fields that carry an error code. Default: [`ErrorFields::Both`].
    pub error_fields: ErrorFields,
}

/// Handling of bytes of a fragment that were received before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum OverlapRule {
    /// Store only the new bytes, as Windows does.
    #[default]
    Trim,
    /// Refuse the fragment with 416, as \[MC-BUP\] 3.2.5.2.6 requires.
    Refuse,
}

/// Time at which an entity is published at its destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum CommitAt {
    /// At Close-Session, as \[MC-BUP\] 3.2.5.2.7 requires.
    #[default]
    Close,
    /// With the last fragment, before its Ack, as Microsoft's documentation of Cancel-Session
    /// describes.
    LastFragment,
}

/// Handling of a Close-Session of an incomplete entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum EarlyClose {
    /// Discard the received bytes and answer 200, as Windows does.
    #[default]
    Discard,
    /// Refuse the request with 400 and keep the session.
    Refuse,
}

/// [2.2.3.2] Host at which a client continues its session (BITS-Host-Id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionHost<'p> {
    /// Name or address of this server.
    pub host_id: HostId<'p>,
    /// Time after which a client that cannot reach the host returns to the origin server. If
    /// `None`, [`HostIdFallbackTimeout::INFINITE`] is sent, and the client never returns.
    pub fallback_timeout: Option<HostIdFallbackTimeout>,
}

impl<'p> SessionHost<'p> {
    /// Creates a host with an optional fallback timeout.
    #[must_use]
    pub const fn new(host_id: HostId<'p>, fallback_timeout: Option<HostIdFallbackTimeout>) -> Self {
        Self { host_id, fallback_timeout }
    }
}

impl Policy<'static> {
    /// Behaviour of Windows, with [`message::ParseOptions::DEFAULT`].
    pub const DEFAULT: Self = Self {
        requests: message::ParseOptions::DEFAULT,
        protocols: &[Protocol::BITS_1_5],
        max_entity: u64::MAX,
        max_fragment: u64::MAX,
        overlap: OverlapRule::Trim,
        commit_at: CommitAt::Close,
        empty_entities: true,
        early_close: EarlyClose::Discard,
        host: None,
        overwrites: false,
        notification: false,
        session_timeout: Duration::from_secs(14 * 24 * 60 * 60),
        store_timeout: Duration::from_secs(60),
        work_timeout: Duration::from_secs(15 * 60),
        drain_limit: 16 * 1024 * 1024,
        disk_full: HResult::DISK_FULL,
        destination_exists: HResult::FILE_EXISTS,
        error_fields: ErrorFields::Both,
    };
}

impl Default for Policy<'static> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Defines a `with_` setter for each named field of [`Policy`].
macro_rules! setters {
    ($( $setter:ident: $field:ident: $type:ty, )+) => {
        impl<'p> Policy<'p> {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub const fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}

setters! {
    with_requests: requests: message::ParseOptions,
    with_protocols: protocols: &'p [Protocol],
    with_max_entity: max_entity: u64,
    with_max_fragment: max_fragment: u64,
    with_overlap: overlap: OverlapRule,
    with_commit_at: commit_at: CommitAt,
    with_empty_entities: empty_entities: bool,
    with_early_close: early_close: EarlyClose,
    with_host: host: Option<SessionHost<'p>>,
    with_overwrites: overwrites: bool,
    with_notification: notification: bool,
    with_session_timeout: session_timeout: Duration,
    with_store_timeout: store_timeout: Duration,
    with_work_timeout: work_timeout: Duration,
    with_drain_limit: drain_limit: u64,
    with_disk_full: disk_full: HResult,
    with_destination_exists: destination_exists: HResult,
    with_error_fields: error_fields: ErrorFields,
}

impl Policy<'_> {
    /// Prepares an Ack for writing, with the error fields of this policy.
    ///
    /// # Errors
    ///
    /// The errors of [`Ack::encode`].
    pub fn encode<'b>(
        &self,
        ack: &'b Ack<'b>,
        extras: &'b Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'b>, Error> {
        Ok(ack.encode(extras)?.with_error_fields(self.error_fields))
    }

    /// Returns the head of an [`http::Response`] for an Ack, with the error fields of this policy.
    ///
    /// # Errors
    ///
    /// The errors of [`Ack::encode`].
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, NO_EXTRAS, Refusal};
    /// use bits_proto::server::Policy;
    ///
    /// let ack = Ack::from(Refusal::session_not_found());
    /// let response = Policy::DEFAULT.to_http(&ack, &NO_EXTRAS)?;
    /// assert_eq!(response.status(), 500);
    /// assert_eq!(response.headers()["bits-error"], "0x8020001F");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn to_http(
        &self,
        ack: &Ack<'_>,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Response<()>, Error> {
        self.encode(ack, extras)?.http_response(ack.status())
    }
}
