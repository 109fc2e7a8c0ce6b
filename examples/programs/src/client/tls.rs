//! TLS connections to the server.

use std::path::Path;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connection::ConnectError;
use super::failure::{Failure, Result};
use super::http_url::Server;
use crate::root_certs::client_config;

pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts the certificates in the file `ca`, or by default those that browsers trust.
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        let config = client_config(ca).map_err(Failure::usage)?;
        Ok(Self(TlsConnector::from(config)))
    }

    pub async fn secure(
        &self,
        server: &Server,
        stream: TcpStream,
    ) -> std::result::Result<TlsStream<TcpStream>, ConnectError> {
        let name = ServerName::try_from(server.host.clone());
        let name = name.map_err(|error| ConnectError::Permanent(format!("{server}: {error}")))?;
        self.0.connect(name, stream).await.map_err(|error| {
            let tls = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
            match tls {
                Some(rustls::Error::InvalidCertificate(why)) => ConnectError::Permanent(format!(
                    "{server}: the certificate is not trusted ({why}); use --ca to name a file of \
                     trusted certificates",
                )),
                Some(error) => {
                    ConnectError::Permanent(format!("{server}: TLS handshake failed: {error}"))
                }
                None => ConnectError::Transient(format!("{server}: {error}")),
            }
        })
    }
}
