//! From a byte stream to packets, without joining anything.
//!
//! The [`Reassembler`] reads no socket. It **lends** the memory that the next bytes belong in
//! ([`Reassembler::buffer`]), and is told when some came ([`Reassembler::received`]):
//!
//! - Small records are received into one 64 KiB buffer. As soon as one is complete the whole
//!   buffer is frozen and every complete record in it is a slice of it; an incomplete record at
//!   its end moves to the start of the next, recycled buffer ([`CopySite::ReceiveCompact`]).
//! - A larger payload gets a buffer of its own, of the declared size, after header and limits
//!   were checked. The part that came with the packets before it is moved there
//!   ([`CopySite::ReceivePrefix`], at most the receive buffer's size, mostly under 2 KiB: see
//!   `READ_AFTER_LARGE`); the rest is received straight into its place.
//! - Raw chunks are kept apart by index, never concatenated.

use std::time::Instant;

use bytes::BufMut as _;
use bytes::buf::Limit;

use crate::buffers::{BufferMut, BufferPool, Payload};
use crate::stats::{CopyLedger, CopySite, copies};

use super::limits::{Limits, MAX_CHUNKS};
use super::peer::NotXpra;
use super::record::{ChunkIndex, Compressor, Dialect, HEADER_LEN, Header, MAGIC, RecordError, RecordKind};

/// Size of the receive buffer, and of the largest read into it.
pub const RECEIVE_BUFFER: usize = 64 * 1024;
/// A payload above this that is not complete yet gets its own buffer.
const LARGE_PAYLOAD: usize = 16 * 1024;
/// The read after a large payload is this small: what follows is mostly a short main record and
/// the next large payload's header, and whatever else is read along has to be moved.
const READ_AFTER_LARGE: usize = 2048;

/// A record's payload as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRecord {
    pub payload: Payload,
    pub compressor: Option<Compressor>,
}

/// A complete packet: its main record and the raw chunks that came before it.
#[derive(Clone, Debug)]
pub struct RawPacket {
    pub main: RawRecord,
    /// In order of arrival.
    pub chunks: [Option<(ChunkIndex, RawRecord)>; MAX_CHUNKS],
    /// When its first byte was received.
    pub arrived: Instant,
    /// Bytes of all its records, headers included.
    pub wire_bytes: u64,
    /// Copies and allocations that were made to receive it.
    pub ledger: CopyLedger,
}

/// Makes packets of a byte stream. See the module's documentation.
#[derive(Debug)]
pub struct Reassembler {
    dialect: Dialect,
    limits: Limits,
    pool: BufferPool,
    /// Empty, or starts with the record that is being received.
    receive: BufferMut,
    /// When the first byte in `receive` came, and the last one.
    receive_arrived: Option<(Instant, Instant)>,
    /// Bytes that the next read into `receive` may bring.
    read_size: usize,
    /// Length of `receive` when it is filled as far as it was last lent.
    lent_end: usize,
    /// The record that is being received, if it has a buffer of its own.
    large: Option<LargeRecord>,
    /// Complete records that were received before those in `large` and `receive`.
    batch: Option<Batch>,
    /// Raw chunks of the packet that is being received.
    chunks: [Option<(ChunkIndex, RawRecord)>; MAX_CHUNKS],
    /// When the first byte of that packet came.
    packet_arrived: Option<Instant>,
    wire_bytes: u64,
    ledger: CopyLedger,
}

/// A record whose payload has a buffer of its own.
#[derive(Debug)]
struct LargeRecord {
    header: Header,
    buffer: BufferMut,
    arrived: Instant,
    /// What its buffer and its prefix cost: counted to its own packet, not to one that was
    /// received with its header.
    ledger: CopyLedger,
}

impl LargeRecord {
    fn missing(&self) -> usize {
        self.header.len.saturating_sub(self.buffer.len())
    }
}

/// A frozen receive buffer.
#[derive(Debug)]
struct Batch {
    bytes: Payload,
    /// Where the next record starts.
    at: usize,
    /// Where the complete records end.
    end: usize,
    /// When the first byte of the next record came.
    arrived: Instant,
    /// When the last bytes came.
    last_read: Instant,
}

