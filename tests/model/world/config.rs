//! Configurations: sizes, policies, and possible faults.

use std::fmt;

use bits_proto::client::Mode;
use bits_proto::server::{CommitAt, OverlapRule};

/// A fault or an unexpected event. Each occurrence takes one from the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The connection breaks.
    Break,
    /// The client's timer expires, and it abandons the request, which may still arrive.
    GiveUp,
    /// The network delivers a request twice, on two connections.
    Duplicate,
    /// The server crashes and restarts from its stored state.
    Crash,
    /// The client crashes and restarts from its stored state.
    ClientCrash,
    /// The work on a request is never reported.
    Hang,
    /// Work exceeds the time limit, and another request takes over.
    Late,
    /// The server does the requested work and reports it only later.
    Slow,
    Pause,
    Cancel,
    /// A session ends before its timeout.
    Expire,
    /// The stored bytes are lost.
    LoseEntity,
    /// The requested work fails.
    Fail,
    /// The server requires credentials.
    Challenge,
    /// An intermediary replaces the server's response.
    Garble,
    /// A refusal replaces the server's response; see [`Replaced`].
    Refuse,
    /// The user starts the upload over.
    Restart,
    /// Another client that knows the session id closes the session.
    Stray,
    /// The reply cannot be fetched.
    Unfetched,
}

/// A refusal that replaces the server's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replaced {
    /// 404 without an error code.
    NotFound,
    /// 413 of the server application.
    ByApplication,
    /// 500 with the code 0x1: some servers lose a session and answer so.
    InOtherWords,
}

impl Replaced {
    pub const ALL: [Self; 3] = [Self::NotFound, Self::ByApplication, Self::InOtherWords];
}

/// The possible faults of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    name: &'static str,
    which: &'static [Fault],
}

impl Faults {
    pub const NONE: Self = Self { name: "none", which: &[] };
    pub const ALL: Self = Self {
        name: "all",
        which: &[
            Fault::Break,
            Fault::GiveUp,
            Fault::Duplicate,
            Fault::Crash,
            Fault::ClientCrash,
            Fault::Hang,
            Fault::Late,
            Fault::Slow,
            Fault::Pause,
            Fault::Cancel,
            Fault::Expire,
            Fault::LoseEntity,
            Fault::Fail,
            Fault::Challenge,
            Fault::Garble,
            Fault::Stray,
            Fault::Unfetched,
        ],
    };
    pub const NETWORK: Self = Self {
        name: "network",
        which: &[Fault::Break, Fault::GiveUp, Fault::Duplicate, Fault::Pause, Fault::Late],
    };
    pub const CRASHES: Self = Self {
        name: "crashes",
        which: &[Fault::Break, Fault::Crash, Fault::ClientCrash, Fault::Hang, Fault::Slow],
    };
    pub const LOSSES: Self = Self {
        name: "losses",
        which: &[Fault::GiveUp, Fault::Expire, Fault::LoseEntity, Fault::Fail, Fault::Stray],
    };
    pub const CALLER: Self = Self {
        name: "caller",
        which: &[Fault::Pause, Fault::Cancel, Fault::ClientCrash, Fault::Challenge, Fault::Garble],
    };

    pub const REFUSALS: Self = Self {
        name: "refusals",
        which: &[Fault::Break, Fault::Pause, Fault::ClientCrash, Fault::Refuse, Fault::Restart],
    };

    pub fn contains(&self, fault: Fault) -> bool {
        self.which.contains(&fault)
    }
}

/// A bug of the server's or the client's embedder that the checker must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The server stores the whole body, including bytes that it already has.
    Untrimmed,
    /// The client takes the offset from what it sent.
    OffsetOfSent,
    /// The server stores the last fragment again when it is repeated.
    StoredAgain,
    /// The server notifies again when the last fragment is repeated.
    NotifiedAgain,
    /// The server commits an incomplete entity when the session is closed too early.
    CommittedEarly,
    /// The server answers 416 with an offset that is too large.
    WrongOffset,
    /// The server stores each byte one offset too far.
    StoredTooFar,
    /// The server commits the entity again when the last fragment is repeated.
    CommittedAgain,
    /// The server deletes the committed entity with the rest of the session.
    DiscardedCommitted,
    /// The server drops the requests that it would answer.
    Unanswered,
    /// The server answers, and does not store that the work is done.
    WorkNotSaved,
    /// The server accepts requests of sessions that have ended.
    ServedAfterEnd,
    /// The server deletes the reply with the staged bytes when it commits.
    ReplyDeleted,
    /// The server reports more bytes than it was to store.
    Overstated,
    /// The server never persists a session after its creation.
    NotPersisted,
    /// The server reports an entity as committed that it has not committed.
    NotCommitted,
    /// The server answers that it does not know a session that it has just closed.
    ClosedUnknown,
    /// The server commits when the last byte is stored, regardless of the policy.
    CommittedAtLast,
    /// The server reports data as deleted that it has not deleted.
    NotDiscarded,
    /// The server acknowledges no bytes.
    NothingAcked,
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Length of the entity, in bytes.
    pub total: u64,
    /// Length of fragments.
    pub fragment: u64,
    pub mode: Mode,
    pub overlap: OverlapRule,
    pub commit_at: CommitAt,
    /// True if the application is notified even without a reply.
    pub notification: bool,
    pub faults: Faults,
    /// Maximum number of faults.
    pub budget: u8,
    /// Maximum number of connections that the client has left.
    pub old: usize,
    /// Number of bytes that the server reports at a time.
    pub piece: u64,
    /// True if ended sessions stay in the table, as if they could not be removed.
    pub keeps_ended: bool,
    pub bug: Option<Bug>,
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, fragment, mode, overlap, commit_at, budget, old, piece, .. } = self;
        write!(f, "{total} by {fragment}, {mode:?}, {overlap:?}, {commit_at:?}, ")?;
        write!(f, "{budget} of {}, {old} old, stored by {piece}", self.faults.name)
    }
}

impl Config {
    /// Three bytes in two fragments, one old connection, and no faults.
    pub const PLAIN: Self = Self {
        total: 3,
        fragment: 2,
        mode: Mode::Upload,
        overlap: OverlapRule::Trim,
        commit_at: CommitAt::Close,
        notification: false,
        faults: Faults::NONE,
        budget: 0,
        old: 1,
        piece: 1,
        keeps_ended: false,
        bug: None,
    };
}
