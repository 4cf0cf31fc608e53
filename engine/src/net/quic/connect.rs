//! From an address to a session's stream: all addresses of a host, the handshake, who the server is, the request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, IdleTimeout, TokioRuntime,
    TransportConfig, VarInt,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::task::JoinSet;

use super::error::QuicError;
use super::knock;
use super::request::{self, Framing, MAX_STREAMS};
use super::stream::QuicStream;
use crate::channel::ConnectStage;
use crate::net::dial;
use crate::net::tls::{self, TlsError, TlsOptions};
use crate::net::transport::{self, ConnectError};
use crate::net::uri::{HostPort, Target};

/// HTTP/3 (RFC 9114 §3.1).
const ALPN: &[u8] = b"h3";
/// QUIC's error for TLS's alert `no_application_protocol`.
const NO_APPLICATION_PROTOCOL: u64 = 0x178;
/// From one attempt to the next address (RFC 8305 §5), unless the first fails before.
const STAGGER: Duration = Duration::from_millis(250);
/// Bytes that a server may have sent before we read them: 100 ms of more than a gigabit per second.
const RECEIVE_WINDOW: u32 = 16 << 20;
/// The same for all streams together.
const RECEIVE_WINDOW_OF_ALL: u32 = RECEIVE_WINDOW + (1 << 20);
/// Bytes that we send before the server says that it has them. What is bulk goes before the next key, so they are few.
const SEND_WINDOW: u64 = 256 * 1024;
/// What is asked of the system for datagrams that wait to be read; it gives less where it may not.
const SOCKET_BUFFER: usize = 2 << 20;
/// Devices on the way forget a connection that is silent for 30 seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// When QUIC itself gives up. Sessions do so before (`--silence-timeout`).
const IDLE_LIMIT: VarInt = VarInt::from_u32(60_000);

/// Connects to the target, which is at `at`, and says how far it is.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(
    target: &Target,
    at: &HostPort,
    framing: Framing,
    tls: &TlsOptions,
    stage: &dyn Fn(ConnectStage),
) -> Result<QuicStream, ConnectError> {
    let server = tls.server_hostname.as_deref().unwrap_or_else(|| at.name());
    if ServerName::try_from(server).is_err() {
        return Err(TlsError::ServerName { got: server.to_owned() }.into());
    }
    let (mut config, verifier) = tls::client_config(at, tls)?;
    let refusal = Refusal::default();
    let remembering = Remembering { verifier: Arc::clone(&verifier) as _, refusal: Arc::clone(&refusal) };
    config.dangerous().set_certificate_verifier(Arc::new(remembering));
    config.alpn_protocols = vec![ALPN.into()];
    let config = QuicClientConfig::try_from(config)
        .map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))?;
    let mut config = ClientConfig::new(Arc::new(config));
    config.transport_config(Arc::new(transport_config()));

    stage(ConnectStage::Resolving { host: at.host.clone() });
    let addresses = dial::addresses(at).await?;
    let reached = race(at, addresses, &config, server, stage).await;
    let (endpoint, connection) = match reached {
        Ok(reached) => reached,
        Err(error) => {
            let refused = refusal.lock().ok().and_then(|mut refusal| refusal.take());
            let Some(refused) = refused else { return Err(error.into()) };
            let why = TlsError::explain(&std::io::Error::other(refused), server, None);
            return Err(verifier.refusal(why, at, server).into());
        }
    };
    stage(ConnectStage::Upgrading);
    let authority = transport::authority(at);
    let path = transport::path(target);
    let opened = request::open(&connection, framing, at, (&authority, &path)).await?;
    Ok(QuicStream::new(opened, (endpoint, connection), server, verifier.checked()))
}

fn transport_config() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(MAX_STREAMS as u32))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW_OF_ALL))
        .send_window(SEND_WINDOW)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IdleTimeout::from(IDLE_LIMIT)))
        .datagram_receive_buffer_size(None);
    config
}

/// Tries all addresses, each a little after the one before: the first that answers is taken. Else the error of the one
/// that failed last, unless another one says more.
async fn race(
    at: &HostPort,
    addresses: Vec<SocketAddr>,
    config: &ClientConfig,
    server: &str,
    stage: &dyn Fn(ConnectStage),
) -> Result<(Endpoint, Connection), QuicError> {
    let mut addresses = addresses.into_iter().peekable();
    let mut attempts = JoinSet::new();
    let mut error = None;
    loop {
        if let Some(address) = addresses.next() {
            stage(ConnectStage::Reaching { at: address.to_string() });
            attempts.spawn(attempt(at.clone(), address, config.clone(), server.to_owned()));
        }
        let ended = tokio::select! {
            ended = attempts.join_next() => ended,
            () = tokio::time::sleep(STAGGER), if addresses.peek().is_some() => continue,
        };
        match ended {
            Some(Ok(Ok(reached))) => return Ok(reached),
            Some(Ok(Err(failed))) => {
                tracing::debug!(error = %failed, "connecting failed");
                let says_more = !matches!(failed, QuicError::Refused { .. } | QuicError::Socket(_));
                if says_more || error.is_none() {
                    error = Some(failed);
                }
            }
            Some(Err(panicked)) => error = Some(QuicError::Failed { why: panicked.to_string() }),
            None if addresses.peek().is_none() => {
                return Err(error.unwrap_or_else(|| QuicError::Address {
                    at: at.clone(),
                    why: "it has no address".to_owned(),
                }));
            }
            None => {}
        }
    }
}

async fn attempt(
    at: HostPort,
    address: SocketAddr,
    config: ClientConfig,
    server: String,
) -> Result<(Endpoint, Connection), QuicError> {
    let socket = std::net::UdpSocket::bind(knock::any_like(address)).map_err(QuicError::Socket)?;
    if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER) {
        tracing::debug!(%error, "SO_RCVBUF could not be set");
    }
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime));
    let endpoint = endpoint.map_err(QuicError::Socket)?;
    let connecting = endpoint
        .connect_with(config, address, &server)
        .map_err(|error| QuicError::Address { at: at.clone(), why: error.to_string() })?;
    let connected = tokio::select! {
        connected = connecting => connected,
        () = knock::refused(address) => return Err(QuicError::Refused { at }),
    };
    match connected {
        Ok(connection) => Ok((endpoint, connection)),
        Err(ConnectionError::VersionMismatch) => Err(QuicError::Version { at }),
        Err(error) if crypto_error(&error) == Some(NO_APPLICATION_PROTOCOL) => Err(QuicError::NoHttp3 { at }),
        Err(error) => Err(QuicError::of(&error, &server).unwrap_or(QuicError::Closed)),
    }
}

/// The code of an error of the handshake, whoever found it.
fn crypto_error(error: &ConnectionError) -> Option<u64> {
    match error {
        ConnectionError::ConnectionClosed(close) => Some(close.error_code.into()),
        ConnectionError::TransportError(error) => Some(error.code.into()),
        _ => None,
    }
}

/// Why a certificate was refused. quinn tells that as text alone.
type Refusal = Arc<Mutex<Option<rustls::Error>>>;

/// A verifier that remembers why it refused.
#[derive(Debug)]
struct Remembering {
    verifier: Arc<dyn ServerCertVerifier>,
    refusal: Refusal,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.inspect_err(|error| {
            if let Ok(mut refusal) = self.refusal.lock() {
                *refusal = Some(error.clone());
            }
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
