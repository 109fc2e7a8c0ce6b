//! Owned form of a policy.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{CommitAt, EarlyClose, OverlapRule, Policy, SessionHost};
use crate::error::Error;
use crate::field::{HResult, HostId, HostIdFallbackTimeout, Protocol};
use crate::message::{self, ErrorFields};

/// Defines [`PolicyBuf`]: the named fields are copied from a policy; the two that borrow are owned.
macro_rules! policy_buf {
    ($( $(#[$attribute:meta])* $field:ident: $type:ty, )+) => {
        /// Owned form of a [`Policy`], for configuration files.
        ///
        /// With the feature `serde` it can be serialized and deserialized. Missing keys have
        /// their default, and unknown keys are an error. Keys are the names of the fields, choices
        /// are in kebab-case, protocols and hosts are strings, an unlimited value is `null`, and
        /// durations are `{ secs, nanos }`.
        ///
        /// # Example
        ///
        /// ```
        /// use bits_proto::server::{Policy, PolicyBuf};
        ///
        /// let mut configured = PolicyBuf::default();
        /// configured.overwrites = true;
        /// assert_eq!(configured.as_policy(), Policy::DEFAULT.with_overwrites(true));
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(default, deny_unknown_fields)
        )]
        pub struct PolicyBuf {
            /// See [`Policy::protocols`].
            pub protocols: Vec<Protocol>,
            /// See [`Policy::host`].
            pub host: Option<SessionHostBuf>,
            $(
                #[doc = concat!("See [`Policy::", stringify!($field), "`].")]
                $(#[$attribute])*
                pub $field: $type,
            )+
        }

        impl PolicyBuf {
            /// Returns the policy, which borrows from `self`.
            #[must_use]
            pub fn as_policy(&self) -> Policy<'_> {
                Policy {
                    protocols: &self.protocols,
                    host: self.host.as_ref().and_then(SessionHostBuf::as_host),
                    $( $field: self.$field, )+
                }
            }
        }

        impl From<Policy<'_>> for PolicyBuf {
            fn from(policy: Policy<'_>) -> Self {
                Self {
                    protocols: policy.protocols.into(),
                    host: policy.host.map(SessionHostBuf::from),
                    $( $field: policy.$field, )+
                }
            }
        }
    };
}

policy_buf! {
    requests: message::ParseOptions,
    #[cfg_attr(feature = "serde", serde(with = "super::configured::limit"))]
    max_entity: u64,
    #[cfg_attr(feature = "serde", serde(with = "super::configured::limit"))]
    max_fragment: u64,
    overlap: OverlapRule,
    commit_at: CommitAt,
    empty_entities: bool,
    early_close: EarlyClose,
    overwrites: bool,
    notification: bool,
    session_timeout: Duration,
    store_timeout: Duration,
    work_timeout: Duration,
    drain_limit: u64,
    disk_full: HResult,
    destination_exists: HResult,
    error_fields: ErrorFields,
}

impl Default for PolicyBuf {
    fn default() -> Self {
        Policy::DEFAULT.into()
    }
}

/// Owned form of a [`SessionHost`].
///
/// # Example
///
/// ```
/// use bits_proto::field::HostIdFallbackTimeout;
/// use bits_proto::server::{PolicyBuf, SessionHostBuf};
///
/// let host = SessionHostBuf::new("node7.example", Some(HostIdFallbackTimeout(60)))?;
/// let mut configured = PolicyBuf::default();
/// configured.host = Some(host);
/// let host = configured.as_policy().host.expect("set above");
/// assert_eq!(host.host_id.as_str(), "node7.example");
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::configured::Host", try_from = "super::configured::Host")
)]
pub struct SessionHostBuf {
    pub(super) host_id: String,
    pub(super) fallback_timeout: Option<HostIdFallbackTimeout>,
}

impl SessionHostBuf {
    /// Creates a host; see [`SessionHost`].
    ///
    /// # Errors
    ///
    /// `host_id` is not a valid [`HostId`].
    pub fn new(
        host_id: impl Into<String>,
        fallback_timeout: Option<HostIdFallbackTimeout>,
    ) -> Result<Self, Error> {
        let host_id = host_id.into();
        HostId::try_from(&*host_id)?;
        Ok(Self { host_id, fallback_timeout })
    }

    fn as_host(&self) -> Option<SessionHost<'_>> {
        let host_id = HostId::try_from(&*self.host_id).ok()?;
        Some(SessionHost { host_id, fallback_timeout: self.fallback_timeout })
    }
}

impl From<SessionHost<'_>> for SessionHostBuf {
    fn from(host: SessionHost<'_>) -> Self {
        let host_id = host.host_id.as_str().into();
        Self { host_id, fallback_timeout: host.fallback_timeout }
    }
}
