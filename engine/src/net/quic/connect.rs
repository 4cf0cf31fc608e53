//! From an address to a session's stream: all addresses of a host, the handshake, who the server is, the request.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, IdleTimeout, TokioRuntime,
    TransportConfig, VarInt,
};
use rustls::pki_types::ServerName;

use super::error::QuicError;
use super::knock;
use super::request::{self, Framing, MAX_STREAMS};
use super::stream::QuicStream;
use crate::channel::ConnectStage;
use crate::net::dial::{self, STAGGER};
use crate::net::tls::{self, TlsError, TlsOptions};
use crate::net::transport::{self, ConnectError};
use crate::net::uri::{HostPort, Target};

/// HTTP/3 (RFC 9114 §3.1).
const ALPN: &[u8] = b"h3";
/// QUIC's error for TLS's alert `no_application_protocol`.
const NO_APPLICATION_PROTOCOL: u64 = 0x178;
/// How long what came before a machine's word that nobody listens there may take to be understood.
const LAST_WORDS: Duration = Duration::from_millis(200);
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
    config.alpn_protocols = vec![ALPN.into()];
    let config = QuicClientConfig::try_from(config)
        .map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))?;
    let mut config = ClientConfig::new(Arc::new(config));
    config.transport_config(Arc::new(transport_config()));

    let (endpoint, connection) = match reach(at, &config, server, stage).await {
        Ok(reached) => reached,
        Err(error) => {
            // quinn tells only as text why a certificate was refused.
            let Some(fault) = verifier.fault() else { return Err(error) };
            let why = TlsError::explain(&std::io::Error::other(fault), server, None);
            return Err(verifier.refusal(why, at, server, "quic").into());
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

/// Tries all addresses ([`dial::race`]). If none works, the error of the one that failed last, unless another one says more.
async fn reach(
    at: &HostPort,
    config: &ClientConfig,
    server: &str,
    stage: &dyn Fn(ConnectStage),
) -> Result<(Endpoint, Connection), ConnectError> {
    stage(ConnectStage::Resolving { host: at.host.clone() });
    let addresses = dial::addresses(at).await?;
    let error = RefCell::new(None);
    let start = |address: SocketAddr| {
        stage(ConnectStage::Reaching { at: address.to_string() });
        attempt(at, address, config.clone(), server)
    };
    let failed = |_, failed: QuicError| {
        tracing::debug!(error = %failed, "connecting failed");
        let mut error = error.borrow_mut();
        if error.is_none() || !matches!(failed, QuicError::Refused { .. } | QuicError::Socket(_)) {
            *error = Some(failed);
        }
    };
    let reached = dial::race(addresses, || tokio::time::sleep(STAGGER), start, failed).await;
    // There is an address, so something failed.
    reached.ok_or_else(|| error.take().unwrap_or(QuicError::Closed).into())
}

async fn attempt(
    at: &HostPort,
    address: SocketAddr,
    config: ClientConfig,
    server: &str,
) -> Result<(Endpoint, Connection), QuicError> {
    let socket = std::net::UdpSocket::bind(knock::any_like(address)).map_err(QuicError::Socket)?;
    if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER) {
        tracing::debug!(%error, "SO_RCVBUF could not be set");
    }
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime));
    let endpoint = endpoint.map_err(QuicError::Socket)?;
    let connecting = endpoint
        .connect_with(config, address, server)
        .map_err(|error| QuicError::Address { at: at.clone(), why: error.to_string() })?;
    let mut connecting = std::pin::pin!(connecting);
    let connected = tokio::select! {
        connected = &mut connecting => connected,
        // What it said before it went says more.
        () = knock::refused(address) => tokio::time::timeout(LAST_WORDS, connecting)
            .await
            .map_err(|_| QuicError::Refused { at: at.clone() })?,
    };
    match connected {
        Ok(connection) => Ok((endpoint, connection)),
        Err(ConnectionError::VersionMismatch) => Err(QuicError::Version { at: at.clone() }),
        Err(error) if crypto_error(&error) == Some(NO_APPLICATION_PROTOCOL) => {
            Err(QuicError::NoHttp3 { at: at.clone() })
        }
        Err(error) => Err(QuicError::of(&error, server).unwrap_or(QuicError::Closed)),
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
