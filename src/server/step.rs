//! The next step of a request, and the values that the embedder reports back.

use core::fmt;

use uuid::Uuid;

use super::{Answer, Policy, State};
use crate::field::HResult;
use crate::http1::StatusCode;
use crate::message::Refusal;
use crate::state_machine::IllegalEvent;

/// Next step of a request.
///
/// [`Answer`](Self::Answer) and [`Done`](Self::Done) end the request. Every other step is work: do
/// it, report the result with its [`WorkToken`], and continue with the step that the report
/// returns. If the client has disconnected, report the result anyway and drop the answer.
///
/// `A` is the type of the answer: [`Answer`] for a [`Session`](super::Session), `SessionsResponse`
/// for `Sessions`.
///
/// # Crash safety
///
/// Persist the session after each change, before doing the work of the step or sending the answer.
/// Work is then repeated after a crash, no acknowledged state is lost, and no work token is issued
/// twice. Bytes may be written before their count is persisted: uncounted bytes are sent and stored
/// again.
///
/// # Cancellation
///
/// Many async frameworks drop a request handler when the client disconnects. Work that is dropped
/// without a report keeps the session busy until [`Policy::store_timeout`] or
/// [`Policy::work_timeout`] has passed, and every other request is answered with 503. Run the work
/// in a task of its own that finishes and reports even if the handler is dropped. If the work
/// really stops, call [`handle_disconnected`](super::Session::handle_disconnected).
///
/// [`Policy::store_timeout`]: super::Policy::store_timeout
/// [`Policy::work_timeout`]: super::Policy::work_timeout
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Step<A = Answer> {
    /// Store bytes of the body. Report with [`handle_stored`](super::Session::handle_stored), all
    /// at once or piece by piece.
    ///
    /// Write to a file or part that belongs to this [`WorkToken`] alone. If the staged bytes end
    /// before [`StoreBytes::offset`], report [`HostError::EntityLost`].
    Store(StoreBytes),
    /// Notify the server application that the entity is complete; see
    /// [`backend`](crate::backend). If it accepts the entity, report
    /// [`handle_accepted`](super::Session::handle_accepted) before anything else can fail.
    ///
    /// The step is repeated after a failure or a crash until the application has accepted the
    /// entity. Replace or delete the reply of an earlier attempt.
    Notify(WorkToken),
    /// Receive and store the reply of the server application, which has accepted the entity. Report
    /// with [`handle_reply`](super::Session::handle_reply). Use [`Reply::Kept`] for
    /// a reply that is a [`Body`](crate::backend::Reply::Body) or a
    /// [`File`](crate::backend::Reply::File).
    ///
    /// The step is repeated after a failure or a crash. Do not notify the application again: it would
    /// process the entity twice. Its response is gone, so look for what is stored. By reference that
    /// is the file. By value it is a reply that was received completely, and [`Reply::None`]
    /// otherwise.
    KeepReply(WorkToken),
    /// Publish the entity at its destination. Report with
    /// [`handle_committed`](super::Session::handle_committed) once it survives a crash there.
    ///
    /// The step may be repeated after a crash. An entity of this session that is already at the
    /// destination counts as published; report any other as [`HostError::DestinationExists`]
    /// unless it may be replaced.
    ///
    /// A write by an older token must not reach the published bytes. A renamed or linked file
    /// remains writable through handles that were opened before, so publish only files that no
    /// older token has opened for writing, or a copy of them.
    ///
    /// Whoever publishes deletes the staged bytes: the session requests their deletion only if the
    /// entity was not published. A rename leaves none. After a link or a copy, delete them once
    /// [`handle_committed`](super::Session::handle_committed) has succeeded and the session is
    /// persisted.
    Commit(WorkToken),
    /// Delete the remaining data of the session. Report with
    /// [`handle_discarded`](super::Session::handle_discarded).
    ///
    /// The step may be repeated after a crash. Missing data counts as deleted.
    Discard(Discard),
    /// Send this answer.
    Answer(A),
    /// Do nothing: no request waits for an answer, for example because a timeout started the work.
    Done,
}

impl<A> Step<A> {
    /// Returns the token of the work; `None` for [`Answer`](Self::Answer) and [`Done`](Self::Done).
    #[must_use]
    pub const fn token(&self) -> Option<WorkToken> {
        match self {
            Self::Store(StoreBytes { token, .. })
            | Self::Notify(token)
            | Self::KeepReply(token)
            | Self::Commit(token)
            | Self::Discard(Discard { token, .. }) => Some(*token),
            Self::Answer(_) | Self::Done => None,
        }
    }
}

