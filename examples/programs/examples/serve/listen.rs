//! Connections: takes them, serves them, and lets them finish when the server is to end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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
use bits_proto_programs::error_chain::error_chain;

/// The largest head, in bytes, and the most fields in it.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;

/// How much of a connection hyper reads ahead.
const BUFFER: usize = 256 * 1024;

/// How long requests in progress may take when the server is to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long the work on them may take to be written down after that.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Serves connections until `end` is there.
pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    arguments: &Arguments,
    end: impl Future<Output = ()>,
) {
    let http = http(arguments.read_timeout);
    let places = Arc::new(Semaphore::new(arguments.max_connections as usize));
    let graceful = GracefulShutdown::new();
    let sweeping = tokio::spawn(sweep(Arc::clone(&server), arguments.session_timeout));
    tokio::pin!(end);
    loop {
        // Whoever finds no place waits in the system's queue.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut end => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "no connection");
                // Most likely there are too many files; some will be closed.
                sleep(Duration::from_millis(100)).await;
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
            debug!("connected");
            match connection.await {
                Ok(()) => debug!("closed"),
                Err(error) => debug!(error = %error_chain(&error), "closed"),
            }
            drop(place);
        };
        tokio::spawn(served.instrument(info_span!("connection", %peer)));
    }
    drop(listener);
    sweeping.abort();
    info!("ending");
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        info!("requests are interrupted");
    }
    if timeout(LAST_WORDS, server.stop()).await.is_err() {
        warn!("work is left undone");
    }
}

fn http(read_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // It runs between requests too.
        .header_read_timeout(read_timeout)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .max_buf_size(BUFFER)
        // A client that has said all it has to say may still listen.
        .half_close(true)
        // As near to the documented spelling as hyper comes.
        .title_case_headers(true);
    http
}

/// Ends sessions whose time is over, now and then.
async fn sweep(server: Arc<Server>, session_timeout: Duration) {
    let longest = Duration::from_secs(60);
    let shortest = Duration::from_millis(100);
    let mut ticks = interval((session_timeout / 4).clamp(shortest, longest));
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| server.sweep());
    }
}

/// Listens, and says where.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind(address).await.map_err(explain)
}
