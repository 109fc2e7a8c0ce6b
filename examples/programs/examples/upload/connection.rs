//! The one connection there is at a time, kept from request to request.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use crate::body::EntityBody;
use crate::destination::{Destination, Server};
use crate::failure::{Failure, Result};
#[cfg(feature = "tls")]
use crate::tls::Tls;
use bits_proto_programs::error_chain::error_chain;

/// The longest body of an answer that is read for the sake of the connection, in bytes: what is in
/// it is for people who look at the server with a browser.
const DRAIN: usize = 64 * 1024;

/// How long it is read at most.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// How a connection is made, and the last one that was.
pub struct Link {
    #[cfg(feature = "tls")]
    tls: Tls,
    kept: Option<Connection>,
}

pub struct Connection {
    server: Server,
    sender: http1::SendRequest<EntityBody>,
    task: AbortHandle,
    /// Whether a request was answered on it: the server may have closed it since.
    is_used: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // What is still being sent is not wanted any more.
        self.task.abort();
    }
}

/// Why there is no connection, or no answer.
#[derive(Debug)]
pub enum LinkError {
    /// It may work later.
    Passing(String),
    /// It will not.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only TLS has such trouble"))]
    Lasting(String),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing(why) | Self::Lasting(why) => f.write_str(why),
        }
    }
}

impl Link {
    /// `ca` is a file of certificates to trust.
    #[cfg(feature = "tls")]
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        Ok(Self { tls: Tls::new(ca)?, kept: None })
    }

    /// `ca` is a file of certificates to trust.
    #[cfg(not(feature = "tls"))]
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        match ca {
            Some(_) => Err(Failure::usage(NO_TLS)),
            None => Ok(Self { kept: None }),
        }
    }

    /// Fails if there is no way to this destination in this build.
    pub fn check(&self, destination: &Destination) -> Result<()> {
        if destination.server.is_tls && !cfg!(feature = "tls") {
            return Err(Failure::usage(NO_TLS));
        }
        Ok(())
    }

    /// A connection to this server: the last one, if it is to the same server and still stands.
    pub async fn connection(
        &mut self,
        server: &Server,
    ) -> std::result::Result<Connection, LinkError> {
        let Some(mut kept) = self.kept.take().filter(|kept| kept.server == *server) else {
            return self.connect(server).await;
        };
        match kept.sender.ready().await {
            Ok(()) => Ok(kept),
            Err(_) => self.connect(server).await,
        }
    }

    /// A new connection.
    pub async fn connect(&self, server: &Server) -> std::result::Result<Connection, LinkError> {
        let explain = |error: io::Error| LinkError::Passing(format!("{server}: {error}"));
        let addresses = tokio::net::lookup_host((server.host.as_str(), server.port)).await;
        let addresses = addresses.map_err(|error| {
            LinkError::Passing(format!("the name {} is not resolved: {error}", server.host))
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

    /// Reads what is left of a response, and keeps the connection for the next request, if it can
    /// be used for one.
    pub async fn keep(&mut self, mut connection: Connection, mut body: Incoming) {
        let drained = tokio::time::timeout(DRAIN_TIME, async {
            let mut left = DRAIN;
            while let Some(frame) = body.frame().await {
                let length = frame.ok()?.data_ref().map_or(0, |data| data.len());
                left = left.checked_sub(length)?;
            }
            Some(())
        });
        if drained.await.is_ok_and(|it| it.is_some()) && !connection.sender.is_closed() {
            connection.is_used = true;
            self.kept = Some(connection);
        }
    }
}

const NO_TLS: &str = "built without https: build with --features tls, as in \
    `cargo run --release --features tls --example upload`";

async fn handshake<S>(server: &Server, stream: S) -> std::result::Result<Connection, LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    // The names are spelt nearly as in the specification, for servers that compare them.
    builder.title_case_headers(true);
    let (sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| LinkError::Passing(format!("{server}: {}", error_chain(&error))))?;
    // What goes wrong is told to whoever waits for the answer.
    let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Connection { server: server.clone(), sender, task, is_used: false })
}

/// What came of a request.
pub enum Exchanged {
    Answered(Response<Incoming>),
    /// The server had closed the connection before: nothing of the request was sent.
    Unsent(Request<EntityBody>),
    Broken {
        is_http: bool,
        why: String,
    },
}

impl Connection {
    /// Sends a request, and waits for the head of the answer, which may come before all was sent.
    pub async fn exchange(&mut self, request: Request<EntityBody>) -> Exchanged {
        match self.sender.try_send_request(request).await {
            Ok(response) => Exchanged::Answered(response),
            Err(mut error) => match error.take_message() {
                Some(request) if self.is_used => Exchanged::Unsent(request),
                _ => {
                    let error = error.into_error();
                    let why = format!("{}: {}", self.server, error_chain(&error));
                    Exchanged::Broken { is_http: !error.is_parse(), why }
                }
            },
        }
    }
}
