//! The data of a session, its creation and its accessors.

use core::time::Duration;

use uuid::Uuid;

use super::answer::PackedUnreadBody;
use super::{Access, Event, Notified, Policy, Reply, State, WorkToken};
use crate::field::{HResult, HostIdFallbackTimeout, ReceivedContentRange, SessionId};
use crate::message::{CreateSession, CreateSessionAck, Refusal};
use crate::state_machine::{IllegalEvent, StateMachine as _};
use crate::util::packed::{PackedDuration, PackedOption};

/// [3.2.1.4] `BITSSessionWrapper`: state machine for one upload on the server side.
///
/// A session is plain data of at most 128 bytes: copy it, compare it, and store it in any map,
/// file or database, where another process can continue it. It holds no bytes of the entity and
/// no texts; keep these, such as the reply URL, under the session's [`id`](Self::id). The
/// feature `serde` adds a persistent form that is validated when it is read.
///
/// Pass a session only requests for the URL and from the client that it was created for. `Sessions`
/// checks both.
///
/// Times are durations since an epoch of the embedder's choice, such as the Unix epoch. Use one
/// epoch for the whole life of a session.
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
/// // Read 100 bytes of the body, store them, then:
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
    pub(super) state: State,
    /// Kind of the request whose work is in progress.
    pub(super) pending: Option<Pending>,
    /// Number of the latest work token.
    pub(super) token_number: u32,
    /// Time at which the work in progress times out.
    pub(super) work_deadline: PackedDuration,
    /// Offset of the next byte.
    pub(super) next: u64,
    /// Length of the entity, from its first fragment.
    pub(super) total: PackedOption,
    /// Number of bytes of the pending fragment that are still to be stored.
    pub(super) remaining: u64,
    /// Handling of a body without new bytes, once the work is done.
    pub(super) unread_body: PackedUnreadBody,
    pub(super) notified: Option<Notified>,
    /// Error code of an application that answered 403 and is not notified again.
    pub(super) forbidden_code: Option<HResult>,
    /// The entity is at its destination.
    pub(super) committed: bool,
    /// The staged bytes are lost.
    pub(super) entity_lost: bool,
    pub(super) end_reason: Option<EndReason>,
    pub(super) expires_at: PackedDuration,
}

/// Kind of the work in progress.
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

/// Reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum EndReason {
    /// The client closed the session, and the entity was complete.
    Closed,
    /// The client closed the session before the entity was complete, and the entity was discarded.
    /// [`received`](Session::received) and [`total`](Session::total) give its lengths.
    ClosedIncomplete,
    /// The client cancelled the session.
    Cancelled,
    /// The session expired.
    TimedOut,
    /// The staged bytes were lost.
    EntityLost,
    /// The staged bytes were lost after the server application had accepted the entity.
    AcceptedEntityLost,
}

const _: () = assert!(size_of::<Session>() <= 128, "a session exceeds 128 bytes");

impl Session {
    /// [3.2.5.2.4] Creates a session for a Create-Session request.
    ///
    /// `random` must come from a cryptographically secure source, or from `Store::id_bytes` of such bytes.
    /// The session id consists of 122 bits of it.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] to send: access is not granted, an entity at the destination may not be
    /// replaced, or no protocol is supported by both sides.
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
            return Err(Refusal::destination_exists(policy.destination_exists));
        }
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let session = Self {
            id,
            state: State::Receiving,
            pending: None,
            token_number: 0,
            work_deadline: PackedDuration::ZERO,
            next: 0,
            total: PackedOption::NONE,
            remaining: 0,
            unread_body: PackedUnreadBody::NONE,
            notified: None,
            forbidden_code: None,
            committed: false,
            entity_lost: false,
            end_reason: None,
            expires_at: PackedDuration::new(now.saturating_add(policy.session_timeout)),
        };
        let mut ack = CreateSessionAck::new(protocol, session.session_id());
        if let Some(host) = policy.host {
            ack.host_id = Some(host.host_id);
            // Each of the two fields requires the other.
            let never = HostIdFallbackTimeout::INFINITE;
            ack.host_id_fallback_timeout = Some(host.fallback_timeout.unwrap_or(never));
        }
        Ok((session, ack))
    }

    /// Returns the session id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Returns the session id as it is sent.
    #[must_use]
    pub fn session_id(&self) -> SessionId<'static> {
        SessionId::from(self.id)
    }

    /// Returns the current state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Returns the number of received bytes, which is the offset of the next one.
    #[must_use]
    pub const fn received(&self) -> ReceivedContentRange {
        ReceivedContentRange(self.next)
    }

    /// Returns the length of the entity; `None` before the first fragment, or before the
    /// Close-Session of an empty entity.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.total.get()
    }

    /// Returns the response of the server application; `None` before it accepted the
    /// entity. Without an application, a complete entity has a response that publishes it without a
    /// reply.
    #[must_use]
    pub const fn notified(&self) -> Option<Notified> {
        self.notified
    }

    /// Returns `true` if the entity was published at its destination.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    /// Returns the reason for the end; `None` while the session is alive.
    #[must_use]
    pub const fn end_reason(&self) -> Option<EndReason> {
        self.end_reason
    }

    /// [3.2.2.1] Returns the time at which the session expires: the session timeout after the last
    /// stored byte, or after its creation. Zero after [`expire`](Self::expire).
    #[must_use]
    pub const fn expires_at(&self) -> Duration {
        self.expires_at.get()
    }

    /// Returns `true` while work is in progress. Requests other than a Ping are then answered with 503.
    #[must_use]
    #[inline]
    pub fn is_busy(&self, now: Duration) -> bool {
        self.pending.is_some() && PackedDuration::new(now) < self.work_deadline
    }

    pub(super) fn belongs_at_destination(&self) -> bool {
        self.notified.is_none_or(|notified| notified.copy_to_destination)
    }

    pub(super) const fn has_reply(&self) -> bool {
        matches!(self.notified, Some(Notified { reply: Reply::Static | Reply::Kept, .. }))
    }

    /// Applies an event as the transition table requires.
    #[inline]
    pub(super) fn apply(&mut self, event: Event) -> Result<(), IllegalEvent<State>> {
        self.state = self.state.transition(event)?;
        Ok(())
    }

    /// Returns the token of the current work.
    pub(super) const fn work_token(&self) -> WorkToken {
        WorkToken { session_id: self.id, number: self.token_number }
    }

    /// Begins work under a new token.
    #[inline]
    pub(super) fn begin_work(&mut self, pending: Pending, timeout: Duration, now: Duration) {
        self.pending = Some(pending);
        self.token_number = self.token_number.wrapping_add(1);
        self.extend_work(timeout, now);
    }

    /// Postpones the timeout of the work in progress.
    #[inline]
    pub(super) fn extend_work(&mut self, timeout: Duration, now: Duration) {
        self.work_deadline = PackedDuration::new(now.saturating_add(timeout));
    }

    /// Ends the work; its token becomes stale.
    #[inline]
    pub(super) fn end_work(&mut self) {
        self.pending = None;
        (self.remaining, self.unread_body) = (0, PackedUnreadBody::NONE);
        self.work_deadline = PackedDuration::ZERO;
    }
}
