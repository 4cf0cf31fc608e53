//! The certificate with which this client shows who it is, to servers that want to know (Xpra's
//! `--ssl-client-verify-mode`).

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::tls::read_pem;
use super::tls_error::TlsError;

/// Where a client's certificate is, both files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCert {
    /// The certificate, and those between it and its authority (`--ssl-cert`).
    pub certificate: PathBuf,
    /// Its private key (`--ssl-key`); `None`: it is in the certificate's file too.
    pub key: Option<PathBuf>,
}

impl ClientCert {
    /// Reads both.
    ///
    /// # Errors
    /// If a file cannot be read, or does not hold what it should.
    pub(super) fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = read_pem(&self.certificate)
            .map_err(|why| TlsError::ClientCert { path: self.certificate.clone(), why })?;
        let path = self.key.as_ref().unwrap_or(&self.certificate);
        let key = PrivateKeyDer::from_pem_file(path).map_err(|error| TlsError::ClientKey {
            path: path.clone(),
            why: why(path, &error.to_string()),
        })?;
        Ok((chain, key))
    }
}

/// Why there is no key in a file.
fn why(path: &Path, error: &str) -> String {
    let is_locked = std::fs::read_to_string(path).is_ok_and(|text| text.contains("ENCRYPTED"));
    if is_locked {
        "it is locked with a password, which Farpane cannot open: `openssl pkey -in FILE -out NEW` writes it without".to_owned()
    } else {
        error.to_owned()
    }
}
