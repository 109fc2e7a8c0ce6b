//! A session: what it holds, and how it begins.

use core::time::Duration;

use uuid::Uuid;

use super::{Access, Event, Notified, Policy, Reply, State, UnreadBody, WorkToken};
use crate::field::{HResult, HostIdFallbackTimeout, ReceivedContentRange, SessionId};
use crate::message::{CreateSession, CreateSessionAck, Refusal};
use crate::state_machine::{IllegalEvent, StateMachine as _};

/// [3.2.1.4] `BITSSessionWrapper`: one upload, as the server sees it.
///
/// Plain data: it can be copied, compared, and kept in any map, file or database, and another
/// process can go on with it. It holds no bytes of the entity and no texts; what is long, such as
/// the reply URL, the host keeps under the session's [`id`](Self::id). With the feature `serde`
/// it can be stored, and what was stored is checked when it is read.
///
/// It is the host's duty to give a session only requests of the client and for the URL that it
/// was created for; the table `Sessions` sees to that.
///
/// Times are durations since any moment the host likes, as long as it is the same one for the
/// whole life of a session; the epoch of Unix is a good one.
///
/// # Example
///
/// ```
/// use bits_proto::field::ContentRange;
/// use bits_proto::message::{Ack, CreateSession, Fragment, Request};
/// use bits_proto::server::{Access, Policy, Session, Step};
/// # use core::time::Duration;
///
/// let (policy, now) = (Policy::DEFAULT, Duration::from_secs(1_700_000_000));
/// let random = [7; 16]; // from the operating system
/// let create = CreateSession::default();
/// let (mut session, created) =
///     Session::create(&create, Access::Granted, &policy, random, now).unwrap();
///
/// let range = ContentRange::new(0, 99, 100)?;
/// let request = Request::from(Fragment::new(created.session_id, range));
/// let step = session.handle_request(&request, Access::Granted, &policy, now);
/// let Step::Store(store) = step else { panic!() };
/// assert_eq!((store.skip, store.offset, store.take), (0, 0, 100));
/// // ... the host reads 100 bytes of the body and stores them; then:
/// let step = session.handle_stored(store.token, 100, &policy, now)?;
/// let Step::Answer(answer) = step else { panic!() };
/// assert!(matches!(answer.ack(None), Ack::Fragment(ack) if ack.received.0 == 100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: \[MC-BUP\] 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "super::persist::Stored", try_from = "super::persist::Stored")
)]
pub struct Session {
    pub(super) id: Uuid,
    /// The id as it was issued: comparing and answering with it is most of what a step costs, if
    /// it has to be spelt each time.
    pub(super) session_id: SessionId<'static>,
    pub(super) state: State,
    /// The kind of request that is worked on.
    pub(super) pending: Option<Pending>,
    /// The number of the last request that was worked on.
    pub(super) token_number: u32,
    /// When the work counts as given up.
    pub(super) work_deadline: Duration,
    /// The offset of the next byte.
    pub(super) next: u64,
    /// The length of the entity, from its first fragment.
    pub(super) total: Option<u64>,
    /// How many bytes of the fragment that is worked on are still to be stored.
    pub(super) remaining: u64,
    /// What to do with a body that brings nothing new, once the work is done.
    pub(super) unread_body: UnreadBody,
    pub(super) notified: Option<Notified>,
    /// The code that the application refused with in a way that makes it pointless to ask it again.
    pub(super) forbidden_code: Option<HResult>,
    /// Whether the entity is at its destination.
    pub(super) committed: bool,
    /// Whether the stored bytes are gone.
    pub(super) entity_lost: bool,
    pub(super) end_reason: Option<EndReason>,
    pub(super) expires_at: Duration,
}

/// What a session works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub(super) enum Pending {
    Fragment,
    Close,
    Cancel,
    Timeout,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum EndReason {
    /// The client closed it, and the entity was whole.
    Closed,
    /// The client closed it, and bytes were missing: the entity was discarded. How many there
    /// were say [`received`](Session::received) and [`total`](Session::total).
    ClosedIncomplete,
    /// The client cancelled it.
    Cancelled,
    /// It timed out.
    TimedOut,
    /// The stored bytes were lost.
    EntityLost,
}

const _: () = assert!(size_of::<Session>() <= 256, "a session is small");

