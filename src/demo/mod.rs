//! An Xpra server in a few hundred lines: the session that `farpane demo` attaches to, and an
//! example for someone who writes a server. Xpra's own client can attach as well.
//!
//! It knows nothing of the viewer; it speaks the protocol through the same [`Reassembler`],
//! [`PacketReader`] and [`PacketWriter`], the other way round. Every client gets a desktop of its
//! own:
//!
//! | window | how its pixels travel |
//! |---|---|
//! | [`content::plasma`] | raw, 32 bits a pixel, in raw chunks |
//! | [`content::terminal`] | LZ4, and `scroll` where the client offers it |
//! | [`content::video`] | h264, encoded when it is sent |
//! | [`content::pad`] | small raw 24-bit updates, answers to pointer and keys |
//! | [`content::menu`] | a popup (override-redirect), on a right click on the pad |
//!
//! [`client`] is the socket, [`desktop`] the windows and who may be sent what, [`hello`] the
//! handshake.
//!
//! [`Reassembler`]: crate::protocol::Reassembler
//! [`PacketReader`]: crate::protocol::PacketReader
//! [`PacketWriter`]: crate::protocol::PacketWriter

pub mod canvas;
pub mod client;
pub mod content;
pub mod desktop;
pub mod hello;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::sync::watch;
use tokio::task::LocalSet;

/// Serves demo sessions on `listener`, until `shutdown` changes or its sender goes. Clients are
/// told goodbye then. Runs on the current thread (the video encoder cannot move to another).
///
/// # Errors
/// If no connection can be accepted any more. A client's errors end only its own session.
pub async fn serve(listener: tokio::net::TcpListener, mut shutdown: watch::Receiver<bool>) -> io::Result<()> {
    let clients = LocalSet::new();
    let result = clients
        .run_until(async {
            loop {
                tokio::select! {
                    _ = shutdown.changed() => return Ok(()),
                    accepted = listener.accept() => {
                        let (stream, peer) = accepted?;
                        let session = client::run(stream, shutdown.clone());
                        tokio::task::spawn_local(async move {
                            match session.await {
                                Ok(()) => tracing::debug!(%peer, "the client left"),
                                Err(error) => tracing::warn!(%peer, %error, "the client was dropped"),
                            }
                        });
                    }
                }
            }
        })
        .await;
    // The clients still have to be told.
    clients.await;
    result
}

/// A demo server on a thread of its own. Dropping it ends the sessions and waits for the thread.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts serving on `bind`; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address is in use, or not one of this machine.
    pub fn start(bind: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(bind)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (shutdown, told) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(move || {
            runtime.block_on(async { serve(tokio::net::TcpListener::from_std(listener)?, told).await })
        })?;
        Ok(Self { address, shutdown, thread: Some(thread) })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server ends, which it only does when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the demo server's thread panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.shutdown.send(true);
        if let Err(error) = self.join() {
            tracing::warn!(%error, "the demo server ended badly");
        }
    }
}
