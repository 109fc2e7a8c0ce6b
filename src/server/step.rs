//! What a session asks of its host, and what the host reports.

use core::fmt;

use uuid::Uuid;

use super::{Answer, State};
use crate::field::HResult;
use crate::http1::StatusCode;
use crate::message::Refusal;
use crate::state_machine::IllegalEvent;

/// What to do next.
///
/// Everything but an answer is work, and is reported back with the [`WorkToken`] it carries; the report
/// yields the next step, and the last one is an answer. If the client is gone by then, nobody
/// takes the answer, and nothing is lost.
///
/// A host that is to survive its own crashes stores the session before it does what a step other
/// than [`Store`](Self::Store) asks for: what is done twice then does no harm, and what is answered
/// is never forgotten. Bytes may be stored before their count is; those that were not counted are
/// sent and stored again.
///
/// `A` is the kind of answer: [`Answer`] from a [`Session`](super::Session), `SessionsResponse` from
/// a table of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step<A = Answer> {
    /// Store bytes of the body. Report with
    /// [`handle_stored`](super::Session::handle_stored), as often as is convenient. If the entity
    /// does not reach up to their offset any more, [`HostError::EntityLost`] is the report.
    Store(StoreBytes),
    /// Tell the server application that the entity is whole; see [`backend`](crate::backend).
    /// Report with [`handle_notified`](super::Session::handle_notified). A reply that is a
    /// [`Body`](crate::backend::Reply::Body) or a [`File`](crate::backend::Reply::File) is
    /// [`Reply::Kept`].
    ///
    /// It may be asked for again after a crash or a failure: what an earlier attempt left of a
    /// reply is replaced by this one's, or deleted.
    Notify(WorkToken),
    /// Put the entity at its destination. Report with
    /// [`handle_committed`](super::Session::handle_committed).
    ///
    /// It may be asked for again after a crash: this session's entity, if it is there already,
    /// counts as placed.
    Commit(WorkToken),
    /// Delete what is left. Report with
    /// [`handle_discarded`](super::Session::handle_discarded).
    ///
    /// It may be asked for again after a crash: what is gone already counts as deleted.
    Discard(Discard),
    /// Send this answer.
    Answer(A),
    /// Nothing: nobody waits for an answer.
    Done,
}

#[cfg(feature = "alloc")]
impl<A> Step<A> {
    /// The same step with another kind of answer.
    pub(super) fn map_answer<B>(self, answer: impl FnOnce(A) -> B) -> Step<B> {
        match self {
            Self::Store(store) => Step::Store(store),
            Self::Notify(token) => Step::Notify(token),
            Self::Commit(token) => Step::Commit(token),
            Self::Discard(discard) => Step::Discard(discard),
            Self::Answer(of) => Step::Answer(answer(of)),
            Self::Done => Step::Done,
        }
    }
}

/// Which bytes of a fragment's body to store, and where.
///
/// ```text
/// body:    | skip | take                       |
///                 |                            |
/// entity:  ... held| offset ..                 |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreBytes {
    /// What to report with.
    pub token: WorkToken,
    /// How many bytes to read and throw away first: they are held already.
    pub skip: u64,
    /// Where in the entity the bytes after them belong.
    pub offset: u64,
    /// How many those are; at least 1.
    pub take: u64,
}

/// What to delete. Nothing of it is needed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Discard {
    /// What to report with.
    pub token: WorkToken,
    /// The stored bytes of the entity. Not what is at the destination.
    pub entity: bool,
    /// The reply that the server keeps, or what there is of one where a notification was begun and
    /// not reported.
    pub reply: bool,
}

/// One request that a session works on. Reports carry it, so that a report that comes too late,
/// when the session works on another request, changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkToken {
    pub(super) session_id: Uuid,
    pub(super) number: u32,
}

impl WorkToken {
    /// The session it belongs to.
    #[must_use]
    pub const fn session_id(&self) -> Uuid {
        self.session_id
    }

