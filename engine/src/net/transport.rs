//! Byte streams to a server: one enum, so that the network task is written once.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::channel::ConnectStage;
use crate::session::Link;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::stats::CopyLedger;

use super::dial::{self, Tried};
use super::local;
#[cfg(unix)]
use super::owner;
use super::proxy::{self, Proxy, ProxyError};
use super::quic::{self, Framing, QuicError, QuicStream};
use super::socket::Socket;
#[cfg(unix)]
use super::ssh::SshStream;
use super::tls::{self, Checked, Tls, TlsError, TlsOptions};
use super::uri::{Endpoint, HostPort, Target};
use super::vsock::VsockAddress;
#[cfg(target_os = "linux")]
use super::vsock::{self, VsockStream};
use super::websocket::{self, FrameError, HandshakeError, WebSocket};

/// A connected byte stream. Reads and writes are tokio's; nothing is buffered in here.
#[derive(Debug)]
pub enum Transport {
    Tcp(Socket),
    #[cfg(unix)]
    Unix(UnixStream),
    Tls(Box<Tls<Socket>>),
    WebSocket(Box<WebSocket<Socket>>),
    WebSocketTls(Box<WebSocket<Tls<Socket>>>),
    Quic(Box<WebSocket<QuicStream>>),
    WebTransport(Box<QuicStream>),
    #[cfg(unix)]
    Ssh(Box<SshStream>),
    #[cfg(target_os = "linux")]
    Vsock(VsockStream),
}

/// `$call` on whatever stream is inside.
macro_rules! each {
    ($transport:expr, $stream:ident => $call:expr) => {
        match $transport {
            Transport::Tcp($stream) => $call,
            #[cfg(unix)]
            Transport::Unix($stream) => $call,
            Transport::Tls($stream) => $call,
            Transport::WebSocket($stream) => $call,
            Transport::WebSocketTls($stream) => $call,
            Transport::Quic($stream) => $call,
            Transport::WebTransport($stream) => $call,
            #[cfg(unix)]
            Transport::Ssh($stream) => $call,
            #[cfg(target_os = "linux")]
            Transport::Vsock($stream) => $call,
        }
    };
}

