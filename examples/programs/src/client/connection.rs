//! Connections to the server. At most one is open, and it is reused for the next request.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::failure::{Failure, Result};
use super::http_url::{HttpUrl, Server};
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::error_chain::error_chain;

/// The body of a request.
pub type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// Returns an empty body.
pub fn empty_body() -> RequestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Maximum length of a response body that is read in order to reuse the connection, in bytes. Such
/// a body is not used.
const MAX_DRAIN: usize = 64 * 1024;

/// Maximum time for reading such a body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Establishes connections and keeps one for reuse.
pub struct Connector {
    #[cfg(feature = "tls")]
    tls: Tls,
    kept: Option<Connection>,
}

pub struct Connection {
    server: Server,
    sender: http1::SendRequest<RequestBody>,
    task: AbortHandle,
    /// True if it was used before. The server may have closed it since then.
    is_reused: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Stops sending a request whose response is no longer awaited.
        self.task.abort();
    }
}

/// Reasons why a connection cannot be established.
#[derive(Debug)]
pub enum ConnectError {
    /// A retry may succeed.
    Transient(String),
    /// A retry would fail too.
    Permanent(String),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient(why) | Self::Permanent(why) => f.write_str(why),
        }
    }
}

impl Connector {
    /// Creates a connector that trusts the certificates in the file `ca`.
    #[cfg(feature = "tls")]
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        Ok(Self { tls: Tls::new(ca)?, kept: None })
    }

    /// Creates a connector for http only.
    #[cfg(not(feature = "tls"))]
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        match ca {
            Some(_) => Err(Failure::usage(NO_TLS)),
            None => Ok(Self { kept: None }),
        }
    }

    /// Fails if this build does not support the scheme of the URL.
    pub fn check(&self, url: &HttpUrl) -> Result<()> {
        if url.server.is_tls && !cfg!(feature = "tls") {
            return Err(Failure::usage(NO_TLS));
        }
        Ok(())
    }

    /// Returns the kept connection if it is to this server and still open, or a new one.
    pub async fn connection(
        &mut self,
        server: &Server,
    ) -> std::result::Result<Connection, ConnectError> {
        let Some(mut kept) = self.kept.take().filter(|kept| kept.server == *server) else {
            return self.connect(server).await;
        };
        match kept.sender.ready().await {
            Ok(()) => Ok(kept),
            Err(_) => self.connect(server).await,
        }
    }

    /// Establishes a new connection.
    pub async fn connect(&self, server: &Server) -> std::result::Result<Connection, ConnectError> {
        let explain = |error: io::Error| ConnectError::Transient(format!("{server}: {error}"));
        let addresses = tokio::net::lookup_host((server.host.as_str(), server.port)).await;
        let addresses = addresses.map_err(|error| {
            ConnectError::Transient(format!("cannot resolve host {}: {error}", server.host))
        })?;
        let addresses = addresses.collect::<Vec<_>>();
        let stream = TcpStream::connect(&*addresses).await.map_err(explain)?;
        stream.set_nodelay(true).map_err(explain)?;
        #[cfg(feature = "tls")]
        if server.is_tls {
            return handshake(server, self.tls.secure(server, stream).await?).await;
        }
        handshake(server, stream).await
    }

    /// Reads the rest of a response and keeps the connection for the next request, if possible.
    pub async fn keep(&mut self, mut connection: Connection, mut body: Incoming) {
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, async {
            let mut left = MAX_DRAIN;
            while let Some(frame) = body.frame().await {
                let length = frame.ok()?.data_ref().map_or(0, |data| data.len());
                left = left.checked_sub(length)?;
            }
            Some(())
        });
        if drained.await.is_ok_and(|it| it.is_some()) && !connection.sender.is_closed() {
            connection.is_reused = true;
            self.kept = Some(connection);
        }
    }
}

const NO_TLS: &str = "https is not supported by this build; build with --features tls";

async fn handshake<S>(server: &Server, stream: S) -> std::result::Result<Connection, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    // Close to the spelling in the specification, for servers that compare names by case.
    builder.title_case_headers(true);
    let (sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ConnectError::Transient(format!("{server}: {}", error_chain(&error))))?;
    // Errors are also returned by the pending `send_request`.
    let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Connection { server: server.clone(), sender, task, is_reused: false })
}

/// Result of sending a request.
pub enum ExchangeResult {
    Response(Response<Incoming>),
    /// The server had closed the connection before any byte was sent.
    NotSent(Request<RequestBody>),
    Failed {
        /// True if everything received so far was valid HTTP.
        is_http: bool,
        why: String,
    },
}

impl Connection {
    /// Sends a request and waits for the head of the response, which may arrive before the request
    /// is completely sent.
    pub async fn exchange(&mut self, request: Request<RequestBody>) -> ExchangeResult {
        match self.sender.try_send_request(request).await {
            Ok(response) => ExchangeResult::Response(response),
            Err(mut error) => match error.take_message() {
                Some(request) if self.is_reused => ExchangeResult::NotSent(request),
                _ => {
                    let error = error.into_error();
                    let why = format!("{}: {}", self.server, error_chain(&error));
                    ExchangeResult::Failed { is_http: !error.is_parse(), why }
                }
            },
        }
    }
}
