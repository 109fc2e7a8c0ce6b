//! Errors that end the program, described for the user.

use bits_proto::client::StopReason;
use bits_proto::field::{ErrorContext, HResult};

pub use bits_proto_programs::client::failure::{Failure, Result};

/// Describes why an upload stopped, and the next step for the user. `last_error` has details that
/// the state machine does not know.
pub fn explain(stop: StopReason, last_error: Option<&str>) -> String {
    let advice = advice(stop);
    let what = match (stop, last_error) {
        (
            StopReason::Refused { .. }
            | StopReason::FragmentNotFound
            | StopReason::SessionRejected { .. }
            | StopReason::Paused,
            _,
        )
        | (_, None) => stop.to_string(),
        (_, Some(error)) => format!("{stop}: {error}"),
    };
    if advice.is_empty() { what } else { format!("{what}; {advice}") }
}

fn advice(stop: StopReason) -> &'static str {
    match stop {
        StopReason::Refused { status, code, context: Some(ErrorContext::REMOTE_APPLICATION) } => {
            application_advice(status.get(), code)
        }
        StopReason::Refused { status, code, .. } => refusal_advice(status.get(), code),
        StopReason::FragmentNotFound => {
            "send smaller fragments with --fragment-size, or ask the operator of the server to \
             enable uploads and to raise the limit of its request filtering"
        }
        StopReason::SessionRejected { .. } => {
            "the same command with --restart sends the file from its beginning"
        }
        StopReason::Timeout => {
            "allow more time with --timeout, or send smaller fragments with --fragment-size"
        }
        StopReason::Protocol => "check that the URL belongs to a BITS server that accepts uploads",
        StopReason::SessionLost | StopReason::NoProgress => {
            "the log of the server may contain the reason"
        }
        _ => "",
    }
}

/// Returns the advice for a failure of the application that the server hands the entity to.
fn application_advice(status: u16, code: Option<HResult>) -> &'static str {
    match (status, code) {
        (_, Some(code)) if code.is_disk_full() => DISK_FULL,
        (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => {
            "too large: the entity exceeds a limit of the application behind the server; ask its \
             operator to raise it"
        }
        (401 | 403 | 407, _) | (_, Some(HResult::E_ACCESSDENIED)) => {
            "access denied: ask the operator of the server to allow the application behind it"
        }
        (408 | 409 | 429 | 500..=599, _) => {
            "the application behind the server has a problem: try again later"
        }
        _ => {
            "the application behind the server does not accept the entity: ask the operator of the \
             server why"
        }
    }
}

const DISK_FULL: &str = "the disk of the server is full: try again later";

fn refusal_advice(status: u16, code: Option<HResult>) -> &'static str {
    match (status, code) {
        (_, Some(code)) if code.is_disk_full() => DISK_FULL,
        (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => {
            "too large: the entity or the fragment exceeds a limit of the server"
        }
        (403, _) | (_, Some(HResult::E_ACCESSDENIED)) => {
            "access denied: the server does not allow this upload to this URL"
        }
        (404, _) => "the destination does not exist on the server: check the URL",
        (429, _) => {
            "the server limits the rate of requests: try again later, or allow more with --retries"
        }
        (405 | 501, _) => {
            "not a BITS server for this URL, or a proxy before it rejects the method BITS_POST"
        }
        (_, Some(HResult::E_INVALIDARG)) => "the server rejects the request as invalid",
        (500..=599, _) => "the server has an internal problem: try again later",
        _ => "",
    }
}
