//! States, events and transition table of a session.

use crate::state_machine::{machine, named};

named! {
    /// [3.2.1.4] State of a session.
    ///
    /// `STATE_INIT` has no counterpart: a session is created in one step.
    pub enum State {
        /// Waiting for bytes (`STATE_RECEIVE_FRAGMENTS`).
        Receiving "receiving",
        /// A fragment is being stored (`STATE_RECEIVE_FRAGMENTS`).
        Storing "storing",
        /// The entity is complete, and the server application is being notified (`STATE_NOTIFY`).
        Notifying "notifying",
        /// The server application has accepted the entity, and its reply is being stored
        /// (`STATE_NOTIFY`).
        Replying "replying",
        /// The entity is complete, and the notification has failed so far (`STATE_RECEIVE_FRAGMENTS`,
        /// `UploadComplete`).
        Unnotified "unnotified",
        /// The server application has accepted the entity, and its reply has not been stored so far
        /// (`STATE_RECEIVE_FRAGMENTS`, `UploadComplete`). The application is not notified again.
        Accepted "accepted",
        /// Waiting for Close-Session (`STATE_WAIT_FOR_CLOSE`).
        WaitForClose "wait-for-close",
        /// The entity is being published before Close-Session.
        Committing "committing",
        /// The entity is published; waiting for Close-Session (`STATE_WAIT_FOR_CLOSE`).
        Committed "committed",
        /// The entity is being published at Close-Session (`STATE_COMPLETE`).
        Closing "closing",
        /// The remaining data is being deleted (`STATE_COMPLETE`, `STATE_CANCEL`).
        Discarding "discarding",
        /// The session has ended.
        Ended "ended",
    }
}

named! {
    /// Event of a session.
    pub enum Event {
        /// A Ping, or a request that is refused without a change.
        Answered "answered",
        /// A fragment with new bytes.
        Fragment "fragment",
        /// A fragment without new bytes.
        Repeated "repeated",
        /// The entity is complete and the server application is to be notified: the last byte was stored,
        /// an empty entity was closed, or the notification is repeated.
        Complete "complete",
        /// The reply of the server application, which has accepted the entity, is to be stored.
        KeepReply "keep-reply",
        /// The entity is to be published before Close-Session.
        Commit "commit",
        /// Close-Session of a complete entity.
        Close "close",
        /// Close-Session of an incomplete entity.
        CloseEarly "close-early",
        /// Cancel-Session.
        Cancel "cancel",
        /// A part of a fragment was stored.
        Stored "stored",
        /// A fragment was stored completely, and the entity is incomplete.
        FragmentStored "fragment-stored",
        /// The server application accepted the entity, and its reply is not stored yet.
        Accepted "accepted",
        /// The server application accepted the entity and has no reply to store, or there is no
        /// application.
        Notified "notified",
        /// The reply of the server application is stored, or is lost.
        ReplyStored "reply-stored",
        /// The entity was published, or is not to be.
        Committed "committed",
        /// The remaining data was deleted.
        Discarded "discarded",
        /// The work of a step failed.
        Failed "failed",
        /// The staged bytes are lost.
        EntityLost "entity-lost",
        /// The work of a request was aborted or timed out.
        Interrupted "interrupted",
        /// The session expired.
        Timeout "timeout",
    }
}

const STATES: usize = State::ALL.len();
const EVENTS: usize = Event::ALL.len();

const REC: Option<State> = Some(State::Receiving);
const STO: Option<State> = Some(State::Storing);
const NOT: Option<State> = Some(State::Notifying);
const RPL: Option<State> = Some(State::Replying);
const UNN: Option<State> = Some(State::Unnotified);
const ACC: Option<State> = Some(State::Accepted);
const WAI: Option<State> = Some(State::WaitForClose);
const CNG: Option<State> = Some(State::Committing);
const CTD: Option<State> = Some(State::Committed);
const CLO: Option<State> = Some(State::Closing);
const DIS: Option<State> = Some(State::Discarding);
const END: Option<State> = Some(State::Ended);
/// Illegal.
const ___: Option<State> = None;

/// Transition table: the next state for each state and event.
#[doc(hidden)]
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; EVENTS]); STATES] = {
    use State::*;
    [
        //              requests                                     | reports of the embedder                                 | time
        //              Ans  Fra  Rep  Cpl  Kee  Com  Clo  Ear  Can    Sto  Fst  Acc  Not  Rst  Cmd  Dis  Fai  Los  Int    Tim
        (Receiving,    [REC, STO, REC, NOT, ___, ___, ___, DIS, DIS,   ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Storing,      [STO, ___, ___, NOT, ___, ___, ___, ___, ___,   STO, REC, ___, ___, ___, ___, ___, REC, DIS, REC,   ___]),
        (Notifying,    [NOT, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, RPL, WAI, ___, ___, ___, UNN, DIS, UNN,   ___]),
        (Replying,     [RPL, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, RPL, WAI, WAI, ___, ___, ACC, DIS, ACC,   ___]),
        (Unnotified,   [UNN, ___, UNN, NOT, ___, ___, ___, ___, DIS,   ___, ___, ACC, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Accepted,     [ACC, ___, ___, ___, RPL, ___, ___, ___, DIS,   ___, ___, ACC, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (WaitForClose, [WAI, ___, WAI, ___, ___, CNG, CLO, ___, DIS,   ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Committing,   [CNG, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___, CTD, ___, WAI, DIS, WAI,   ___]),
        (Committed,    [CTD, ___, CTD, ___, ___, ___, DIS, ___, DIS,   ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   DIS]),
        (Closing,      [CLO, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___, DIS, ___, WAI, DIS, WAI,   ___]),
        (Discarding,   [DIS, ___, ___, ___, ___, ___, DIS, ___, DIS,   ___, ___, ___, ___, ___, ___, END, DIS, ___, DIS,   DIS]),
        (Ended,        [END, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// Returns `true` if a step is in progress: storing, notifying, keeping the reply, publishing or
    /// deleting.
    #[must_use]
    pub const fn is_work(self) -> bool {
        match self {
            Self::Storing
            | Self::Notifying
            | Self::Replying
            | Self::Committing
            | Self::Closing
            | Self::Discarding => true,
            Self::Receiving
            | Self::Unnotified
            | Self::Accepted
            | Self::WaitForClose
            | Self::Committed
            | Self::Ended => false,
        }
    }

    /// Returns `true` if all bytes of the entity were received and the session has not ended.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        match self {
            Self::Notifying
            | Self::Replying
            | Self::Unnotified
            | Self::Accepted
            | Self::WaitForClose
            | Self::Committing
            | Self::Committed
            | Self::Closing => true,
            Self::Receiving | Self::Storing | Self::Discarding | Self::Ended => false,
        }
    }
}
