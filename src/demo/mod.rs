//! An Xpra server in a few hundred lines: the session that `farpane demo` attaches to, and an
//! example for someone who writes a server. Xpra's own client can attach as well.
//!
//! It knows nothing of the viewer; it speaks the protocol through the same [`Reassembler`],
//! [`PacketReader`] and [`PacketWriter`], the other way round ([`serving`]). Every client gets a desktop of its
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
//! [`client`] is a client's session, [`desktop`] the windows and who may be sent what, [`hello`] the
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
use std::net::SocketAddr;
use std::sync::Arc;

use crate::serving;

/// A demo server on a thread of its own. Dropping it ends the sessions and waits for the thread.
#[derive(Debug)]
pub struct Server(serving::Server);

impl Server {
    /// Starts serving on `bind`; port 0 takes a free one. A client's errors end only its own
    /// session.
    ///
    /// # Errors
    /// If the address is in use, or not one of this machine.
    pub fn start(bind: SocketAddr) -> io::Result<Self> {
        Self::with_captions(bind, Vec::new())
    }

    /// The same; the pad has these lines at its bottom: what the client's user can try.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with_captions(bind: SocketAddr, captions: Vec<String>) -> io::Result<Self> {
        let captions: Arc<[String]> = captions.into();
        let run = move |stream, shutdown| client::run(stream, shutdown, Arc::clone(&captions));
        serving::Server::start(bind, "demo", run).map(Self)
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Waits until the server ends, which it only does when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub fn wait(self) -> io::Result<()> {
        self.0.wait()
    }
}