/// Why a server could not be reached. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot find the host `{host}`: {source} (check its name)")]
    Resolve { host: String, source: io::Error },
    #[error("this machine has no network interface `{zone}`: `ip link` lists those that it has")]
    Zone { zone: String },
    #[error("{at} is an address of one network only: write through which interface, for example [{}%eth0]:{}", at.host, at.port)]
    NoZone { at: HostPort },
    #[error(
        "{at} refused the connection: nothing listens there (is the server started with --bind-{scheme}={at}?)"
    )]
    Refused {
        at: HostPort,
        /// Of the address.
        scheme: &'static str,
    },
    #[error("{at} did not answer within {seconds} s (check the address, and firewalls on the way){}", also(tried), seconds = limit.as_secs())]
    TimedOut {
        at: String,
        limit: Duration,
        /// Addresses that failed before.
        tried: Tried,
    },
    #[error("{at} took the connection, but did not answer {what} within {seconds} s ({hint})", seconds = limit.as_secs())]
    Silent { at: String, what: &'static str, hint: &'static str, limit: Duration },
    #[error("cannot connect to {at}: {source}")]
    Failed { at: String, source: io::Error },
    #[error("cannot connect to {at} at any of its addresses: {tried}")]
    AllFailed { at: String, tried: Tried },
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("cannot connect to vsock://{at}/: {source} ({hint})")]
    Vsock { at: VsockAddress, source: io::Error, hint: &'static str },
    #[error("cannot connect to {}: {source} (is the server still running?)", path.display())]
    Socket { path: PathBuf, source: io::Error },
    #[error("{} is no socket (the name of a session file ends in .xpra)", path.display())]
    NoSocket { path: PathBuf },
    #[error(
        "no session for display :{display} was found on this machine (looked for {looked_for}); `farpane list` shows what runs"
    )]
    NoSession { display: String, looked_for: String },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    WebSocket(#[from] HandshakeError),
    #[error(transparent)]
    Quic(QuicError),
    #[error("{kind} connections do not work here: use another kind")]
    Unsupported { kind: &'static str },
}

/// What is added where some addresses gave an answer and others none.
fn also(tried: &Tried) -> String {
    let tried = tried.to_string();
    if tried.is_empty() { tried } else { format!("; {tried}") }
}

/// What was asked for last, once the server or the proxy is reached.
enum Asked {
    Proxy { to: String },
    Server { what: &'static str, hint: &'static str },
}

impl Transport {
    /// Connects to the target's endpoint, trying all its addresses, for at most `limit`, and says
    /// how far it is. What a network is between goes through `proxy`, if there is one. Through ssh, [`super::ssh`]
    /// connects.
    pub async fn connect(
        target: &Target,
        tls: &TlsOptions,
        proxy: Option<&Proxy>,
        limit: Duration,
        stage: &dyn Fn(ConnectStage),
    ) -> Result<Self, ConnectError> {
        let (asked, tried) = (Cell::new(None), RefCell::new(Tried::default()));
        let over_quic = match &target.endpoint {
            Endpoint::Quic { at, .. } => Some(at),
            _ => None,
        };
        let stage = &|now: ConnectStage| {
            asked.set(match &now {
                ConnectStage::Proxying { to, .. } => Some(Asked::Proxy { to: to.clone() }),
                ConnectStage::Securing => {
                    Some(Asked::Server { what: "to TLS", hint: "does this port speak TLS?" })
                }
                ConnectStage::Upgrading if over_quic.is_some() => Some(Asked::Server {
                    what: "the request for a session",
                    hint: "does the Xpra server still run?",
                }),
                ConnectStage::Upgrading => Some(Asked::Server {
                    what: "to the WebSocket handshake",
                    hint: "is there a web server on this port?",
                }),
                _ => None,
            });
            stage(now);
        };
        let reached = async |at: &HostPort| {
            let stream = match proxy {
                Some(proxy) => proxy::connect(proxy, at, &tried, stage).await?,
                None => dial::connect(at, target.endpoint.transport_name(), &tried, stage).await?,
            };
            Ok::<_, ConnectError>(Socket::new(stream, proxy.is_some()))
        };
        let secured = async |at: &HostPort| {
            let stream = reached(at).await?;
            stage(ConnectStage::Securing);
            Ok::<_, ConnectError>(tls::handshake(stream, at, tls).await?)
        };
        let connecting = async {
            match &target.endpoint {
                Endpoint::Tcp(at) => reached(at).await.map(Self::Tcp),
                Endpoint::Unix(path) => connect_socket(path, stage).await,
                Endpoint::Abstract(name) => connect_socket(Path::new(&format!("\0{name}")), stage).await,
                Endpoint::Display(display) => connect_display(display, stage).await,
                Endpoint::Tls(at) => Ok(Self::Tls(Box::new(secured(at).await?))),
                Endpoint::WebSocket { at, secure: false } => {
                    let stream = reached(at).await?;
                    stage(ConnectStage::Upgrading);
                    Ok(Self::WebSocket(Box::new(upgrade(stream, at, false, target).await?)))
                }
                Endpoint::WebSocket { at, secure: true } => {
                    let stream = secured(at).await?;
                    stage(ConnectStage::Upgrading);
                    Ok(Self::WebSocketTls(Box::new(upgrade(stream, at, true, target).await?)))
                }
                Endpoint::Quic { at, framing } => {
                    let stream = quic::connect(target, at, *framing, tls, stage).await?;
                    Ok(match framing {
                        Framing::WebSocket => Self::Quic(Box::new(WebSocket::new(stream, Vec::new()))),
                        Framing::WebTransport => Self::WebTransport(Box::new(stream)),
                    })
                }
                #[cfg(target_os = "linux")]
                Endpoint::Vsock(at) => {
                    stage(ConnectStage::Reaching { at: format!("vsock {at}") });
                    vsock::connect(*at).await.map(Self::Vsock)
                }
                #[cfg(not(target_os = "linux"))]
                Endpoint::Vsock(_) => Err(ConnectError::Unsupported { kind: "vsock" }),
                Endpoint::Ssh(_) => Err(ConnectError::Unsupported { kind: "ssh" }),
            }
        };
        match tokio::time::timeout(limit, connecting).await {
            Ok(result) => result,
            Err(_) => Err(match (asked.take(), proxy, over_quic) {
                (Some(Asked::Server { what, hint }), ..) => {
                    ConnectError::Silent { at: target.to_string(), what, hint, limit }
                }
                (_, _, Some(at)) => QuicError::Silent { at: at.clone(), limit }.into(),
                (Some(Asked::Proxy { to }), Some(proxy), _) => ProxyError::silent(proxy, to, limit).into(),
                (_, Some(proxy), _) => {
                    let at = format!("the proxy {proxy}");
                    ConnectError::TimedOut { at, limit, tried: tried.take() }
                }
                _ => ConnectError::TimedOut { at: target.to_string(), limit, tried: tried.take() },
            }),
        }
    }

    /// Who could read what is sent. Looks at the kernel's tables: once a connection.
    pub fn link(&self) -> Link {
        let (socket, encrypted) = match self {
            #[cfg(unix)]
            Self::Unix(stream) => return Link { encrypted: false, local: owner::is_trusted_socket(stream) },
            // ssh has checked the host's key.
            #[cfg(unix)]
            Self::Ssh(_) => return Link { encrypted: true, local: false },
            // Nobody on a network is between, but who listens at the other side cannot be known.
            #[cfg(target_os = "linux")]
            Self::Vsock(_) => return Link { encrypted: false, local: false },
            Self::Tcp(stream) => (stream, false),
            // A certificate that the user trusts is that of the server that was trusted.
            Self::Tls(stream) => (stream.get_ref(), stream.checked() != Checked::Not),
            Self::WebSocket(stream) => (stream.get_ref(), false),
            Self::WebSocketTls(stream) => {
                (stream.get_ref().get_ref(), stream.get_ref().checked() != Checked::Not)
            }
            Self::Quic(_) | Self::WebTransport(_) => {
                let encrypted = self.quic().is_some_and(|stream| stream.checked() != Checked::Not);
                return Link { encrypted, local: false };
            }
        };
        Link { encrypted, local: socket.is_trusted() }
    }

    /// The stream over QUIC, if it is that.
    pub(super) fn quic(&self) -> Option<&QuicStream> {
        match self {
            Self::Quic(stream) => Some(stream.get_ref()),
            Self::WebTransport(stream) => Some(stream),
            _ => None,
        }
    }

    /// Whether nothing leaves this machine on the way to whom this is connected with.
    fn is_within_machine(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Unix(_) => true,
            #[cfg(unix)]
            Self::Ssh(_) => false,
            #[cfg(target_os = "linux")]
            Self::Vsock(_) => false,
            Self::Tcp(socket) => socket.is_within_machine(),
            Self::Tls(stream) => stream.get_ref().is_within_machine(),
            Self::WebSocket(stream) => stream.get_ref().is_within_machine(),
            Self::WebSocketTls(stream) => stream.get_ref().get_ref().is_within_machine(),
            Self::Quic(_) | Self::WebTransport(_) => false,
        }
    }

    /// Whether it is TLS, itself or below a WebSocket.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::WebSocketTls(_))
    }

    /// How the connection is protected from others on the way, in words.
    pub fn encryption(&self) -> &'static str {
        match self {
            Self::Tls(stream) => stream.checked().words(),
            Self::WebSocketTls(stream) => stream.get_ref().checked().words(),
            Self::Quic(stream) => stream.get_ref().checked().words(),
            Self::WebTransport(stream) => stream.checked().words(),
            #[cfg(unix)]
            Self::Ssh(_) => "ssh",
            #[cfg(target_os = "linux")]
            Self::Vsock(_) => "none (between a virtual machine and its host)",
            _ if self.is_within_machine() => "none (this machine)",
            _ => "none",
        }
    }

    /// What to look at when the server says nothing.
    pub fn doubt(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "is this an Xpra port? one with TLS needs ssl://",
            #[cfg(unix)]
            Self::Unix(_) => "is this an Xpra server's socket?",
            Self::Tls(_) => "is this an Xpra port? one behind a web server needs wss://",
            Self::WebSocket(_) | Self::WebSocketTls(_) | Self::Quic(_) | Self::WebTransport(_) => {
                "is there a session at this path, and does it still run?"
            }
            #[cfg(target_os = "linux")]
            Self::Vsock(_) => "is this an Xpra server's port?",
            #[cfg(unix)]
            Self::Ssh(_) => "does the session at the other end still run?",
        }
    }

    /// What the layers above the socket copied since the last call.
    pub fn take_ledger(&mut self) -> CopyLedger {
        let mut ledger = CopyLedger::default();
        match self {
            Self::Tls(stream) => ledger.merge(&stream.take_ledger()),
            Self::WebSocket(stream) => ledger.merge(&stream.take_ledger()),
            Self::WebSocketTls(stream) => {
                ledger.merge(&stream.take_ledger());
                ledger.merge(&stream.get_mut().take_ledger());
            }
            Self::Quic(stream) => {
                ledger.merge(&stream.take_ledger());
                ledger.merge(&stream.get_mut().take_ledger());
            }
            Self::WebTransport(stream) => ledger.merge(&stream.take_ledger()),
            _ => {}
        }
        ledger
    }
}

