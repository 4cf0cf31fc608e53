//! From a byte stream to packets, without joining anything.
//!
//! The [`Reassembler`] reads no socket. It **lends** the memory that the next bytes belong in
//! ([`Reassembler::buffer`]), is told when some came ([`Reassembler::received`]), and lends the
//! packets that are complete ([`Reassembler::next_packet`]):
//!
//! - Small records are received into one buffer ([`RECEIVE_BUFFER`]) and lent from it one after the
//!   other. Who keeps a payload ([`PayloadRef::keep`]) shares the buffer; then, or at its end, a
//!   record that is not complete yet moves to the start of another one, or of the same
//!   ([`CopySite::ReceiveCompact`]).
//! - A larger payload gets a buffer of its own, of the declared size, after header and limits
//!   were checked. The part that came with the packets before it is moved there
//!   ([`CopySite::ReceivePrefix`], at most the receive buffer's size, mostly under 256 bytes); the
//!   rest is received straight into its place, and with its end a little of what follows
//!   ([`READ_AHEAD`]), which is moved to the receive buffer: that saves a read of its own.
//! - Raw chunks are kept apart by index, never concatenated.
//! - What is enciphered ([`Reassembler::decipher`]) becomes plain in its place, as it comes.
//!
//! A small packet costs no allocation, no lock and no reference count.

use std::ops::Range;
use std::time::Instant;

use bytes::BufMut as _;
use bytes::buf::Limit;

use crate::buffers::{BufferMut, BufferPool, Payload, PayloadRef};
use crate::stats::{CopyLedger, CopySite, copies};

use super::cipher::Decryptor;
use super::deciphering::Deciphering;
use super::limits::{Limits, MAX_CHUNKS};
use super::peer::{self, NotXpra};
use super::record::{ChunkIndex, Compressor, Dialect, HEADER_LEN, Header, MAGIC, RecordError, RecordKind};

/// Size of the receive buffer, and of the largest read into it.
pub const RECEIVE_BUFFER: usize = 128 * 1024;
/// A payload above this that is not complete yet gets its own buffer.
const LARGE_PAYLOAD: usize = 16 * 1024;
/// A large payload's reads ask for so much more than the payload, and the read after it for no more
/// than that: what follows is mostly a short main record and the next large payload's header, and
/// whatever is read along has to be moved.
pub const READ_AHEAD: usize = 256;
/// Receive buffers that kept payloads may hold before [`Reassembler::is_crowded`]: 8 MiB.
pub const MAX_SHARED_BUFFERS: usize = 64;

/// A record's payload as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRecord {
    pub payload: Payload,
    pub compressor: Option<Compressor>,
}

/// A complete packet, lent: its main record and the raw chunks that came before it.
#[derive(Clone, Copy, Debug)]
pub struct RawPacket<'a> {
    /// The main record's payload.
    pub main: PayloadRef<'a>,
    pub compressor: Option<Compressor>,
    /// In order of arrival.
    pub chunks: &'a [(ChunkIndex, RawRecord)],
    /// When its first byte was received.
    pub arrived: Instant,
    /// Bytes of all its records, headers included.
    pub wire_bytes: u64,
    /// Copies and allocations that were made to receive it, if there were any.
    pub ledger: Option<&'a CopyLedger>,
}

/// A [`RawPacket`] for as long as it is needed. No payload is copied.
#[derive(Clone, Debug)]
pub struct KeptPacket {
    pub main: RawRecord,
    pub chunks: Vec<(ChunkIndex, RawRecord)>,
    pub arrived: Instant,
    pub wire_bytes: u64,
    pub ledger: Option<CopyLedger>,
}

impl RawPacket<'_> {
    /// Shares the payloads' buffers.
    pub fn keep(&self) -> KeptPacket {
        KeptPacket {
            main: RawRecord { payload: self.main.keep(), compressor: self.compressor },
            chunks: Vec::from(self.chunks),
            arrived: self.arrived,
            wire_bytes: self.wire_bytes,
            ledger: self.ledger.copied(),
        }
    }
}

impl KeptPacket {
    /// The packet as the reassembler lends it.
    pub fn lend(&self) -> RawPacket<'_> {
        RawPacket {
            main: self.main.payload.lend(),
            compressor: self.main.compressor,
            chunks: &self.chunks,
            arrived: self.arrived,
            wire_bytes: self.wire_bytes,
            ledger: self.ledger.as_ref(),
        }
    }
}

