//! Why an upload was not done, for people.

use std::fmt::{self, Display};
use std::process::ExitCode;

use bits_proto::client::{EventError, StopReason};
use bits_proto::field::HResult;

pub type Result<T> = std::result::Result<T, Failure>;

/// The end of the program, but for a good one.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for what cannot be.
    Usage(String),
    Failed(String),
    /// By Ctrl-C, and all was done that is done then.
    Interrupted(String),
}

impl Failure {
    pub fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    pub fn failed(why: impl Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// The program has told the upload what cannot have happened.
    pub fn machine(error: EventError) -> Self {
        Self::Failed(format!("a defect of this program: {error}"))
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Interrupted(_) => 130,
        })
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) | Self::Failed(why) | Self::Interrupted(why) => f.write_str(why),
        }
    }
}

/// What stopped an upload, and what can be done about it. `trouble` is what went wrong last, in
/// more detail than the upload knows.
pub fn explain(stop: StopReason, trouble: Option<&str>) -> String {
    let advice = advice(stop);
    let what = match (stop, trouble) {
        (StopReason::Refused { .. } | StopReason::Paused, _) | (_, None) => stop.to_string(),
        (_, Some(trouble)) => format!("{stop}: {trouble}"),
    };
    if advice.is_empty() { what } else { format!("{what}; {advice}") }
}

fn advice(stop: StopReason) -> &'static str {
    match stop {
        StopReason::Refused { status, code, .. } => of_refusal(status.get(), code),
        StopReason::Timeout => {
            "--timeout lets it take longer, --fragment-size sends less at a time"
        }
        StopReason::Protocol => "is it a BITS server, and the URL one for uploads?",
        StopReason::SessionLost | StopReason::NoProgress => "the server's own log may say why",
        _ => "",
    }
}

fn of_refusal(status: u16, code: Option<HResult>) -> &'static str {
    match (status, code) {
        (_, Some(code)) if code.is_disk_full() => "the server's disk is full: try again later",
        (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => {
            "too large: the server takes no entity, or no fragment, of this length"
        }
        (403, _) | (_, Some(HResult::E_ACCESSDENIED)) => {
            "access denied: the server does not let you upload to this URL"
        }
        (404, _) => "the server has no such place: check the URL",
        (405 | 501, _) => "not a BITS server: it does not know BITS_POST requests to this URL",
        (_, Some(HResult::E_INVALIDARG)) => "the server calls the request invalid",
        (500..=599, _) => "the server is in trouble: try again later",
        _ => "",
    }
}
