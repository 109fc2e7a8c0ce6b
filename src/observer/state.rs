//! What an observer knows of a session, and the table of what may happen to it.

use super::SequenceRule;
use crate::state_machine::{StateMachine, named, rows_in_order};

named! {
    /// What is known of the session of a conversation.
    pub enum State {
        /// Nothing: the conversation began before the observer came.
        Unknown "unknown",
        /// There is none: the conversation has just begun.
        NoSession "no-session",
        /// The server has issued it, or grants its requests.
        Open "open",
        /// The client has asked to close it. What the server made of that is not known yet.
        Closing "closing",
        /// The client has asked to cancel it. What the server made of that is not known yet.
        Cancelling "cancelling",
        /// The server has closed it.
        Closed "closed",
        /// The server has cancelled it.
        Cancelled "cancelled",
        /// The server does not know it any more.
        Lost "lost",
    }
}

named! {
    /// What an observer sees.
    pub enum Event {
        /// A Ping.
        Ping "ping",
        /// Create-Session.
        Create "create",
        /// A Fragment.
        Fragment "fragment",
        /// Close-Session.
        Close "close",
        /// Cancel-Session.
        Cancel "cancel",
        /// The Ack that grants a Ping.
        Pinged "pinged",
        /// The Ack that grants a Create-Session: a new session.
        Created "created",
        /// The Ack that grants a Fragment.
        Received "received",
        /// The Ack that grants a Close-Session.
        Closed "closed",
        /// The Ack that grants a Cancel-Session.
        Cancelled "cancelled",
        /// A refusal that leaves the session as it is.
        Refused "refused",
        /// The refusal that says that there is no such session.
        NotFound "not-found",
    }
}

/// Where an event leads, or the rule it breaks: then the state stays.
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
const GRANT_: Cell = Err(SequenceRule::GrantedWithoutSession);
const GR_END: Cell = Err(SequenceRule::GrantedAfterEnd);

/// The table: where each event leads from each state, or which rule it breaks there.
#[rustfmt::skip]
pub const TABLE: [(State, [Cell; EVENTS]); STATES] = {
    use State::*;
    [
        //            requests                             | answers
        //            Ping Crea Fragment Close   Cancel      Ping Crea Received Closed  Cancelled Refu NotF
        (Unknown,    [UNK, UNK, OPN,    CLG,    CAG,         UNK, OPN, OPN,    CLD,    CAD,    UNK, LST]),
        (NoSession,  [NOS, NOS, BEFORE, BEFORE, BEFORE,      NOS, OPN, GRANT_, GRANT_, GRANT_, NOS, NOS]),
        (Open,       [OPN, OPN, OPN,    CLG,    CAG,         OPN, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Closing,    [CLG, CLG, CLOSE_, CLG,    CAG,         CLG, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Cancelling, [CAG, CAG, CANCEL, CANCEL, CAG,         CAG, OPN, OPN,    CLD,    CAD,    OPN, LST]),
        (Closed,     [CLD, CLD, AFTER_, AFTER_, AFTER_,      CLD, OPN, GR_END, GR_END, GR_END, CLD, CLD]),
        (Cancelled,  [CAD, CAD, AFTER_, AFTER_, AFTER_,      CAD, OPN, GR_END, GR_END, GR_END, CAD, CAD]),
        (Lost,       [LST, LST, AFTER_, AFTER_, AFTER_,      LST, OPN, GR_END, GR_END, GR_END, LST, LST]),
    ]
};

rows_in_order!(TABLE);

impl StateMachine for State {
    type Event = Event;

    const STATES: &'static [Self] = Self::ALL;
    const EVENTS: &'static [Event] = Event::ALL;

    fn next(self, event: Event) -> Option<Self> {
        self.follow(event).ok()
    }
}

impl State {
    /// Where the event leads, or the rule it breaks.
    pub(super) fn follow(self, event: Event) -> Result<Self, SequenceRule> {
        let row = TABLE.get(self as usize).map(|(_, row)| row);
        row.and_then(|row| row.get(event as usize)).copied().unwrap_or(Ok(self))
    }

    /// Whether the session is no more.
    pub(super) const fn has_ended(self) -> bool {
        match self {
            Self::Closed | Self::Cancelled | Self::Lost => true,
            Self::Unknown | Self::NoSession | Self::Open | Self::Closing | Self::Cancelling => {
                false
            }
        }
    }
}
