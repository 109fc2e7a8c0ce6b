//! https.

use std::path::Path;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connection::LinkError;
use crate::destination::Server;
use crate::failure::{Failure, Result};
use bits_proto_programs::root_certs::client_config;

pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts what is in the file `ca`, or what browsers trust.
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        let config = client_config(ca).map_err(Failure::usage)?;
        Ok(Self(TlsConnector::from(config)))
    }

    pub async fn secure(
        &self,
        server: &Server,
        stream: TcpStream,
    ) -> std::result::Result<TlsStream<TcpStream>, LinkError> {
        let name = ServerName::try_from(server.host.clone());
        let name = name.map_err(|error| LinkError::Lasting(format!("{server}: {error}")))?;
        self.0.connect(name, stream).await.map_err(|error| {
            let tls = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
            match tls {
                Some(rustls::Error::InvalidCertificate(why)) => LinkError::Lasting(format!(
                    "{server}: the certificate is not trusted ({why}); --ca names a file of \
                     certificates to trust",
                )),
                Some(error) => LinkError::Lasting(format!("{server}: no TLS: {error}")),
                None => LinkError::Passing(format!("{server}: {error}")),
            }
        })
    }
}
