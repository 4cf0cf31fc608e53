//! TLS through rustls: whom to trust, and a stream that counts what it copies.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::session::Fingerprint;
use crate::stats::{CopyLedger, CopySite};

pub use super::client_cert::ClientCert;
use super::first_bytes::FirstBytes;
use super::known_servers::KnownServers;
pub use super::tls_error::TlsError;
use super::uri::HostPort;
pub use super::verifier::Checked;
use super::verifier::{Trusted, Verifier};

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
    /// Where the servers are listed that the user trusts although nobody vouches for them.
    pub known: Option<KnownServers>,
    /// Where somebody can be asked, they are, about a certificate that nobody vouches for.
    pub ask: bool,
    /// What the user trusts besides, as long as the session lasts.
    pub trusted: Option<Fingerprint>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            ca_certs: None,
            verify: true,
            check_hostname: true,
            server_hostname: None,
            client_cert: None,
            known: None,
            ask: false,
            trusted: None,
        }
    }
}

/// Makes `stream` a TLS connection to the server `at`.
///
/// Not cancel-safe: the stream is of no use after a dropped handshake.
///
/// # Errors
/// See [`TlsError`].
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    at: &HostPort,
    options: &TlsOptions,
) -> Result<Tls<S>, TlsError> {
    let server = options.server_hostname.as_deref().unwrap_or_else(|| at.name());
    let name = ServerName::try_from(server.to_owned())
        .map_err(|_| TlsError::ServerName { got: server.to_owned() })?;
    let (config, verifier) = client_config(at, options)?;
    let connector = TlsConnector::from(Arc::new(config));
    match connector.connect(name, FirstBytes::of(stream)).into_fallible().await {
        Ok(mut stream) => {
            stream.get_mut().0.forget();
            Ok(Tls {
                stream,
                server: server.into(),
                checked: verifier.checked(),
                ledger: CopyLedger::default(),
            })
        }
        Err((error, stream)) => {
            let why = TlsError::explain(&error, server, stream.recognised());
            Err(verifier.refusal(why, at, server, "ssl"))
        }
    }
}

/// What rustls needs to know to connect to the server `at`, and who checks its certificate.
///
/// # Errors
/// If a file that is needed cannot be read.
pub(super) fn client_config(
    at: &HostPort,
    options: &TlsOptions,
) -> Result<(ClientConfig, Arc<Verifier>), TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let known = match &options.known {
        Some(known) if options.verify => known.find(at)?,
        _ => None,
    };
    let trusted = Trusted { session: options.trusted, known };
    let verifier = Arc::new(Verifier::new(options, trusted, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _);
    let Some(client) = &options.client_cert else { return Ok((builder.with_no_client_auth(), verifier)) };
    let (chain, key) = client.read()?;
    let config = builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| TlsError::ClientCert { path: client.certificate.clone(), why: error.to_string() })?;
    Ok((config, verifier))
}

/// The certificates in a file, or why there is none.
pub(super) fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certs = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error.to_string())?;
    if certs.is_empty() { Err("it holds no PEM certificate".to_owned()) } else { Ok(certs) }
}

/// A TLS stream. rustls decrypts a record in place, moves the plaintext to a buffer of its own,
/// and from there to the reader's: two copies of every byte, whatever the payload's size.
#[derive(Debug)]
pub struct Tls<S> {
    stream: TlsStream<FirstBytes<S>>,
    /// For the words of errors.
    server: Box<str>,
    checked: Checked,
    ledger: CopyLedger,
}

/// Copies of each byte received, see [`Tls`].
const COPIES: usize = 2;

impl<S> Tls<S> {
    /// What was copied since the last call.
    pub fn take_ledger(&mut self) -> CopyLedger {
        std::mem::take(&mut self.ledger)
    }

    /// Who says that the server is the one that was meant.
    pub fn checked(&self) -> Checked {
        self.checked
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
