//! The states of a download in two tables: what to do next, and the progress of a request.

use crate::state_machine::{machine, named};

named! {
    /// [3.6.1.1] The state of a download: what to do next.
    ///
    /// `STATE_INIT` has no counterpart: a new download is ready for its first request.
    /// `STATE_SUSPEND` is [`Exchange::Suspended`].
    pub enum State {
        /// HEAD, for the length of the entity (`STATE_SIZE`).
        Size "size",
        /// No request: the caller searches for peers that have the entity (`STATE_SEARCH`).
        Search "search",
        /// GET, for the next ranges (`STATE_DOWNLOAD`).
        Download "download",
        /// No request: the caller discards all bytes, and the download starts over.
        Discard "discard",
        /// No request: all ranges are downloaded, and the caller makes them durable.
        Commit "commit",
        /// No request: all ranges are downloaded (`STATE_COMPLETE`).
        Finished "finished",
        /// No request: the download is cancelled (`STATE_COMPLETE`).
        Cancelled "cancelled",
        /// No request: the server rejected the download, which can be resumed or cancelled.
        Failed "failed",
    }
}

named! {
    /// An event that can change the state of a download.
    pub enum Event {
        /// The caller starts to send a request.
        Begin "begin",
        /// The length of the entity is known.
        Sized "sized",
        /// The length of the entity is known, and peers may have it.
        SizedForSearch "sized-for-search",
        /// The search for peers ended.
        Searched "searched",
        /// A peer failed, and the search is repeated.
        PeerFailed "peer-failed",
        /// Bytes of the entity arrived.
        Received "received",
        /// All ranges are downloaded.
        AllReceived "all-received",
        /// The caller made all bytes durable.
        Committed "committed",
        /// The caller could not store bytes.
        StorageFailed "storage-failed",
        /// The download starts over, and bytes are stored: the entity changed, the bytes cannot be
        /// continued, or the caller starts over.
        Invalidated "invalidated",
        /// The download starts over with HEAD.
        RestartedWithHead "restarted-with-head",
        /// The download starts over with GET.
        RestartedWithGet "restarted-with-get",
        /// A request failed, and is retried.
        TransientFailure "transient-failure",
        /// The server asked for credentials.
        Credentials "credentials",
        /// The server rejected the download.
        PermanentFailure "permanent-failure",
        /// The caller pauses the download.
        Pause "pause",
        /// The caller resumes the download.
        Resume "resume",
        /// The caller cancels the download.
        Cancel "cancel",
    }
}

const SIZ: Option<State> = Some(State::Size);
const SEA: Option<State> = Some(State::Search);
const DOW: Option<State> = Some(State::Download);
const DIS: Option<State> = Some(State::Discard);
const COM: Option<State> = Some(State::Commit);
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
        //           Beg  Siz  Sea  Fou  Peer Rec  All  Com  Sto  Inv  ReH  ReG  Tra  Cred Per  Pau  Res  Can
        (Size,      [SIZ, DOW, SEA, ___, ___, ___, COM, ___, SIZ, DIS, SIZ, DOW, SIZ, SIZ, FAI, SIZ, SIZ, CLD]),
        (Search,    [___, ___, ___, DOW, ___, ___, ___, ___, SEA, DIS, SIZ, ___, ___, ___, ___, SEA, SEA, CLD]),
        (Download,  [DOW, ___, ___, ___, SEA, DOW, COM, ___, DOW, DIS, SIZ, DOW, DOW, DOW, FAI, DOW, DOW, CLD]),
        (Discard,   [___, ___, ___, ___, ___, ___, ___, ___, DIS, DIS, SIZ, DOW, ___, ___, ___, DIS, DIS, CLD]),
        (Commit,    [___, ___, ___, ___, ___, ___, ___, FIN, DOW, DIS, SIZ, DOW, ___, ___, ___, COM, COM, CLD]),
        (Finished,  [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___]),
        (Cancelled, [___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___, ___]),
        (Failed,    [___, ___, ___, ___, ___, ___, ___, ___, FAI, DIS, SIZ, DOW, ___, ___, ___, ___, DOW, CLD]),
    ]
};

machine!(State, Event, TABLE);

impl State {
    /// Returns `true` if the download is finished or cancelled. No event changes such a state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Finished | Self::Cancelled => true,
            Self::Size
            | Self::Search
            | Self::Download
            | Self::Discard
            | Self::Commit
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
        /// The body of the response arrives.
        Receiving "receiving",
        /// The request failed, and waits for its retry.
        BackOff "back-off",
        /// The request needs credentials.
        Unauthorized "unauthorized",
        /// The download is suspended until the caller resumes it (`STATE_SUSPEND`).
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
        /// The response arrived, and its body is not needed.
        Answered "answered",
        /// The head of the response arrived, and its body follows.
        HeadReceived "head-received",
        /// A part of the body arrived.
        Data "data",
        /// The body of the response is complete.
        BodyComplete "body-complete",
        /// The request failed, and is retried after a back-off.
        Failed "failed",
        /// A limit was exceeded: the download is suspended.
        GivenUp "given-up",
        /// The server asked for credentials.
        Challenged "challenged",
        /// The caller provided credentials.
        CredentialsGiven "credentials-given",
        /// The back-off ended.
        BackoffElapsed "backoff-elapsed",
        /// The caller pauses the download.
        Pause "pause",
        /// The request is dropped, and another one can be sent.
        Reset "reset",
    }
}

const RDY: Option<Exchange> = Some(Exchange::Ready);
const SND: Option<Exchange> = Some(Exchange::Sending);
const AWA: Option<Exchange> = Some(Exchange::Awaiting);
const REC: Option<Exchange> = Some(Exchange::Receiving);
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
        //              Beg  Sent Ans  Head Data Body Fai  Giv  Cha  Cred Back Pau  Res
        (Ready,        [SND, NO_, NO_, NO_, NO_, NO_, OFF, SUS, NO_, NO_, NO_, SUS, RDY]),
        (Sending,      [NO_, AWA, RDY, REC, NO_, NO_, OFF, SUS, UNA, NO_, NO_, SUS, RDY]),
        (Awaiting,     [NO_, NO_, RDY, REC, NO_, NO_, OFF, SUS, UNA, NO_, NO_, SUS, RDY]),
        (Receiving,    [NO_, NO_, NO_, NO_, REC, RDY, OFF, SUS, NO_, NO_, NO_, SUS, RDY]),
        (BackOff,      [NO_, NO_, NO_, NO_, NO_, NO_, NO_, SUS, NO_, NO_, RDY, SUS, RDY]),
        (Unauthorized, [NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, RDY, NO_, SUS, RDY]),
        (Suspended,    [NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, NO_, SUS, RDY]),
    ]
};

machine!(Exchange, ExchangeEvent, EXCHANGE_TABLE);

impl Exchange {
    /// Returns `true` if a request is being sent, or if its response has not fully arrived.
    #[must_use]
    pub const fn is_in_flight(self) -> bool {
        match self {
            Self::Sending | Self::Awaiting | Self::Receiving => true,
            Self::Ready | Self::BackOff | Self::Unauthorized | Self::Suspended => false,
        }
    }
}
