//! The hooks of the tables and mappings. The inputs are numbered cells; a changed cell gets another value.

use std::any::type_name;

use super::{at, cell};

use crate::backend::NotificationError;
use crate::client;
use crate::download::presence::Presence as DownloadPresence;
use crate::field::{ErrorContext, HResult};
use crate::http1::StatusCode;
use crate::message::presence::Presence;
use crate::message::{Failure, Refusal};
use crate::observer::{self, SequenceRule, Severity};
use crate::server::{Access, HostError};
use crate::state_machine::StateMachine;

/// The presences of a field in a message, as values of cells.
pub const PRESENCES: [Presence; 5] = [
    Presence::Required,
    Presence::Expected,
    Presence::Optional,
    Presence::Ignored,
    Presence::Unexpected,
];

/// The presences of a field in a message of a download, as values of cells.
pub const DOWNLOAD_PRESENCES: [DownloadPresence; 6] = [
    DownloadPresence::Required,
    DownloadPresence::Expected,
    DownloadPresence::Optional,
    DownloadPresence::Accepted,
    DownloadPresence::Ignored,
    DownloadPresence::Forbidden,
];

/// The classes of failures, as values of cells.
pub const FAILURES: [Failure; 6] = [
    Failure::StartOver,
    Failure::Credentials,
    Failure::SmallerFragments,
    Failure::Resynchronise,
    Failure::Transient,
    Failure::Fatal,
];

/// Refusals with each status, code and context that servers send, as values of cells.
#[must_use]
pub const fn refusals() -> [Refusal<'static>; 21] {
    use HResult as H;
    use StatusCode as S;
    const fn of(status: S, code: H, context: ErrorContext) -> Refusal<'static> {
        Refusal::bare(status).with_error(code, context)
    }
    const fn http(status: u16) -> H {
        match H::from_status(status) {
            Some(code) => code,
            None => H::E_INVALIDARG,
        }
    }
    const SERVER: ErrorContext = ErrorContext::SERVER;
    const APPLICATION: ErrorContext = ErrorContext::REMOTE_APPLICATION;
    [
        Refusal::bare(S::UNAUTHORIZED),
        Refusal::bare(S::NOT_FOUND),
        Refusal::bare(S::GONE),
        Refusal::bare(S::CONTENT_TOO_LARGE),
        Refusal::bare(S::INTERNAL_SERVER_ERROR),
        Refusal::bare(S::SERVICE_UNAVAILABLE),
        of(S::BAD_REQUEST, H::E_INVALIDARG, SERVER),
        of(S::LENGTH_REQUIRED, H::E_INVALIDARG, SERVER),
        of(S::FORBIDDEN, H::E_ACCESSDENIED, SERVER),
        of(S::FORBIDDEN, H::FILE_EXISTS, SERVER),
        of(S::FORBIDDEN, H::INVALID_NAME, SERVER),
        of(S::NOT_IMPLEMENTED, H::E_ACCESSDENIED, SERVER),
        of(S::INTERNAL_SERVER_ERROR, H::BG_E_SESSION_NOT_FOUND, SERVER),
        of(S::INTERNAL_SERVER_ERROR, H::BG_E_TOO_LARGE, SERVER),
        of(S::INTERNAL_SERVER_ERROR, H::DISK_FULL, SERVER),
        of(S::FORBIDDEN, http(403), APPLICATION),
        of(S::INTERNAL_SERVER_ERROR, http(500), APPLICATION),
        of(S::LENGTH_REQUIRED, H::E_INVALIDARG, APPLICATION),
        of(S::REQUEST_TIMEOUT, H::DISK_FULL_MC_BUP, APPLICATION),
        of(S::BAD_GATEWAY, http(502), APPLICATION),
        of(S::FORBIDDEN, http(403), SERVER),
    ]
}

/// Returns the cell of a status and a code.
#[must_use]
pub const fn status_and_code(status: StatusCode, code: Option<HResult>) -> u64 {
    let code = match code {
        Some(code) => code.get() as u64,
        None => 0,
    };
    ((status.get() as u64) << 32) | code
}

/// The next state of a machine. The first value is illegal.
pub(crate) fn state<S: StateMachine>(row: usize, column: usize, returned: Option<S>) -> Option<S> {
    let nth = |value: usize| value.checked_sub(1).map(|index| S::STATES[index]);
    cell(type_name::<S>(), at(row, column), returned, nth)
}

type Observed = Result<observer::State, SequenceRule>;

/// The next state of an observed session. The values are the states and then the rules.
pub(crate) fn observed(row: usize, column: usize, returned: Observed) -> Observed {
    cell(type_name::<observer::State>(), at(row, column), returned, |value| {
        let states = observer::State::ALL.iter().map(|state| Ok(*state));
        let mut values = states.chain(SequenceRule::ALL.iter().map(|rule| Err(*rule)));
        values.nth(value).unwrap_or(returned)
    })
}

