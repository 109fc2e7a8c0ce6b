//! The requests that are still to be answered.

use crate::field::ContentRange;
use crate::message::MessageKind;

/// Which session a request named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionRef {
    /// None: it needs none, or it could not be read, or there is none.
    None,
    /// The one with this serial number.
    Session(u32),
    /// One that nobody has issued.
    Unknown,
}

/// A request that is still to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingRequest {
    /// Something else than this protocol.
    Foreign,
    /// A notification of the server application, by reference or not.
    Notification { by_reference: bool },
    /// One of the five requests.
    Packet(Packet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Its number among the requests.
    pub(super) number: u32,
    /// Which of the five, if that could be told.
    pub(super) kind: Option<MessageKind>,
    /// Whether nothing was wrong with it.
    pub(super) is_valid: bool,
    pub(super) named: SessionRef,
    pub(super) range: Option<ContentRange>,
    /// Whether it began beyond everything that was sent.
    pub(super) leaves_gap: bool,
    /// Whether the session had ended when it was sent.
    pub(super) had_ended: bool,
    /// The offset that the server had named when it was sent.
    pub(super) next: Option<u64>,
}

impl Packet {
    pub(super) const fn new(number: u32, kind: Option<MessageKind>, is_valid: bool) -> Self {
        Self {
            number,
            kind,
            is_valid,
            named: SessionRef::None,
            range: None,
            leaves_gap: false,
            had_ended: false,
            next: None,
        }
    }

    /// Whether it is about a session, and its answer may be.
    pub(super) const fn needs_session(&self) -> bool {
        matches!(
            self.kind,
            Some(MessageKind::Fragment | MessageKind::CloseSession | MessageKind::CancelSession)
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    connection: u32,
    asked: PendingRequest,
    /// How many in a row; more than one only of what is foreign.
    count: u32,
    /// The nearest place from which it was said that the client did not wait for its answer.
    noted: Option<Waiting>,
}

/// The requests that are still to be answered, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRequests {
    entries: [Option<Entry>; 8],
    /// Connections with more than find a place: what comes on them is paired with nothing any more.
    untracked: [Option<u32>; 4],
    /// Whether there were more such connections than find a place: then it is so on all.
    is_overrun: bool,
}

/// A packet is sent while others wait for their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waiting {
    /// On another connection.
    Elsewhere,
    /// On the same one.
    Here,
}

impl PendingRequests {
    pub(super) const NONE: Self =
        Self { entries: [None; 8], untracked: [None; 4], is_overrun: false };

    /// Remembers one more; whether that cost the memory of others.
    pub(super) fn push(&mut self, connection: u32, asked: PendingRequest) -> bool {
        if self.is_blind(connection) {
            return true;
        }
        let of_connection =
            self.entries.iter_mut().flatten().filter(|it| it.connection == connection);
        match of_connection.last() {
            Some(last)
                if last.asked == PendingRequest::Foreign && asked == PendingRequest::Foreign =>
            {
                last.count = last.count.saturating_add(1);
                return false;
            }
            _ => {}
        }
        let entry = Entry { connection, asked, count: 1, noted: None };
        if let Some(slot) = self.entries.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(entry);
            return false;
        }
        let oldest = self.entries.iter().flatten().next().map_or(connection, |it| it.connection);
        self.remove(oldest);
        match self.untracked.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(oldest),
            None => self.is_overrun = true,
        }
        self.push(connection, asked);
        true
    }

    /// The one that an answer on this connection belongs to.
    pub(super) fn take(&mut self, connection: u32) -> Option<PendingRequest> {
        let is_here =
            |slot: &&mut Option<Entry>| slot.is_some_and(|it| it.connection == connection);
        let slot = self.entries.iter_mut().find(is_here)?;
        let entry = slot.as_mut()?;
        let asked = entry.asked;
        match entry.count.checked_sub(1) {
            Some(count @ 1..) => entry.count = count,
            _ => {
                *slot = None;
                self.compact();
            }
        }
        Some(asked)
    }

    /// Forgets a connection; whether a packet on it was still to be answered.
    pub(super) fn end(&mut self, connection: u32) -> bool {
        for slot in &mut self.untracked {
            *slot = slot.filter(|untracked| *untracked != connection);
        }
        self.remove(connection)
    }

    /// Whether what comes on this connection is paired with nothing.
    pub(super) fn is_blind(&self, connection: u32) -> bool {
        self.is_overrun || self.untracked.contains(&Some(connection))
    }

    /// Where packets wait for their answers while another is sent on this connection; that is told
    /// once of each.
    pub(super) fn note_waiting(&mut self, connection: u32) -> Option<Waiting> {
        let mut told = None;
        for entry in self.entries.iter_mut().flatten() {
            let is_here = entry.connection == connection;
            let place = Some(if is_here { Waiting::Here } else { Waiting::Elsewhere });
            if matches!(entry.asked, PendingRequest::Packet(_)) && entry.noted < place {
                entry.noted = place;
                told = told.max(place);
            }
        }
        told
    }

    fn remove(&mut self, connection: u32) -> bool {
        let mut had_packet = false;
        for slot in &mut self.entries {
            if let Some(entry) = slot.take_if(|it| it.connection == connection) {
                had_packet |= matches!(entry.asked, PendingRequest::Packet(_));
            }
        }
        self.compact();
        had_packet
    }

    /// Moves the others up, so that they stay in their order.
    fn compact(&mut self) {
        let mut kept = self.entries.into_iter().flatten();
        self.entries = core::array::from_fn(|_| kept.next());
    }
}
