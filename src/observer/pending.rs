//! The requests without a response so far.

use crate::field::ContentRange;
use crate::message::MessageKind;

/// The session that a request refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionRef {
    /// No session: the request needs none, its session id is invalid, or no session exists.
    None,
    /// The session with this serial number.
    Session(u32),
    /// A session that the server did not issue.
    Unknown,
}

/// A request without a response so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingRequest {
    /// A request that does not belong to this protocol.
    Unrelated,
    /// A request that was not observed.
    Missed,
    /// A notification of a server application.
    Notification { by_reference: bool },
    /// A request of this protocol.
    Packet(Packet),
}

/// A request of this protocol, and the state of its session when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// The position among all packets of the conversation.
    pub(super) number: u32,
    /// The kind of packet, if it is known.
    pub(super) kind: Option<MessageKind>,
    /// True if the packet has no error.
    pub(super) is_valid: bool,
    pub(super) session_ref: SessionRef,
    pub(super) range: Option<ContentRange>,
    /// True if the fragment starts beyond all bytes sent before it.
    pub(super) leaves_gap: bool,
    /// True if the session had already ended.
    pub(super) had_ended: bool,
    /// The offset that the server expected.
    pub(super) next: Option<u64>,
    /// The end of the bytes that were sent without a gap before it.
    pub(super) sent_up_to: Option<u64>,
    /// The number of bytes of the body that arrived, if the body ended early.
    pub(super) arrived: Option<u64>,
}

impl Packet {
    pub(super) const fn new(number: u32, kind: Option<MessageKind>, is_valid: bool) -> Self {
        Self {
            number,
            kind,
            is_valid,
            session_ref: SessionRef::None,
            range: None,
            leaves_gap: false,
            had_ended: false,
            next: None,
            sent_up_to: None,
            arrived: None,
        }
    }

    /// Returns the end of the bytes that the server can have, if it did not receive all bytes of
    /// the fragment.
    ///
    /// If the bytes before the fragment are unknown, they end at the offset that the server
    /// expected, or at the start of the fragment.
    pub(super) fn held_up_to(&self) -> Option<u64> {
        let (range, arrived) = (self.range?, self.arrived?);
        let before = self.sent_up_to.or(self.next).unwrap_or_default();
        Some(range.first().saturating_add(arrived).min(range.end()).max(before))
    }

    /// Returns true for packets that carry a session id.
    pub(super) const fn needs_session(&self) -> bool {
        matches!(
            self.kind,
            Some(MessageKind::Fragment | MessageKind::CloseSession | MessageKind::CancelSession)
        )
    }
}

/// One pending request, or several unrelated ones in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    connection: u32,
    request: PendingRequest,
    /// Number of requests in a row. Exceeds 1 for unrelated requests only.
    count: u32,
    /// The overlap with a later packet that was reported last.
    reported: Option<PendingOn>,
}

/// The pending requests of all connections, oldest first.
///
/// A connection whose requests exceed the space is untracked until it ends: its responses cannot be
/// assigned to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRequests {
    entries: [Option<Entry>; 8],
    untracked: [Option<u32>; 4],
    /// True if there are more untracked connections than space: then all connections are untracked.
    all_untracked: bool,
}

/// The connection of a packet that is pending while another packet is sent.
///
/// Ordered by severity of the violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PendingOn {
    OtherConnection,
    SameConnection,
}

impl PendingRequests {
    pub(super) const EMPTY: Self =
        Self { entries: [None; 8], untracked: [None; 4], all_untracked: false };

    /// Adds a request, and returns true if this or an earlier request had to be dropped.
    pub(super) fn push(&mut self, connection: u32, request: PendingRequest) -> bool {
        if self.is_untracked(connection) {
            return true;
        }
        let of_connection =
            self.entries.iter_mut().flatten().filter(|it| it.connection == connection);
        match of_connection.last() {
            Some(last)
                if last.request == PendingRequest::Unrelated
                    && request == PendingRequest::Unrelated =>
            {
                last.count = last.count.saturating_add(1);
                return false;
            }
            _ => {}
        }
        let entry = Entry { connection, request, count: 1, reported: None };
        if let Some(slot) = self.entries.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(entry);
            return false;
        }
        let oldest = self.entries.iter().flatten().next().map_or(connection, |it| it.connection);
        self.remove(oldest);
        match self.untracked.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(oldest),
            None => self.all_untracked = true,
        }
        self.push(connection, request);
        true
    }

    /// Returns the latest request on a connection.
    pub(super) fn latest_mut(&mut self, connection: u32) -> Option<&mut PendingRequest> {
        let entries = self.entries.iter_mut().rev().flatten();
        entries
            .map(|it| (it.connection, &mut it.request))
            .find(|(of, _)| *of == connection)
            .map(|(_, request)| request)
    }

    /// Removes and returns the oldest request on a connection.
    pub(super) fn take(&mut self, connection: u32) -> Option<PendingRequest> {
        let is_of_connection =
            |slot: &&mut Option<Entry>| slot.is_some_and(|it| it.connection == connection);
        let slot = self.entries.iter_mut().find(is_of_connection)?;
        let entry = slot.as_mut()?;
        let request = entry.request;
        match entry.count.checked_sub(1) {
            Some(count @ 1..) => entry.count = count,
            _ => {
                *slot = None;
                self.compact();
            }
        }
        Some(request)
    }

    /// Removes a connection that ended, and returns true if a packet was pending on it.
    pub(super) fn remove_connection(&mut self, connection: u32) -> bool {
        for slot in &mut self.untracked {
            *slot = slot.filter(|untracked| *untracked != connection);
        }
        self.remove(connection)
    }

    /// Returns true if responses on this connection cannot be assigned to requests.
    pub(super) fn is_untracked(&self, connection: u32) -> bool {
        self.all_untracked || self.untracked.contains(&Some(connection))
    }

    /// Returns the connection of a pending packet when another packet is sent on `connection`.
    ///
    /// Each pending packet counts once for each kind of connection.
    pub(super) fn report_overlap(&mut self, connection: u32) -> Option<PendingOn> {
        let mut worst = None;
        for entry in self.entries.iter_mut().flatten() {
            let pending_on = Some(if entry.connection == connection {
                PendingOn::SameConnection
            } else {
                PendingOn::OtherConnection
            });
            if matches!(entry.request, PendingRequest::Packet(_)) && entry.reported < pending_on {
                entry.reported = pending_on;
                worst = worst.max(pending_on);
            }
        }
        worst
    }

    fn remove(&mut self, connection: u32) -> bool {
        let mut had_packet = false;
        for slot in &mut self.entries {
            if let Some(entry) = slot.take_if(|it| it.connection == connection) {
                had_packet |= matches!(entry.request, PendingRequest::Packet(_));
            }
        }
        self.compact();
        had_packet
    }

    /// Moves the entries to the front and keeps their order.
    fn compact(&mut self) {
        let mut kept = self.entries.into_iter().flatten();
        self.entries = core::array::from_fn(|_| kept.next());
    }
}
