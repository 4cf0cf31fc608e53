//! TLS through rustls: whom to trust, and a stream that counts what it copies.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stats::{CopyLedger, CopySite};

pub use super::client_cert::ClientCert;
use super::first_bytes::FirstBytes;
pub use super::tls_error::TlsError;
use super::tls_error::told_apart;

/// What is asked of a server's certificate (Xpra's `--ssl-*` options).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// Trust what this PEM file holds instead of the system's authorities: authorities, or a
    /// server's own certificate.
    pub ca_certs: Option<PathBuf>,
    /// `false`: any certificate is accepted (`--ssl-server-verify-mode=none`).
    pub verify: bool,
    /// `false`: the certificate may be for another host name (`--ssl-check-hostname=no`).
    pub check_hostname: bool,
    /// The name that the certificate must be for, if not the URL's host.
    pub server_hostname: Option<String>,
    /// What servers are shown that want to know who connects.
    pub client_cert: Option<ClientCert>,
}

impl TlsOptions {
    /// Whether both the certificate and the name in it are checked: one for any name is one that many can have.
    pub(super) fn is_strict(&self) -> bool {
        self.verify && self.check_hostname
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { ca_certs: None, verify: true, check_hostname: true, server_hostname: None, client_cert: None }
    }
}

/// Makes `stream` a TLS connection to `host`.
///
/// Not cancel-safe: the stream is of no use after a dropped handshake.
///
/// # Errors
/// See [`TlsError`].
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    options: &TlsOptions,
) -> Result<Tls<S>, TlsError> {
    let server = options.server_hostname.as_deref().unwrap_or(host);
    let name = ServerName::try_from(server.to_owned())
        .map_err(|_| TlsError::ServerName { got: server.to_owned() })?;
    let (config, _) = client_config(options)?;
    let connector = TlsConnector::from(Arc::new(config));
    match connector.connect(name, FirstBytes::of(stream)).into_fallible().await {
        Ok(mut stream) => {
            stream.get_mut().0.forget();
            let verified = options.is_strict();
            Ok(Tls { stream, server: server.into(), verified, ledger: CopyLedger::default() })
        }
        Err((error, stream)) => Err(TlsError::explain(&error, server, stream.recognised())),
    }
}

/// What rustls needs to know to connect, and who checks the server's certificate.
///
/// # Errors
/// If a file that is needed cannot be read.
pub(super) fn client_config(
    options: &TlsOptions,
) -> Result<(ClientConfig, Arc<dyn ServerCertVerifier>), TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = Arc::new(Verifier::new(options, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier));
    let Some(client) = &options.client_cert else { return Ok((builder.with_no_client_auth(), verifier)) };
    let (chain, key) = client.read()?;
    let config = builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| TlsError::ClientCert { path: client.certificate.clone(), why: error.to_string() })?;
    Ok((config, verifier))
}

/// Checks a server's certificate as [`TlsOptions`] ask.
#[derive(Debug)]
struct Verifier {
    /// `None`: every certificate is accepted.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that the user named: one of them may be the server's own, even one that says
    /// that it is an authority's, as `openssl req -x509` makes them.
    named: Vec<CertificateDer<'static>>,
    check_hostname: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let read =
            |path: &Path| read_pem(path).map_err(|why| TlsError::CaCerts { path: path.to_owned(), why });
        let named = options.ca_certs.as_deref().map(read).transpose()?.unwrap_or_default();
        let authorities = if options.verify {
            let roots = if options.ca_certs.is_some() { roots_of(&named) } else { system_roots()? };
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(verifier.build().map_err(|_| TlsError::NoRoots)?)
        } else {
            tracing::warn!(
                "the server's certificate is NOT checked (--ssl-server-verify-mode=none): \
                 anyone on the way can read and change everything"
            );
            None
        };
        Ok(Self {
            authorities,
            named,
            check_hostname: options.check_hostname,
            provider: Arc::clone(provider),
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        if self.named.iter().any(|cert| cert == end_entity) {
            if self.check_hostname {
                let cert = ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&cert, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let result =
            authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match result {
            // The name is checked after everything else, so only the name is wrong.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_hostname => Ok(ServerCertVerified::assertion()),
            result => result.map_err(|error| told_apart(error, end_entity, intermediates)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificates in a file, or why there is none.
pub(super) fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certs = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error.to_string())?;
    if certs.is_empty() { Err("it holds no PEM certificate".to_owned()) } else { Ok(certs) }
}

fn roots_of(certs: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certs.iter().cloned());
    roots
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "some of the system's certificates could not be read");
    }
    let roots = roots_of(&found.certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// A TLS stream. rustls decrypts a record in place, moves the plaintext to a buffer of its own,
/// and from there to the reader's: two copies of every byte, whatever the payload's size.
#[derive(Debug)]
pub struct Tls<S> {
    stream: TlsStream<FirstBytes<S>>,
    /// For the words of errors.
    server: Box<str>,
    verified: bool,
    ledger: CopyLedger,
}

/// Copies of each byte received, see [`Tls`].
const COPIES: usize = 2;

impl<S> Tls<S> {
    /// What was copied since the last call.
    pub fn take_ledger(&mut self) -> CopyLedger {
        std::mem::take(&mut self.ledger)
    }

    /// Whether the server's certificate and its name were checked: without that anyone may be at the
    /// other end.
    pub fn is_verified(&self) -> bool {
        self.verified
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        self.stream.get_ref().0.get_ref()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tls<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        let len = buf.filled().len() - before;
        if len > 0 {
            this.ledger.note_copy(CopySite::Transport, len * COPIES);
        }
        // Many peers close without TLS's goodbye: Xpra's records say themselves where they end.
        match result {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(TlsError::explain_later(error, &this.server))),
            result => result,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tls<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
