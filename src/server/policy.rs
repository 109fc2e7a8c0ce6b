//! What a server allows, and how it decides where the specification and Windows differ.

use core::time::Duration;

use crate::error::Error;
use crate::field::{HResult, HostId, HostIdFallbackTimeout, Protocol};
use crate::message::{self, Ack, Encoder, ErrorFields};

/// [3.2.1.1] `BITSDirectoryConfig`: the rules of a directory that takes uploads.
///
/// A session does not hold its policy: the host gives the one in force with each call, so that a
/// limit that was lowered counts at once, for every node.
///
/// # Example
///
/// ```
/// use bits_proto::server::{CommitAt, Policy};
///
/// let policy = Policy {
///     max_entity: 10_000_000_000,
///     commit_at: CommitAt::LastFragment,
///     ..Policy::DEFAULT
/// };
/// assert!(!policy.overwrites);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy<'p> {
    /// How requests are read: other methods, what an absent length is answered with.
    pub requests: message::ParseOptions,
    /// The protocols that are spoken. Default: [`Protocol::BITS_1_5`].
    pub protocols: &'p [Protocol],
    /// The largest entity, in bytes. A larger one is refused with `BG_E_TOO_LARGE`. Default: none.
    pub max_entity: u64,
    /// The largest fragment, in bytes. A larger one is refused with 413, and the client sends
    /// smaller ones; it does not go below [`MIN_FRAGMENT`](crate::limits::MIN_FRAGMENT), and what is refused then is refused
    /// with `BG_E_TOO_LARGE`. Default: none.
    pub max_fragment: u64,
    /// What to do about bytes that are held already. Default: trim.
    pub overlap: OverlapRule,
    /// When the entity goes to its destination. Default: at Close-Session.
    pub commit_at: CommitAt,
    /// Whether Close-Session without any fragment makes an empty entity. Default: yes.
    ///
    /// Without it, that is a Close-Session of an entity that is not whole.
    pub empty_entities: bool,
    /// What to do about Close-Session of an entity that is not whole. Default: discard.
    pub early_close: EarlyClose,
    /// The host that clients go on with. Default: none.
    pub host: Option<SessionHost<'p>>,
    /// Whether an entity may replace what is at its destination. Default: no.
    pub overwrites: bool,
    /// Whether a server application is told of every entity. Default: no.
    pub notification: bool,
    /// [3.2.2.1] After how long without a stored byte a session ends. Default: 14 days.
    pub session_timeout: Duration,
    /// After how long without a stored byte a fragment counts as interrupted, so that the next
    /// request is taken. Default: 1 minute, which is shorter than a client keeps trying when its
    /// connection broke and the server did not notice.
    pub store_timeout: Duration,
    /// After how long without a report any other work counts as given up. Default: 15 minutes,
    /// longer than all timers of a notification together.
    pub work_timeout: Duration,
    /// How many bytes of the body of an answered request are read and thrown away, at most, to
    /// keep the connection. Default: 16 MiB, more than any fragment of Windows.
    pub drain_limit: u64,
    /// How a full disk is reported. Default: [`HResult::DISK_FULL`], as Windows does.
    pub disk_full: HResult,
    /// Which fields carry an error code. Default: both.
    pub error_fields: ErrorFields,
}

/// What to do about bytes of a fragment that are held already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum OverlapRule {
    /// Store only what is new, as Windows does.
    Trim,
    /// Refuse the fragment with 416, as the text of \[MC-BUP\] 3.2.5.2.6 has it.
    Refuse,
}

/// When an entity goes to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum CommitAt {
    /// With Close-Session, as \[MC-BUP\] 3.2.5.2.7 has it.
    Close,
    /// With the last fragment, before its Ack, as Microsoft's page on Cancel-Session has it.
    LastFragment,
}

/// What to do about Close-Session of an entity that is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum EarlyClose {
    /// Discard what is there and answer 200, as Windows does.
    Discard,
    /// Refuse it with 400 and keep the session.
    Refuse,
}

/// [2.2.3.2] Where a client goes on with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHost<'p> {
    /// The name or address of this server.
    pub host_id: HostId<'p>,
    /// For how long a client tries to reach it before it goes back to the origin server. Without
    /// it the client never does, and is told so: [`HostIdFallbackTimeout::INFINITE`].
    pub fallback_timeout: Option<HostIdFallbackTimeout>,
}

impl Policy<'static> {
    /// What Windows does, where it has a choice, and [`message::ParseOptions::DEFAULT`].
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
        error_fields: ErrorFields::Both,
    };
}

impl Default for Policy<'static> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Policy<'_> {
    /// Makes an Ack ready to be written, with the error fields of this policy.
    ///
    /// # Errors
    ///
    /// As [`Ack::encode`].
    pub fn encode<'b, E, N, V>(&self, ack: &Ack<'b>, extras: E) -> Result<Encoder<'b, E>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        Ok(ack.encode(extras)?.error_fields(self.error_fields))
    }
    /// The head of an [`http::Response`] for an Ack, with the error fields of this policy.
    ///
    /// # Errors
    ///
    /// As [`Ack::encode`].
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, NO_EXTRAS, Refusal};
    /// use bits_proto::server::Policy;
    ///
    /// let ack = Ack::from(Refusal::session_not_found());
    /// let response = Policy::DEFAULT.to_http(&ack, NO_EXTRAS)?;
    /// assert_eq!(response.status(), 500);
    /// assert_eq!(response.headers()["bits-error"], "0x8020001F");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn to_http<E, N, V>(&self, ack: &Ack<'_>, extras: E) -> Result<http::Response<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        self.encode(ack, extras)?.http_response(ack.status())
    }
}
