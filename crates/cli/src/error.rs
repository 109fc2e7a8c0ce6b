//! Errors that end the program.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// The reason that a command ends without success.
#[derive(Debug)]
pub struct Failure {
    text: String,
    status: u8,
}

impl Failure {
    /// The command failed: exit status 1.
    pub fn failed(reason: impl Display) -> Self {
        Self { text: reason.to_string(), status: 1 }
    }

    /// The command line or the configuration is wrong: exit status 2.
    pub fn usage(reason: impl Display) -> Self {
        Self { text: reason.to_string(), status: 2 }
    }

    /// The user interrupted the command: exit status 130, as in a shell.
    pub fn interrupted(text: impl Display) -> Self {
        Self { text: text.to_string(), status: 130 }
    }

    /// Prints the reason after the name of the command, and returns the exit status.
    pub fn report(&self, command: &str) -> ExitCode {
        eprintln!("{command}: {self}");
        ExitCode::from(self.status)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
