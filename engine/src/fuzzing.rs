//! What must hold for any bytes from a peer: the oracles of the fuzz targets and of the property
//! tests. Each takes arbitrary bytes and panics where Farpane would be wrong.

use std::time::Instant;

use crate::buffers::BufferPool;
use crate::protocol::compression::Decompressor;
use crate::protocol::record::{Compressor, RecordError};
use crate::protocol::tape::Tape;
use crate::protocol::{Dialect, KeptPacket, Limits, PacketReader, Reassembler, bencode, rencodeplus, yaml};
use crate::stats::CopyLedger;

/// Limits that keep an oracle small.
const LIMITS: Limits = Limits { max_record: 1 << 20, max_decompressed: 1 << 20 };

/// Packets of `stream`, fed in pieces whose sizes `splits` says, over and over; and how it ended.
pub fn reassemble(
    dialect: Dialect,
    stream: &[u8],
    splits: &[usize],
    now: Instant,
) -> (Vec<KeptPacket>, Result<(), RecordError>) {
    reassemble_with(Reassembler::new(dialect, LIMITS, BufferPool::default()), stream, splits, now)
}

/// The same with a reassembler that was told something before.
pub fn reassemble_with(
    mut reassembler: Reassembler,
    stream: &[u8],
    splits: &[usize],
    now: Instant,
) -> (Vec<KeptPacket>, Result<(), RecordError>) {
    let mut packets = Vec::new();
    let mut splits = splits.iter().copied().filter(|len| *len > 0).cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let len = splits.next().unwrap_or(rest.len()).min(rest.len());
        let (mut piece, after) = rest.split_at(len);
        rest = after;
        while !piece.is_empty() {
            let taken = reassembler.feed(piece, now);
            piece = piece.get(taken..).unwrap_or_default();
            loop {
                match reassembler.next_packet() {
                    Ok(Some(packet)) => packets.push(packet.keep()),
                    Ok(None) => break,
                    Err(error) => return (packets, Err(error)),
                }
            }
        }
    }
    (packets, reassembler.end())
}

/// Any bytes: as a server's stream and as a client's, they are read or refused.
pub fn stream(bytes: &[u8], now: Instant) {
    for dialect in [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml] {
        let (packets, _) = reassemble(dialect, bytes, &[7, 100], now);
        let mut reader = PacketReader::new(dialect, LIMITS, BufferPool::default());
        for packet in packets {
            let _ = reader.read(packet.lend());
            let _ = reader.read_client(packet.lend());
        }
    }
}

/// Any bytes: as a packet they are decoded or refused, and what is decoded can be read.
pub fn packet(bytes: &[u8]) {
    let mut tape = Tape::default();
    for decode in [rencodeplus::decode, bencode::decode] {
        if decode(bytes, &mut tape).is_ok() {
            let _ = tape.value(0, bytes);
        }
    }
    if let Ok(packed) = yaml::to_rencodeplus(bytes) {
        rencodeplus::decode(&packed, &mut tape).expect("what was encoded here can be decoded");
    }
}

/// Any bytes: as compressed data they give no more than the limit.
pub fn compressed(bytes: &[u8]) {
    let pool = BufferPool::default();
    let mut decompressor = Decompressor::default();
    for compressor in [Compressor::Lz4, Compressor::Zlib, Compressor::Zstd, Compressor::Brotli] {
        let limit = LIMITS.max_decompressed;
        let result = decompressor.decompress(compressor, bytes, limit, &pool, &mut CopyLedger::default());
        assert!(
            result.map_or(0, |payload| payload.len()) <= limit,
            "{} gave more than allowed",
            compressor.name()
        );
    }
}
