//! A TCP connection, to the server itself or to a proxy that passes everything on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::owner;

/// Bytes that the kernel takes before it has sent those before them. What is not bulk is never that much.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_UNSENT_IN_KERNEL: u32 = 128 * 1024;

/// A connected socket. Nothing is buffered in here.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// The other end only passes on: what is known of its address and owner says nothing of the server.
    through_proxy: bool,
}

impl Socket {
    /// Takes a connection that is ready for the session's bytes.
    pub(super) fn new(stream: TcpStream, through_proxy: bool) -> Self {
        // Input and acknowledgements are small and must leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        keep_little_unsent(&stream);
        Self { stream, through_proxy }
    }

    /// Whether the server is a process of this machine, of this account or root. Never so through a proxy, whoever
    /// runs that: what lies behind it is not known.
    pub fn is_trusted(&self) -> bool {
        !self.through_proxy && owner::is_trusted_port(&self.stream)
    }

    /// Whether nothing leaves this machine on the way to the server.
    pub fn is_within_machine(&self) -> bool {
        !self.through_proxy
            && self.stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }
}

/// Lets the kernel take no more than it can send soon (tcp(7), `TCP_NOTSENT_LOWAT`): what it has taken goes before any
/// key, and by itself it takes some MiB.
fn keep_little_unsent(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_IN_KERNEL) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT could not be set");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
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
