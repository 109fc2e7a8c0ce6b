//! The server under examination, and connections to it.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::SuiteError;

/// A connection over TCP, or TLS over TCP.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A server and the folder in which entities are created.
pub(super) struct Target {
    url: Url,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Parses the URL of a folder.
    ///
    /// # Errors
    ///
    /// An invalid URL, or invalid certificates.
    pub(super) fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, SuiteError> {
        let invalid = |reason: &str| SuiteError::Url { url: url.into(), reason: reason.into() };
        let mut url = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
        let host = url.host_str().ok_or_else(|| invalid("expected a host"))?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let tls = match url.scheme() {
            "http" => None,
            "https" => {
                let name = host.trim_matches(['[', ']']).to_owned();
                let name = ServerName::try_from(name).map_err(|it| invalid(&it.to_string()))?;
                Some((TlsConnector::from(Arc::new(client_config(ca)?)), name))
            }
            _ => return Err(invalid("expected the scheme http or https")),
        };
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, host, port, tls })
    }

    /// Returns the URL of the folder.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the path of the folder, which ends with a slash.
    pub(super) fn path(&self) -> &str {
        self.url.path()
    }

    /// Returns the value of the field Host.
    pub(super) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let host = self.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            Some((tls, name)) => Ok(Box::new(tls.connect(name.clone(), stream).await?)),
            None => Ok(Box::new(stream)),
        }
    }

    /// Returns the path of a URL on this server; `None` for another server.
    pub(super) fn path_of(&self, url: &str) -> Option<String> {
        let url = self.url.join(url).ok()?;
        (url.origin() == self.url.origin()).then(|| url[url::Position::BeforePath..].to_owned())
    }
}

/// Returns the TLS configuration that trusts the certificates in PEM format, or those of the system.
fn client_config(ca: Option<&[u8]>) -> Result<ClientConfig, SuiteError> {
    let tls = |reason: String| SuiteError::Tls { reason };
    // Fails only if the process has a provider, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = match ca {
        None => ClientConfig::with_platform_verifier().map_err(|error| tls(error.to_string()))?,
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| tls(error.to_string()))?;
                roots.add(certificate).map_err(|error| tls(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(tls("no certificate in PEM format".into()));
            }
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
