//! TLS connections.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result};

/// Returns the TLS configuration of an HTTP/1.1 client. It trusts the certificates in `pem`, or those
/// of the system if that is empty.
///
/// # Errors
///
/// [`Error::Option`] if `pem` has no valid certificate, or if the system has none.
pub(super) fn client_config(pem: &[Vec<u8>]) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Option(error.to_string()))?;
    let mut config = if pem.is_empty() {
        let verifier = system_roots(provider)?;
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        builder.with_root_certificates(read_roots(pem)?).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn system_roots(provider: Arc<CryptoProvider>) -> Result<Arc<Verifier>> {
    let verifier = Verifier::new(provider);
    verifier.map(Arc::new).map_err(|error| {
        Error::Option(format!("certificates of the system cannot be read: {error}"))
    })
}

fn read_roots(files: &[Vec<u8>]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for pem in files {
        let mut is_empty = true;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let invalid = |error: &dyn std::fmt::Display| {
                Error::Option(format!("invalid CA certificate: {error}"))
            };
            let certificate = certificate.map_err(|error| invalid(&error))?;
            roots.add(certificate).map_err(|error| invalid(&error))?;
            is_empty = false;
        }
        if is_empty {
            return Err(Error::Option("CA certificate: no certificate in PEM format".into()));
        }
    }
    Ok(roots)
}
