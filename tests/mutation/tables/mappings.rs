//! The mappings from status, code and context to refusals, classes of failures, and advice.

use std::any::type_name;
use std::fmt::Debug;

use bits_proto::backend::{NotificationError, Timer};
use bits_proto::client::StopReason as UploadStop;
use bits_proto::deviation::Deviation;
use bits_proto::download::StopReason as DownloadStop;
use bits_proto::error::ErrorKind;
use bits_proto::field::{ErrorContext, HResult, ReceivedContentRange};
use bits_proto::http1::StatusCode;
use bits_proto::message::{Failure, Refusal};
use bits_proto::mutation::{FAILURES, refusals, status_and_code};
use bits_proto::observer::{DownloadRule, SequenceRule, Severity, Violation};
use bits_proto::server::{Access, HostError, Policy};

use crate::catalogue::Cell;
use crate::refusals::named_refusals;

/// The statuses of the mapping from status to class, with neighbours.
const STATUSES: [u16; 41] = [
    300, 301, 302, 303, 304, 305, 306, 307, 308, 399, 400, 402, 403, 404, 405, 406, 408, 409, 410,
    411, 412, 414, 415, 417, 428, 429, 431, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511,
    599, 600, 999,
];

/// The codes with a class of their own, and one without.
const CODES: [HResult; 7] = [
    HResult::BG_E_SESSION_NOT_FOUND,
    HResult::BG_E_TOO_LARGE,
    HResult::E_INVALIDARG,
    HResult::E_ACCESSDENIED,
    HResult::FILE_EXISTS,
    HResult::ALREADY_EXISTS,
    HResult::DISK_FULL,
];

fn status(number: u16) -> StatusCode {
    StatusCode::try_from(number).expect("a status")
}

pub fn add(cells: &mut Vec<Cell>) {
    failures(cells);
    constructors(cells);
    server(cells);
    backend(cells);
    stop_reasons(cells);
    severities(cells);
    ends(cells);
}

fn failures(cells: &mut Vec<Cell>) {
    let all = FAILURES.map(|failure| (failure, failure.to_string()));
    for number in STATUSES {
        let of = |context| Failure::of(status(number), None, context).expect("a failure");
        let (name, cell) = (number.to_string(), status_and_code(status(number), None));
        // An application's 600 and above are handled before.
        let value = of(None);
        cells.push(Cell::new("Failure::of_status", cell, name.clone(), &value, &all));
        let application = of(Some(ErrorContext::REMOTE_APPLICATION));
        cells.push(Cell::new("Failure::of_application", cell, name, &application, &all));
    }
    let special = [401, 407, 413, 416].map(|number| (number, None));
    let coded = CODES.into_iter().flat_map(|code| [400, 500].map(|number| (number, Some(code))));
    for (number, code) in special.into_iter().chain(coded).chain([(416, Some(CODES[1]))]) {
        let cell = status_and_code(status(number), code);
        let name = code.map_or(number.to_string(), |code| format!("{number} {}", code.with_name()));
        for (table, context) in [
            ("Failure::of_server", ErrorContext::SERVER),
            ("Failure::of_application", ErrorContext::REMOTE_APPLICATION),
        ] {
            let value = Failure::of(status(number), code, Some(context)).expect("a failure");
            cells.push(Cell::new(table, cell, name.clone(), &value, &all));
        }
    }
    for (index, failure) in (0_u64..).zip(FAILURES) {
        // The class that a client derives from that of the refusal.
        let mut derived = vec![failure];
        if failure == Failure::Fatal {
            derived.extend([Failure::Transient, Failure::SmallerFragments]);
        }
        for value in derived {
            let number =
                index * 10 + FAILURES.iter().position(|it| *it == value).expect("one") as u64;
            let name = format!("{failure} as {value}");
            cells.push(Cell::new("client::class_of", number, name, &value, &all));
        }
    }
}

