//! One client's connection: the only place of the demo that reads and writes a socket.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::{
    ClientPacket, Dialect, Limits, PacketError, PacketReader, PacketWriter, Reassembler, RecordError,
    ServerPacket,
};

use super::desktop::Desktop;
use super::hello::{self, Offers};

/// Pictures a second at most.
const FRAME: Duration = Duration::from_millis(33);
/// A client has this long to say hello.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How often clients are asked whether they are still there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const GOODBYE_TIME: Duration = Duration::from_millis(500);

/// Why a client was dropped.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error("it did not say hello within {HELLO_TIME:?}")]
    NoHello,
    #[error("it sent {got} before hello")]
    NotHello { got: &'static str },
}

/// Serves one client until it leaves, or until `shutdown` changes.
pub async fn run(stream: TcpStream, mut shutdown: watch::Receiver<bool>) -> Result<(), ClientError> {
    stream.set_nodelay(true)?;
    let mut wire = Wire::new(stream);
    let offers = tokio::select! {
        greeted = timeout(HELLO_TIME, greet(&mut wire)) => match greeted.map_err(|_| ClientError::NoHello)?? {
            Some(offers) => offers,
            None => return Ok(()),
        },
        _ = shutdown.changed() => return Ok(()),
    };
    tokio::select! {
        ended = session(&mut wire, offers) => ended,
        _ = shutdown.changed() => {
            let goodbye = ServerPacket::ConnectionClose { reasons: vec!["server shutdown".to_owned()] };
            // A client that does not take it is gone anyway.
            let _ = timeout(GOODBYE_TIME, wire.send(&goodbye)).await;
            Ok(())
        }
    }
}

/// Answers the hello. `None`: that was all that the client wanted.
async fn greet(wire: &mut Wire) -> Result<Option<Offers>, ClientError> {
    let capabilities = loop {
        match wire.receive().await? {
            Received::End => return Ok(None),
            Received::Packet(Some(ClientPacket::Hello(capabilities))) => break capabilities,
            Received::Packet(Some(_)) => return Err(ClientError::NotHello { got: "another packet" }),
            Received::Packet(None) => return Err(ClientError::NotHello { got: "an unknown packet" }),
        }
    };
    let offers = Offers::from_hello(&capabilities);
    wire.writer.set_spelling(offers.spelling);
    wire.chunks = offers.chunks;
    wire.established();
    let answer = hello::answer(&capabilities);
    let stays = capabilities.str("request").is_none_or(str::is_empty);
    wire.send(&ServerPacket::Hello(answer)).await?;
    Ok(stays.then_some(offers))
}

/// The session proper: packets in, pictures out.
async fn session(wire: &mut Wire, offers: Offers) -> Result<(), ClientError> {
    let start = Instant::now();
    let mut desktop = Desktop::new(offers);
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pings = interval(PING_EVERY);
    loop {
        tokio::select! {
            received = wire.receive() => match received? {
                Received::End => return Ok(()),
                Received::Packet(Some(ClientPacket::ConnectionClose { .. })) => return Ok(()),
                Received::Packet(Some(packet)) => desktop.handle(packet),
                // Something that the demo has no use for: clipboard, sound, …
                Received::Packet(None) => {}
            },
            _ = frames.tick() => desktop.frame(start.elapsed()),
            _ = pings.tick() => {
                let monotonic_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
                desktop.send(ServerPacket::Ping { monotonic_ms, sid: None });
            }
        }
        for packet in desktop.outgoing() {
            wire.send(&packet).await?;
        }
    }
}

/// What came from the client.
enum Received {
    /// `None`: a packet that the protocol layer does not know.
    Packet(Option<ClientPacket>),
    End,
}

/// The protocol on a socket.
struct Wire {
    stream: TcpStream,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    /// The client takes raw chunks.
    chunks: bool,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        let pool = BufferPool::default();
        Self {
            stream,
            reassembler: Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, pool.clone()),
            reader: PacketReader::new(Dialect::Modern, Limits::BEFORE_HELLO, pool),
            writer: PacketWriter::new(Dialect::Modern),
            chunks: true,
        }
    }

    /// The hello was accepted: the usual limits hold now.
    fn established(&mut self) {
        let limits = Limits::with_max_record(0);
        self.reassembler.set_limits(limits);
        self.reader.set_limits(limits);
    }

    /// The next packet. Cancel-safe: what was read stays in the reassembler.
    async fn receive(&mut self) -> Result<Received, ClientError> {
        loop {
            if let Some(raw) = self.reassembler.next_packet()? {
                return Ok(Received::Packet(self.reader.read_client(raw)?.packet));
            }
            if self.stream.read_buf(&mut self.reassembler.buffer()).await? == 0 {
                self.reassembler.end()?;
                return Ok(Received::End);
            }
            self.reassembler.received(clock::now());
        }
    }

    /// Writes one packet; a draw's pixels go from where they are.
    async fn send(&mut self, packet: &ServerPacket) -> Result<(), ClientError> {
        let records = self.writer.write_server(packet, self.chunks);
        let data = records.data.as_deref().unwrap_or_default();
        for part in [&records.head[..], data, &records.tail] {
            self.stream.write_all(part).await?;
        }
        Ok(())
    }
}
