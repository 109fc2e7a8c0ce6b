//! The states of a notification and the table of their transitions.

use crate::state_machine::{machine, named};

named! {
    /// [3.3.1.1] Back-End Client's State: the state of a notification.
    ///
    /// `STATE_INIT` has no counterpart: a new notification is ready to be sent.
    ///
    /// Source: \[MC-BUP\] 3.3.1.1.
    pub enum State {
        /// The head of the request is being sent (`STATE_SEND_HEADERS`).
        SendHeaders "send-headers",
        /// The entity is being sent (`STATE_SEND_DATA`).
        SendData "send-data",
        /// The application accepted the entity early, and the rest of the entity is being sent.
        SendRest "send-rest",
        /// The head of the response has not arrived (`STATE_RECEIVE_HEADERS`).
        ReceiveHeaders "receive-headers",
        /// The body of the response is being received (`STATE_RECEIVE_DATA`).
        ReceiveData "receive-data",
        /// By reference: the caller checks whether the application wrote a reply (`STATE_COMPLETE`,
        /// before it reports anything).
        FindReply "find-reply",
        /// The application accepted the entity (`STATE_COMPLETE`).
        Complete "complete",
        /// The notification failed (`STATE_ERROR`).
        Error "error",
    }
}

named! {
    /// [3.3.5.2] Action for States: an event that can change the state of a notification.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2, 3.3.6.
    pub enum Event {
        /// By value: the head was sent, and the entity follows.
        HeadersSent "headers-sent",
        /// By reference: the head was sent, which completes the request.
        RequestSent "request-sent",
        /// By value: a part of the entity was sent.
        DataPiece "data-piece",
        /// By value: the rest of the entity was sent.
        DataSent "data-sent",
        /// By value: the application sent a success, and its body follows.
        SuccessByValue "success-by-value",
        /// By reference: the application sent a success without a static URL.
        SuccessByReference "success-by-reference",
        /// By reference: the application sent a success with a static URL.
        SuccessStatic "success-static",
        /// A part of the response's body was received.
        ReplyPiece "reply-piece",
        /// The body of the response ended.
        ReplyReceived "reply-received",
        /// The caller checked for the reply file.
        ReplyLookedUp "reply-looked-up",
        /// The application sent an error status.
        Rejected "rejected",
        /// The response was invalid.
        InvalidResponse "invalid-response",
        /// The connection failed.
        TransportFailure "transport-failure",
        /// The caller could not read the entity, or could not read or write the reply.
        StorageFailure "storage-failure",
        /// A timer expired.
        Timeout "timeout",
    }
}

const STATES: usize = State::ALL.len();
const EVENTS: usize = Event::ALL.len();

const SDA: Option<State> = Some(State::SendData);
const RST: Option<State> = Some(State::SendRest);
const RHE: Option<State> = Some(State::ReceiveHeaders);
const RDA: Option<State> = Some(State::ReceiveData);
const FND: Option<State> = Some(State::FindReply);
const COM: Option<State> = Some(State::Complete);
const ERR: Option<State> = Some(State::Error);
/// Illegal.
const ___: Option<State> = None;

/// [3.3.5.2] The transitions: the next state for each state and event.
///
/// As HTTP allows, the application may respond before all of the request was sent. A refusal is more
/// precise than the failure to send that follows. After a success the rest is still sent, because
/// the application may read it.
///
/// Once the application has accepted the entity, nothing leads to the state error: a caller that
/// sees a failure notifies the application again. A timeout while no timer runs is not an event.
///
/// Source: \[MC-BUP\] 3.3.5.2, 3.3.6.
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; EVENTS]); STATES] = {
    use State::*;
    [
        //                sent                    | responses                               | failures
        //                Hea  Req  Dpi  Dse    Val  Ref  Sta  Rpi  Rre  Loo    Rej  Inv  Tra  Sto  Tim
        (SendHeaders,    [SDA, RHE, ___, ___,   ___, ___, ___, ___, ___, ___,   ERR, ___, ERR, ERR, ERR]),
        (SendData,       [___, ___, SDA, RHE,   RST, ___, ___, ___, ___, ___,   ERR, ___, ERR, ERR, ERR]),
        (SendRest,       [___, ___, RST, RDA,   ___, ___, ___, ___, ___, ___,   ___, ___, RDA, RDA, RDA]),
        (ReceiveHeaders, [___, ___, ___, ___,   RDA, FND, COM, ___, ___, ___,   ERR, ERR, ERR, ___, ERR]),
        (ReceiveData,    [___, ___, ___, ___,   ___, ___, ___, RDA, COM, ___,   ___, ___, COM, COM, COM]),
        (FindReply,      [___, ___, ___, ___,   ___, ___, ___, ___, ___, COM,   ___, ___, ___, COM, ___]),
        (Complete,       [___, ___, ___, ___,   ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
        (Error,          [___, ___, ___, ___,   ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// [3.3.5.2] Returns `true` if the notification is complete or failed. No event changes such a
    /// state.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.6, 3.3.5.2.7.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Complete | Self::Error => true,
            Self::SendHeaders
            | Self::SendData
            | Self::SendRest
            | Self::ReceiveHeaders
            | Self::ReceiveData
            | Self::FindReply => false,
        }
    }
}