/// Returns all refusals as values of cells.
fn values() -> Vec<(Refusal<'static>, String)> {
    let name = |it: &Refusal<'_>| {
        let code = it.code().map_or(String::new(), |code| format!(" {}", code.with_name()));
        let context = it.context().map_or(String::new(), |context| format!(" {context}"));
        format!("{}{code}{context}", it.status().get())
    };
    refusals().map(|refusal| (refusal, name(&refusal))).to_vec()
}

fn constructors(cells: &mut Vec<Cell>) {
    let all = values();
    for refusal in named_refusals() {
        let code = refusal.code().expect("a code");
        let name = format!("{} {}", refusal.status().get(), code.with_name());
        let number = status_and_code(refusal.status(), Some(code));
        cells.push(Cell::new("Refusal::of_server", number, name, &refusal, &all));
    }
    let out_of_sync = Refusal::out_of_sync(ReceivedContentRange(0));
    for (table, refusal) in
        [("Refusal::unavailable", Refusal::unavailable()), ("Refusal::out_of_sync", out_of_sync)]
    {
        cells.push(Cell::new(table, 0, "any".into(), &refusal, &all));
    }
    for (name, refusal) in [
        ("error of the caller", refusals()[4]),
        ("missing length", Refusal::length_required()),
        ("error of the peer", Refusal::invalid_argument()),
    ] {
        let number = refusal.status().get().into();
        cells.push(Cell::new("Refusal::for_error", number, name.into(), &refusal, &all));
    }
}

/// The refusal of a failure of the server application, by way of the error of the embedder.
fn of_application(number: u16, code: Option<HResult>) -> Refusal<'static> {
    HostError::Application { status: status(number), code }.refusal(&Policy::DEFAULT)
}

fn server(cells: &mut Vec<Cell>) {
    let all = values();
    let granted = (None, "granted".to_string());
    let refused = all.iter().map(|(refusal, name)| (Some(*refusal), name.clone()));
    let accesses: Vec<_> = std::iter::once(granted).chain(refused).collect();
    for (number, access) in (0..).zip([
        Access::Granted,
        Access::GrantedOverExisting,
        Access::Unauthenticated,
        Access::Denied,
        Access::InvalidName,
        Access::Disabled,
    ]) {
        let number = access_number(access, number);
        let name = format!("{access:?}");
        cells.push(Cell::new("Access::refusal", number, name, &access.refusal(), &accesses));
    }
    let application = HostError::Application { status: status(403), code: None };
    for (number, error) in (0..).zip([
        HostError::DiskFull,
        HostError::AccessDenied,
        HostError::DestinationExists,
        HostError::DestinationIsFolder,
        HostError::EntityLost,
        application,
        HostError::Other,
    ]) {
        let refusal = error.refusal(&Policy::DEFAULT);
        cells.push(Cell::new("HostError::refusal", number, debug_name(&error), &refusal, &all));
    }
    let not_found = Some(HResult::BG_E_SESSION_NOT_FOUND);
    for number in [200, 403, 404, 408, 416, 500, 503] {
        for code in [None, not_found, Some(HResult::E_ACCESSDENIED)] {
            let name = code.map_or(number.to_string(), |it| format!("{number} {}", it.with_name()));
            let cell = status_and_code(status(number), code);
            let value = of_application(number, code);
            cells.push(Cell::new("Refusal::from_application", cell, name, &value, &all));
        }
    }
}

/// The hook numbers the variants in the order of declaration.
fn access_number(access: Access, number: u64) -> u64 {
    assert_eq!(access as u64, number, "{access:?}");
    number
}

/// Returns the name of a variant without its fields.
fn debug_name(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_string()
}

fn backend(cells: &mut Vec<Cell>) {
    let all = values();
    for (number, error) in (0..).zip([
        NotificationError::Application(status(403)),
        NotificationError::InvalidResponse,
        NotificationError::Timeout(Timer::Send),
        NotificationError::Transport,
        NotificationError::Storage,
    ]) {
        let (name, refusal) = (debug_name(&error), error.refusal());
        cells.push(Cell::new("NotificationError::refusal", number, name, &refusal, &all));
    }
}

