//! `bits conformance client`: examines a client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bits_conformance::client::{Suite, SuiteError, Transfer};
use clap::{Args, ValueEnum};

use super::report::ReportArguments;
use crate::error::Failure;
use crate::units::duration;

/// Options of `bits conformance client`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ClientArguments {
    /// Client and its arguments, with {url} and {file} in place of the URL and the file.
    #[arg(value_name = "COMMAND", last = true, required_unless_present = "list")]
    command: Vec<String>,
    /// Direction of the transfers.
    #[arg(long, value_enum, default_value_t = Direction::Upload)]
    direction: Direction,
    /// Address at which the suite listens. A port is used for all cases, one after another, together with the
    /// port after it [default: 127.0.0.1 with free ports].
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Name or address of this machine in {url} [default: that of --listen].
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Time after which a client that still runs is stopped.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    report: ReportArguments,
}

#[derive(Clone, Copy, ValueEnum)]
enum Direction {
    /// The client uploads {file} to {url}.
    Upload,
    /// The client downloads {url} to {file}.
    Download,
}

const AFTER_HELP: &str = "\
COMMAND runs once for each case, with a server that deviates in one respect. The command succeeds with exit \
status 0. Short fragments and short delays between retries make more cases possible and the suite faster:

  bits conformance client -- bits upload --fragment-size 5KiB --retry-delay 50ms --retries 4 {file} {url}
  bits conformance client --direction download -- curl --fail --retry 3 -C - -o {file} {url}

Further placeholders enable further cases: {user} and {password} for servers that require credentials, {reply} as the \
destination of the server's reply to an upload. {dir} is an empty folder for the state of the client. The cases about \
proxies set the environment variable http_proxy.

A case has one of four results: pass, fail, skipped (an option or a placeholder may enable it), not applicable (the \
client does not do what the case is about, and need not).

Exit status: 0 if no case fails, 1 if a case fails or the client cannot be examined, 2 for bad usage, such as \
a program that does not exist.";

/// Runs the suite.
///
/// # Errors
///
/// The reason why the client cannot be examined, or the number of failed cases.
pub fn run(arguments: &ClientArguments) -> Result<(), Failure> {
    let suite = suite(arguments);
    let options = &arguments.report;
    if options.list {
        return options.list(suite.cases());
    }
    let report = options.examine(async |on_case| suite.run(on_case).await)?;
    let report = report.map_err(|error| match error {
        SuiteError::NotClient { .. } | SuiteError::Listen { .. } => Failure::failed(error),
        _ => Failure::usage(error),
    })?;
    options.finish(&report)
}

fn suite(arguments: &ClientArguments) -> Suite {
    let transfer = match arguments.direction {
        Direction::Upload => Transfer::Upload,
        Direction::Download => Transfer::Download,
    };
    let mut suite = Suite::new(transfer, &arguments.command)
        .timeout(arguments.timeout)
        .jobs(arguments.report.jobs)
        .bail(arguments.report.bail);
    if let Some(address) = arguments.listen {
        suite = suite.listen(address);
    }
    if let Some(host) = &arguments.host {
        suite = suite.host(host);
    }
    arguments.report.only.iter().fold(suite, |suite, pattern| suite.only(pattern))
}

/// Parses an address with or without a port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>();
    with_port
        .or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0)))
        .map_err(|_| {
            format!(
                "expected an address such as {} or {}:8080",
                Ipv4Addr::LOCALHOST,
                Ipv4Addr::LOCALHOST
            )
        })
}
