//! The states of a server's session, and the table of what may happen in them.

use crate::state_machine::{machine, named};

named! {
    /// [3.2.1.4] Where a session stands.
    ///
    /// `STATE_INIT` has no counterpart: a session is made in one step.
    pub enum State {
        /// Waits for bytes (`STATE_RECEIVE_FRAGMENTS`).
        Receiving "receiving",
        /// The host stores a fragment (`STATE_RECEIVE_FRAGMENTS`).
        Storing "storing",
        /// All bytes are there; the host tells the server application (`STATE_NOTIFY`).
        Notifying "notifying",
        /// All bytes are there; the server application could not be told yet
        /// (`STATE_RECEIVE_FRAGMENTS`, `UploadComplete`).
        Unnotified "unnotified",
        /// Waits for Close-Session (`STATE_WAIT_FOR_CLOSE`).
        WaitForClose "wait-for-close",
        /// The host puts the entity at its destination, on the last fragment.
        Committing "committing",
        /// The entity is at its destination; waits for Close-Session (`STATE_WAIT_FOR_CLOSE`).
        Committed "committed",
        /// The host puts the entity at its destination, on Close-Session (`STATE_COMPLETE`).
        Closing "closing",
        /// The host deletes what is left (`STATE_COMPLETE`, `STATE_CANCEL`).
        Discarding "discarding",
        /// There is no such session any more.
        Ended "ended",
    }
}

named! {
    /// What can happen to a session.
    pub enum Event {
        /// A Ping, or a request that is answered with an error and changes nothing.
        Answered "answered",
        /// A fragment with bytes that are not held yet.
        Fragment "fragment",
        /// A fragment whose bytes are all held.
        Repeated "repeated",
        /// The entity is whole, and the server application is to be told: the last byte was
        /// stored, an empty entity was closed, or it is tried again.
        Complete "complete",
        /// The entity is to be put at its destination without waiting for Close-Session.
        Commit "commit",
        /// Close-Session of a whole entity.
        Close "close",
        /// Close-Session of an entity that is not whole.
        CloseEarly "close-early",
        /// Cancel-Session.
        Cancel "cancel",
        /// The host stored bytes of a fragment, but not all.
        Stored "stored",
        /// The host stored all bytes of a fragment, and more have to follow.
        FragmentStored "fragment-stored",
        /// The server application was told, or there is none.
        Notified "notified",
        /// The entity is at its destination, or does not belong there.
        Committed "committed",
        /// Nothing is left.
        Discarded "discarded",
        /// The host could not do what it was asked to.
        Failed "failed",
        /// The stored bytes are gone.
        EntityLost "entity-lost",
        /// Nobody works on the request any more.
        Interrupted "interrupted",
        /// The session timed out.
        Timeout "timeout",
    }
}

const STATES: usize = State::ALL.len();
const EVENTS: usize = Event::ALL.len();

const REC: Option<State> = Some(State::Receiving);
const STO: Option<State> = Some(State::Storing);
const NOT: Option<State> = Some(State::Notifying);
const UNN: Option<State> = Some(State::Unnotified);
const WAI: Option<State> = Some(State::WaitForClose);
const CNG: Option<State> = Some(State::Committing);
const CTD: Option<State> = Some(State::Committed);
const CLO: Option<State> = Some(State::Closing);
const DIS: Option<State> = Some(State::Discarding);
const END: Option<State> = Some(State::Ended);
/// Illegal.
const ___: Option<State> = None;

/// The table: where each event leads from each state.
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; EVENTS]); STATES] = {
    use State::*;
    [
        //              requests                                | what the host reports                         | time
        //              Ans  Fra  Rep  Cpl  Com  Clo  Ear  Can    Sto  Fst  Not  Pla  Dis  Fai  Los  Int    Tim
        (Receiving,    [REC, STO, REC, NOT, ___, ___, DIS, DIS,   ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Storing,      [STO, ___, ___, NOT, ___, ___, ___, ___,   STO, REC, ___, ___, ___, REC, DIS, REC,   ___]),
        (Notifying,    [NOT, ___, ___, ___, ___, ___, ___, ___,   ___, ___, WAI, ___, ___, UNN, DIS, UNN,   ___]),
        (Unnotified,   [UNN, ___, UNN, NOT, ___, ___, ___, DIS,   ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (WaitForClose, [WAI, ___, WAI, ___, CNG, CLO, ___, DIS,   ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Committing,   [CNG, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, CTD, ___, WAI, DIS, WAI,   ___]),
        (Committed,    [CTD, ___, CTD, ___, ___, DIS, ___, DIS,   ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Closing,      [CLO, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, DIS, ___, WAI, DIS, WAI,   ___]),
        (Discarding,   [DIS, ___, ___, ___, ___, DIS, ___, DIS,   ___, ___, ___, ___, END, DIS, ___, DIS,   DIS]),
        (Ended,        [END, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___, ___, ___, ___,   ___]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// Whether the host works on a request: it stores, notifies, commits or discards.
    #[must_use]
    pub const fn is_work(self) -> bool {
        match self {
            Self::Storing
            | Self::Notifying
            | Self::Committing
            | Self::Closing
            | Self::Discarding => true,
            Self::Receiving
            | Self::Unnotified
            | Self::WaitForClose
            | Self::Committed
            | Self::Ended => false,
        }
    }

    /// Whether all bytes of the entity were received.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        match self {
            Self::Notifying
            | Self::Unnotified
            | Self::WaitForClose
            | Self::Committing
            | Self::Committed
            | Self::Closing => true,
            Self::Receiving | Self::Storing | Self::Discarding | Self::Ended => false,
        }
    }
}
