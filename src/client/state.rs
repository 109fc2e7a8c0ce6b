//! The states of an upload in two tables: the packet to send next, and the progress of a request.

use crate::state_machine::{machine, named};

named! {
    /// [3.1.1.2] The state of an upload: the packet to send next.
    ///
    /// `STATE_INIT` has no counterpart: a new upload is ready to create its session.
    pub enum State {
        /// Create-Session (`STATE_CREATE_SESSION`).
        CreateSession "create-session",
        /// Ping (`STATE_PING`).
        Ping "ping",
        /// Fragment (`STATE_FRAGMENT`).
        Fragment "fragment",
        /// No request: the caller fetches the reply (`STATE_GET_REPLY`).
        GetReply "get-reply",
        /// Close-Session (`STATE_COMPLETE`).
        Close "close",
        /// Cancel-Session (`STATE_CANCEL`).
        Cancel "cancel",
        /// No request: the entity is uploaded, and the session is closed.
        Finished "finished",
        /// No request: the upload is cancelled.
        Cancelled "cancelled",
        /// No request: the server rejected the upload, which can be resumed or cancelled (`STATE_ERROR`).
        Failed "failed",
    }
}

named! {
    /// An event that can change the state of an upload.
    pub enum Event {
        /// The caller starts to send a request.
        Begin "begin",
        /// A session was created on the same host.
        Created "created",
        /// A session was created on another host.
        CreatedOnHost "created-on-host",
        /// A Ping was acknowledged.
        Pinged "pinged",
        /// The server sent the offset that it expects next.
        Received "received",
        /// The server rejected the length of a fragment.
        SmallerFragments "smaller-fragments",
        /// The server has all bytes, and there is no reply to fetch.
        AllReceived "all-received",
        /// The server has all bytes, and there is a reply to fetch.
        ReplyDue "reply-due",
        /// The reply was fetched or skipped.
        ReplyFetched "reply-fetched",
        /// The session was closed.
        Closed "closed",
        /// The session was cancelled, or does not exist.
        Cancelled "cancelled",
        /// The server does not know the session.
        SessionLost "session-lost",
        /// A request failed, and is retried.
        TransientFailure "transient-failure",
        /// The server asked for credentials.
        Credentials "credentials",
        /// The server rejected the upload.
        PermanentFailure "permanent-failure",
        /// The fallback timer expired: the upload returns to the origin server.
        Fallback "fallback",
        /// A new connection has to be authenticated with a Ping.
        NewConnection "new-connection",
        /// The caller pauses the upload.
        Pause "pause",
        /// The caller resumes the upload.
        Resume "resume",
        /// The caller starts the upload over.
        Restart "restart",
        /// The caller cancels the upload.
        Cancel "cancel",
    }
}

const CRE: Option<State> = Some(State::CreateSession);
const PIN: Option<State> = Some(State::Ping);
const FRA: Option<State> = Some(State::Fragment);
const REP: Option<State> = Some(State::GetReply);
const CLO: Option<State> = Some(State::Close);
const CAN: Option<State> = Some(State::Cancel);
const FIN: Option<State> = Some(State::Finished);
const CLD: Option<State> = Some(State::Cancelled);
const FAI: Option<State> = Some(State::Failed);
/// Illegal.
const ___: Option<State> = None;

