//! TLS connections to server applications.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::BoxError;

/// Returns the configuration of a client that trusts the certificates in `pem`, or those of the system if it
/// is empty.
pub(super) fn client_config(pem: &[Vec<u8>]) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut config = if pem.is_empty() {
        let verifier = Arc::new(Verifier::new(provider)?);
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        builder.with_root_certificates(roots(pem)?).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(files: &[Vec<u8>]) -> Result<RootCertStore, BoxError> {
    let mut roots = RootCertStore::empty();
    for pem in files {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate?)?;
        }
        if roots.len() == before {
            return Err("CA certificate: no certificate in PEM format".into());
        }
    }
    Ok(roots)
}
