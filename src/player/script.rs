//! The packets of a recording that are to be played, in order.

use std::fs::File;
use std::io::{self, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::limits::MAX_PAYLOAD;
use crate::protocol::packet::Dict;
use crate::protocol::packet::connection;
use crate::protocol::packet::display;
use crate::protocol::packet::draw;
use crate::protocol::packet::pointer;
use crate::protocol::{Dialect, Limits, PacketError, PacketReader, ServerPacket};
use crate::recording::{ReadError, Reader, Start};
use crate::serving::WireError;

/// Packets that may come before the server's hello: challenges.
const MAX_BEFORE_HELLO: usize = 16;
/// The file is read in pieces of this size.
const FILE_BUFFER: usize = 256 << 10;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("cannot open {}: {why}", path.display())]
    Open { path: PathBuf, why: io::Error },
    #[error("cannot play {}: {why}", path.display())]
    Read { path: PathBuf, why: ReadError },
    #[error("cannot play {}: no server accepts a client in it", path.display())]
    NoHello { path: PathBuf },
    #[error("cannot serve on {at}: {why}")]
    Bind { at: SocketAddr, why: io::Error },
    #[error("the client: {0}")]
    Client(#[from] WireError),
}

/// A packet to send.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, counted from the hello.
    pub at: Duration,
    pub packet: ServerPacket,
}

/// A recording that is being played.
#[derive(Debug)]
pub struct Script {
    path: PathBuf,
    pool: BufferPool,
    reader: Reader<BufReader<File>>,
    packets: PacketReader,
    opened: Instant,
    hello_at: Duration,
    /// Rounds of draws that follow this one.
    rounds_left: u32,
    /// What earlier rounds add to the times and sequences of this one.
    earlier: (Duration, u64),
    /// The time and the highest sequence of the packets so far.
    last: (Duration, u64),
}

impl Script {
    /// Opens the recording.
    ///
    /// # Errors
    /// If the file cannot be read, or is no recording.
    pub fn open(path: &Path) -> Result<Self, PlayError> {
        let file = File::open(path).map_err(|why| PlayError::Open { path: path.to_owned(), why })?;
        let pool = BufferPool::default();
        let reader = Reader::new(BufReader::with_capacity(FILE_BUFFER, file), pool.clone());
        let reader = reader.map_err(|why| PlayError::Read { path: path.to_owned(), why })?;
        let limits = Limits::with_max_record(MAX_PAYLOAD);
        let packets = PacketReader::new(reader.start().dialect, limits, pool.clone());
        Ok(Self {
            path: path.to_owned(),
            pool,
            reader,
            packets,
            opened: clock::now(),
            hello_at: Duration::ZERO,
            rounds_left: 0,
            earlier: (Duration::ZERO, 0),
            last: (Duration::ZERO, 0),
        })
    }

    /// Plays the draws this often in all, each time with the sequences that follow.
    pub fn repeat(&mut self, rounds: u32) {
        self.rounds_left = rounds.saturating_sub(1);
    }

    /// What the recorded server spoke.
    pub fn dialect(&self) -> Dialect {
        self.reader.start().dialect
    }

    /// How the recording begins.
    pub fn start(&self) -> &Start {
        self.reader.start()
    }

    /// The hello with which the recorded server accepted its client. Call it once, first.
    ///
    /// # Errors
    /// If there is none.
    pub fn hello(&mut self) -> Result<Dict, PlayError> {
        for _ in 0..MAX_BEFORE_HELLO {
            let next = self.read().map_err(|why| PlayError::Read { path: self.path.clone(), why })?;
            match next {
                Some(Step { at, packet: ServerPacket::Connection(connection::FromServer::Hello(hello)) }) => {
                    self.hello_at = at;
                    return Ok(hello);
                }
                Some(_) => {}
                None => break,
            }
        }
        Err(PlayError::NoHello { path: self.path.clone() })
    }

    /// The next packet to send; `None` at the end.
    ///
    /// # Errors
    /// If the rest of the recording cannot be read: what came before is good.
    pub fn next_step(&mut self) -> Result<Option<Step>, ReadError> {
        loop {
            match self.read()? {
                Some(step) if !is_played(&step.packet) => {}
                Some(Step { at, mut packet }) => {
                    let at = at.saturating_sub(self.hello_at) + self.earlier.0;
                    if let ServerPacket::Draw(draw::FromServer::Draw(draw)) = &mut packet {
                        draw.sequence.0 = draw.sequence.0.saturating_add(self.earlier.1);
                        self.last.1 = self.last.1.max(draw.sequence.0);
                    } else if self.earlier.1 > 0 {
                        continue;
                    }
                    self.last.0 = at;
                    return Ok(Some(Step { at, packet }));
                }
                // A recording without draws is not played again.
                None if self.rounds_left > 0 && self.last.1 > self.earlier.1 => self.rewind()?,
                None => return Ok(None),
            }
        }
    }

    /// Back to the beginning of the file, for the next round.
    fn rewind(&mut self) -> Result<(), ReadError> {
        let file = BufReader::with_capacity(FILE_BUFFER, File::open(&self.path)?);
        self.reader = Reader::new(file, self.pool.clone())?;
        self.rounds_left -= 1;
        self.earlier = self.last;
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Step>, ReadError> {
        let Some(timed) = self.reader.next(self.opened)? else { return Ok(None) };
        let packet = self.packets.read(timed.raw.lend()).map_err(|error| self.damaged(&error))?.packet;
        Ok(Some(Step { at: timed.at, packet }))
    }

    fn damaged(&self, error: &PacketError) -> ReadError {
        ReadError::Damaged { at: self.reader.position(), why: error.to_string() }
    }
}

/// Whether a packet means anything to another client than the one that it was sent to.
fn is_played(packet: &ServerPacket) -> bool {
    !matches!(
        packet,
        ServerPacket::Connection(connection::FromServer::Hello(_))
            | ServerPacket::Connection(connection::FromServer::Challenge(_))
            | ServerPacket::Connection(connection::FromServer::Close { .. })
            | ServerPacket::Connection(connection::FromServer::Ping { .. })
            | ServerPacket::Connection(connection::FromServer::PingEcho(_))
            | ServerPacket::Connection(connection::FromServer::Control { .. })
            | ServerPacket::Connection(connection::FromServer::InfoResponse(_))
            | ServerPacket::Display(display::FromServer::Screenshot(_))
            // Who does not know it would take it for the default cursor itself.
            | ServerPacket::Pointer(pointer::FromServer::DefaultCursorShape)
            | ServerPacket::Ignored { .. }
            | ServerPacket::Unknown { .. }
    )
}
