//! Reads recordings.

use std::io::{self, BufRead, Read};
use std::time::{Duration, Instant};

use crate::buffers::BufferPool;
use crate::protocol::limits::MAX_PAYLOAD;
use crate::protocol::reassembly::KeptPacket;
use crate::protocol::{Limits, Reassembler};

use super::{Facts, MAGIC, MAX_FACTS, Start, VERSION, dialect_from};

/// A longer recording is no recording.
const MAX_LENGTH: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A packet of a recording.
#[derive(Clone, Debug)]
pub struct TimedPacket {
    /// When it arrived, counted from the first one.
    pub at: Duration,
    pub raw: KeptPacket,
}

/// Why a recording cannot be read, or not any further. What was read before is good.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is not a recording of Farpane's")]
    NotARecording,
    #[error("it is a recording of version {got}, and this program knows version {VERSION}")]
    Version { got: u8 },
    /// It has no end mark: the recorder was killed, or the file was not copied whole.
    #[error("it ends without its end mark at byte {at}")]
    Cut { at: u64 },
    #[error("it is damaged at byte {at}: {why}")]
    Damaged { at: u64, why: String },
}

/// Takes packets out of a recording, one at a time. Memory is bounded as on a connection.
#[derive(Debug)]
pub struct Reader<R> {
    input: Counting<R>,
    start: Start,
    reassembler: Reassembler,
    at: Duration,
    /// The end mark, or an error: there is nothing more to read.
    ended: bool,
}

/// Counts and checks what is read.
#[derive(Debug)]
struct Counting<R> {
    inner: R,
    read: u64,
    checksum: crc32fast::Hasher,
}

impl<R: BufRead> Reader<R> {
    /// Reads how a recording begins. Payloads go into buffers of `pool`.
    ///
    /// # Errors
    /// If it is no recording of a version that is known.
    pub fn new(input: R, pool: BufferPool) -> Result<Self, ReadError> {
        let mut input = Counting { inner: input, read: 0, checksum: crc32fast::Hasher::new() };
        let is_magic = input.array().is_ok_and(|magic: [u8; 8]| magic == MAGIC);
        if !is_magic {
            return Err(ReadError::NotARecording);
        }
        let [version, dialect] = input.array()?;
        if version != VERSION {
            return Err(ReadError::Version { got: version });
        }
        let dialect = dialect_from(dialect)
            .ok_or_else(|| input.damaged(format_args!("dialect {dialect} is not known")))?;
        let len = u32::from_le_bytes(input.array()?);
        if usize::try_from(len).is_ok_and(|len| len > MAX_FACTS) {
            return Err(input.damaged(format_args!("{len} bytes of facts, expected at most {MAX_FACTS}")));
        }
        let facts = input.bytes(len)?;
        input.check()?;
        let facts: Facts =
            serde_json::from_slice(&facts).map_err(|error| input.damaged(format_args!("{error}")))?;
        let limits = Limits::with_max_record(MAX_PAYLOAD);
        let reassembler = Reassembler::new(dialect, limits, pool);
        let start = Start { dialect, facts };
        Ok(Self { input, start, reassembler, at: Duration::ZERO, ended: false })
    }

    /// How it begins.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Bytes that were read.
    pub fn position(&self) -> u64 {
        self.input.read
    }

    /// The next packet, as if the first one had arrived at `zero`; `None` after the end mark.
    ///
    /// # Errors
    /// If the rest cannot be read. After an error there is nothing more.
    pub fn next(&mut self, zero: Instant) -> Result<Option<TimedPacket>, ReadError> {
        if self.ended {
            return Ok(None);
        }
        let result = self.entry(zero);
        self.ended = !matches!(result, Ok(Some(_)));
        result
    }

