//! The code of the program `bits`, which transfers files with BITS. Only the program and its tests use it;
//! it has no stable interface. Programs use the packages `bits-server` and `bits-client`.

#![forbid(unsafe_code)]

pub mod client;
pub mod config;
pub mod conformance;
pub mod demo;
pub mod dissector;
pub mod download;
pub mod error;
pub mod inspect;
pub mod serve;
pub mod signals;
pub mod units;
pub mod upload;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use error::Failure;

/// Transfers files with BITS, the Background Intelligent Transfer Service of Windows.
#[derive(Parser)]
#[command(name = "bits", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Receives uploads and serves downloads.
    Serve(Box<serve::ServeArguments>),
    /// Uploads a file to a BITS server.
    Upload(Box<upload::UploadArguments>),
    /// Downloads a file, or ranges of it, from any HTTP server.
    Download(Box<download::DownloadArguments>),
    /// Uploads a file from a client to a server on this machine, and explains the conversation.
    Demo(demo::DemoArguments),
    /// Explains captured BITS traffic.
    Inspect(inspect::InspectArguments),
    /// Prints a dissector for Wireshark, a script in Lua.
    Dissector(dissector::DissectorArguments),
    /// Examines other implementations.
    Conformance(conformance::ConformanceArguments),
    /// Prints a script that completes commands in a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Writes manual pages to a folder.
    Man {
        /// Folder that receives bits.1, bits-serve.1 and so on.
        #[arg(value_name = "DIR")]
        folder: std::path::PathBuf,
    },
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Object stores use the provider of the process. Fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match config::expand(std::env::args_os().collect::<Vec<OsString>>()) {
        Ok(arguments) => Arguments::parse_from(arguments),
        Err(reason) => return Failure::usage(reason).report("bits"),
    };
    let done = match arguments.command {
        Command::Inspect(arguments) => {
            if let Some(message) = arguments.conflict() {
                let mut command = Arguments::command();
                let inspect = command
                    .find_subcommand_mut("inspect")
                    .map_or_else(Arguments::command, |it| it.clone());
                inspect.bin_name("bits inspect").error(ErrorKind::ArgumentConflict, message).exit();
            }
            return inspect::main(&arguments);
        }
        Command::Serve(arguments) => return ended("serve", serve::run(&arguments)),
        Command::Demo(arguments) => {
            return demo::run(&arguments).unwrap_or_else(|failure| failure.report("demo"));
        }
        Command::Upload(arguments) => return transfer("upload", upload::run(&arguments)),
        Command::Download(arguments) => return transfer("download", download::run(&arguments)),
        Command::Dissector(arguments) => return ended("dissector", dissector::run(&arguments)),
        Command::Conformance(arguments) => {
            return ended("conformance", conformance::run(&arguments));
        }
        Command::Completions { shell } => completions(shell),
        Command::Man { folder } => clap_mangen::generate_to(Arguments::command(), folder)
            .map_err(|error| Failure::failed(format!("cannot write the manual pages: {error}"))),
    };
    ended("bits", done)
}

/// Reports the end of a command, and returns its exit status.
fn ended(command: &str, done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(command),
    }
}

/// Runs a transfer. One thread suffices for one connection; a blocking thread reads the file.
fn transfer(command: &str, transfer: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::failed).and_then(|runtime| runtime.block_on(transfer));
    ended(command, done)
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bits", &mut script);
    io::stdout().write_all(&script).map_err(Failure::failed)
}
