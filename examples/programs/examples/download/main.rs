//! Downloads a file, or ranges of it, from any HTTP server.
//!
//! ```sh
//! cargo run --release --example download -- URL FILE [--range A-B …] …
//! ```
//!
//! Transient failures are retried with exponential back-off. The download survives Ctrl-C and
//! crashes: the same command continues it, unless the entity has changed on the server. Until it is
//! complete, its bytes are in `FILE.part` and its state is in `FILE.state`. `https` requires the
//! feature `tls`: `cargo run --release --features tls --example download`.
//!
//! The program draws a progress bar on a terminal and prints one line at the end. Exit status: 0 if
//! the file is complete, 1 on failure, 2 for bad usage, 130 after Ctrl-C.

mod advice;
mod arguments;

use std::process::ExitCode;

use bits_proto::download::{ByteRange, Download, Poll};
use bits_proto_programs::client::connection::Connector;
use bits_proto_programs::client::console::{Console, Direction};
use bits_proto_programs::client::failure::{Failure, Result};
use bits_proto_programs::client::fetch::job::FetchJob;
use bits_proto_programs::client::fetch::part_file::{PartFile, check_path};
use bits_proto_programs::client::fetch::{self, Fetch, FetchError};
use bits_proto_programs::client::http_url::HttpUrl;
use bits_proto_programs::client::interrupt::Interrupts;
use bits_proto_programs::client::random::seed;
use bits_proto_programs::client::rate_limit::RateLimit;
use bits_proto_programs::client::state_file::{StateFile, with_suffix};
use clap::Parser as _;

use arguments::Arguments;

// One thread suffices for one connection.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match download(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("download: {failure}");
            failure.exit_code()
        }
    }
}

async fn download(arguments: &Arguments) -> Result<()> {
    let url = HttpUrl::parse(&arguments.url)?;
    let client = &arguments.client;
    let headers = client.headers(concat!("bits-proto-download/", env!("CARGO_PKG_VERSION")))?;
    fetch::check_headers(&url, &headers)?;
    let mut connector = Connector::new(client.ca.as_deref())?;
    connector.check(&url)?;
    let mut fetch = prepare(arguments, url)?;
    fetch.headers = headers;
    fetch.rate_limit = client.limit.map(RateLimit::new);
    fetch.timeout = client.timeout;
    fetch.console.resumed_at(fetch.download.received());
    let mut interrupts = Interrupts::listen()?;
    let ended = tokio::select! {
        biased;
        () = interrupts.first() => None,
        ended = fetch.run(&mut connector) => Some(ended),
    };
    fetch.console.clear();
    match ended {
        None if fetch.download.poll() == Poll::Finished => finish(fetch),
        None => Err(interrupted(fetch)),
        Some(Ok(())) => finish(fetch),
        Some(Err(error)) => Err(failed(fetch, error)),
    }
}

/// Opens the files, and continues the download of a previous process if there is one.
fn prepare(arguments: &Arguments, url: HttpUrl) -> Result<Fetch> {
    check_path(&arguments.file)?;
    let job = FetchJob::new(&url, &arguments.ranges);
    let path = with_suffix(&arguments.file, ".state");
    let (state, stored) = StateFile::open::<Download<Vec<ByteRange>>>(&path, job)?;
    let options = arguments.options();
    let is_resumed = stored.is_some();
    let download = match stored {
        Some(stored) => stored,
        None => Download::new(arguments.ranges.clone(), options, seed()?),
    };
    let file = PartFile::open(&arguments.file, download.received())?;
    let console = Console::new(Direction::Download, 0, arguments.client.quiet);
    let mut fetch = Fetch::new(download, url, file, console);
    fetch.state = Some(state);
    if is_resumed {
        // No request is in flight any more. A failed download has none, and cannot be paused.
        let _ = fetch.download.pause();
        fetch.download.set_options(options).map_err(Failure::machine)?;
        fetch.resume().map_err(|error| explain(&fetch.url, error))?;
    }
    Ok(fetch)
}

/// Reports a complete download.
fn finish(mut fetch: Fetch) -> Result<()> {
    if let Some(state) = fetch.state.take() {
        state.remove()?;
    }
    fetch.console.done(fetch.download.received(), fetch.url.as_str());
    Ok(())
}

/// Cleans up after a failure: keeps the files if the same command can continue the download.
fn failed(mut fetch: Fetch, error: FetchError) -> Failure {
    let failure = explain(&fetch.url, error);
    if fetch.download.received() > 0 {
        return fetch.save().err().unwrap_or(failure);
    }
    let removed = fetch.state.take().map_or(Ok(()), StateFile::remove);
    removed.and_then(|()| fetch.file.remove()).err().unwrap_or(failure)
}

/// Handles Ctrl-C: pauses the download.
fn interrupted(mut fetch: Fetch) -> Failure {
    // Fails for a download that failed at the same time. The next process resumes it.
    let _ = fetch.download.pause();
    if let Err(failure) = fetch.save() {
        return failure;
    }
    let of = fetch.download.requested();
    let of = of.map_or_else(String::new, |bytes| format!(" of {bytes}"));
    Failure::Interrupted(format!(
        "paused at {}{of} bytes; the same command continues",
        fetch.download.received(),
    ))
}

/// Describes an error, and the next step for the user.
fn explain(url: &HttpUrl, error: FetchError) -> Failure {
    let (text, reason) = match error {
        FetchError::Local(failure) => return failure,
        FetchError::Transient { text, reason } | FetchError::Permanent { text, reason } => {
            (text, reason)
        }
    };
    let advice = reason.map_or("", advice::advice);
    let separator = if advice.is_empty() { "" } else { "; " };
    Failure::failed(format!("{}: {text}{separator}{advice}", url.as_str()))
}