#[cfg(feature = "alloc")]
impl<A> Step<A> {
    /// Converts the answer and keeps every other step.
    pub(super) fn map_answer<B>(self, answer: impl FnOnce(A) -> B) -> Step<B> {
        match self {
            Self::Store(store) => Step::Store(store),
            Self::Notify(token) => Step::Notify(token),
            Self::KeepReply(token) => Step::KeepReply(token),
            Self::Commit(token) => Step::Commit(token),
            Self::Discard(discard) => Step::Discard(discard),
            Self::Answer(inner) => Step::Answer(answer(inner)),
            Self::Done => Step::Done,
        }
    }
}

/// Byte range of a fragment to store.
///
/// ```text
/// body:      | skip     | take             |
///                       |                  |
/// entity:  ... received | offset ..        |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreBytes {
    /// Token for the report.
    pub token: WorkToken,
    /// Number of bytes at the start of the body to read and drop. They were received before. 0 in
    /// the step that a report returns.
    pub skip: u64,
    /// Offset in the entity of the first byte to store.
    pub offset: u64,
    /// Number of bytes to store; at least 1.
    pub take: u64,
}

/// Data of a session to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Discard {
    /// Token for the report.
    pub token: WorkToken,
    /// Delete the staged bytes of the entity, and never the entity at the destination. `false` if
    /// the entity was published.
    pub entity: bool,
    /// Delete the reply that this server keeps. Also set where a notification was begun and not
    /// reported, so there may be no reply.
    pub reply: bool,
}

/// Right of one request to change a session.
///
/// Every report carries the token of its request. A request loses its token when its work is
/// finished, times out or is aborted; the session then rejects its reports with
/// [`EventError::StaleToken`].
///
/// # Fencing
///
/// The token protects the session, not the files. A request that stalls, is overtaken by another
/// and resumes can still write. Its writes must not reach bytes that were acknowledged or
/// published. Checking the token before a write is not enough, because the request can stall
/// between the check and the write. Use one staging file or part for each token, named with
/// [`number`](Self::number), and read from each only the bytes that were reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkToken {
    pub(super) session_id: Uuid,
    pub(super) number: u32,
}

impl WorkToken {
    /// Returns the id of the session.
    #[must_use]
    pub const fn session_id(&self) -> Uuid {
        self.session_id
    }

    /// Returns the number of the token within its session.
    ///
    /// Each token is one higher than the one before; zero follows [`u32::MAX`]. Together with
    /// the session id it names data that belongs to this token alone, such as a staging file.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

/// Result of the embedder's access check, made for every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Access is granted.
    Granted,
    /// Access is granted, and there is an entity at the destination. Create-Session is refused with
    /// 403 and the code [`Policy::destination_exists`](super::Policy::destination_exists), unless
    /// [`Policy::overwrites`](super::Policy::overwrites) is set.
    GrantedOverExisting,
    /// The client is not authenticated: 401. The embedder adds WWW-Authenticate.
    Unauthenticated,
    /// Access is denied: 403, `E_ACCESSDENIED`.
    Denied,
    /// The client may upload, but not to a destination of this name: 403, `INVALID_NAME`.
    InvalidName,
    /// Uploads are disabled for this URL: 501.
    Disabled,
}

impl Access {
    /// Returns the refusal to send; `None` if access is granted.
    ///
    /// A session calls this itself. Call it for a request that could not be parsed: an error after
    /// [`CheckStage::Access`](crate::error::CheckStage::Access) would reveal too much to a client
    /// without access.
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
            Self::InvalidName => Some(Refusal::invalid_name()),
            Self::Disabled => Some(Refusal::uploads_disabled()),
        }
    }
}

/// Response of the server application to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Notified {
    /// Publish the entity at its destination (BITS-Copy-File-To-Destination). Otherwise the entity
    /// is deleted when the session ends.
    pub copy_to_destination: bool,
    /// Location of the reply.
    pub reply: Reply,
}

impl Notified {
    /// Creates a response.
    #[must_use]
    pub const fn new(copy_to_destination: bool, reply: Reply) -> Self {
        Self { copy_to_destination, reply }
    }
}

/// Location of a reply. The embedder keeps the reply URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Reply {
    /// There is no reply.
    None,
    /// The reply is not stored yet: see [`Step::KeepReply`].
    Pending,
    /// The application serves the reply at its own URL (BITS-Static-Response-URL).
    Static,
    /// This server keeps the reply, and deletes it when the session ends.
    Kept,
}

