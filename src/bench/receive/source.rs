//! Where the bytes come from.

use std::io::{self, IoSliceMut, Write};
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{Builder, JoinHandle};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// No kernel: a read copies from memory.
    Memory,
    /// A TCP connection over the loopback interface.
    Tcp,
    /// A pair of Unix sockets.
    #[cfg(unix)]
    Unix,
}

impl Source {
    /// Every kind on this platform.
    pub const ALL: &[Self] = &[
        Self::Memory,
        Self::Tcp,
        #[cfg(unix)]
        Self::Unix,
    ];

    /// The name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Tcp => "tcp",
            #[cfg(unix)]
            Self::Unix => "unix",
        }
    }
}

/// A source that can also be read into several buffers at once.
pub trait VectoredRead: AsyncRead + Unpin {
    /// Reads into `parts`, one after the other; 0 at the end.
    fn read_vectored(&mut self, parts: &mut [IoSliceMut<'_>]) -> impl Future<Output = io::Result<usize>>;
}

impl VectoredRead for Memory<'_> {
    async fn read_vectored(&mut self, parts: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut len = 0;
        for part in parts {
            let read = self.read(part).await?;
            len += read;
            if read < part.len() {
                break;
            }
        }
        Ok(len)
    }
}

/// [`VectoredRead`] for a socket of tokio's.
macro_rules! vectored {
    ($socket:ty) => {
        impl VectoredRead for $socket {
            async fn read_vectored(&mut self, parts: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                loop {
                    self.readable().await?;
                    match self.try_read_vectored(parts) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        result => return result,
                    }
                }
            }
        }
    };
}

vectored!(tokio::net::TcpStream);
#[cfg(unix)]
vectored!(tokio::net::UnixStream);

/// Bytes in memory, several times over.
pub(super) struct Memory<'a> {
    bytes: &'a [u8],
    at: usize,
    rounds: usize,
}

impl<'a> Memory<'a> {
    pub fn new(bytes: &'a [u8], rounds: usize) -> Self {
        Self { bytes, at: 0, rounds }
    }
}

impl AsyncRead for Memory<'_> {
    #[expect(clippy::disallowed_methods, reason = "this stands for the kernel's copy, which is not counted")]
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.at == this.bytes.len() && this.rounds > 1 {
            this.rounds -= 1;
            this.at = 0;
        }
        let rest = &this.bytes[this.at..];
        let len = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..len]);
        this.at += len;
        Poll::Ready(Ok(()))
    }
}

/// Connects to a thread that sends `bytes` `rounds` times and closes.
pub(super) fn tcp(bytes: Vec<u8>, rounds: usize) -> io::Result<(tokio::net::TcpStream, Sender)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let receiver = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (sender, _) = listener.accept()?;
    sender.set_nodelay(true)?;
    receiver.set_nonblocking(true)?;
    Ok((tokio::net::TcpStream::from_std(receiver)?, send(sender, bytes, rounds)?))
}

/// The same over a pair of Unix sockets.
#[cfg(unix)]
pub(super) fn unix(bytes: Vec<u8>, rounds: usize) -> io::Result<(tokio::net::UnixStream, Sender)> {
    let (receiver, sender) = std::os::unix::net::UnixStream::pair()?;
    receiver.set_nonblocking(true)?;
    Ok((tokio::net::UnixStream::from_std(receiver)?, send(sender, bytes, rounds)?))
}

/// The sending thread; gives the bytes back when it is done.
pub(super) type Sender = JoinHandle<io::Result<Vec<u8>>>;

fn send(mut to: impl Write + Send + 'static, bytes: Vec<u8>, rounds: usize) -> io::Result<Sender> {
    Builder::new().name("bench-sender".into()).spawn(move || {
        for _ in 0..rounds {
            to.write_all(&bytes)?;
        }
        Ok(bytes)
    })
}
