//! An upload server on hyper.
//!
//! ```sh
//! cargo run --release --example serve -- --root DIR [--listen 127.0.0.1:8080] [--notify URL]
//! ```
//!
//! A Windows client can upload to any path below the root if the parent folder exists. `--help`
//! lists all options. The server prints `listening on http://ADDR:PORT` when it is ready and logs to
//! standard error. SIGINT and SIGTERM stop it after the requests in progress, or after some seconds.
//! Exit status: 0 after such a stop, 1 if the server cannot start, 2 for bad usage.
//!
//! Sessions are stored in a folder beside the root and survive restarts and crashes of the server;
//! with `--fsync` they also survive power failures. Received bytes are recorded in their session at
//! least once per MiB; a client resumes after the last recorded byte.
//!
//! # Embedding rules
//!
//! * Fencing: a request that stalls and is overtaken by a later one must not write any more. All
//!   work on the files of a session runs under its work token: see `serve::fencing` in the library
//!   of this package.
//! * Cancellation: hyper drops a handler when the client disconnects. Each BITS request is therefore
//!   a spawned task, which always reports its result to the session: see `Server::serve`.
//! * Notification: an application that has accepted an entity is not notified again; see
//!   `Server::notify`.
//! * Publication: an entity appears at its destination in one step, by a hard link or a rename: see
//!   `Storage::commit`.
//!
//! # Responses
//!
//! Every BITS request is answered with an Ack that `bits-proto` determines. A request belongs to
//! BITS if its method is `BITS_POST`, or if it has the field BITS-Packet-Type or
//! `X-HTTP-Method-Override: BITS_POST`. GET and HEAD return uploaded entities and replies, with
//! ranges and conditions: see `bits_proto::download::Plan`. Every other method is answered with 405.
//!
//! A response has Last-Modified and, on Unix, an ETag. Files that other programs put below the root
//! should be moved there, not written in place. A file that changes while it is sent ends the
//! response early, so that the client starts over.
//!
//! An invalid destination is answered with 403: a path that is not plain, a path that names a
//! folder, or a path without an existing parent folder.
//!
//! hyper parses the heads and rejects some of them itself, with a bare status code. It sends 400 for
//! invalid HTTP, for an invalid or conflicting Content-Length, for a last transfer coding other than
//! chunked, and for any transfer coding in HTTP/1.0. `bits-proto` would answer these with 400 and
//! `E_INVALIDARG`. hyper sends 431 for a head of more than 64 KiB or more than 100 fields. It merges
//! equal Content-Length fields and hides Content-Length if there is a Transfer-Encoding, which
//! `bits-proto` then rejects. A client that sends its head too slowly is disconnected.

mod application;
mod arguments;
mod basic_auth;
mod body;
mod download;
mod entity_reader;
mod exchange;
mod listen;
mod notify;
mod server;
mod snapshot;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod upload;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, LogFormat};
use server::Server;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.log_format);
    match runtime().and_then(|runtime| runtime.block_on(run(&arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "serve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Limits the threads that wait for the disk: more would use memory without being faster.
fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(64).enable_all().build()
}

async fn run(arguments: &Arguments) -> io::Result<()> {
    let listener = listen::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let server = Arc::new(Server::new(arguments, address)?);
    survive_file_size_limit()?;
    let shutdown = shutdown_signal()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}://{address}", listen::SCHEME)?;
    stdout.flush()?;
    listen::serve(listener, server, arguments, shutdown).await;
    Ok(())
}

/// Handles SIGXFSZ, which otherwise terminates the process at the file size limit (`ulimit -f`).
/// The write then fails with an error that is reported to the client.
#[cfg(unix)]
fn survive_file_size_limit() -> io::Result<()> {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

#[cfg(not(unix))]
fn survive_file_size_limit() -> io::Result<()> {
    Ok(())
}

/// Completes at SIGINT or SIGTERM.
#[cfg(unix)]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
