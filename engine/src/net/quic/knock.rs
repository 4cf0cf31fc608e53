//! Hears from a machine that nobody listens on a UDP port: ICMP says so to sockets that are connected to one peer, which
//! QUIC's own is not.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use quinn::Connection;
use tokio::net::UdpSocket;

/// How long the answer is waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// Servers say something at least every 5 seconds: who is silent for longer is asked for.
const QUIET: Duration = Duration::from_secs(6);

/// An address of this machine of the same kind, with any port.
pub fn any_like(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// Waits until the peer's machine says that nobody listens at `peer`: where nothing is said, for ever. Cancel-safe.
pub async fn refused(peer: SocketAddr) {
    loop {
        match knock(peer).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "cannot hear of a refusal");
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Waits until nobody listens any more where `connection` leads to: each time that it was silent for a while, that is
/// asked for. Cancel-safe.
pub async fn gone(connection: &Connection) {
    let heard = || connection.stats().udp_rx.datagrams;
    let mut before = heard();
    loop {
        tokio::time::sleep(QUIET).await;
        let now = heard();
        if now == before && knock(connection.remote_address()).await.unwrap_or(false) && heard() == before {
            return;
        }
        before = now;
    }
}

/// Sends a datagram that is none of QUIC's, which servers drop.
async fn knock(peer: SocketAddr) -> io::Result<bool> {
    let socket = UdpSocket::bind(any_like(peer)).await?;
    socket.connect(peer).await?;
    socket.send(&[0]).await?;
    match tokio::time::timeout(ANSWER_LIMIT, socket.recv(&mut [0; 1])).await {
        Ok(Err(error)) => Ok(error.kind() == io::ErrorKind::ConnectionRefused),
        // Whoever answers such a thing is there.
        Ok(Ok(_)) => {
            tokio::time::sleep(ANSWER_LIMIT).await;
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}
