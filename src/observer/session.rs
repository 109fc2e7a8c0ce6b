//! What an observer remembers of a session: little, and of fixed size.

use super::State;
use crate::field::{Protocol, SessionId, SupportedProtocols};
use crate::util::inline_str::InlineStr;

/// An id, longer than a message may live.
type Id = InlineStr<{ SessionId::MAX_LEN }>;

/// A text of which nobody needs more than whether another one is the same: 64 bits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// FNV-1a.
    pub(super) fn of<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> Self {
        Self::mix(bytes.into_iter().copied())
    }

    fn mix(bytes: impl Iterator<Item = u8>) -> Self {
        let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        Self(bytes.fold(0xCBF2_9CE4_8422_2325, mix))
    }

    /// Of a host in any letter case, without its port, the brackets of an address, and the dot that
    /// may end a name.
    ///
    /// ```text
    /// host = ( "[" address "]" / name ) [ ":" port ]
    /// ```
    pub(super) fn of_host(host: &[u8]) -> Self {
        let (host, end) = match host {
            [b'[', address @ ..] => (address, b']'),
            // Without brackets, an address has more than one colon, and no port.
            name if name.iter().filter(|byte| **byte == b':').count() > 1 => (name, 0),
            name => (name, b':'),
        };
        let host = host.split(|byte| *byte == end).next().unwrap_or_default();
        let host = host.strip_suffix(b".").unwrap_or(host);
        Self::mix(host.iter().map(u8::to_ascii_lowercase))
    }
}

/// What is known of a session. `None` is unknown, and unknown is never wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Which one it is of those that the observer has followed.
    pub(super) serial: u32,
    pub(super) state: State,
    id: Option<Id>,
    /// The offset that the server named last.
    pub(super) next: Option<u64>,
    /// Beyond everything that was sent.
    pub(super) sent_up_to: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) content_name: Option<Fingerprint>,
    pub(super) reply_url: Option<Fingerprint>,
    /// The length of the fragment that was refused with 413.
    pub(super) too_large: Option<u64>,
    /// The number of the last request that was answered with an offset.
    pub(super) answered: u32,
    /// What the client may still believe, as nobody knows which of the answers since it has got.
    pub(super) unconfirmed: Option<View>,
}

/// Where a session stands, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) state: State,
    pub(super) next: Option<u64>,
}

impl Session {
    /// None, or one of which nothing is known.
    pub(super) const fn none(state: State) -> Self {
        Self {
            serial: 0,
            state,
            id: None,
            next: None,
            sent_up_to: None,
            total: None,
            content_name: None,
            reply_url: None,
            too_large: None,
            answered: 0,
            unconfirmed: None,
        }
    }

    /// One that the server has just issued.
    pub(super) fn issued(serial: u32, id: &SessionId<'_>, name: Option<Fingerprint>) -> Self {
        let (next, sent_up_to) = (Some(0), Some(0));
        Self { next, sent_up_to, content_name: name, ..Self::named(serial, State::Open, id) }
    }

    /// One that the observer did not see being issued.
    pub(super) fn named(serial: u32, state: State, id: &SessionId<'_>) -> Self {
        Self { serial, id: Id::new(id.as_bytes()), ..Self::none(state) }
    }

    pub(super) fn id(&self) -> Option<SessionId<'_>> {
        self.id.as_ref().and_then(|id| SessionId::try_from(id.as_bytes()).ok())
    }

    pub(super) fn is(&self, id: &SessionId<'_>) -> bool {
        self.id() == Some(*id)
    }

    pub(super) const fn view(&self) -> View {
        View { state: self.state, next: self.next }
    }

    /// The lowest and the highest offset at which the client may believe to stand; `None` if that
    /// is not known.
    pub(super) fn offset_bounds(&self) -> Option<(u64, u64)> {
        let next = self.next?;
        let earlier = match self.unconfirmed {
            Some(earlier) => earlier.next?,
            None => next,
        };
        Some((next.min(earlier), next.max(earlier)))
    }

    /// Something went by that may have changed it.
    pub(super) const fn lose_track(&mut self) {
        (self.next, self.sent_up_to, self.too_large) = (None, None, None);
        if matches!(self.state, State::NoSession) {
            self.state = State::Unknown;
        }
    }
}

/// The last Create-Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Creation {
    /// Its number among the requests.
    pub(super) number: u32,
    pub(super) content_name: Option<Fingerprint>,
    protocols: [Protocol; Self::MOST],
    /// How many were offered; 0: unknown, or too many.
    offered: usize,
}

impl Creation {
    /// Windows offers one to three.
    const MOST: usize = 16;

    pub(super) const NONE: Self = Self {
        number: 0,
        content_name: None,
        protocols: [Protocol::BITS_1_5; Self::MOST],
        offered: 0,
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
            this.offered = index.saturating_add(1);
        }
        this
    }

    pub(super) fn offered(&self) -> Option<SupportedProtocols<'_>> {
        SupportedProtocols::new(self.protocols.get(..self.offered)?).ok()
    }
}
