//! What is checked: sizes, policies, and what may go wrong.

use std::fmt;

use bits_proto::client::Mode;
use bits_proto::server::{CommitAt, OverlapRule};

/// What can go wrong, and what can come in between. Each time takes one from the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The connection breaks.
    Break,
    /// The client's timer expires: it gives the request up, which may still be on its way.
    GiveUp,
    /// The network delivers a request twice, on two connections.
    Twice,
    /// The server crashes, and comes back with what it had stored.
    Crash,
    /// The client crashes, and comes back with what it had stored.
    ClientCrash,
    /// Whoever works on a request never reports.
    Hang,
    /// Work takes longer than the server waits for it: another request takes over.
    Late,
    /// The host does what it was asked to, and reports it only later.
    Slow,
    Pause,
    Cancel,
    /// A session ends before its time.
    Expire,
    /// The stored bytes are lost.
    LoseEntity,
    /// The host cannot do what it was asked to.
    Fail,
    /// The server wants credentials.
    Challenge,
    /// Something on the way makes another answer of the server's.
    Garble,
    /// Somebody else who knows the session closes it.
    Stray,
    /// The reply cannot be fetched.
    Unfetched,
}

/// What may go wrong in a configuration.
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
            Fault::Twice,
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
        which: &[Fault::Break, Fault::GiveUp, Fault::Twice, Fault::Pause, Fault::Late],
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

    pub fn contains(&self, fault: Fault) -> bool {
        self.which.contains(&fault)
    }
}

/// A wrong host or a wrong caller, which the checker has to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The host stores the whole body, also what is held already.
    Untrimmed,
    /// The client takes the offset from what it sent.
    OffsetOfSent,
    /// The host stores the last fragment again when it is repeated.
    StoredAgain,
    /// The host notifies again when the last fragment is repeated.
    NotifiedAgain,
    /// The host commits what there is when the session is closed too early.
    CommittedEarly,
    /// The host answers 416 with an offset that is too large.
    WrongOffset,
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The length of the entity, in bytes.
    pub total: u64,
    /// The length of fragments.
    pub fragment: u64,
    pub mode: Mode,
    pub overlap: OverlapRule,
    pub commit_at: CommitAt,
    /// Whether an application is told also where there is no reply.
    pub notification: bool,
    pub faults: Faults,
    /// How many of them, in all.
    pub budget: u8,
    /// How many connections that the client has left there may be at once.
    pub old: usize,
    /// How many bytes the host reports at a time.
    pub piece: u64,
    /// Whether sessions that have ended stay in the table, as where they cannot be removed.
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
    /// Three bytes in two fragments, one old connection, and nothing goes wrong.
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
