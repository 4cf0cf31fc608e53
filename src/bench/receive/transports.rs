//! What the viewer's own transports copy: a server in this process, [`Transport`] and
//! [`Reassembler`] as the network task uses them.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::BufMut as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha1::{Digest as _, Sha1};
use tokio::io::AsyncReadExt as _;

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::net::tls::TlsOptions;
use crate::net::{Target, Transport};
use crate::protocol::limits::Limits;
use crate::protocol::{Dialect, Reassembler};
use crate::stats::alloc::{self, Allocations};
use crate::stats::{CopyLedger, CopySite};

use super::{RecordStream, Workload};

/// A certificate for `localhost`, and its key, which is no secret: nothing but this benchmark may
/// trust it.
const CERTIFICATE: &str = include_str!("localhost.pem");
/// The picture is sent this often; the last time is measured.
const ROUNDS: usize = 3;
/// WebSocket frames hold this many bytes, or the whole stream.
const FRAMES: [usize; 4] = [4 << 10, 16 << 10, 256 << 10, usize::MAX];
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const MAX_REQUEST: usize = 8 << 10;

/// What a picture cost on its way through a transport.
#[derive(Clone, Debug)]
pub struct TransportCost {
    /// The scheme of its URL, as users know it.
    pub transport: &'static str,
    /// Bytes in a WebSocket frame; `None`: there are no frames, `usize::MAX`: one for everything.
    pub frame: Option<usize>,
    /// Bytes of records.
    pub received: u64,
    pub ledger: CopyLedger,
    pub allocations: Allocations,
    pub wall: Duration,
}

impl TransportCost {
    /// Bytes copied for each byte received.
    pub fn copies_per_byte(&self) -> f64 {
        self.ledger.copied_bytes() as f64 / self.received.max(1) as f64
    }

    /// The same at one site.
    pub fn copies_at(&self, site: CopySite) -> f64 {
        self.ledger.copied_at(site) as f64 / self.received.max(1) as f64
    }
}

/// Receives `picture` through every transport, with every size of frames.
///
/// # Errors
/// If a connection cannot be made, or the picture does not arrive.
pub fn transports(picture: Workload) -> io::Result<Vec<TransportCost>> {
    let folder = Folder::create()?;
    let stream = Arc::new(RecordStream::new(picture, 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut costs = Vec::new();
    for transport in ["tcp", "unix", "ssl"] {
        costs.push(one(&runtime, &folder, transport, None, &stream)?);
    }
    for transport in ["ws", "wss"] {
        for frame in FRAMES {
            costs.push(one(&runtime, &folder, transport, Some(frame), &stream)?);
        }
    }
    Ok(costs)
}

/// Holds the socket and the certificate; removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("farpane-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        std::fs::write(path.join("cert.pem"), CERTIFICATE)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn one(
    runtime: &tokio::runtime::Runtime,
    folder: &Folder,
    transport: &'static str,
    frame: Option<usize>,
    stream: &Arc<RecordStream>,
) -> io::Result<TransportCost> {
    let (target, server) = serve(folder, transport, frame, Arc::clone(stream))?;
    let options = TlsOptions { ca_certs: Some(folder.0.join("cert.pem")), ..TlsOptions::default() };
    let cost = runtime.block_on(async {
        let connecting = Transport::connect(&target, &options, None, CONNECT_LIMIT, &|_| {}).await;
        receive(connecting.map_err(io::Error::other)?, transport, frame, stream).await
    });
    let served = server.join().map_err(|_| io::Error::other("the sending thread panicked"))?;
    cost.and_then(|cost| served.map(|()| cost))
}

/// The network task's loop without a session.
async fn receive(
    mut socket: Transport,
    transport: &'static str,
    frame: Option<usize>,
    stream: &RecordStream,
) -> io::Result<TransportCost> {
    // The largest picture is one of a 4K desktop.
    let limits = Limits::established(3840, 2160);
    let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
    let (mut ledger, mut packets) = (CopyLedger::default(), 0);
    let (mut started, mut allocations) = (clock::now(), alloc::so_far());
    while packets < ROUNDS {
        let mut space = reassembler.buffer();
        debug_assert!(space.remaining_mut() > 0);
        if socket.read_buf(&mut space).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reassembler.received(clock::now());
        while let Some(packet) = reassembler.next_packet().map_err(io::Error::other)? {
            ledger.merge(&packet.ledger.copied().unwrap_or_default());
            packets += 1;
            if packets == ROUNDS - 1 {
                socket.take_ledger();
                (ledger, started, allocations) = (CopyLedger::default(), clock::now(), alloc::so_far());
            }
        }
    }
    ledger.merge(&socket.take_ledger());
    Ok(TransportCost {
        transport,
        frame,
        received: stream.wire_bytes(),
        ledger,
        allocations: alloc::so_far().since(allocations),
        wall: clock::now() - started,
    })
}

type Server = JoinHandle<io::Result<()>>;

/// A server that sends the stream to the first who comes.
fn serve(
    folder: &Folder,
    transport: &'static str,
    frame: Option<usize>,
    stream: Arc<RecordStream>,
) -> io::Result<(Target, Server)> {
    let thread = Builder::new().name("bench-server".into());
    #[cfg(unix)]
    if transport == "unix" {
        let path = folder.0.join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path)?;
        let server = thread.spawn(move || send(listener.accept()?.0, frame, &stream))?;
        let mut target = Target::parse("tcp://localhost/").map_err(io::Error::other)?;
        target.endpoint = crate::net::Endpoint::Unix(path);
        return Ok((target, server));
    }
    #[cfg(not(unix))]
    let _ = folder;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("{transport}://{}/", listener.local_addr()?);
    let target = Target::parse(&url).map_err(io::Error::other)?;
    let server = thread.spawn(move || {
        let socket = listener.accept()?.0;
        match transport {
            "ssl" | "wss" => send(encrypted(socket)?, frame, &stream),
            _ => send(socket, frame, &stream),
        }
    })?;
    Ok((target, server))
}

fn encrypted(
    socket: std::net::TcpStream,
) -> io::Result<rustls::StreamOwned<rustls::ServerConnection, std::net::TcpStream>> {
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes());
    let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(CERTIFICATE.as_bytes()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(io::Error::other)?;
    let connection = rustls::ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
    Ok(rustls::StreamOwned::new(connection, socket))
}

/// Sends the stream [`ROUNDS`] times, in frames where there are any. rustls makes TLS records of
/// 16 KiB.
fn send(mut to: impl Read + Write, frame: Option<usize>, stream: &RecordStream) -> io::Result<()> {
    if frame.is_some() {
        answer_upgrade(&mut to)?;
    }
    for _ in 0..ROUNDS {
        match frame {
            None => to.write_all(&stream.bytes)?,
            Some(len) => {
                for part in stream.bytes.chunks(len) {
                    // A final binary frame with a length of 64 bits.
                    to.write_all(&[0x82, 127])?;
                    to.write_all(&(part.len() as u64).to_be_bytes())?;
                    to.write_all(part)?;
                }
            }
        }
    }
    to.flush()
}

/// The server's side of RFC 6455 §4.
fn answer_upgrade(to: &mut (impl Read + Write)) -> io::Result<()> {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        to.read_exact(&mut byte)?;
        request.push(byte[0]);
        if request.len() > MAX_REQUEST {
            return Err(io::Error::other("the request for WebSocket is too long"));
        }
    }
    let request = String::from_utf8_lossy(&request);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = key.ok_or_else(|| io::Error::other("the request for WebSocket has no key"))?;
    let accept = BASE64.encode(Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize());
    write!(
        to,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    )?;
    to.flush()
}
