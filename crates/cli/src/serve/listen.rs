//! Accepts connections, serves them, and lets them finish at shutdown.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::error::error_chain;
use bits_server::Server;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::ServeArguments;
use super::socket::Socket;

/// Maximum length of a head, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Maximum number of fields in a head.
const MAX_FIELDS: usize = 100;

/// Maximum number of bytes that hyper buffers per connection.
const BUFFER: usize = 256 * 1024;

/// Time for responses to reach their clients at shutdown.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay after a connection could not be accepted.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves connections until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    server: Server,
    arguments: &ServeArguments,
    shutdown: impl Future<Output = ()>,
) {
    let http = http(arguments.read_timeout);
    let permits = Arc::new(Semaphore::new(arguments.max_connections as usize));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        // At the limit, further clients wait in the backlog of the listening socket.
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "cannot accept a connection; retrying");
                // Usually the process has too many open files, some of which will be closed.
                sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        let Ok(socket) = Socket::new(stream, arguments.read_timeout) else { continue };
        let service = TowerToHyperService::new(server.service());
        let connection = http.serve_connection(TokioIo::new(socket), service);
        let connection = graceful.watch(connection);
        let served = async move {
            debug!("connection accepted");
            match connection.await {
                Ok(()) => debug!("connection closed"),
                Err(error) => debug!(error = %error_chain(&error), "connection closed"),
            }
            drop(permit);
        };
        tokio::spawn(served.instrument(info_span!("connection", %peer)));
    }
    drop(listener);
    info!("shutting down");
    // A future of its own: idle connections close while requests are in progress.
    let closed = tokio::spawn(graceful.shutdown());
    server.shutdown().await;
    if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
        warn!("some connections did not close in time");
    }
}

fn http(read_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // Also limits the time between two requests.
        .header_read_timeout(read_timeout)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .max_buf_size(BUFFER)
        // A client may close its sending side and still read the response.
        .half_close(true)
        // The closest that hyper offers to the documented spelling of field names.
        .title_case_headers(true);
    http
}

/// Binds the address; an error names it.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind(address).await.map_err(explain)
}