/// The presence of a field in a message, from its row of the table.
pub(crate) fn of_message(row: usize, kind: usize, presences: &[Presence]) -> Presence {
    cell("message::presence", at(row, kind), presences[kind], |value| PRESENCES[value])
}

pub(crate) fn of_download(row: usize, kind: usize, returned: DownloadPresence) -> DownloadPresence {
    cell("download::presence", at(row, kind), returned, |value| DOWNLOAD_PRESENCES[value])
}

pub(crate) fn failure(
    table: &'static str,
    status: StatusCode,
    code: Option<HResult>,
    returned: Failure,
) -> Failure {
    cell(table, status_and_code(status, code), returned, |value| FAILURES[value])
}

/// The class of a failure for a client, which depends on its session.
pub(crate) fn class_of(of: &Refusal<'_>, returned: Failure) -> Failure {
    let index = (of.failure() as u64) * 10 + (returned as u64);
    cell("client::class_of", index, returned, |value| FAILURES[value])
}

pub(crate) fn refusal<'b>(table: &'static str, index: u64, returned: Refusal<'b>) -> Refusal<'b> {
    cell(table, index, returned, |value| refusals()[value])
}

/// The severity of a rule.
pub(crate) fn severity(table: &'static str, rule: u64, returned: Severity) -> Severity {
    cell(table, rule, returned, |value| Severity::ALL[value])
}

/// A mapping to true or false.
pub(crate) fn flag(table: &'static str, number: u64, returned: bool) -> bool {
    cell(table, number, returned, |value| value == 1)
}

/// The refusal of a server with this status and code.
pub(crate) fn of_server(returned: Refusal<'_>) -> Refusal<'_> {
    let index = status_and_code(returned.status(), returned.code());
    refusal("Refusal::of_server", index, returned)
}

/// The refusal of a request that cannot be parsed.
pub(crate) fn for_error(returned: Refusal<'_>) -> Refusal<'_> {
    refusal("Refusal::for_error", returned.status().get().into(), returned)
}

/// The refusal without access; the first value is access.
pub(crate) fn access(
    access: Access,
    returned: Option<Refusal<'static>>,
) -> Option<Refusal<'static>> {
    let nth = |value: usize| value.checked_sub(1).map(|index| refusals()[index]);
    cell("Access::refusal", access as u64, returned, nth)
}

pub(crate) fn host_error(error: HostError, returned: Refusal<'static>) -> Refusal<'static> {
    let index = match error {
        HostError::DiskFull => 0,
        HostError::AccessDenied => 1,
        HostError::DestinationExists => 2,
        HostError::DestinationIsFolder => 3,
        HostError::EntityLost => 4,
        HostError::Application { .. } => 5,
        HostError::Other => 6,
    };
    refusal("HostError::refusal", index, returned)
}

pub(crate) fn notification(
    error: NotificationError,
    returned: Refusal<'static>,
) -> Refusal<'static> {
    let index = match error {
        NotificationError::Application(_) => 0,
        NotificationError::InvalidResponse => 1,
        NotificationError::Timeout(_) => 2,
        NotificationError::Transport => 3,
        NotificationError::Storage => 4,
    };
    refusal("NotificationError::refusal", index, returned)
}

/// Returns true if the upload cannot be resumed.
pub(crate) fn is_permanent(reason: client::StopReason, returned: bool) -> bool {
    use client::StopReason as R;
    let index = match reason {
        R::Refused { status, code, .. } => status_and_code(status, code),
        R::FragmentNotFound => 0,
        R::SessionRejected { .. } => 1,
        R::Paused => 2,
        R::Transport => 3,
        R::Timeout => 4,
        R::Protocol => 5,
        R::NoProgress => 6,
        R::SessionLost => 7,
        R::ReplyUnavailable => 8,
    };
    flag("client::is_permanent", index, returned)
}

/// Returns true if the download cannot be resumed.
pub(crate) fn is_download_permanent(reason: crate::download::StopReason, returned: bool) -> bool {
    use crate::download::StopReason as R;
    let index = match reason {
        R::Refused { status } => status_and_code(status, None),
        R::Paused => 0,
        R::Transport => 1,
        R::Timeout => 2,
        R::Protocol => 3,
        R::EntityChanged => 4,
        R::Interrupted => 5,
        R::MissingValidator => 6,
        R::RangeOutsideEntity => 7,
        R::MissingLength => 8,
        R::RangesNotSupported => 9,
        R::UnsupportedEncoding => 10,
        R::Storage => 11,
    };
    flag("download::is_permanent", index, returned)
}

/// Returns true if the request of a download is retried after this status.
pub(crate) fn is_transient(status: StatusCode, returned: bool) -> bool {
    flag("download::is_transient", status.get().into(), returned)
}
