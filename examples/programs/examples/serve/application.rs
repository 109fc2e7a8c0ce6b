//! The connection to a server application.

use std::io;

use bits_proto::backend::{AcceptedStatuses, NotificationType};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::arguments::Arguments;
use crate::body::Outgoing;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// A server application.
#[derive(Clone)]
pub struct Application {
    host: String,
    port: u16,
    /// The value of Host.
    pub authority: String,
    /// The path and the query of its URL.
    pub target: Uri,
    pub kind: NotificationType,
    pub accepted_statuses: AcceptedStatuses,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// A request in progress. Dropping it closes the connection.
pub struct Link {
    connection: JoinHandle<hyper::Result<()>>,
    pub response: JoinHandle<hyper::Result<Response<Incoming>>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.response.abort();
        self.connection.abort();
    }
}

impl Application {
    /// Returns the application of `--notify`, if the option was given.
    pub fn from_arguments(arguments: &Arguments) -> io::Result<Option<Self>> {
        let Some(url) = &arguments.notify else { return Ok(None) };
        let invalid = |why| {
            let why = format!("--notify {url}: {why}");
            io::Error::new(io::ErrorKind::InvalidInput, why)
        };
        let authority = url
            .authority()
            .ok_or_else(|| invalid("expected an absolute URL such as http://host:8080/path"))?;
        let is_secure = match url.scheme_str() {
            Some("http") => false,
            Some("https") if cfg!(feature = "tls") => true,
            Some("https") => {
                return Err(invalid(
                    "https is not supported by this build; build with --features tls",
                ));
            }
            _ => return Err(invalid("expected an http or https URL")),
        };
        if authority.as_str().contains('@') {
            return Err(invalid("credentials in the URL are not supported"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        Ok(Some(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            authority: authority.to_string(),
            target: target.parse().map_err(io::Error::other)?,
            kind: if arguments.by_reference {
                NotificationType::ByReference
            } else {
                NotificationType::ByValue
            },
            accepted_statuses: if arguments.require_200 {
                AcceptedStatuses::OnlyOk
            } else {
                AcceptedStatuses::AnySuccess
            },
            #[cfg(feature = "tls")]
            tls: is_secure.then(|| Tls::new(host, arguments.ca.as_deref())).transpose()?,
        }))
    }

    /// Connects and sends the request.
    pub async fn send(&self, request: Request<Outgoing>) -> io::Result<Link> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return begin(tls.secure(stream).await?, request).await;
        }
        begin(stream, request).await
    }
}

async fn begin<S>(stream: S, request: Request<Outgoing>) -> io::Result<Link>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.title_case_headers(true);
    let (mut sender, connection) =
        http.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    Ok(Link {
        connection: tokio::spawn(connection),
        response: tokio::spawn(async move { sender.send_request(request).await }),
    })
}