/// Whether `error` says that the peer breaks the rules of what carries the records.
pub(super) fn is_fault(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<FrameError>()) || QuicError::is_fault(error)
}

#[cfg(unix)]
async fn connect_socket(path: &Path, stage: &dyn Fn(ConnectStage)) -> Result<Transport, ConnectError> {
    stage(ConnectStage::Reaching { at: printable(path).display().to_string() });
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Transport::Unix(stream)),
        Err(source) => {
            use std::os::unix::fs::FileTypeExt as _;
            let is_other = std::fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket());
            let path = printable(path);
            Err(if is_other {
                ConnectError::NoSocket { path }
            } else {
                ConnectError::Socket { path, source }
            })
        }
    }
}

#[cfg(not(unix))]
async fn connect_socket(_path: &Path, _stage: &dyn Fn(ConnectStage)) -> Result<Transport, ConnectError> {
    Err(ConnectError::Unsupported { kind: "Unix socket" })
}

/// An abstract name as people write it: with `@` for the zero byte.
#[cfg(unix)]
fn printable(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().replace('\0', "@"))
}

/// Tries every place where a session's socket may be; a stale one does not hide a live one.
async fn connect_display(display: &str, stage: &dyn Fn(ConnectStage)) -> Result<Transport, ConnectError> {
    let candidates = local::socket_candidates(display);
    let mut found_error = None;
    for path in candidates.iter().filter(|path| path.exists()) {
        match connect_socket(path, stage).await {
            Ok(transport) => return Ok(transport),
            Err(error) => found_error = Some(error),
        }
    }
    let looked_for = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    Err(found_error.unwrap_or(ConnectError::NoSession { display: display.to_owned(), looked_for }))
}

/// Characters that cannot stand in a request's first line.
const NOT_IN_REQUEST: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// The path of a request: what was written after the host.
pub(super) fn path(target: &Target) -> String {
    let path = target.display.as_deref().unwrap_or_default();
    format!("/{}", utf8_percent_encode(path, NOT_IN_REQUEST))
}

/// The host that a request names, with its port.
pub(super) fn authority(at: &HostPort) -> String {
    HostPort { host: at.name().to_owned(), port: at.port }.to_string()
}

/// Asks for the WebSocket protocol, at the path that was written after the host.
async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    at: &HostPort,
    secure: bool,
    target: &Target,
) -> Result<WebSocket<S>, HandshakeError> {
    let (host, path) = (authority(at), path(target));
    let upgraded = websocket::handshake(stream, &host, &path).await;
    upgraded.map_err(|error| error.seen_from(secure, &host, &path))
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
