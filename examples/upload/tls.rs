//! https.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connection::LinkError;
use crate::destination::Server;
use crate::failure::{Failure, Result};

pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts what is in the file `ca`, or what browsers trust.
    pub fn new(ca: Option<&Path>) -> Result<Self> {
        let roots = match ca {
            Some(path) => roots_of(path)?,
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        };
        let mut config =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
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

fn roots_of(path: &Path) -> Result<RootCertStore> {
    let explain = |why: String| Failure::usage(format!("--ca {}: {why}", path.display()));
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| explain(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| explain(error.to_string()))?;
        roots.add(certificate).map_err(|error| explain(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(explain("no certificate in PEM form".into()));
    }
    Ok(roots)
}
