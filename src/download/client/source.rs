//! The sources of ranges.

/// [3.6.1] The source of a range: the origin server, or a peer that has a copy of the entity.
///
/// The caller searches for peers and fetches from them, with the protocol of its choice.
///
/// Source: \[MC-BUP\] 3.6.1, 3.6.7.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Source {
    /// The origin server.
    #[default]
    Origin,
    /// A record of a peer.
    Peer {
        /// The index of the record, which the caller assigns. Ranges of one record are fetched
        /// together.
        index: u32,
        /// The offset of the range in the record (`Offset`).
        offset: u64,
    },
}

impl Source {
    /// Returns the index of the peer's record; `None` for the origin server.
    pub(super) const fn record(self) -> Option<u32> {
        match self {
            Self::Origin => None,
            Self::Peer { index, .. } => Some(index),
        }
    }
}