    fn entry(&mut self, zero: Instant) -> Result<Option<TimedPacket>, ReadError> {
        self.input.checksum.reset();
        let delay = Duration::from_micros(self.input.varint()?);
        let at = self.at.checked_add(delay).filter(|at| *at <= MAX_LENGTH);
        let at = at.ok_or_else(|| self.input.damaged(format_args!("a delay of {delay:?}")))?;
        let len = self.input.varint()?;
        if len == 0 {
            self.input.check()?;
            return Ok(None);
        }
        let arrived = zero.checked_add(at).unwrap_or(zero);
        let raw = self.records(len, arrived)?;
        self.input.check()?;
        self.at = at;
        Ok(Some(TimedPacket { at, raw }))
    }

    /// The one packet in the `len` bytes of records that follow.
    fn records(&mut self, len: u64, arrived: Instant) -> Result<KeptPacket, ReadError> {
        let Self { input, reassembler, .. } = self;
        // No record is longer than its entry says.
        let max_record = usize::try_from(len).unwrap_or(MAX_PAYLOAD).clamp(1, MAX_PAYLOAD);
        reassembler.set_limits(Limits { max_record, max_decompressed: MAX_PAYLOAD });
        let mut packet = None;
        let mut left = len;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX);
            let fed = input.lend(wanted, |bytes| reassembler.feed(bytes, arrived))?;
            left = left.saturating_sub(fed);
            loop {
                match reassembler.next_packet() {
                    Ok(None) => break,
                    Ok(Some(_)) if packet.is_some() => {
                        return Err(input.damaged(format_args!("an entry of several packets")));
                    }
                    Ok(Some(raw)) => packet = Some(raw.keep()),
                    Err(error) => return Err(input.damaged(format_args!("{error}"))),
                }
            }
        }
        match (packet, reassembler.end()) {
            (Some(raw), Ok(())) => Ok(raw),
            (_, Err(error)) => Err(input.damaged(format_args!("{error}"))),
            (None, Ok(())) => Err(input.damaged(format_args!("an entry without a packet"))),
        }
    }
}

impl<R: BufRead> Counting<R> {
    /// Lends up to `wanted` of the next bytes, of which `take` says how many it took. Returns
    /// that.
    fn lend(&mut self, wanted: usize, take: impl FnOnce(&[u8]) -> usize) -> Result<u64, ReadError> {
        let available = loop {
            match self.inner.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
                Ok([]) => return Err(ReadError::Cut { at: self.read }),
                Ok(bytes) => break bytes,
            }
        };
        let lent = available.get(..wanted).unwrap_or(available);
        let taken = take(lent).min(lent.len());
        self.checksum.update(lent.get(..taken).unwrap_or_default());
        self.inner.consume(taken);
        self.read += taken as u64;
        Ok(taken as u64)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut array = [0; N];
        match self.inner.read_exact(&mut array) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(ReadError::Cut { at: self.read });
            }
            result => result?,
        }
        self.checksum.update(&array);
        self.read += N as u64;
        Ok(array)
    }

    /// `len` bytes, which the caller has bounded.
    fn bytes(&mut self, len: u32) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        self.inner.by_ref().take(u64::from(len)).read_to_end(&mut bytes)?;
        self.checksum.update(&bytes);
        self.read += bytes.len() as u64;
        if bytes.len() as u64 == u64::from(len) { Ok(bytes) } else { Err(ReadError::Cut { at: self.read }) }
    }

    fn varint(&mut self) -> Result<u64, ReadError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits.leading_zeros() < shift {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged(format_args!("a number of more than 64 bits")))
    }

    /// Compares the checksum that follows.
    fn check(&mut self) -> Result<(), ReadError> {
        let expected = self.checksum.clone().finalize();
        let got = u32::from_le_bytes(self.array()?);
        if got == expected {
            return Ok(());
        }
        Err(self.damaged(format_args!("the checksum is {got:08x}, expected {expected:08x}")))
    }

    fn damaged(&self, why: std::fmt::Arguments<'_>) -> ReadError {
        ReadError::Damaged { at: self.read, why: why.to_string() }
    }
}
