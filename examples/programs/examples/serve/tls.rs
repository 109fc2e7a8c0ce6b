//! TLS connections to a server application.

use std::io;
use std::path::Path;

use bits_proto_programs::root_certs::client_config;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// TLS configuration and the expected name of the application.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts the certificates in the file `ca`, or by default those that browsers trust.
    pub fn new(host: &str, ca: Option<&Path>) -> io::Result<Self> {
        let config = client_config(ca)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Self { connector: TlsConnector::from(config), name })
    }

    pub async fn secure(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}
