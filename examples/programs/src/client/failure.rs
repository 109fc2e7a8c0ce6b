//! Errors that end a program, described for the user.

use std::fmt::{self, Display};
use std::process::ExitCode;

pub type Result<T> = std::result::Result<T, Failure>;

/// Reason for an exit status other than 0.
#[derive(Debug)]
pub enum Failure {
    /// The command line is invalid.
    Usage(String),
    /// The transfer failed.
    Failed(String),
    /// The user pressed Ctrl-C, and the transfer was paused or cancelled.
    Interrupted(String),
}

impl Failure {
    pub fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    pub fn failed(why: impl Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// An input that the state machine does not accept, which is a bug of the program.
    pub fn machine(error: impl Display) -> Self {
        Self::Failed(format!("internal error, please report it: {error}"))
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
