//! Between a virtual machine and its host (vsock(7)): Linux alone.

use super::transport::ConnectError;

/// The other side of a virtual machine's wall, and a port there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VsockAddress {
    /// Whose: 2 is the host, 1 this machine itself, others are the host's guests.
    pub cid: u32,
    pub port: u32,
}

/// `vsock://2:14500`, as it is written.
impl std::fmt::Display for VsockAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.cid, self.port)
    }
}

/// A stream socket is one whatever its family: tokio has no type for this one.
#[cfg(target_os = "linux")]
pub type VsockStream = tokio::net::UnixStream;

/// Connects. Dropping it gives up.
///
/// # Errors
/// If the kernel has no such sockets, or nobody listens there.
#[cfg(target_os = "linux")]
pub(super) async fn connect(at: VsockAddress) -> Result<VsockStream, ConnectError> {
    use socket2::{Domain, SockAddr, Socket, Type};
    use std::os::fd::OwnedFd;

    let failed = |source| ConnectError::Vsock { at, source, hint: hint(at) };
    let socket = Socket::new(Domain::VSOCK, Type::STREAM, None).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    match socket.connect(&SockAddr::vsock(at.cid, at.port)) {
        // EINPROGRESS: it goes on by itself.
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            return Err(failed(error));
        }
        _ => {}
    }
    let stream = std::os::unix::net::UnixStream::from(OwnedFd::from(socket));
    let stream = VsockStream::from_std(stream).map_err(failed)?;
    stream.writable().await.map_err(failed)?;
    match stream.take_error().map_err(failed)? {
        Some(error) => Err(failed(error)),
        None => Ok(stream),
    }
}

/// What to look at.
#[cfg(target_os = "linux")]
const fn hint(at: VsockAddress) -> &'static str {
    match at.cid {
        1 => "1 is this machine itself, and needs the kernel module vsock_loopback",
        2 => {
            "2 is the host of this virtual machine: does it have a vsock device, and does the server listen with --bind-vsock?"
        }
        _ => {
            "does that guest run, with a vsock device of this number, and does the server in it listen with --bind-vsock?"
        }
    }
}
