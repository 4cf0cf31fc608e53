//! Writes recordings.

use std::io::{self, Write};
use std::time::Instant;

use crate::protocol::packet::encode::put;
use crate::protocol::reassembly::{RawPacket, RawRecord};
use crate::protocol::record::{HEADER_LEN, Header, RecordKind};

use super::{MAGIC, MAX_FACTS, Start, VERSION, dialect_code};

/// Appends packets to a recording.
///
/// Each entry is handed to the output in pieces, payloads as they are: give it a buffered one that
/// passes large pieces on (`std::io::BufWriter` does). What was flushed survives a crash.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    start: Start,
    /// When the first packet came, and how long after it the last one did.
    first: Option<Instant>,
    last_us: u64,
    written: u64,
    /// Reused for the small parts of an entry.
    scratch: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// If `output` cannot be written, or the facts are too long.
    pub fn new(mut output: W, start: Start) -> io::Result<Self> {
        let facts = serde_json::to_vec(&start.facts)?;
        let len = u32::try_from(facts.len()).ok().filter(|_| facts.len() <= MAX_FACTS);
        let len = len.ok_or_else(|| io::Error::other("the facts about the recording are too long"))?;
        let mut scratch = Vec::new();
        put(&mut scratch, &MAGIC);
        put(&mut scratch, &[VERSION, dialect_code(start.dialect)]);
        put(&mut scratch, &len.to_le_bytes());
        put(&mut scratch, &facts);
        let checksum = crc32fast::hash(&scratch);
        put(&mut scratch, &checksum.to_le_bytes());
        output.write_all(&scratch)?;
        let written = scratch.len() as u64;
        Ok(Self { output, start, first: None, last_us: 0, written, scratch })
    }

    /// Appends a packet, which must be of the recording's dialect.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn packet(&mut self, packet: &RawPacket<'_>) -> io::Result<()> {
        let first = *self.first.get_or_insert(packet.arrived);
        let at = packet.arrived.saturating_duration_since(first).as_micros();
        let at_us = u64::try_from(at).unwrap_or(u64::MAX).max(self.last_us);
        let chunks = packet.chunks.iter().map(|(index, RawRecord { payload, compressor })| {
            (RecordKind::Chunk(*index), payload.lend(), *compressor)
        });
        let main = (RecordKind::Main { flush: false }, packet.main, packet.compressor);
        let records = chunks.chain([main]);
        let len = records.clone().map(|(_, payload, _)| (HEADER_LEN + payload.len()) as u64).sum();
        self.begin_entry(at_us, len);
        let mut checksum = crc32fast::Hasher::new();
        for (kind, payload, compressor) in records {
            // A payload's length came in 32 bits.
            let len = u32::try_from(payload.len()).map_err(io::Error::other)?;
            put(&mut self.scratch, &Header::encode_received(kind, self.start.dialect, compressor, len));
            self.write_scratch(&mut checksum)?;
            checksum.update(&payload);
            self.output.write_all(&payload)?;
            self.written += u64::from(len);
        }
        put(&mut self.scratch, &checksum.finalize().to_le_bytes());
        self.write_scratch(&mut crc32fast::Hasher::new())
    }

    /// Bytes of the recording so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Hands everything to the file: it survives a crash from then on.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Ends the recording properly.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.begin_entry(self.last_us, 0);
        let checksum = crc32fast::hash(&self.scratch);
        put(&mut self.scratch, &checksum.to_le_bytes());
        self.write_scratch(&mut crc32fast::Hasher::new())?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn begin_entry(&mut self, at_us: u64, len: u64) {
        self.scratch.clear();
        put_varint(&mut self.scratch, at_us - self.last_us);
        put_varint(&mut self.scratch, len);
        self.last_us = at_us;
    }

    fn write_scratch(&mut self, checksum: &mut crc32fast::Hasher) -> io::Result<()> {
        checksum.update(&self.scratch);
        self.output.write_all(&self.scratch)?;
        self.written += self.scratch.len() as u64;
        self.scratch.clear();
        Ok(())
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}
