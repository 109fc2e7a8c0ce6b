//! The states of an observed session, and the transition table with the rules of sequence.

use super::SequenceRule;
use crate::state_machine::{StateMachine, named, rows_in_order};

named! {
    /// The state of an observed session.
    pub enum State {
        /// Unknown: the observer started late and has seen no message of the session, or it missed
        /// the response to a Close-Session or Cancel-Session.
        Unknown "unknown",
        /// The conversation has had no session so far.
        NoSession "no-session",
        /// The server issued the session or accepted a request of it.
        Open "open",
        /// The client sent Close-Session. The result is not known yet.
        Closing "closing",
        /// The client sent Cancel-Session. The result is not known yet.
        Cancelling "cancelling",
        /// The server closed the session.
        Closed "closed",
        /// The server cancelled the session.
        Cancelled "cancelled",
        /// The server does not know the session any more.
        Lost "lost",
    }
}

named! {
    /// An observed message.
    pub enum Event {
        /// A Ping.
        Ping "ping",
        /// A Create-Session.
        Create "create",
        /// A Fragment.
        Fragment "fragment",
        /// A Close-Session.
        Close "close",
        /// A Cancel-Session.
        Cancel "cancel",
        /// A successful Ack for a Ping.
        Pinged "pinged",
        /// A successful Ack for a Create-Session: a new session.
        Created "created",
        /// A successful Ack for a Fragment.
        Received "received",
        /// A successful Ack for a Close-Session.
        Closed "closed",
        /// A successful Ack for a Cancel-Session.
        Cancelled "cancelled",
        /// A refusal that does not end the session.
        Refused "refused",
        /// A refusal with the code `BG_E_SESSION_NOT_FOUND`.
        NotFound "not-found",
    }
}

/// The next state, or the rule that the event violates. A violation does not change the state.
type Cell = Result<State, SequenceRule>;

const STATES: usize = State::ALL.len();
const EVENTS: usize = Event::ALL.len();

const UNK: Cell = Ok(State::Unknown);
const NOS: Cell = Ok(State::NoSession);
const OPN: Cell = Ok(State::Open);
const CLG: Cell = Ok(State::Closing);
const CAG: Cell = Ok(State::Cancelling);
const CLD: Cell = Ok(State::Closed);
const CAD: Cell = Ok(State::Cancelled);
const LST: Cell = Ok(State::Lost);
const BEFORE: Cell = Err(SequenceRule::RequestBeforeCreate);
const AFTER_: Cell = Err(SequenceRule::RequestAfterEnd);
const CLOSE_: Cell = Err(SequenceRule::FragmentAfterClose);
const CANCEL: Cell = Err(SequenceRule::RequestAfterCancel);
const NO_SES: Cell = Err(SequenceRule::AcceptedWithoutSession);
const ENDED_: Cell = Err(SequenceRule::AcceptedAfterEnd);

/// The next state for each state and event, or the rule that the event violates in that state.
#[rustfmt::skip]
pub const TABLE: [(State, [Cell; EVENTS]); STATES] = {
    use State::*;
    [
        //            requests                             | responses
        //            Ping Crea Fragment Close   Cancel      Ping Crea Received Closed  Cancelled Refu NotF
        (Unknown,    [UNK, UNK, OPN,    CLG,    CAG,         UNK, OPN, OPN,    CLD,    CAD,    UNK, LST]),
        (NoSession,  [NOS, NOS, BEFORE, BEFORE, BEFORE,      NOS, OPN, NO_SES, NO_SES, NO_SES, NOS, NOS]),
        (Open,       [OPN, OPN, OPN,    CLG,    CAG,         OPN, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Closing,    [CLG, CLG, CLOSE_, CLG,    CAG,         CLG, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Cancelling, [CAG, CAG, CANCEL, CANCEL, CAG,         CAG, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Closed,     [CLD, CLD, AFTER_, AFTER_, AFTER_,      CLD, OPN, ENDED_, ENDED_, ENDED_, CLD, CLD]),
        (Cancelled,  [CAD, CAD, AFTER_, AFTER_, AFTER_,      CAD, OPN, ENDED_, ENDED_, ENDED_, CAD, CAD]),
        (Lost,       [LST, LST, AFTER_, AFTER_, AFTER_,      LST, OPN, ENDED_, ENDED_, ENDED_, LST, LST]),
    ]
};

rows_in_order!(TABLE);

impl StateMachine for State {
    type Event = Event;

    const STATES: &'static [Self] = Self::ALL;
    const EVENTS: &'static [Event] = Event::ALL;

    fn next(self, event: Event) -> Option<Self> {
        self.try_next(event).ok()
    }
}

impl State {
    /// Returns the next state.
    ///
    /// # Errors
    ///
    /// The rule that the event violates.
    pub(super) fn try_next(self, event: Event) -> Result<Self, SequenceRule> {
        let row = TABLE.get(self as usize).map(|(_, row)| row);
        row.and_then(|row| row.get(event as usize)).copied().unwrap_or(Ok(self))
    }

    /// Returns true if the session is closed, cancelled or lost.
    pub(super) const fn has_ended(self) -> bool {
        match self {
            Self::Closed | Self::Cancelled | Self::Lost => true,
            Self::Unknown | Self::NoSession | Self::Open | Self::Closing | Self::Cancelling => {
                false
            }
        }
    }
}