impl Session {
    /// [3.2.5.2.4] Begins a session for a Create-Session.
    ///
    /// `random` are 16 bytes from a source that nobody can guess; the session's id is made of 122
    /// bits of them.
    ///
    /// # Errors
    ///
    /// The refusal to answer: no access, a destination that may not be overwritten, or no protocol
    /// in common.
    pub fn create<'p>(
        create: &CreateSession<'_>,
        access: Access,
        policy: &Policy<'p>,
        random: [u8; 16],
        now: Duration,
    ) -> Result<(Self, CreateSessionAck<'p>), Refusal<'static>> {
        if let Some(refusal) = access.refusal() {
            return Err(refusal);
        }
        let protocol = create.supported_protocols.negotiate(policy.protocols);
        let protocol = protocol.ok_or(Refusal::invalid_argument())?;
        if access == Access::GrantedOverExisting && !policy.overwrites {
            return Err(Refusal::access_denied());
        }
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let session = Self {
            id,
            session_id: SessionId::from(id),
            state: State::Receiving,
            pending: None,
            token_number: 0,
            work_deadline: Duration::ZERO,
            next: 0,
            total: None,
            remaining: 0,
            unread_body: UnreadBody::None,
            notified: None,
            forbidden_code: None,
            committed: false,
            entity_lost: false,
            end_reason: None,
            expires_at: now.saturating_add(policy.session_timeout),
        };
        let mut ack = CreateSessionAck::new(protocol, session.session_id());
        if let Some(host) = policy.host {
            ack.host_id = Some(host.host_id);
            // Neither of the two fields goes without the other.
            let never = HostIdFallbackTimeout::INFINITE;
            ack.host_id_fallback_timeout = Some(host.fallback_timeout.unwrap_or(never));
        }
        Ok((session, ack))
    }

    /// The session's id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The session's id as it was issued.
    #[must_use]
    pub const fn session_id(&self) -> SessionId<'static> {
        self.session_id
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// How many bytes are held, which is the offset of the next one.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.next)
    }

    /// The length of the entity; `None` before the first fragment, or before the Close-Session of an
    /// empty one.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// What the server application answered; `None` before it did. A session without an
    /// application counts as told, with the entity to be put at its destination.
    #[must_use]
    pub const fn notified(&self) -> Option<Notified> {
        self.notified
    }

    /// Whether the entity is at its destination.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    /// How it ended, or is about to; `None` while it is alive.
    #[must_use]
    pub const fn end_reason(&self) -> Option<EndReason> {
        self.end_reason
    }

    /// [3.2.2.1] When it times out: the session timeout after the last stored byte, or after its
    /// beginning. Zero once it is to [end before its time](Self::expire).
    #[must_use]
    pub const fn expires_at(&self) -> Duration {
        self.expires_at
    }

    /// Whether it works on a request, so that another one is answered with *busy*.
    #[must_use]
    #[inline]
    pub fn is_busy(&self, now: Duration) -> bool {
        self.pending.is_some() && now < self.work_deadline
    }

    pub(super) fn belongs_at_destination(&self) -> bool {
        self.notified.is_none_or(|notified| notified.copy_to_destination)
    }

    pub(super) const fn has_reply(&self) -> bool {
        matches!(self.notified, Some(Notified { reply: Reply::Static | Reply::Kept, .. }))
    }

    /// Moves as the table says.
    #[inline]
    pub(super) fn apply(&mut self, event: Event) -> Result<(), IllegalEvent<State>> {
        self.state = self.state.transition(event)?;
        Ok(())
    }

    /// What reports on the request that is worked on carry.
    pub(super) const fn work_token(&self) -> WorkToken {
        WorkToken { session_id: self.id, number: self.token_number }
    }

    /// A request is worked on from now on.
    #[inline]
    pub(super) fn begin(&mut self, pending: Pending, timeout: Duration, now: Duration) {
        self.pending = Some(pending);
        self.token_number = self.token_number.wrapping_add(1);
        self.work_deadline = now.saturating_add(timeout);
    }

    /// Nothing is worked on any more, and reports on it are not taken any more.
    #[inline]
    pub(super) fn end_work(&mut self) {
        self.pending = None;
        (self.remaining, self.unread_body) = (0, UnreadBody::None);
        self.work_deadline = Duration::ZERO;
    }
}
