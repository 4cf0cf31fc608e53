//! From [`RawPacket`]s to typed packets: decompression, packet decoding, raw chunks, arguments.

use std::time::Instant;

use crate::buffers::{BufferPool, Payload};
use crate::stats::CopyLedger;

use super::bencode;
use super::compression::{DecompressError, Decompressor};
use super::limits::Limits;
use super::packet::args::{ArgError, Args, Unpack};
use super::packet::{ClientPacket, ServerPacket};
use super::reassembly::{RawPacket, RawRecord};
use super::record::{Compressor, Dialect};
use super::rencodeplus;
use super::tape::{DecodeError, Tape};
use super::text;
use super::yaml::{self, YamlError};

/// A packet, and what it took to receive it.
#[derive(Clone, Debug)]
pub struct Incoming<P> {
    pub packet: P,
    /// When its first byte was received.
    pub arrived: Instant,
    /// Bytes of all its records, headers included.
    pub wire_bytes: u64,
    /// Copies, transforms and allocations from the socket to here.
    pub ledger: CopyLedger,
}

/// Why a packet cannot be read. All of them end the connection (Protocol.md §10).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    #[error("the packet is not valid {encoder}: {error}")]
    Decode { encoder: &'static str, error: DecodeError },
    #[error("the packet is not valid yaml: {0}")]
    Yaml(#[from] YamlError),
    #[error("the packet is no list that starts with its type")]
    NotAPacket,
    #[error("a chunk has index {index}, but the packet {packet:?} has only {count} values")]
    ChunkOutside { packet: String, index: usize, count: usize },
    #[error(transparent)]
    Argument(#[from] ArgError),
}

/// Reads packets. Keeps its memory from packet to packet.
#[derive(Debug)]
pub struct PacketReader {
    dialect: Dialect,
    limits: Limits,
    pool: BufferPool,
    decompressor: Decompressor,
    tape: Tape,
}

impl PacketReader {
    /// A reader for a new connection. Decompressed records go into buffers of `pool`.
    pub fn new(dialect: Dialect, limits: Limits, pool: BufferPool) -> Self {
        Self { dialect, limits, pool, decompressor: Decompressor::default(), tape: Tape::default() }
    }

    /// Replaces the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Reads a packet that a server sent.
    ///
    /// # Errors
    /// If it is damaged, larger than allowed, or its arguments are wrong: the connection cannot go on.
    pub fn read(&mut self, raw: RawPacket<'_>) -> Result<Incoming<ServerPacket>, PacketError> {
        self.read_with(raw, ServerPacket::parse)
    }

    /// Reads a packet that a client sent; `None` if it is one that Farpane's own client does not
    /// send (sound, clipboard, …).
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_client(&mut self, raw: RawPacket<'_>) -> Result<Incoming<Option<ClientPacket>>, PacketError> {
        self.read_with(raw, ClientPacket::parse)
    }

    fn read_with<P>(
        &mut self,
        raw: RawPacket<'_>,
        parse: impl FnOnce(&mut Args<'_>) -> Result<P, ArgError>,
    ) -> Result<Incoming<P>, PacketError> {
        let RawPacket { arrived, wire_bytes, .. } = raw;
        let mut ledger = raw.ledger.copied().unwrap_or_default();
        let mut unpacker = Unpacker {
            decompressor: &mut self.decompressor,
            pool: &self.pool,
            left: self.limits.max_decompressed,
            ledger: &mut ledger,
            failure: None,
        };
        let decompressed = match raw.compressor {
            Some(compressor) => Some(unpacker.unpack(compressor, &raw.main)?),
            None => None,
        };
        let main = decompressed.as_ref().map_or(raw.main, Payload::lend);
        // There is one kind of tape: YAML is put into rencodeplus first.
        let packed = match self.dialect {
            Dialect::Yaml => Some(Payload::from(yaml::to_rencodeplus(&main)?)),
            Dialect::Modern | Dialect::Legacy31 => None,
        };
        let main = packed.as_ref().map_or(main, Payload::lend);
        match self.dialect {
            Dialect::Modern | Dialect::Yaml => rencodeplus::decode(&main, &mut self.tape)
                .map_err(|error| PacketError::Decode { encoder: "rencodeplus", error })?,
            Dialect::Legacy31 => bencode::decode(&main, &mut self.tape)
                .map_err(|error| PacketError::Decode { encoder: "bencode", error })?,
        }
        let highest = raw.chunks.iter().map(|(index, _)| index.position()).max();
        let mut args =
            Args::new(&self.tape, main, raw.chunks, &mut unpacker).ok_or(PacketError::NotAPacket)?;
        let count = args.left() + 1;
        if let Some(index) = highest.filter(|index| *index >= count) {
            return Err(PacketError::ChunkOutside { packet: text::name(args.packet()), index, count });
        }
        let parsed = parse(&mut args);
        if let Some(failure) = unpacker.failure.take() {
            return Err(failure.into());
        }
        let packet = parsed?;
        Ok(Incoming { packet, arrived, wire_bytes, ledger })
    }
}

/// Unpacks the records of one packet, which together give at most so many bytes. Chunks wait until an argument
/// takes them.
struct Unpacker<'a> {
    decompressor: &'a mut Decompressor,
    pool: &'a BufferPool,
    /// Bytes that the packet's records may still give.
    left: usize,
    ledger: &'a mut CopyLedger,
    /// Why a chunk could not be unpacked.
    failure: Option<DecompressError>,
}

impl Unpacker<'_> {
    fn unpack(&mut self, compressor: Compressor, data: &[u8]) -> Result<Payload, DecompressError> {
        let payload = self.decompressor.decompress(compressor, data, self.left, self.pool, self.ledger)?;
        self.left = self.left.saturating_sub(payload.len());
        Ok(payload)
    }
}

impl Unpack for Unpacker<'_> {
    fn chunk(&mut self, record: &RawRecord) -> Option<Payload> {
        let Some(compressor) = record.compressor else { return Some(record.payload.clone()) };
        match self.unpack(compressor, &record.payload) {
            Ok(payload) => Some(payload),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }
}