fn stop_reasons(cells: &mut Vec<Cell>) {
    let all = [(false, "false".to_string()), (true, "true".to_string())];
    for (number, reason) in (0..).zip([
        UploadStop::FragmentNotFound,
        UploadStop::SessionRejected { status: status(400), code: None },
        UploadStop::Paused,
        UploadStop::Transport,
        UploadStop::Timeout,
        UploadStop::Protocol,
        UploadStop::NoProgress,
        UploadStop::SessionLost,
        UploadStop::ReplyUnavailable,
    ]) {
        let (name, value) = (debug_name(&reason), reason.is_permanent());
        cells.push(Cell::new("client::is_permanent", number, name, &value, &all));
    }
    for (number, reason) in (0..).zip([
        DownloadStop::Paused,
        DownloadStop::Transport,
        DownloadStop::Timeout,
        DownloadStop::Protocol,
        DownloadStop::EntityChanged,
        DownloadStop::Interrupted,
        DownloadStop::MissingValidator,
        DownloadStop::RangeOutsideEntity,
        DownloadStop::MissingLength,
        DownloadStop::RangesNotSupported,
        DownloadStop::UnsupportedEncoding,
        DownloadStop::Storage,
    ]) {
        let (name, value) = (debug_name(&reason), reason.is_permanent());
        cells.push(Cell::new("download::is_permanent", number, name, &value, &all));
    }
    for number in STATUSES.into_iter().chain([401, 407, 413, 416]) {
        let refused = DownloadStop::Refused { status: status(number) };
        let is_transient = !refused.is_permanent();
        let (name, cell) = (number.to_string(), number.into());
        cells.push(Cell::new("download::is_transient", cell, name, &is_transient, &all));
    }
}

fn severities(cells: &mut Vec<Cell>) {
    let all: Vec<_> = Severity::ALL.iter().map(|it| (*it, it.to_string())).collect();
    for rule in SequenceRule::ALL {
        let (table, number) = (type_name::<SequenceRule>(), *rule as u64);
        cells.push(Cell::new(table, number, rule.to_string(), &rule.severity(), &all));
    }
    for rule in DownloadRule::ALL {
        let (table, number) = (type_name::<DownloadRule>(), *rule as u64);
        cells.push(Cell::new(table, number, rule.to_string(), &rule.severity(), &all));
    }
    for (number, name, kind) in
        [(0, "other", ErrorKind::Empty), (1, "value-too-long", ErrorKind::ValueTooLong)]
    {
        let value = Violation::severity_of(kind);
        cells.push(Cell::new("Violation::severity_of", number, name.into(), &value, &all));
    }
    for deviation in Deviation::ALL {
        let value = Violation::from(*deviation).severity();
        let name = format!("{deviation:?}");
        cells.push(Cell::new("deviation_severity", *deviation as u64, name, &value, &all));
    }
    let all = [(false, "false".to_string()), (true, "true".to_string())];
    for number in STATUSES.into_iter().chain([401, 407, 413, 416]) {
        let value = Violation::status_needs_error_code(number);
        let cell = u64::from(number);
        cells.push(Cell::new("status_needs_error_code", cell, cell.to_string(), &value, &all));
    }
}

/// The answers at the end of a session.
fn ends(cells: &mut Vec<Cell>) {
    let answers = ["cancelled", "closed", "404", "410", "session not found"];
    let all: Vec<_> = (0..).zip(answers).map(|(index, name)| (index, name.to_string())).collect();
    for (number, name, answer) in [
        (0, "close, entity lost", 2),
        (1, "close, accepted entity lost", 2),
        (2, "close", 1),
        (3, "fragment, accepted entity lost", 3),
        (4, "fragment", 4),
        (5, "cancel", 0),
    ] {
        cells.push(Cell::new("Session::end", number, name.into(), &answer, &all));
    }
}
