//! `bits conformance server`: examines a server.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bits_conformance::server::{Suite, SuiteError};
use clap::Args;

use super::output;
use crate::error::Failure;
use crate::units::{duration, size};

/// Options of `bits conformance server`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ServerArguments {
    /// Folder for uploads: http://… or https://…
    #[arg(value_name = "URL", required_unless_present = "list")]
    url: Option<String>,
    /// Folder in which the server publishes the entities of the URL, on this machine. Entities are verified and
    /// removed there [default: they are verified by GET].
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Plays the server application at this address, which the server must be configured to notify.
    #[arg(long, value_name = "ADDR:PORT")]
    application: Option<SocketAddr>,
    /// Adds a header field to each request, such as "Authorization: Bearer …"; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Trusts only the certificates in this PEM file [default: those of the system].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Time after which a missing response is a failure.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// Maximum number of bytes to send and receive; further cases are skipped.
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size)]
    max_bytes: u64,
    /// Number of cases that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,

    /// Runs only cases with this id; `*` matches any characters, and an area matches its cases. May be repeated.
    #[arg(long, value_name = "PATTERN", help_heading = "Cases")]
    only: Vec<String>,
    /// Lists the cases and runs none.
    #[arg(long, help_heading = "Cases")]
    list: bool,
    /// Ends after the first failure.
    #[arg(long, help_heading = "Cases")]
    bail: bool,

    /// Prints the report as JSON.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Writes a report for CI systems to this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,
    /// Prints the bytes that were sent and received in failed cases.
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    evidence: bool,
}

const AFTER_HELP: &str = "\
The suite uploads small files named bits-conformance-… to the URL, and cancels its sessions. It removes
the files only with --root.

A case has one of four results: pass, fail, skipped (an option may enable it), not applicable (the server does
not offer what the case is about).

Exit status: 0 if no case fails, 1 if a case fails or the server cannot be examined, 2 for bad usage.";

/// Runs the suite.
///
/// # Errors
///
/// The reason why the server cannot be examined, or the number of failed cases.
pub fn run(arguments: &ServerArguments) -> Result<(), Failure> {
    let suite = suite(arguments)?;
    if arguments.list {
        return print(&output::list(suite.cases(), arguments.json));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let is_shown = !arguments.json && io::stderr().is_terminal();
    let report = runtime
        .map_err(Failure::failed)?
        .block_on(suite.run(|case| {
            if is_shown {
                eprintln!("{}", output::line(case));
            }
        }))
        .map_err(|error| match error {
            SuiteError::Unreachable { .. }
            | SuiteError::NotBits { .. }
            | SuiteError::Refused { .. } => Failure::failed(error),
            _ => Failure::usage(error),
        })?;
    if let Some(path) = &arguments.junit {
        let text = report.to_junit().map_err(Failure::failed)?;
        std::fs::write(path, text)
            .map_err(|error| Failure::failed(format!("--junit {}: {error}", path.display())))?;
    }
    print(&match arguments.json {
        true => report.to_json(),
        false => output::report(&report, arguments.evidence),
    })?;
    match report.failures().count() {
        0 => Ok(()),
        1 => Err(Failure::failed("1 case failed")),
        count => Err(Failure::failed(format!("{count} cases failed"))),
    }
}

fn suite(arguments: &ServerArguments) -> Result<Suite, Failure> {
    let mut suite = Suite::new(arguments.url.clone().unwrap_or_default())
        .timeout(arguments.timeout)
        .max_bytes(arguments.max_bytes)
        .jobs(arguments.jobs)
        .bail(arguments.bail);
    if let Some(root) = &arguments.root {
        suite = suite.root(root);
    }
    if let Some(address) = arguments.application {
        suite = suite.application(address);
    }
    if let Some(path) = &arguments.ca {
        let pem = std::fs::read(path)
            .map_err(|error| Failure::usage(format!("--ca {}: {error}", path.display())))?;
        suite = suite.ca_certificates(pem);
    }
    for (name, value) in &arguments.headers {
        suite = suite.header(name, value);
    }
    Ok(arguments.only.iter().fold(suite, |suite, pattern| suite.only(pattern)))
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().into(), value.trim().into()))
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{}", text.trim_end()).map_err(Failure::failed)
}
