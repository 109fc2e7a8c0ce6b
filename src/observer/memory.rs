//! What an observer remembers: little, and of fixed size.

use super::State;
use crate::field::{ContentRange, Protocol, SessionId, SupportedProtocols};
use crate::message::MessageKind;
use crate::text::Text;

/// An id, longer than a message may live.
pub(super) type Id = Text<{ SessionId::MAX_LEN }>;

pub(super) fn id_of(session_id: &SessionId<'_>) -> Option<Id> {
    Id::new(session_id.as_bytes())
}

pub(super) fn is_id(id: Option<&Id>, session_id: &SessionId<'_>) -> bool {
    id.and_then(|id| SessionId::try_from(id.as_bytes()).ok()).is_some_and(|id| id == *session_id)
}

/// A text of which nobody needs more than whether another one is the same: 64 bits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// FNV-1a.
    pub(super) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        Self(bytes.into_iter().fold(0xCBF2_9CE4_8422_2325, mix))
    }

    /// Of a host in any letter case, without its port and the brackets of an address.
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
        let host = host.iter().take_while(|byte| **byte != end);
        Self::of(host.map(u8::to_ascii_lowercase))
    }
}

/// What is known of a session. `None` is unknown, and unknown is never wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: Option<Id>,
    /// Whether the observer has seen the server issue it: then no other id can be in use.
    pub(super) is_issued: bool,
    /// The offset that the server named last.
    pub(super) next: Option<u64>,
    /// Beyond everything that was sent.
    pub(super) sent_up_to: Option<u64>,
    pub(super) total: Option<u64>,
    pub(super) content_name: Option<Fingerprint>,
    /// The length of the fragment that was refused with 413.
    pub(super) too_large: Option<u64>,
}

impl Session {
    pub(super) const UNKNOWN: Self = Self {
        id: None,
        is_issued: false,
        next: None,
        sent_up_to: None,
        total: None,
        content_name: None,
        too_large: None,
    };

    /// One that the server has just issued.
    pub(super) const fn issued(id: Option<Id>, content_name: Option<Fingerprint>) -> Self {
        Self {
            id,
            is_issued: true,
            next: Some(0),
            sent_up_to: Some(0),
            content_name,
            ..Self::UNKNOWN
        }
    }

    /// One that the observer did not see being issued.
    pub(super) const fn adopted(id: Option<Id>) -> Self {
        Self { id, ..Self::UNKNOWN }
    }
}

/// What the client believes that has not got the last answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) state: State,
    pub(super) next: Option<u64>,
    /// How many sessions had been issued.
    pub(super) sessions: u32,
}

/// The last answer: the next request shows whether the client has got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) connection: u32,
    /// What the client believes that has not got it.
    pub(super) before: View,
    /// Whether it says where the session stands, whatever the client believed before.
    pub(super) settles: bool,
}

/// The session before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) id: Id,
    /// Whether it had ended; if not, the client may come back to it.
    pub(super) has_ended: bool,
}

/// The protocols that the client offered last, if they are no more than fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    protocols: [Protocol; Self::MOST],
    /// 0: unknown, or too many.
    count: usize,
}

impl Offered {
    /// Windows offers one to three.
    const MOST: usize = 16;

    pub(super) const UNKNOWN: Self = Self { protocols: [Protocol::BITS_1_5; Self::MOST], count: 0 };

    pub(super) fn new(offered: &SupportedProtocols<'_>) -> Self {
        let mut this = Self::UNKNOWN;
        for (index, protocol) in offered.iter().enumerate() {
            let Some(slot) = this.protocols.get_mut(index) else { return Self::UNKNOWN };
            *slot = protocol;
            this.count = index.saturating_add(1);
        }
        this
    }

    pub(super) fn protocols(&self) -> Option<SupportedProtocols<'_>> {
        SupportedProtocols::new(self.protocols.get(..self.count)?).ok()
    }
}

/// Which session a request named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// None: it needs none, or it could not be read.
    None,
    /// The one the observer follows.
    This,
    /// The one before, which may be alive.
    Previous,
    /// The one before, which has ended.
    Ended,
    /// One that nobody has issued.
    Unknown,
}

/// A request that is still to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something else than this protocol.
    Foreign,
    /// A notification of the server application.
    Notification,
    /// One of the five requests.
    Packet(Packet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Which of the five, if that could be told.
    pub(super) kind: Option<MessageKind>,
    /// Whether nothing was wrong with it.
    pub(super) is_valid: bool,
    pub(super) named: Named,
    pub(super) range: Option<ContentRange>,
    /// Whether it began beyond everything that was sent.
    pub(super) leaves_gap: bool,
}

impl Packet {
    pub(super) const fn new(kind: Option<MessageKind>, is_valid: bool) -> Self {
        Self { kind, is_valid, named: Named::None, range: None, leaves_gap: false }
    }
}

/// The requests that are still to be answered, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unanswered {
    requests: [Option<(u32, Asked)>; 4],
    /// How many more there are that found no place: what answers them is not judged.
    untracked: u32,
}

impl Unanswered {
    pub(super) const NONE: Self = Self { requests: [None; 4], untracked: 0 };

    /// Remembers one more.
    pub(super) fn push(&mut self, connection: u32, asked: Asked) {
        match self.requests.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some((connection, asked)),
            None => self.untracked = self.untracked.saturating_add(1),
        }
    }

    /// The one that an answer on this connection belongs to.
    pub(super) fn take(&mut self, connection: u32) -> Option<Asked> {
        let is_here = |slot: &&mut Option<(u32, Asked)>| slot.is_some_and(|it| it.0 == connection);
        let (_, asked) = self.requests.iter_mut().find(is_here)?.take()?;
        self.close_ranks();
        Some(asked)
    }

    /// Whether an answer may belong to one that found no place.
    pub(super) fn take_untracked(&mut self) -> bool {
        let was_any = self.untracked > 0;
        self.untracked = self.untracked.saturating_sub(1);
        was_any
    }

    /// The packets that wait for an answer, with their connections.
    pub(super) fn packets(&self) -> impl Iterator<Item = (u32, Packet)> + '_ {
        self.requests.iter().flatten().filter_map(|(connection, asked)| match asked {
            Asked::Packet(packet) => Some((*connection, *packet)),
            Asked::Foreign | Asked::Notification => None,
        })
    }

    /// Moves the others up, so that they stay in their order.
    fn close_ranks(&mut self) {
        let mut kept = self.requests.into_iter().flatten();
        self.requests = core::array::from_fn(|_| kept.next());
    }
}
