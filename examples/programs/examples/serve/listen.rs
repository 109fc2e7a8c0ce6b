//! Accepts connections, serves them, and lets them finish at shutdown.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bits_proto_programs::error_chain::error_chain;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};
use tracing::{Instrument as _, debug, info, info_span, warn};

use crate::arguments::Arguments;
use crate::server::Server;
use crate::socket::Socket;

/// The scheme of the server's URLs.
pub const SCHEME: &str = "http";

/// Maximum length of a head, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Maximum number of fields in a head.
const MAX_FIELDS: usize = 100;

/// Maximum number of bytes that hyper buffers per connection.
const BUFFER: usize = 256 * 1024;

/// Time for requests in progress to complete at shutdown.
const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Time for interrupted requests to store their progress after that.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay after a connection could not be accepted.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves connections until `shutdown` completes.
pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    arguments: &Arguments,
    shutdown: impl Future<Output = ()>,
) {
    let http = http(arguments.read_timeout);
    let permits = Arc::new(Semaphore::new(arguments.max_connections as usize));
    let graceful = GracefulShutdown::new();
    let sweeping = tokio::spawn(sweep(Arc::clone(&server), arguments.session_timeout));
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
        let service = Arc::clone(&server);
        let connection = http.serve_connection(
            TokioIo::new(socket),
            service_fn(move |request| Arc::clone(&service).serve(request)),
        );
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
    sweeping.abort();
    info!("shutting down");
    if timeout(GRACE_PERIOD, graceful.shutdown()).await.is_err() {
        info!("requests in progress are interrupted");
    }
    if timeout(STOP_TIMEOUT, server.stop()).await.is_err() {
        warn!("some requests did not stop in time; their last bytes may have to be sent again");
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

/// Ends expired sessions at regular intervals.
async fn sweep(server: Arc<Server>, session_timeout: Duration) {
    let longest = Duration::from_secs(60);
    let shortest = Duration::from_millis(100);
    let mut ticks = interval((session_timeout / 4).clamp(shortest, longest));
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| server.sweep());
    }
}

/// Binds the address; an error names it.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind(address).await.map_err(explain)
}
