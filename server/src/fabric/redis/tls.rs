//! Whom we believe to be our Redis, when it is spoken to over TLS.

use std::path::Path;
use std::sync::Arc;

use fred::types::config::{TlsConfig, TlsConnector};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::fabric::types::FabricError;

/// Certificates are always verified, by name and by who signed them: somebody in `ca_file`, or, without one, whom this
/// machine believes.
pub(super) fn config(ca_file: Option<&Path>) -> Result<TlsConfig, FabricError> {
    let Some(ca_file) = ca_file else {
        let connector = TlsConnector::default_rustls();
        let refused = |error| FabricError::Url(format!("the certificates of this machine: {error}"));
        return connector.map(TlsConfig::from).map_err(refused);
    };
    let refused = |error: String| FabricError::Url(format!("its CA file {}: {error}", ca_file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| refused(error.to_string()))? {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refused("no certificate is in it".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(config).into())
}
