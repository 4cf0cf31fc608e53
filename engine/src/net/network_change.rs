//! Hears from Linux when this machine's network changes: a link, an address or a route comes or goes (`rtnetlink(7)`).

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use tokio::io::unix::AsyncFd;

/// The groups of messages that say so (`linux/rtnetlink.h`, `RTMGRP_…`): links, addresses and routes of IPv4 and IPv6.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// Open as long as somebody waits for a change.
pub struct NetworkChanges {
    socket: AsyncFd<Socket>,
}

impl NetworkChanges {
    /// Listens from now on. `None` (logged) where the system does not tell.
    pub fn watch() -> Option<Self> {
        Self::open()
            .inspect_err(|error| tracing::debug!(%error, "changes of the network are not heard of"))
            .ok()
    }

    #[expect(unsafe_code, reason = "tokio's only way to wait for a socket that is not its own")]
    fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.set_non_blocking(true)?;
        socket.bind(&SocketAddr::new(0, GROUPS))?;
        // SAFETY: the socket owns its descriptor, and nobody replaces or closes it in here.
        Ok(Self { socket: unsafe { AsyncFd::register(socket) }? })
    }

    /// Waits for a change. Cancel-safe.
    pub async fn next(&mut self) {
        let mut heard = false;
        while let Ok(mut ready) = self.socket.readable().await {
            match ready.try_io(|socket| socket.get_ref().recv_from_full()) {
                // What it says in detail does not matter.
                Ok(Ok(_)) => heard = true,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "changes of the network are not heard of any more");
                    break;
                }
                Err(_would_block) if heard => return,
                Err(_would_block) => {}
            }
        }
        std::future::pending().await
    }
}
