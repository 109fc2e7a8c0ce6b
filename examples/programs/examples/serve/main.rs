//! A server for uploads, on hyper.
//!
//! ```sh
//! cargo run --release --example serve -- --root DIR [--listen 127.0.0.1:8080] [--notify URL]
//! ```
//!
//! A Windows client uploads to any path below the root whose folder is there; `--help` tells the
//! rest. It prints `listening on http://ADDR:PORT` when it is ready, and logs to the standard
//! error. SIGINT and SIGTERM end it when the requests in progress are done, or after some seconds.
//! Exit status: 0 then; 1 when it cannot start; 2 for bad usage.
//!
//! Sessions lie in a folder beside the root, and outlive the server, however it ends: bytes count
//! when they are reported to their session, at least once a MiB, and a client goes on behind them.
//!
//! # What is answered
//!
//! Every BITS request gets an Ack, and the crate alone decides which. A request is one if its method
//! is `BITS_POST`, or it has a BITS-Packet-Type or `X-HTTP-Method-Override: BITS_POST`. GET and HEAD
//! fetch entities and replies, whole or a range, and for If-Range there is a strong ETag; every other
//! method is answered with 405.
//!
//! A destination that is no plain path below the root, whose folder does not exist, or which is a
//! folder, is answered as a place that nobody may write to: 403.
//!
//! hyper reads the heads, and so it answers before the crate, with a status alone, what it cannot
//! read: 400 for what is no HTTP, for a Content-Length that is no number (a sign, a list, or one
//! that overflows) and for two that differ, for a last transfer coding other than chunked, and for
//! any coding in HTTP/1.0; 431 for a head of more than 64 KiB or of more than 100 fields. The crate
//! would answer the same 400 with `E_INVALIDARG`. Two equal Content-Lengths are one to hyper, and
//! beside Transfer-Encoding it hides Content-Length; the crate refuses the coding. A client that is
//! too slow with a head is cut off without an answer.

mod application;
mod arguments;
mod basic_auth;
mod body;
mod download;
mod listen;
mod notify;
mod server;
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

/// Who waits for the disk takes a thread, and hundreds that wait for one disk are no faster than
/// some; each has a stack.
fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(64).enable_all().build()
}

async fn run(arguments: &Arguments) -> io::Result<()> {
    let server = Arc::new(Server::new(arguments)?);
    outlive_large_files()?;
    let end = end()?;
    let listener = listen::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()?;
    listen::serve(listener, server, arguments, end).await;
    Ok(())
}

/// A write beyond a limit on the size of files (`ulimit -f`) ends the process, unless it hears of
/// the signal: then the write fails, and the client is told of that.
#[cfg(unix)]
fn outlive_large_files() -> io::Result<()> {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

#[cfg(not(unix))]
fn outlive_large_files() -> io::Result<()> {
    Ok(())
}

/// When somebody asks the server to end.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = ()>> {
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

/// When somebody asks the server to end.
#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