/// Makes packets of a byte stream. See the module's documentation.
#[derive(Debug)]
pub struct Reassembler {
    dialect: Dialect,
    limits: Limits,
    pool: BufferPool,
    /// Receive buffers alone, so that those in use can be counted.
    receive_pool: BufferPool,
    /// So many of them are in use that small payloads should not hold more.
    crowded: bool,
    /// Small records as they are received: those before `taken` were taken, the one behind may be
    /// incomplete.
    receive: BufferMut,
    taken: usize,
    /// What the last read into `receive` was to fill.
    space: Range<usize>,
    /// When the last bytes came in `space`, and when the first of those that waited before it.
    last_read: Option<Instant>,
    first_read: Option<Instant>,
    /// Bytes that the next read into `receive` may bring.
    read_size: usize,
    /// The record that is being received, if it has a buffer of its own.
    large: Option<LargeRecord>,
    /// The packet that is being received, or the one that is lent, unless it is a plain one: see
    /// [`Self::next_packet`].
    packet: Option<PartialPacket>,
    /// Raw chunks of that packet.
    chunks: Vec<(ChunkIndex, RawRecord)>,
    /// That packet is lent: the next record begins another one.
    lent: bool,
    /// A record came: the peer speaks Xpra's protocol.
    spoken: bool,
    /// Records are enciphered.
    deciphering: Option<Box<Deciphering>>,
}

/// A record whose payload has a buffer of its own.
#[derive(Debug)]
struct LargeRecord {
    header: Header,
    /// Bytes of the payload and of the padding behind it.
    len: usize,
    buffer: BufferMut,
    arrived: Instant,
}

impl LargeRecord {
    fn missing(&self) -> usize {
        self.len.saturating_sub(self.buffer.len())
    }
}

/// What there is of a packet besides its chunks.
#[derive(Debug, Default)]
struct PartialPacket {
    main: Option<RawRecord>,
    arrived: Option<Instant>,
    wire_bytes: u64,
    ledger: Option<CopyLedger>,
}

impl PartialPacket {
    fn ledger(&mut self) -> &mut CopyLedger {
        self.ledger.get_or_insert_default()
    }
}

impl Reassembler {
    /// A reassembler for a new connection. Buffers come from `pool`.
    pub fn new(dialect: Dialect, limits: Limits, pool: BufferPool) -> Self {
        let mut packet = PartialPacket::default();
        let receive_pool = BufferPool::new(MAX_SHARED_BUFFERS * RECEIVE_BUFFER);
        let receive = receive_pool.take(RECEIVE_BUFFER, packet.ledger());
        Self {
            dialect,
            limits,
            pool,
            receive_pool,
            crowded: false,
            receive,
            taken: 0,
            space: 0..0,
            last_read: None,
            first_read: None,
            read_size: RECEIVE_BUFFER,
            large: None,
            packet: Some(packet),
            chunks: Vec::with_capacity(MAX_CHUNKS),
            lent: false,
            spoken: false,
            deciphering: None,
        }
    }

    /// From the next record on that begins to arrive, all are enciphered for this. To be called between
    /// [`Self::received`] and [`Self::buffer`]. The first that come may still be plain, as what refuses to encipher is;
    /// see [`Self::has_deciphered`].
    pub fn decipher(&mut self, cipher: Decryptor) {
        match &mut self.deciphering {
            Some(deciphering) => deciphering.replace(cipher),
            None => self.deciphering = Some(Box::new(Deciphering::new(cipher, self.receive.len()))),
        }
    }

    /// Whether an enciphered record came. What was lent before it was plain, and nothing plain comes behind it.
    pub fn has_deciphered(&self) -> bool {
        self.deciphering.as_ref().is_some_and(|deciphering| deciphering.has_heard())
    }

    /// Replaces the limits, from the next header on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether `payload` lies in the receive buffer, among other small ones: it keeps that from being
    /// filled again, but has only its own bytes of it. To be asked before the next read.
    pub fn shares_buffer(&self, payload: &Payload) -> bool {
        self.receive.holds(payload)
    }

    /// Bytes of the payload that is being received, if it is a large one whose header came.
    pub fn announced(&self) -> usize {
        self.large.as_ref().map_or(0, |large| large.header.len)
    }