    /// Which of the session's turns it is: one more than the one before, and after
    /// [`u32::MAX`] zero. With the session's id it names what belongs to this token alone, such as
    /// a file that nobody else writes to.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

/// Whether the client may do what it asks for: the host's verdict, on every packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// It may.
    Granted,
    /// It may, but there is something at the destination, which it may replace only where
    /// [`Policy::overwrites`](super::Policy::overwrites) says so. Asked with Create-Session.
    GrantedOverExisting,
    /// It has not said who it is: 401. The host adds WWW-Authenticate.
    Unauthenticated,
    /// It may not: 403.
    Denied,
    /// Nobody may upload here: 501.
    Disabled,
}

impl Access {
    /// The refusal to answer; `None` where it may.
    ///
    /// A session asks by itself. It is for hosts whose request could not be read, where an error
    /// behind [`CheckStage::Access`](crate::error::CheckStage::Access) would tell an intruder too much.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::server::Access;
    ///
    /// assert_eq!(Access::Granted.refusal(), None);
    /// assert_eq!(Access::Unauthenticated.refusal().map(|it| it.status().get()), Some(401));
    /// assert_eq!(Access::Denied.refusal().map(|it| it.status().get()), Some(403));
    /// ```
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal<'static>> {
        match self {
            Self::Granted | Self::GrantedOverExisting => None,
            Self::Unauthenticated => Some(Refusal::bare(StatusCode::UNAUTHORIZED)),
            Self::Denied => Some(Refusal::access_denied()),
            Self::Disabled => Some(Refusal::uploads_disabled()),
        }
    }
}

/// What a server application answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Notified {
    /// Whether the entity belongs at its destination (BITS-Copy-File-To-Destination). If not, it
    /// is deleted when the session ends: the application has taken what it wanted.
    pub copy_to_destination: bool,
    /// The reply.
    pub reply: Reply,
}

/// Where a reply is kept. Its URL is a text, which the host keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum Reply {
    /// There is none.
    None,
    /// At a URL of the application's (BITS-Static-Response-URL).
    Static,
    /// On this server, which deletes it when the session ends.
    Kept,
}

/// Why the host could not do what a step asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostError {
    /// There is no room; answered as [`Policy::disk_full`](super::Policy::disk_full) has it.
    DiskFull,
    /// The place is not the client's to write to: 403.
    AccessDenied,
    /// There is something at the destination by now, and it may not be replaced: 403.
    DestinationExists,
    /// The entity's stored bytes are gone. The session ends: Close-Session is answered with 404,
    /// a fragment with session not found, so that the client starts over. Reported of a
    /// [`Step::Discard`], it counts as deleted, and a reply that was to go with it is asked for
    /// alone; of that, it says that the reply is gone.
    EntityLost,
    /// The server application refused the entity, or could not be reached: its status and code,
    /// in the context of the application; those of a [`NotificationError`](crate::backend::NotificationError). What is
    /// no failure counts as 500.
    ///
    /// It is told again when the client sends its last fragment again, unless it said 403.
    Application {
        /// The status.
        status: StatusCode,
        /// The code, if there is one.
        code: Option<HResult>,
    },
    /// Something else, which may pass: 500 without a code, so that the client tries again.
    Other,
}

/// A report that a session does not take. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// The session is not at work on what was reported.
    Illegal(IllegalEvent<State>),
    /// The session works on another request by now, or on none: somebody else took over, or the
    /// work counted as given up. What was stored for it must not be used; what was told or placed
    /// is asked for again.
    StaleToken,
    /// More bytes were reported than there were to store.
    TooManyBytes {
        /// How many there were.
        remaining: u64,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal(illegal) => illegal.fmt(f),
            Self::StaleToken => f.write_str("the session no longer works on this request"),
            Self::TooManyBytes { remaining } => {
                write!(f, "more bytes were stored than the {remaining} that were asked for")
            }
        }
    }
}

impl core::error::Error for EventError {}

impl From<IllegalEvent<State>> for EventError {
    fn from(illegal: IllegalEvent<State>) -> Self {
        Self::Illegal(illegal)
    }
}