impl Reassembler {
    /// A reassembler for a new connection. Buffers come from `pool`.
    pub fn new(dialect: Dialect, limits: Limits, pool: BufferPool) -> Self {
        let mut ledger = CopyLedger::default();
        let receive = pool.take(RECEIVE_BUFFER, &mut ledger);
        Self {
            dialect,
            limits,
            pool,
            receive,
            receive_arrived: None,
            read_size: RECEIVE_BUFFER,
            lent_end: 0,
            large: None,
            batch: None,
            chunks: [const { None }; MAX_CHUNKS],
            packet_arrived: None,
            wire_bytes: 0,
            ledger,
        }
    }

    /// Replaces the limits, from the next header on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The memory that the next bytes belong in, never empty. Give it to a reader that appends
    /// (`AsyncReadExt::read_buf`), then call [`Self::received`].
    ///
    /// Between two reads call [`Self::next_packet`] until it says `None`: packets that are not
    /// taken fill the buffer.
    pub fn buffer(&mut self) -> Limit<&mut Vec<u8>> {
        match &mut self.large {
            Some(large) if large.missing() > 0 => {
                let missing = large.missing();
                large.buffer.vec().limit(missing)
            }
            _ => {
                // What waits in the receive buffer is at most a header and LARGE_PAYLOAD long,
                // so there is room, unless the caller does not take its packets.
                let room = RECEIVE_BUFFER.saturating_sub(self.receive.len()).max(1);
                let len = self.read_size.min(room);
                self.lent_end = self.receive.len() + len;
                self.receive.vec().limit(len)
            }
        }
    }

    /// Bytes that were read into [`Self::buffer`] arrived at `now`.
    pub fn received(&mut self, now: Instant) {
        if self.receive.is_empty() {
            return;
        }
        let (first, _) = self.receive_arrived.unwrap_or((now, now));
        self.receive_arrived = Some((first, now));
        // A read that brought all it might: more is waiting, so the next one may bring more.
        if self.receive.len() >= self.lent_end {
            self.read_size = (self.read_size * 8).min(RECEIVE_BUFFER);
        }
    }