    /// Payloads that were kept hold [`MAX_SHARED_BUFFERS`] receive buffers: more small ones
    /// ([`Self::shares_buffer`]) should be copied instead, since each could hold a whole buffer.
    pub fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// The memory that the next bytes belong in, never empty. Give it to a reader that appends
    /// (`AsyncReadExt::read_buf`), then call [`Self::received`].
    ///
    /// Between two reads call [`Self::next_packet`] until it says `None`: packets
    /// that are not taken fill the buffer.
    pub fn buffer(&mut self) -> Limit<&mut Vec<u8>> {
        let missing = self.large.as_ref().map_or(0, LargeRecord::missing);
        if missing == 0 {
            self.first_read = self.waiting_since();
            self.make_room();
        }
        let start = self.receive.len();
        match &mut self.large {
            Some(large) if missing > 0 => {
                self.space = start..start;
                large.buffer.vec().limit(missing + READ_AHEAD)
            }
            _ => {
                let len = RECEIVE_BUFFER.saturating_sub(start).clamp(1, self.read_size);
                self.space = start..start + len;
                self.receive.vec().limit(len)
            }
        }
    }

    /// Bytes that were read into [`Self::buffer`] arrived at `now`.
    pub fn received(&mut self, now: Instant) {
        if let (Some(deciphering), Some(large)) = (&mut self.deciphering, &mut self.large) {
            deciphering.advance_apart(large.buffer.vec());
        }
        if self.large.as_ref().is_some_and(|large| large.buffer.len() > large.len) {
            self.take_ahead();
        }
        if self.receive.len() == self.space.start {
            return;
        }
        if let Some(deciphering) = &mut self.deciphering {
            deciphering.advance(self.receive.vec(), self.dialect);
        }
        self.last_read = Some(now);
        // A read that brought all it might: more is waiting, so the next one may bring more.
        if self.receive.len() >= self.space.end {
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
        self.received(now);
        self.packet.get_or_insert_default().ledger().merge(&ledger);
        len
    }

    /// Lends the next complete packet; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The stream cannot be read on after any error.
    pub fn next_packet(&mut self) -> Result<Option<RawPacket<'_>>, RecordError> {
        self.end_loan();
        let Some((len, arrived)) = self.next_plain() else { return self.next_of_any_kind() };
        self.spoken = true;
        let start = self.taken + HEADER_LEN;
        self.taken = start + len;
        let main = self.receive.lend(start..self.taken);
        let wire_bytes = (HEADER_LEN + len) as u64;
        Ok(main.map(|main| RawPacket {
            main,
            compressor: None,
            chunks: &[],
            arrived,
            wire_bytes,
            ledger: None,
        }))
    }

    /// The connection was closed by the peer, after the last packet was taken: an error if that
    /// cut a packet, or if what came was no record at all.
    ///
    /// # Errors
    /// [`RecordError::Truncated`], or what the peer is instead.
    pub fn end(&self) -> Result<(), RecordError> {
        if let Some(large) = &self.large {
            return Err(RecordError::Truncated { missing: large.missing() });
        }
        let waiting = self.receive.get(self.taken..).unwrap_or_default();
        match (waiting.first(), waiting.first_chunk()) {
            (None, _) if self.lent || self.chunks.is_empty() => Ok(()),
            (None, _) | (Some(&MAGIC), None) => {
                Err(RecordError::Truncated { missing: HEADER_LEN - waiting.len() })
            }
            (Some(&MAGIC), Some(header)) => {
                let header = Header::parse(*header, self.dialect, &self.limits)?;
                let len = header.len + self.padding_len(&header)?;
                let missing = (HEADER_LEN + len).saturating_sub(waiting.len());
                Err(RecordError::Truncated { missing })
            }
            (Some(_), _) => self.not_a_record(waiting, true).map_or(Ok(()), Err),
        }
    }

    /// Since when the end of a line is waited for, from a peer that has not sent any record: should it
    /// not come, [`Self::end`] says what the peer is.
    pub fn text_since(&self) -> Option<Instant> {
        let first = self.receive.get(self.taken).filter(|_| !self.spoken && self.large.is_none())?;
        if *first == MAGIC { None } else { self.waiting_since() }
    }

    /// The packet that was lent is not used any more: its memory is free for the next one.
    fn end_loan(&mut self) {
        if self.lent {
            self.lent = false;
            self.chunks.clear();
            self.packet = None;
        }
    }