/// The transitions of [`State`]: the next state for each state and event.
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; Event::ALL.len()]); State::ALL.len()] = {
    use State::*;
    [
        //               responses                                                        | failures                    | caller
        //               Beg  Cre  Hos  Pin  Rec  Sma  All  Rdu  Rfe  Clo  Cnd  Los    Tra  Cred Per  Fall   New  Pau  Res  Rst  Can
        (CreateSession, [CRE, FRA, PIN, ___, ___, ___, ___, ___, ___, ___, ___, CRE,   CRE, CRE, FAI, PIN,   PIN, CRE, PIN, CRE, CAN]),
        (Ping,          [PIN, ___, ___, FRA, ___, ___, ___, ___, ___, ___, ___, CRE,   PIN, PIN, FAI, PIN,   PIN, PIN, PIN, CRE, CAN]),
        (Fragment,      [FRA, ___, ___, ___, FRA, FRA, CLO, REP, ___, ___, ___, CRE,   FRA, FRA, FAI, PIN,   PIN, FRA, PIN, CRE, CAN]),
        (GetReply,      [___, ___, ___, ___, ___, ___, ___, ___, CLO, ___, ___, ___,   REP, ___, ___, PIN,   REP, REP, PIN, CRE, CAN]),
        (Close,         [CLO, ___, ___, ___, ___, ___, ___, ___, ___, FIN, ___, CRE,   CLO, CLO, FAI, PIN,   PIN, CLO, PIN, CRE, CAN]),
        (Cancel,        [CAN, ___, ___, ___, ___, ___, ___, ___, ___, ___, CLD, ___,   CAN, CAN, CAN, CAN,   CAN, CAN, CAN, ___, CAN]),
        (Finished,      [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
        (Cancelled,     [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___,   ___, ___, ___, ___, ___]),
        (Failed,        [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, FAI,   ___, ___, PIN, CRE, CAN]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// Returns `true` if the upload is finished or cancelled. No event changes such a state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Finished | Self::Cancelled => true,
            Self::CreateSession
            | Self::Ping
            | Self::Fragment
            | Self::GetReply
            | Self::Close
            | Self::Cancel
            | Self::Failed => false,
        }
    }
}

named! {
    /// The progress of the current request and its response.
    pub enum Exchange {
        /// The request can be sent.
        Ready "ready",
        /// The request is being sent.
        Sending "sending",
        /// The request was sent; the response has not arrived.
        Awaiting "awaiting",
        /// The request failed, and waits for its retry (`STATE_ERROR`).
        BackOff "back-off",
        /// The request needs credentials (`STATE_ERROR`).
        Unauthorized "unauthorized",
        /// The upload is suspended until the caller resumes it (`STATE_SUSPEND`).
        Suspended "suspended",
    }
}

named! {
    /// An event that can change the progress of a request.
    pub enum ExchangeEvent {
        /// The caller starts to send the request.
        Begin "begin",
        /// The whole request was sent.
        Sent "sent",
        /// The response arrived.
        Answered "answered",
        /// The request failed, and is retried after a back-off.
        Failed "failed",
        /// A limit was exceeded: the upload is suspended.
        GivenUp "given-up",
        /// The server asked for credentials.
        Challenged "challenged",
        /// The caller provided credentials.
        CredentialsGiven "credentials-given",
        /// The back-off ended.
        BackoffElapsed "backoff-elapsed",
        /// The caller pauses the upload.
        Pause "pause",
        /// The request is dropped, and another one can be sent.
        Reset "reset",
    }
}

const RDY: Option<Exchange> = Some(Exchange::Ready);
const SND: Option<Exchange> = Some(Exchange::Sending);
const AWA: Option<Exchange> = Some(Exchange::Awaiting);
const OFF: Option<Exchange> = Some(Exchange::BackOff);
const UNA: Option<Exchange> = Some(Exchange::Unauthorized);
const SUS: Option<Exchange> = Some(Exchange::Suspended);
/// Illegal.
const NO_: Option<Exchange> = None;

/// The transitions of [`Exchange`]: the next value for each value and event.
#[rustfmt::skip]
pub const EXCHANGE_TABLE: [(Exchange, [Option<Exchange>; ExchangeEvent::ALL.len()]);
    Exchange::ALL.len()] = {
    use Exchange::*;
    [
        //              Beg  Sent Ans  Fai  Giv  Cha  Cred Back Pau  Res
        (Ready,        [SND, NO_, NO_, OFF, SUS, NO_, NO_, NO_, SUS, RDY]),
        (Sending,      [NO_, AWA, RDY, OFF, SUS, UNA, NO_, NO_, SUS, RDY]),
        (Awaiting,     [NO_, NO_, RDY, OFF, SUS, UNA, NO_, NO_, SUS, RDY]),
        (BackOff,      [NO_, NO_, NO_, NO_, NO_, NO_, NO_, RDY, SUS, RDY]),
        (Unauthorized, [NO_, NO_, NO_, NO_, NO_, NO_, RDY, NO_, SUS, RDY]),
        (Suspended,    [NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, SUS, RDY]),
    ]
};

machine!(Exchange, ExchangeEvent, EXCHANGE_TABLE);

impl Exchange {
    /// Returns `true` if a request is being sent or waits for its response.
    #[must_use]
    pub const fn is_in_flight(self) -> bool {
        match self {
            Self::Sending | Self::Awaiting => true,
            Self::Ready | Self::BackOff | Self::Unauthorized | Self::Suspended => false,
        }
    }
}
