//! The states of a client's upload, in two tables: which packet is due, and whether it can be sent.

use crate::state_machine::{machine, named};

named! {
    /// [3.1.1.2] What an upload sends next. `STATE_INIT` has no counterpart: an upload is made in
    /// one step.
    pub enum State {
        /// Create-Session (`STATE_CREATE_SESSION`).
        CreateSession "create-session",
        /// Ping (`STATE_PING`).
        Ping "ping",
        /// A Fragment (`STATE_FRAGMENT`).
        Fragment "fragment",
        /// Nothing: the caller fetches the reply (`STATE_GET_REPLY`).
        GetReply "get-reply",
        /// Close-Session (`STATE_COMPLETE`).
        Close "close",
        /// Cancel-Session (`STATE_CANCEL`).
        Cancel "cancel",
        /// Nothing any more: the entity is uploaded.
        Finished "finished",
        /// Nothing any more: the upload was cancelled.
        Cancelled "cancelled",
        /// Nothing, until it is resumed or cancelled: the server refused for good (`STATE_ERROR`).
        Failed "failed",
    }
}

named! {
    /// What can happen to an upload.
    pub enum Event {
        /// A request is about to be sent.
        Begin "begin",
        /// The session is there.
        Created "created",
        /// The session is there, on another host.
        CreatedElsewhere "created-elsewhere",
        /// The Ping was answered.
        Pinged "pinged",
        /// The server says how many bytes it holds.
        Received "received",
        /// The server wants smaller fragments.
        Reduced "reduced",
        /// The server holds all bytes, and there is no reply to fetch.
        Whole "whole",
        /// The server holds all bytes, and the reply is to be fetched.
        ReplyDue "reply-due",
        /// The reply was fetched, or is done without.
        ReplyFetched "reply-fetched",
        /// The session is closed.
        Closed "closed",
        /// The session is cancelled, or there is none.
        Gone "gone",
        /// There is no session (any more): start over.
        SessionLost "session-lost",
        /// It did not work, and is worth another try.
        Delayed "delayed",
        /// Credentials are wanted, or given.
        Credentials "credentials",
        /// The server refused for good.
        Fatal "fatal",
        /// The other host could not be reached for too long: back to the origin server.
        Fallback "fallback",
        /// The connection is new, and the server authenticates connections.
        NewConnection "new-connection",
        /// The caller pauses.
        Pause "pause",
        /// The caller resumes.
        Resume "resume",
        /// The caller cancels.
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

/// The table of what is sent next.
#[rustfmt::skip]
pub const TABLE: [(State, [Option<State>; Event::ALL.len()]); State::ALL.len()] = {
    use State::*;
    [
        //               the server's answers                                             | mishaps                     | the caller
        //               Beg  Cre  Els  Pin  Rec  Red  Who  Rdu  Rfe  Clo  Gon  Los    Del  Cred Fat  Fall   New  Pau  Res  Can
        (CreateSession, [CRE, FRA, PIN, ___, ___, ___, ___, ___, ___, ___, ___, CRE,   CRE, CRE, FAI, PIN,   PIN, CRE, PIN, CAN]),
        (Ping,          [PIN, ___, ___, FRA, ___, ___, ___, ___, ___, ___, ___, CRE,   PIN, PIN, FAI, PIN,   PIN, PIN, PIN, CAN]),
        (Fragment,      [FRA, ___, ___, ___, FRA, FRA, CLO, REP, ___, ___, ___, CRE,   FRA, FRA, FAI, PIN,   PIN, FRA, PIN, CAN]),
        (GetReply,      [___, ___, ___, ___, ___, ___, ___, ___, CLO, ___, ___, ___,   REP, ___, ___, PIN,   REP, REP, PIN, CAN]),
        (Close,         [CLO, ___, ___, ___, ___, ___, ___, ___, ___, FIN, ___, CRE,   CLO, CLO, FAI, PIN,   PIN, CLO, PIN, CAN]),
        (Cancel,        [CAN, ___, ___, ___, ___, ___, ___, ___, ___, ___, CLD, ___,   CAN, CAN, CAN, CAN,   CAN, CAN, CAN, CAN]),
        (Finished,      [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___,   ___, ___, ___, ___]),
        (Cancelled,     [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, ___,   ___, ___, ___, ___]),
        (Failed,        [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___,   ___, ___, ___, FAI,   ___, ___, PIN, CAN]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// Whether nothing will happen any more.
    #[must_use]
    pub const fn has_ended(self) -> bool {
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
    /// Whether the request that is due can be sent, and how far that has come.
    pub enum Exchange {
        /// It can be sent.
        Ready "ready",
        /// It is being sent.
        Sending "sending",
        /// It was sent; the answer is to come.
        Awaiting "awaiting",
        /// It has to wait for a while (`STATE_ERROR`).
        BackOff "back-off",
        /// It has to wait for credentials (`STATE_ERROR`).
        Unauthorized "unauthorized",
        /// It has to wait until the caller resumes (`STATE_SUSPEND`).
        Suspended "suspended",
    }
}

named! {
    /// What can happen to an exchange of a request and its answer.
    pub enum ExchangeEvent {
        /// The caller begins to send.
        Begin "begin",
        /// All of the request was sent.
        Sent "sent",
        /// There is an answer.
        Answered "answered",
        /// It did not work: wait, and try again.
        Failed "failed",
        /// It did not work too often.
        GivenUp "given-up",
        /// The server wants credentials.
        Challenged "challenged",
        /// The caller has credentials.
        CredentialsGiven "credentials-given",
        /// The time to wait is over.
        Due "due",
        /// The caller pauses.
        Pause "pause",
        /// Something else is due than before: what is under way is dropped.
        Restart "restart",
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

/// The table of whether it can be sent.
#[rustfmt::skip]
pub const EXCHANGE_TABLE: [(Exchange, [Option<Exchange>; ExchangeEvent::ALL.len()]);
    Exchange::ALL.len()] = {
    use Exchange::*;
    [
        //              Beg  Sent Ans  Fai  Giv  Cha  Cred Due  Pau  Res
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
    /// Whether a request is under way.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Sending | Self::Awaiting => true,
            Self::Ready | Self::BackOff | Self::Unauthorized | Self::Suspended => false,
        }
    }
}