    /// Makes the receive buffer ours alone, with room behind what waits in it.
    fn make_room(&mut self) {
        self.end_loan();
        let rest = self.receive.get(self.taken..).unwrap_or_default();
        let rest_len = rest.len();
        let is_shared = self.receive.is_shared();
        if is_shared || self.crowded {
            self.crowded = self.receive_pool.in_use() >= MAX_SHARED_BUFFERS;
        }
        if is_shared {
            let ledger = self.packet.get_or_insert_default().ledger();
            let mut buffer = self.receive_pool.take(RECEIVE_BUFFER, ledger);
            if rest_len > 0 {
                copies::append(ledger, CopySite::ReceiveCompact, rest, buffer.vec());
            }
            self.receive = buffer;
        } else if rest_len == 0 {
            self.receive.vec().clear();
        } else if self.receive.len() > RECEIVE_BUFFER / 2 {
            let ledger = self.packet.get_or_insert_default().ledger();
            let bytes = self.receive.vec();
            copies::move_to_start(ledger, CopySite::ReceiveCompact, bytes, self.taken, rest_len);
            bytes.truncate(rest_len);
        } else {
            return;
        }
        if let Some(deciphering) = &mut self.deciphering {
            deciphering.moved(self.taken);
        }
        self.taken = 0;
    }

    /// Moves what came behind a large payload to the receive buffer, where nothing waits.
    fn take_ahead(&mut self) {
        self.make_room();
        let Some(large) = &mut self.large else { return };
        let ledger = self.packet.get_or_insert_default().ledger();
        let behind = large.buffer.get(large.len..).unwrap_or_default();
        copies::append(ledger, CopySite::ReceiveCompact, behind, self.receive.vec());
        large.buffer.vec().truncate(large.len);
        self.space = 0..READ_AHEAD;
    }

    /// When the first byte of what waits came.
    fn waiting_since(&self) -> Option<Instant> {
        if self.taken < self.space.start { self.first_read } else { self.last_read }
    }

    /// The payload's length and the arrival of the record that comes next, if that is a plain
    /// packet.
    fn next_plain(&self) -> Option<(usize, Instant)> {
        let is_plain = self.packet.is_none() && self.deciphering.is_none();
        let waiting = self.receive.lend(self.taken..self.receive.len()).filter(|_| is_plain)?;
        let (main, _) = plain_record(waiting, self.dialect)?;
        self.waiting_since().filter(|_| main.len() <= self.limits.max_record).map(|at| (main.len(), at))
    }