/// Failure of the embedder to do the work of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostError {
    /// The disk is full; answered as set by [`Policy::disk_full`](super::Policy::disk_full).
    DiskFull,
    /// The client may not write to the destination: 403, `E_ACCESSDENIED`.
    AccessDenied,
    /// An entity that may not be replaced exists at the destination: 403 with the code
    /// [`Policy::destination_exists`](super::Policy::destination_exists).
    DestinationExists,
    /// The destination is a folder: 400, `E_INVALIDARG` (\[MC-BUP\] 2.2.1.2).
    DestinationIsFolder,
    /// The staged bytes of the entity are lost, and the session ends. Close-Session is answered
    /// with 404 and a fragment with *session not found*, so that the client starts over. If a server
    /// application has accepted the entity, a fragment is answered with 410: a client that starts
    /// over would make it process the entity twice.
    ///
    /// Reported for a [`Step::Discard`], the missing data counts as deleted. If the reply was to
    /// be deleted as well, the session requests that in a second step.
    EntityLost,
    /// The server application refused the entity or could not be reached. Carries the status and
    /// code of a [`NotificationError`](crate::backend::NotificationError), which are sent in the
    /// context of the application; 1xx, 2xx and 416 are sent as 500.
    ///
    /// The application is notified again with the client's next fragment or Close-Session, unless
    /// the status was 403. Microsoft documents that only 403 prevents another notification. After
    /// any other refusal, a user may repair the application and resume the upload.
    ///
    /// Once an application has accepted the entity, its refusals no longer count, and 503 is sent.
    Application {
        /// Status code.
        status: StatusCode,
        /// Error code; optional.
        code: Option<HResult>,
    },
    /// Any other failure that may be temporary: 500 without an error code, so that the client
    /// retries.
    Other,
}

impl HostError {
    /// Returns the refusal to send.
    ///
    /// A session calls this itself. Call it for a failure without a session, such as a full disk at its
    /// creation.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::server::{HostError, Policy};
    ///
    /// let refusal = HostError::AccessDenied.refusal(&Policy::DEFAULT);
    /// assert_eq!(refusal.status().get(), 403);
    /// ```
    #[must_use]
    pub fn refusal(self, policy: &Policy<'_>) -> Refusal<'static> {
        match self {
            Self::DiskFull => Refusal::disk_full(policy.disk_full),
            Self::AccessDenied => Refusal::access_denied(),
            Self::DestinationExists => Refusal::destination_exists(policy.destination_exists),
            Self::DestinationIsFolder => Refusal::invalid_argument(),
            Self::EntityLost => Refusal::bare(StatusCode::NOT_FOUND),
            Self::Application { status, code } => Refusal::from_application(status, code),
            Self::Other => Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DiskFull => "disk full",
            Self::AccessDenied => "access to the destination denied",
            Self::DestinationExists => "destination exists and may not be replaced",
            Self::DestinationIsFolder => "destination is a folder",
            Self::EntityLost => "staged bytes of the entity lost",
            Self::Application { status, code: None } => {
                return write!(f, "server application answered with status {status}");
            }
            Self::Application { status, code: Some(code) } => {
                let code = code.with_name();
                return write!(f, "server application answered with status {status}, code {code}");
            }
            Self::Other => "work failed",
        })
    }
}

impl core::error::Error for HostError {}

/// Error of a report that a session rejects. The session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum EventError {
    /// The event is illegal in the current state.
    Illegal(IllegalEvent<State>),
    /// The token does not belong to the current work of the session: the work finished, timed out
    /// or was aborted, or another request took over.
    ///
    /// Do not use the bytes that were stored for it. The session requests a notification or a
    /// publication again when it is due. An acceptance that is reported late is recorded
    /// nevertheless: see [`handle_accepted`](super::Session::handle_accepted).
    StaleToken,
    /// More bytes were reported than were to be stored.
    TooManyBytes {
        /// Number of bytes that were still to be stored.
        remaining: u64,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal(illegal) => illegal.fmt(f),
            Self::StaleToken => {
                f.write_str("stale work token: the session no longer works on this request")
            }
            Self::TooManyBytes { remaining } => {
                write!(f, "reported byte count exceeds the remaining {remaining}")
            }
        }
    }
}

// `Illegal` is displayed as the error it wraps, which has no source.
impl core::error::Error for EventError {}

impl From<IllegalEvent<State>> for EventError {
    fn from(illegal: IllegalEvent<State>) -> Self {
        Self::Illegal(illegal)
    }
}
