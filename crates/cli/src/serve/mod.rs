//! `bits serve`: a server that receives uploads and serves downloads.

mod arguments;
mod basic_auth;
mod listen;
mod socket;
mod storage;
mod telemetry;

use std::io::{self, Write as _};

use bits_proto::error::error_chain;
use http::request::Parts;

use bits_server::{Deny, Principal, Server};
use tokio::runtime::{Builder, Runtime};

pub use self::arguments::ServeArguments;
use self::basic_auth::CHALLENGE;
use crate::error::Failure;
use crate::signals::Signals;

/// Runs the server until it is stopped.
pub fn run(arguments: &ServeArguments) -> Result<(), Failure> {
    telemetry::log(arguments.log_format);
    raise_file_limit(arguments.max_connections);
    let runtime = runtime().map_err(Failure::failed)?;
    runtime.block_on(serve(arguments))
}

/// Limits the threads that wait for the disk: more would use memory without being faster.
fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(64).enable_all().build()
}

async fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    let listener = listen::bind(arguments.listen).await.map_err(Failure::failed)?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    if let Some(address) = arguments.metrics {
        telemetry::export_metrics(address)?;
    }
    let server = server(arguments).await?;
    survive_file_size_limit().map_err(Failure::failed)?;
    let mut signals = Signals::listen().map_err(Failure::failed)?;
    let mut stdout = io::stdout();
    let announced = writeln!(stdout, "listening on http://{address}");
    announced.and_then(|()| stdout.flush()).map_err(Failure::failed)?;
    listen::serve(listener, server, arguments, async move { signals.next().await }).await;
    Ok(())
}

async fn server(arguments: &ServeArguments) -> Result<Server, Failure> {
    let mut builder = storage::open(Server::builder(), arguments).await?;
    if let Some(basic) = arguments.basic.clone() {
        builder = builder.authorize(move |request: &Parts| {
            let user = basic.user(&request.headers).map(Principal::new);
            let user = user.ok_or_else(|| Deny::unauthenticated(CHALLENGE));
            async move { user }
        });
    }
    let built = arguments.apply(builder)?.build().await;
    built.map_err(|error| Failure::failed(error_chain(&error)))
}

/// Raises the limit of open files as far as the system permits.
#[cfg(unix)]
fn raise_file_limit(max_connections: u32) {
    // A connection, and a file of the storage.
    let required = 2 * u64::from(max_connections);
    let limit = rlimit::increase_nofile_limit(u64::MAX);
    if limit.as_ref().is_ok_and(|limit| *limit >= required) {
        return;
    }
    let limit = limit.map_or_else(|error| error.to_string(), |limit| limit.to_string());
    tracing::warn!(
        limit,
        required,
        "--max-connections requires more open files than the system permits; raise the limit with `ulimit -Hn` or \
         LimitNOFILE"
    );
}

#[cfg(not(unix))]
fn raise_file_limit(_: u32) {}

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
