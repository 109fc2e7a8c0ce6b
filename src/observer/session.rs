//! The memory of an observer about a session, of fixed size.

use super::State;
use crate::field::{Protocol, SessionId, SupportedProtocols};
use crate::util::inline_str::InlineStr;

/// A session id that outlives its message.
type Id = InlineStr<{ SessionId::MAX_LEN }>;

/// A 64-bit hash of a string that is only compared for equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// Returns the FNV-1a hash of a string.
    pub(super) fn of<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> Self {
        Self::hash(bytes.into_iter().copied())
    }

    fn hash(bytes: impl Iterator<Item = u8>) -> Self {
        let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        Self(bytes.fold(0xCBF2_9CE4_8422_2325, mix))
    }

    /// Returns the hash of a host, ignoring ASCII case, port, brackets of an IPv6 address, and a
    /// final dot.
    ///
    /// ```text
    /// host = ( "[" address "]" / name ) [ ":" port ]
    /// ```
    pub(super) fn of_host(host: &[u8]) -> Self {
        let (host, end) = match host {
            [b'[', address @ ..] => (address, b']'),
            // An address without brackets has several colons and no port.
            name if name.iter().filter(|byte| **byte == b':').count() > 1 => (name, 0),
            name => (name, b':'),
        };
        let host = host.split(|byte| *byte == end).next().unwrap_or_default();
        let host = host.strip_suffix(b".").unwrap_or(host);
        Self::hash(host.iter().map(u8::to_ascii_lowercase))
    }
}

/// A session as far as it is known. `None` means unknown, and unknown values violate no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The position among all sessions of the conversation.
    pub(super) serial: u32,
    pub(super) state: State,
    id: Option<Id>,
    /// The offset that the server expects next.
    pub(super) next: Option<u64>,
    /// The end of the bytes that were sent without a gap.
    pub(super) sent_up_to: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) content_name: Option<Fingerprint>,
    pub(super) reply_url: Option<Fingerprint>,
    /// The length of the last fragment, if the server rejected it with 413.
    pub(super) rejected_len: Option<u64>,
    /// The number of the packet whose response set `next`.
    pub(super) next_set_by: u32,
    /// The client's oldest possible view, if responses since then may not have reached it.
    pub(super) unconfirmed: Option<ClientView>,
}

/// State and offset of a session as the client may know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientView {
    pub(super) state: State,
    pub(super) next: Option<u64>,
}

impl Session {
    /// Returns a session without id and offsets.
    pub(super) const fn empty(state: State) -> Self {
        Self {
            serial: 0,
            state,
            id: None,
            next: None,
            sent_up_to: None,
            total: None,
            content_name: None,
            reply_url: None,
            rejected_len: None,
            next_set_by: 0,
            unconfirmed: None,
        }
    }

    /// Returns a session that the server has just issued.
    pub(super) fn issued(serial: u32, id: &SessionId<'_>, name: Option<Fingerprint>) -> Self {
        let (next, sent_up_to) = (Some(0), Some(0));
        Self { next, sent_up_to, content_name: name, ..Self::with_id(serial, State::Open, id) }
    }

    /// Returns a session of which only the id is known.
    pub(super) fn with_id(serial: u32, state: State, id: &SessionId<'_>) -> Self {
        Self { serial, id: Id::new(id.as_bytes()), ..Self::empty(state) }
    }

    pub(super) fn id(&self) -> Option<SessionId<'_>> {
        self.id.as_ref().and_then(|id| SessionId::try_from(id.as_bytes()).ok())
    }

    pub(super) fn has_id(&self, id: &SessionId<'_>) -> bool {
        self.id() == Some(*id)
    }

    pub(super) const fn view(&self) -> ClientView {
        ClientView { state: self.state, next: self.next }
    }

    /// Returns the lowest and the highest offset at which the client may continue; `None` if they
    /// are unknown.
    pub(super) fn offset_bounds(&self) -> Option<(u64, u64)> {
        let next = self.next?;
        let earlier = match self.unconfirmed {
            Some(earlier) => earlier.next?,
            None => next,
        };
        Some((next.min(earlier), next.max(earlier)))
    }

    /// Forgets everything that an unobserved request may have changed.
    pub(super) const fn forget_progress(&mut self) {
        (self.next, self.sent_up_to, self.rejected_len) = (None, None, None);
        if matches!(self.state, State::NoSession) {
            self.state = State::Unknown;
        }
    }
}

/// The last Create-Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastCreate {
    /// The number of the packet.
    pub(super) number: u32,
    pub(super) content_name: Option<Fingerprint>,
    protocols: [Protocol; Self::MAX_PROTOCOLS],
    /// The number of offered protocols; 0 if they are unknown or exceed the limit.
    protocol_count: usize,
}

impl LastCreate {
    /// The maximum number of protocols that are compared. Windows offers one to three.
    const MAX_PROTOCOLS: usize = 16;

    pub(super) const NONE: Self = Self {
        number: 0,
        content_name: None,
        protocols: [Protocol::BITS_1_5; Self::MAX_PROTOCOLS],
        protocol_count: 0,
    };

    pub(super) fn new(
        number: u32,
        content_name: Option<Fingerprint>,
        offered: Option<SupportedProtocols<'_>>,
    ) -> Self {
        let mut this = Self { number, content_name, ..Self::NONE };
        for (index, protocol) in offered.iter().flat_map(SupportedProtocols::iter).enumerate() {
            let Some(slot) = this.protocols.get_mut(index) else {
                return Self { number, content_name, ..Self::NONE };
            };
            *slot = protocol;
            this.protocol_count = index.saturating_add(1);
        }
        this
    }

    /// Returns the offered protocols, if they are known.
    pub(super) fn offered(&self) -> Option<SupportedProtocols<'_>> {
        SupportedProtocols::new(self.protocols.get(..self.protocol_count)?).ok()
    }
}
