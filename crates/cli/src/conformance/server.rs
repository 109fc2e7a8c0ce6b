//! `bits conformance server`: examines a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bits_conformance::server::{Suite, SuiteError};
use clap::Args;

use super::report::ReportArguments;
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
    #[command(flatten)]
    report: ReportArguments,
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
    let options = &arguments.report;
    if options.list {
        return options.list(suite.cases());
    }
    let report = options.examine(async |on_case| suite.run(on_case).await)?;
    let report = report.map_err(|error| match error {
        SuiteError::Unreachable { .. }
        | SuiteError::NotBits { .. }
        | SuiteError::Refused { .. } => Failure::failed(error),
        _ => Failure::usage(error),
    })?;
    options.finish(&report)
}

fn suite(arguments: &ServerArguments) -> Result<Suite, Failure> {
    let mut suite = Suite::new(arguments.url.clone().unwrap_or_default())
        .timeout(arguments.timeout)
        .max_bytes(arguments.max_bytes)
        .jobs(arguments.report.jobs)
        .bail(arguments.report.bail);
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
    Ok(arguments.report.only.iter().fold(suite, |suite, pattern| suite.only(pattern)))
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().into(), value.trim().into()))
}