    /// Takes bytes from a layer that holds them already ([`CopySite::Transport`]). Returns how
    /// many fitted; take the packets, then feed the rest.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) -> usize {
        let mut ledger = CopyLedger::default();
        let mut space = self.buffer();
        let len = bytes.len().min(space.remaining_mut());
        let taken = bytes.get(..len).unwrap_or_default();
        copies::append(&mut ledger, CopySite::Transport, taken, space.get_mut());
        self.ledger.merge(&ledger);
        self.received(now);
        len
    }

    /// The next complete packet, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// The stream cannot be read on after any error.
    pub fn next_packet(&mut self) -> Result<Option<RawPacket>, RecordError> {
        while let Some((header, payload, arrived)) = self.next_record()? {
            self.wire_bytes += (HEADER_LEN + header.len) as u64;
            let arrived = *self.packet_arrived.get_or_insert(arrived);
            let record = RawRecord { payload, compressor: header.compressor };
            match header.kind {
                RecordKind::Chunk(index) => self.keep_chunk(index, record)?,
                RecordKind::Main { .. } => {
                    self.packet_arrived = None;
                    return Ok(Some(RawPacket {
                        main: record,
                        chunks: std::mem::replace(&mut self.chunks, [const { None }; MAX_CHUNKS]),
                        arrived,
                        wire_bytes: std::mem::take(&mut self.wire_bytes),
                        ledger: std::mem::take(&mut self.ledger),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The connection was closed by the peer, after the last packet was taken: an error if that
    /// cut a packet, or if what came was no record at all.
    pub fn end(&self) -> Result<(), RecordError> {
        if let Some(large) = &self.large {
            return Err(RecordError::Truncated { missing: large.missing() });
        }
        let len = self.receive.len();
        match (self.receive.first(), self.receive.first_chunk()) {
            (None, _) if self.chunks.iter().all(Option::is_none) => Ok(()),
            (None, _) | (Some(&MAGIC), None) => Err(RecordError::Truncated { missing: HEADER_LEN - len }),
            (Some(&MAGIC), Some(header)) => {
                let header = Header::parse(*header, self.dialect, &self.limits)?;
                Err(RecordError::Truncated { missing: (HEADER_LEN + header.len).saturating_sub(len) })
            }
            (Some(_), _) => match NotXpra::recognise(&self.receive, true) {
                Some(what) => Err(what.into()),
                None => Ok(()),
            },
        }
    }

    fn keep_chunk(&mut self, index: ChunkIndex, record: RawRecord) -> Result<(), RecordError> {
        if self.chunks.iter().flatten().any(|(other, _)| *other == index) {
            return Err(RecordError::DuplicateChunk { got: index.get() });
        }
        let free = self.chunks.iter_mut().find(|slot| slot.is_none()).ok_or(RecordError::TooManyChunks)?;
        *free = Some((index, record));
        Ok(())
    }

    /// The next complete record, and when its first byte came.
    fn next_record(&mut self) -> Result<Option<(Header, Payload, Instant)>, RecordError> {
        loop {
            if let Some(record) = self.next_in_batch()? {
                return Ok(Some(record));
            }
            if let Some(large) = self.large.take_if(|large| large.missing() == 0) {
                self.read_size = READ_AFTER_LARGE;
                self.ledger.merge(&large.ledger);
                return Ok(Some((large.header, large.buffer.freeze(), large.arrived)));
            }
            if self.large.is_some() || !self.sort_received()? {
                return Ok(None);
            }
        }
    }

    fn next_in_batch(&mut self) -> Result<Option<(Header, Payload, Instant)>, RecordError> {
        let Some(mut batch) = self.batch.take() else {
            return Ok(None);
        };
        let (at, arrived) = (batch.at, batch.arrived);
        let rest = batch.bytes.get(at..).unwrap_or_default();
        let Some(header) = self.header_at(rest)? else {
            return Ok(None);
        };
        let end = at + HEADER_LEN + header.len;
        let payload = batch.bytes.slice(at + HEADER_LEN..end);
        if end < batch.end {
            batch.at = end;
            batch.arrived = batch.last_read;
            self.batch = Some(batch);
        }
        Ok(payload.map(|payload| (header, payload, arrived)))
    }

    /// Sorts what waits in the receive buffer: complete records become the batch, an incomplete
    /// one stays at the start of a receive buffer or gets a buffer of its own. Says whether there
    /// was anything to do.
    fn sort_received(&mut self) -> Result<bool, RecordError> {
        let Some((first_read, last_read)) = self.receive_arrived else {
            return Ok(false);
        };
        let mut end = 0;
        let large = loop {
            match self.header_at(self.receive.get(end..).unwrap_or_default()) {
                Ok(Some(header)) => match end + HEADER_LEN + header.len {
                    record_end if record_end <= self.receive.len() => end = record_end,
                    _ if header.len > LARGE_PAYLOAD => break Some(header),
                    _ => break None,
                },
                Ok(None) => break None,
                // Limits may change with the packets before: look again after them.
                Err(_) if end > 0 => break None,
                Err(error) => return Err(error),
            }
        };
        if end == 0 && large.is_none() {
            return Ok(false);
        }
        let empty = self.pool.take(RECEIVE_BUFFER, &mut self.ledger);
        let full = std::mem::replace(&mut self.receive, empty);
        let rest = full.get(end..).unwrap_or_default();
        self.receive_arrived = None;
        if let Some(header) = large {
            let mut ledger = CopyLedger::default();
            let mut buffer = self.pool.take(header.len, &mut ledger);
            let prefix = rest.get(HEADER_LEN..).unwrap_or_default();
            copies::append(&mut ledger, CopySite::ReceivePrefix, prefix, buffer.vec());
            let arrived = if end == 0 { first_read } else { last_read };
            self.large = Some(LargeRecord { header, buffer, arrived, ledger });
        } else if !rest.is_empty() {
            copies::append(&mut self.ledger, CopySite::ReceiveCompact, rest, self.receive.vec());
            self.receive_arrived = Some((last_read, last_read));
        }
        if end > 0 {
            self.batch = Some(Batch { bytes: full.freeze(), at: 0, end, arrived: first_read, last_read });
        }
        Ok(true)
    }

    /// The header at the start of `bytes`, if all of it is there.
    fn header_at(&self, bytes: &[u8]) -> Result<Option<Header>, RecordError> {
        match (bytes.first(), bytes.first_chunk()) {
            (None, _) | (Some(&MAGIC), None) => Ok(None),
            (Some(&MAGIC), Some(header)) => Header::parse(*header, self.dialect, &self.limits).map(Some),
            (Some(_), _) => match NotXpra::recognise(bytes, false) {
                Some(what) => Err(what.into()),
                None => Ok(None),
            },
        }
    }
}
