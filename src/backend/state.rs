//! The states of a notification, and the table of what may happen in them.

use crate::state_machine::{machine, named};

named! {
    /// [3.3.1.1] Back-End Client's State: where a notification stands.
    ///
    /// `STATE_INIT` has no counterpart: a notification is made in one step.
    ///
    /// Source: \[MC-BUP\] 3.3.1.1.
    pub enum State {
        /// The head of the request is sent (`STATE_SEND_HEADERS`).
        SendHeaders "send-headers",
        /// The entity is sent (`STATE_SEND_DATA`).
        SendData "send-data",
        /// Waits for the head of the response (`STATE_RECEIVE_HEADERS`).
        ReceiveHeaders "receive-headers",
        /// Receives the body of the response (`STATE_RECEIVE_DATA`).
        ReceiveData "receive-data",
        /// By reference: only the host can tell whether the application wrote a reply
        /// (`STATE_COMPLETE`, before it reports anything).
        FindReply "find-reply",
        /// The application took the entity (`STATE_COMPLETE`).
        Complete "complete",
        /// It did not, or nobody knows whether it did (`STATE_ERROR`).
        Error "error",
    }
}

named! {
    /// [3.3.5.2] Action for States: what can happen to a notification.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2, 3.3.6.
    pub enum Event {
        /// By value: the head was sent, and the entity follows.
        HeadersSent "headers-sent",
        /// By reference: the head was sent, which is all.
        RequestSent "request-sent",
        /// By value: bytes of the entity were sent, but not all.
        DataPiece "data-piece",
        /// By value: all bytes of the entity were sent.
        DataSent "data-sent",
        /// By value: a success, and its body follows.
        SuccessByValue "success-by-value",
        /// By reference: a success without a static URL.
        SuccessByReference "success-by-reference",
        /// By reference: a success with a static URL.
        SuccessStatic "success-static",
        /// Bytes of the response's body were received, but not all.
        ReplyPiece "reply-piece",
        /// The body of the response ended.
        ReplyReceived "reply-received",
        /// The host has looked for the reply.
        ReplyLookedUp "reply-looked-up",
        /// The application answered with a status that is no success.
        Refused "refused",
        /// The response could not be read.
        InvalidResponse "invalid-response",
        /// The connection failed.
        TransportFailure "transport-failure",
        /// The host could not read or write on its own side.
        ReadFailure "read-failure",
        /// A timer expired.
        Timeout "timeout",
    }
}

const STATES: usize = State::ALL.len();
const EVENTS: usize = Event::ALL.len();

const SDA: Option<State> = Some(State::SendData);
const RHE: Option<State> = Some(State::ReceiveHeaders);
const RDA: Option<State> = Some(State::ReceiveData);
const FND: Option<State> = Some(State::FindReply);
const COM: Option<State> = Some(State::Complete);
const ERR: Option<State> = Some(State::Error);
/// Illegal.
const ___: Option<State> = None;

/// [3.3.5.2] The table: where each event leads from each state.
///
/// The application may refuse before it was sent everything, as HTTP allows: its status says more
/// than the failure to send that follows. It cannot accept what it was not sent. A timer that
/// fires when none runs is no event, so it is illegal nowhere.
///
/// Source: \[MC-BUP\] 3.3.5.2, 3.3.6.
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; EVENTS]); STATES] = {
    use State::*;
    [
        //                sent                    | answered                                | went wrong
        //                Hea  Req  Dpi  Dse    Val  Ref  Sta  Rpi  Rre  Loo    Rfd  Inv  Tra  Rea  Tim
        (SendHeaders,    [SDA, RHE, ___, ___,   ___, ___, ___, ___, ___, ___,   ERR, ___, ERR, ERR, ERR]),
        (SendData,       [___, ___, SDA, RHE,   ___, ___, ___, ___, ___, ___,   ERR, ___, ERR, ERR, ERR]),
        (ReceiveHeaders, [___, ___, ___, ___,   RDA, FND, COM, ___, ___, ___,   ERR, ERR, ERR, ___, ERR]),
        (ReceiveData,    [___, ___, ___, ___,   ___, ___, ___, RDA, COM, ___,   ___, ___, ERR, ERR, ERR]),
        (FindReply,      [___, ___, ___, ___,   ___, ___, ___, ___, ___, COM,   ___, ___, ___, ERR, ___]),
        (Complete,       [___, ___, ___, ___,   ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
        (Error,          [___, ___, ___, ___,   ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// [3.3.5.2] Whether the notification is over: it is complete, or it failed.
    ///
    /// Source: \[MC-BUP\] 3.3.5.2.6, 3.3.5.2.7.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Complete | Self::Error => true,
            Self::SendHeaders
            | Self::SendData
            | Self::ReceiveHeaders
            | Self::ReceiveData
            | Self::FindReply => false,
        }
    }
}
