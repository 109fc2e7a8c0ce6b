//! Trusted root certificates.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Returns the TLS configuration of an HTTP/1.1 client. It trusts the certificates in the file
/// `ca`, or by default those that browsers trust.
pub fn client_config(ca: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    let roots = match ca {
        Some(path) => read_roots(path).map_err(|error| {
            io::Error::new(error.kind(), format!("--ca {}: {error}", path.display()))
        })?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_roots(path: &Path) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
        let certificate = certificate.map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    if roots.is_empty() {
        return Err(io::Error::other("the file contains no certificate in PEM format"));
    }
    Ok(roots)
}
