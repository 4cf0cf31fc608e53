//! One client's session: packets in, pictures out.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::protocol::ClientPacket;
use crate::protocol::packet::connection;
use crate::serving::hello::is_request;
use crate::serving::{Received, Wire, WireError};

use super::desktop::Desktop;
use super::hello::{self, Offers};

/// Pictures a second at most.
const FRAME: Duration = Duration::from_millis(33);
/// How often clients are asked whether they are still there.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Serves one client until it leaves, or until `shutdown` changes; its pad has the `captions`.
///
/// # Errors
/// If the client breaks the protocol or the connection does.
pub async fn run(
    stream: TcpStream,
    mut shutdown: watch::Receiver<bool>,
    captions: Arc<[String]>,
) -> Result<(), WireError> {
    let accepted = tokio::select! {
        accepted = Wire::accept(stream) => accepted?,
        _ = shutdown.changed() => return Ok(()),
    };
    let Some((mut wire, capabilities)) = accepted else { return Ok(()) };
    wire.send(&connection::FromServer::Hello(hello::answer(wire.dialect(), &capabilities)).into()).await?;
    if is_request(&capabilities) {
        return Ok(());
    }
    tokio::select! {
        ended = session(&mut wire, Offers::from_hello(&capabilities), &captions) => ended,
        _ = shutdown.changed() => {
            wire.goodbye("server shutdown").await;
            Ok(())
        }
    }
}

/// The session proper.
async fn session(wire: &mut Wire, offers: Offers, captions: &[String]) -> Result<(), WireError> {
    let start = Instant::now();
    let mut desktop = Desktop::new(offers, captions);
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval(PING_EVERY);
    loop {
        tokio::select! {
            received = wire.receive() => match received? {
                Received::End => return Ok(()),
                Received::Packet(Some(ClientPacket::Connection(connection::ToServer::Close { .. }))) => return Ok(()),
                Received::Packet(Some(packet)) => desktop.handle(packet),
                // Something that the demo has no use for: clipboard, sound, …
                Received::Packet(None) => {}
            },
            _ = frames.tick() => desktop.frame(start.elapsed()),
            _ = pings.tick() => {
                let monotonic_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
                desktop.send(connection::FromServer::Ping { monotonic_ms, sid: None }.into());
            }
        }
        for packet in desktop.outgoing() {
            wire.send(&packet).await?;
        }
    }
}