    /// [`Self::next_packet`] for all but plain packets.
    fn next_of_any_kind(&mut self) -> Result<Option<RawPacket<'_>>, RecordError> {
        let (main, arrived) = loop {
            let Some((header, payload, arrived)) = self.take_record()? else { return Ok(None) };
            self.spoken = true;
            let padding = self.padding_len(&header)?;
            let packet = self.packet.get_or_insert_default();
            packet.wire_bytes += (HEADER_LEN + header.len + padding) as u64;
            let arrived = *packet.arrived.get_or_insert(arrived);
            let record = RawRecord { payload, compressor: header.compressor };
            match header.kind {
                RecordKind::Chunk(index) => self.keep_chunk(index, record)?,
                RecordKind::Main { .. } => break (record, arrived),
            }
        };
        self.lent = true;
        let packet = self.packet.get_or_insert_default();
        Ok(Some(RawPacket {
            compressor: main.compressor,
            main: packet.main.insert(main).payload.lend(),
            chunks: &self.chunks,
            arrived,
            wire_bytes: packet.wire_bytes,
            ledger: packet.ledger.as_ref(),
        }))
    }

    fn keep_chunk(&mut self, index: ChunkIndex, record: RawRecord) -> Result<(), RecordError> {
        if self.chunks.iter().any(|(other, _)| *other == index) {
            return Err(RecordError::DuplicateChunk { got: index.get() });
        }
        if self.chunks.len() == MAX_CHUNKS {
            return Err(RecordError::TooManyChunks);
        }
        self.chunks.push((index, record));
        Ok(())
    }

    /// The next complete record, and when its first byte came. `None` when more bytes are needed,
    /// for which a large one then has its buffer.
    fn take_record(&mut self) -> Result<Option<(Header, Payload, Instant)>, RecordError> {
        if let Some(mut large) = self.large.take_if(|large| large.missing() == 0) {
            if let Some(deciphering) = &self.deciphering {
                deciphering.check_apart(large.buffer.get(large.header.len..).unwrap_or_default())?;
                large.buffer.vec().truncate(large.header.len);
            }
            return Ok(Some((large.header, large.buffer.freeze(), large.arrived)));
        }
        let waiting = self.receive.get(self.taken..).unwrap_or_default();
        let Some(header) = self.header_at(waiting)? else { return Ok(None) };
        // What came of the packet so far, and this record.
        let before = self.packet.as_ref().map_or(0, |packet| packet.wire_bytes);
        let got = usize::try_from(before).unwrap_or(usize::MAX).saturating_add(header.len);
        let limit = self.limits.max_record.saturating_add(MAX_CHUNKS * HEADER_LEN);
        if got > limit {
            return Err(RecordError::PacketTooLarge { got, limit });
        }
        let Some(arrived) = self.waiting_since() else { return Ok(None) };
        let padding = self.padding_len(&header)?;
        let (start, len) = (self.taken + HEADER_LEN, header.len + padding);
        if let Some((payload, padding)) =
            self.receive.lend(start..start + len).and_then(|bytes| bytes.split_at(header.len))
        {
            if let Some(deciphering) = &self.deciphering {
                deciphering.check(start + len, &padding)?;
            }
            self.taken = start + len;
            return Ok(Some((header, payload.keep(), arrived)));
        }
        if header.len > LARGE_PAYLOAD {
            let ledger = self.packet.get_or_insert_default().ledger();
            let mut buffer = self.pool.take(len + READ_AHEAD, ledger);
            let prefix = waiting.get(HEADER_LEN..).unwrap_or_default();
            copies::append(ledger, CopySite::ReceivePrefix, prefix, buffer.vec());
            self.taken = self.receive.len();
            self.read_size = READ_AHEAD;
            if let Some(deciphering) = &mut self.deciphering {
                deciphering.begin_apart(start, self.taken);
            }
            self.large = Some(LargeRecord { header, len, buffer, arrived });
        }
        Ok(None)
    }

    /// Bytes behind the payload of a record.
    fn padding_len(&self, header: &Header) -> Result<usize, RecordError> {
        match &self.deciphering {
            Some(deciphering) => deciphering.padding_len(header),
            None if header.enciphered => Err(RecordError::Encrypted),
            None => Ok(0),
        }
    }

    /// The header at the start of `bytes`, if all of it is there.
    fn header_at(&self, bytes: &[u8]) -> Result<Option<Header>, RecordError> {
        match (bytes.first(), bytes.first_chunk()) {
            (None, _) | (Some(&MAGIC), None) => Ok(None),
            (Some(&MAGIC), Some(header)) => match Header::parse(*header, self.dialect, &self.limits) {
                Ok(header) => Ok(Some(header)),
                // A server that goes away before it knows what we speak.
                Err(error @ RecordError::PacketEncoder { .. }) if !self.spoken => {
                    let payload = bytes.get(HEADER_LEN..).unwrap_or_default();
                    Err(NotXpra::goodbye_in(payload).map_or(error, RecordError::from))
                }
                Err(error) => Err(error),
            },
            (Some(_), _) => self.not_a_record(bytes, false).map_or(Ok(None), Err),
        }
    }

    /// What a peer is that sent `bytes` (at least one) in the place of a record; `None` while more of them may
    /// tell. One that speaks Xpra's protocol sends nothing but records, so nothing has to be waited for.
    fn not_a_record(&self, bytes: &[u8], ended: bool) -> Option<RecordError> {
        match NotXpra::recognise(bytes, ended || self.spoken)? {
            // A plain goodbye, also in the middle of a session.
            what @ NotXpra::Refused { .. } => Some(what.into()),
            _ if self.spoken => Some(RecordError::Magic { got: peer::described(bytes) }),
            what => Some(what.into()),
        }
    }
}

/// The payload of the record at the start of `waiting` and what is behind it, if that record is a
/// whole main record that is not compressed.
#[inline(always)]
fn plain_record(waiting: PayloadRef<'_>, dialect: Dialect) -> Option<(PayloadRef<'_>, PayloadRef<'_>)> {
    let len = Header::plain_main_len(*waiting.first_chunk()?, dialect)?;
    let (_, behind) = waiting.split_at(HEADER_LEN)?;
    // Neither 0 nor more than there is.
    if len.wrapping_sub(1) < behind.len() { behind.split_at(len) } else { None }
}
