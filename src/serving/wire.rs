//! The protocol on a socket, the server's way round.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::packet::Dict;
use crate::protocol::packet::connection;
use crate::protocol::record::{Header, MAGIC};
use crate::protocol::{
    ClientPacket, Dialect, Limits, Naming, PacketError, PacketReader, PacketWriter, Reassembler, RecordError,
    ServerPacket,
};

/// A client has this long to say hello.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// Time between two looks at a socket whose client has sent only one byte.
const PEEK_AGAIN: Duration = Duration::from_millis(10);
/// How long a goodbye may take.
const GOODBYE_TIME: Duration = Duration::from_millis(500);

/// Why a client was dropped.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
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
    #[error("it speaks {got}, and this server rencodeplus, yaml and bencode only")]
    Encoder { got: &'static str },
}

/// What came from a client.
#[derive(Clone, Debug)]
pub enum Received {
    /// `None`: a packet that the protocol layer does not know.
    Packet(Option<ClientPacket>),
    End,
}

/// A client's connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    dialect: Dialect,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    /// The client takes raw chunks.
    chunks: bool,
}

impl Wire {
    /// Waits for the client's hello. The answer is up to the caller; everything that is sent from
    /// then on is spelled as the client wants it. `None`: the client left without a word.
    ///
    /// # Errors
    /// If the client says something else, or nothing for too long. One whose packet encoder is
    /// unknown is told in plain text, as servers do.
    pub async fn accept(stream: TcpStream) -> Result<Option<(Self, Dict)>, WireError> {
        stream.set_nodelay(true)?;
        timeout(HELLO_TIME, Self::greet(stream)).await.map_err(|_| WireError::NoHello)?
    }

    async fn greet(mut stream: TcpStream) -> Result<Option<(Self, Dict)>, WireError> {
        let dialect = match peek(&stream).await? {
            None => return Ok(None),
            Some([MAGIC, flags]) => Header::dialect_of(flags),
            // The reassembler says what it is.
            Some(_) => Ok(Dialect::Modern),
        };
        let dialect = match dialect {
            Ok(dialect) => dialect,
            Err(got) => {
                let words = format!(
                    "disconnect: this server speaks rencodeplus, yaml and bencode, not {got} (try --packet-encoders=bencode)\n"
                );
                stream.write_all(words.as_bytes()).await?;
                return Err(WireError::Encoder { got });
            }
        };
        let pool = BufferPool::default();
        let mut wire = Self {
            stream,
            dialect,
            reassembler: Reassembler::new(dialect, Limits::BEFORE_HELLO, pool.clone()),
            reader: PacketReader::new(dialect, Limits::BEFORE_HELLO, pool),
            writer: PacketWriter::new(dialect),
            chunks: true,
        };
        let hello = match wire.receive().await? {
            Received::End => return Ok(None),
            Received::Packet(Some(ClientPacket::Connection(connection::ToServer::Hello(hello)))) => hello,
            Received::Packet(Some(_)) => return Err(WireError::NotHello { got: "another packet" }),
            Received::Packet(None) => return Err(WireError::NotHello { got: "an unknown packet" }),
        };
        wire.writer.set_naming(Naming::for_version(hello.str("version").unwrap_or_default()));
        wire.chunks = hello.bool("chunks").or_else(|| hello.bool("raw_packets")).unwrap_or(true);
        let limits = Limits::with_max_record(0);
        wire.reassembler.set_limits(limits);
        wire.reader.set_limits(limits);
        Ok(Some((wire, hello)))
    }

    /// What the client speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The next packet. Cancel-safe: what was read stays in the reassembler.
    ///
    /// # Errors
    /// If the client breaks the protocol or the connection does.
    pub async fn receive(&mut self) -> Result<Received, WireError> {
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
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn send(&mut self, packet: &ServerPacket) -> Result<(), WireError> {
        let records = self.writer.write_server(packet, self.chunks);
        let data = records.data.as_deref().unwrap_or_default();
        for part in [&records.head[..], data, &records.tail] {
            self.stream.write_all(part).await?;
        }
        Ok(())
    }

    /// Tells the client why its session ends, for a limited time. One that does not listen is gone
    /// anyway.
    pub async fn goodbye(&mut self, reason: &str) {
        let goodbye =
            ServerPacket::Connection(connection::FromServer::Close { reasons: vec![reason.to_owned()] });
        let _ = timeout(GOODBYE_TIME, self.send(&goodbye)).await;
    }
}

/// The magic byte and the protocol flags of the first record, which stays unread.
async fn peek(stream: &TcpStream) -> std::io::Result<Option<[u8; 2]>> {
    let mut start = [0; 2];
    loop {
        match stream.peek(&mut start).await? {
            0 => return Ok(None),
            1 => sleep(PEEK_AGAIN).await,
            _ => return Ok(Some(start)),
        }
    }
}
