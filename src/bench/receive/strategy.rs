//! Ways to receive records, from the ticket's first to Farpane's.
#![expect(
    clippy::disallowed_methods,
    reason = "the baselines copy, which is what is measured: each copy is counted in Counters"
)]

use std::io::{self, IoSliceMut};
use std::time::Instant;

use bytes::{BufMut, BytesMut};
use cpu_time::ThreadTime;
use tokio::io::AsyncReadExt as _;
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::limits::Limits;
use crate::protocol::reassembly::{READ_AHEAD, Reassembler};
use crate::protocol::record::{Dialect, HEADER_LEN, RecordError};
use crate::stats::alloc::{self, Allocations};

use super::ReadSize;
use super::source::VectoredRead;
use super::stream::sample;

/// What a strategy reads at most where it does not know what is missing.
const UNKNOWN: usize = 256 << 10;
/// What is no larger than this is a small record, where that makes a difference.
const SMALL: usize = 16 << 10;
/// Larger than any record here.
const MAX_RECORD: usize = 64 << 20;

/// A way to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Reads into one reused buffer of the payload's size and looks at nothing: what the kernel
    /// and the runtime cost. The others are compared to it.
    BareReads,
    /// The same with a buffer of 256 KiB at most, which stays in the processor's cache: no payload
    /// is ever there as a whole.
    BareSmall,
    /// (a) Appends every read to an immutable string, copying it each time: the ticket's client.
    Append,
    /// (b) One zeroed buffer of the final size, filled by slices: the ticket's "v1/v2" patches.
    ZeroedSlices,
    /// (c) A list of reads, joined once at the end: the ticket's last patch.
    JoinedList,
    /// (d) One growing buffer with amortised doubling.
    Doubling,
    /// (e) tokio-util's codec.
    LengthDelimited,
    /// (f) Farpane's reassembler.
    Farpane,
    /// Tried: the 8 bytes of a header, then the payload into a reused buffer. Nothing is moved.
    HeaderFirst,
    /// Tried: a payload and a little of what follows in one vectored read.
    Vectored,
}

/// What a strategy did besides reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes copied from one place in user space to another.
    pub copied: u64,
    /// Bytes set to zero before they were overwritten.
    pub zeroed: u64,
    /// Calls of read.
    pub reads: u64,
}

/// Takes complete payloads: what a packet decoder would be handed.
#[derive(Clone, Debug)]
pub struct Sink {
    pub payload_bytes: u64,
    pub records: u64,
    /// Over a few bytes of every payload.
    pub checksum: u64,
    /// When this many bytes were taken, buffers are there and their pages are mapped: what comes
    /// later is measured.
    warm_up: u64,
    /// When that was.
    pub started: Option<Mark>,
}

/// A moment of a run.
#[derive(Clone, Debug)]
pub struct Mark {
    pub at: Instant,
    /// Of this thread.
    pub cpu: ThreadTime,
    pub allocations: Allocations,
    pub payload_bytes: u64,
    pub records: u64,
}

impl Sink {
    /// A sink that starts to measure after `warm_up` bytes.
    pub fn new(warm_up: u64) -> Self {
        let mut sink = Self { payload_bytes: 0, records: 0, checksum: 0, warm_up, started: None };
        if warm_up == 0 {
            sink.start();
        }
        sink
    }

    #[inline]
    fn take(&mut self, payload: &[u8]) {
        self.count(payload.len() as u64);
        self.records += 1;
        self.checksum = self.checksum.wrapping_add(sample(payload));
    }

    #[inline]
    fn count(&mut self, bytes: u64) {
        self.payload_bytes += bytes;
        if self.started.is_none() && self.payload_bytes >= self.warm_up {
            self.start();
        }
    }

    #[cold]
    fn start(&mut self) {
        self.started = Some(Mark {
            at: clock::now(),
            cpu: ThreadTime::now(),
            allocations: alloc::so_far(),
            payload_bytes: self.payload_bytes,
            records: self.records,
        });
    }
}

impl Strategy {
    /// Every strategy, the baseline first.
    pub const ALL: [Self; 10] = [
        Self::BareReads,
        Self::BareSmall,
        Self::Append,
        Self::ZeroedSlices,
        Self::JoinedList,
        Self::Doubling,
        Self::LengthDelimited,
        Self::Farpane,
        Self::HeaderFirst,
        Self::Vectored,
    ];

    /// The name in tables and charts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BareReads => "bare reads",
            Self::BareSmall => "bare, 256 KiB",
            Self::Append => "(a) append",
            Self::ZeroedSlices => "(b) zeroed slices",
            Self::JoinedList => "(c) joined list",
            Self::Doubling => "(d) doubling",
            Self::LengthDelimited => "(e) LengthDelimited",
            Self::Farpane => "(f) Farpane",
            Self::HeaderFirst => "header first",
            Self::Vectored => "vectored",
        }
    }

    /// Receives `source`, whose records are at most `largest_record` long, to its end.
    ///
    /// # Errors
    /// If reading fails, or the bytes are no records.
    pub async fn receive<S: VectoredRead>(
        self,
        source: &mut S,
        read_size: ReadSize,
        largest_record: usize,
        sink: Sink,
    ) -> io::Result<(Sink, Counters)> {
        let mut receiver = Receiver { source, read_size, sink, counters: Counters::default() };
        match self {
            Self::BareReads => receiver.bare_reads(largest_record).await,
            Self::BareSmall => receiver.bare_reads(largest_record.min(UNKNOWN)).await,
            Self::Append => receiver.append().await,
            Self::ZeroedSlices => receiver.zeroed_slices().await,
            Self::JoinedList => receiver.joined_list().await,
            Self::Doubling => receiver.doubling().await,
            Self::LengthDelimited => receiver.length_delimited().await,
            Self::Farpane => receiver.farpane().await,
            Self::HeaderFirst => receiver.header_first(largest_record).await,
            Self::Vectored => receiver.vectored(largest_record).await,
        }?;
        Ok((receiver.sink, receiver.counters))
    }
}

/// Length of the complete record at the start of `bytes`, header included.
fn complete_record(bytes: &[u8]) -> Option<usize> {
    let record_len = declared_len(bytes)? + HEADER_LEN;
    (bytes.len() >= record_len).then_some(record_len)
}

/// Payload length in the header at the start of `bytes`.
fn declared_len(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(4..HEADER_LEN)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*length) as usize)
}

/// What to ask for next, with `bytes` received and not yet used.
fn missing(bytes: &[u8]) -> usize {
    declared_len(bytes).map_or(UNKNOWN, |len| (len + HEADER_LEN).saturating_sub(bytes.len()).max(1))
}

/// One run of a strategy.
struct Receiver<'a, S> {
    source: &'a mut S,
    read_size: ReadSize,
    sink: Sink,
    counters: Counters,
}

impl<S: VectoredRead> Receiver<'_, S> {
    /// One read of at most `wanted` bytes and the read size. 0: the stream has ended.
    async fn read(&mut self, into: impl BufMut, wanted: usize) -> io::Result<usize> {
        let len = self.source.read_buf(&mut into.limit(self.read_size.limit(wanted))).await?;
        self.counters.reads += u64::from(len > 0);
        Ok(len)
    }

    /// Hands on the complete records at the start of `bytes`; returns their length.
    fn take_complete(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some(len) = complete_record(&bytes[used..]) {
            self.sink.take(&bytes[used + HEADER_LEN..used + len]);
            used += len;
        }
        used
    }

    async fn bare_reads(&mut self, size: usize) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(size);
        loop {
            if buffer.len() == size {
                buffer.clear();
            }
            let room = size - buffer.len();
            match self.read(&mut buffer, room).await? {
                0 => return Ok(()),
                len => self.sink.count(len as u64),
            }
        }
    }

    async fn append(&mut self) -> io::Result<()> {
        let mut received: Vec<u8> = Vec::new();
        loop {
            let wanted = missing(&received);
            let mut part = Vec::with_capacity(self.read_size.limit(wanted));
            if self.read(&mut part, wanted).await? == 0 {
                return Ok(());
            }
            // An immutable string cannot grow: `received + part` is a third one.
            let mut joined = Vec::with_capacity(received.len() + part.len());
            joined.extend_from_slice(&received);
            joined.extend_from_slice(&part);
            self.counters.copied += joined.len() as u64;
            received = joined;
            while let Some(len) = complete_record(&received) {
                self.sink.take(&received[HEADER_LEN..len]);
                received = received[len..].to_vec();
                self.counters.copied += received.len() as u64;
            }
        }
    }

    async fn zeroed_slices(&mut self) -> io::Result<()> {
        let mut part = Vec::new();
        loop {
            let mut header = [0; HEADER_LEN];
            if !self.fill(&mut part, &mut header).await? {
                return Ok(());
            }
            let len = declared_len(&header).unwrap_or(0);
            let mut payload = vec![0; len];
            self.counters.zeroed += len as u64;
            if !self.fill(&mut part, &mut payload).await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.sink.take(&payload);
        }
    }

    /// Fills `target` by slices. `false`: the stream ended before.
    async fn fill(&mut self, part: &mut Vec<u8>, target: &mut [u8]) -> io::Result<bool> {
        let mut at = 0;
        while at < target.len() {
            part.clear();
            part.reserve(self.read_size.limit(target.len() - at));
            let len = self.read(&mut *part, target.len() - at).await?;
            if len == 0 {
                return Ok(false);
            }
            target[at..at + len].copy_from_slice(part);
            self.counters.copied += len as u64;
            at += len;
        }
        Ok(true)
    }

    async fn joined_list(&mut self) -> io::Result<()> {
        let mut reads: Vec<Vec<u8>> = Vec::new();
        let mut received = 0;
        let mut record_len = HEADER_LEN;
        loop {
            let wanted = if record_len == HEADER_LEN { UNKNOWN } else { record_len - received };
            let mut part = Vec::with_capacity(self.read_size.limit(wanted));
            let len = self.read(&mut part, wanted).await?;
            if len == 0 {
                return Ok(());
            }
            received += len;
            reads.push(part);
            if received < record_len {
                continue;
            }
            let mut joined = if reads.len() == 1 {
                reads.pop().unwrap_or_default()
            } else {
                self.counters.copied += received as u64;
                reads.concat()
            };
            reads.clear();
            let used = self.take_complete(&joined);
            if used > 0 {
                joined = joined[used..].to_vec();
                self.counters.copied += joined.len() as u64;
            }
            record_len = declared_len(&joined).map_or(HEADER_LEN, |len| len + HEADER_LEN);
            received = joined.len();
            if received > 0 {
                reads.push(joined);
            }
        }
    }

    async fn doubling(&mut self) -> io::Result<()> {
        let mut received: Vec<u8> = Vec::new();
        loop {
            let wanted = missing(&received);
            let capacity = received.capacity();
            received.reserve(self.read_size.limit(wanted));
            if received.capacity() != capacity {
                // The allocator may move all of it; large blocks it may remap instead.
                self.counters.copied += received.len() as u64;
            }
            if self.read(&mut received, wanted).await? == 0 {
                return Ok(());
            }
            let used = self.take_complete(&received);
            if used > 0 {
                self.counters.copied += (received.len() - used) as u64;
                received.drain(..used);
            }
        }
    }

    async fn length_delimited(&mut self) -> io::Result<()> {
        let mut codec = LengthDelimitedCodec::builder()
            .length_field_offset(4)
            .length_field_length(4)
            .length_adjustment(0)
            .num_skip(HEADER_LEN)
            .max_frame_length(MAX_RECORD)
            .new_codec();
        let mut received = BytesMut::with_capacity(8 << 10);
        loop {
            // Where the codec or the reserve below moves the buffer, everything in it is copied.
            let place = received.as_ptr();
            received.reserve(1);
            if place != received.as_ptr() {
                self.counters.copied += received.len() as u64;
            }
            let room = received.capacity() - received.len();
            if self.read(&mut received, room).await? == 0 {
                return Ok(());
            }
            loop {
                let (place, len) = (received.as_ptr(), received.len());
                if let Some(payload) = codec.decode(&mut received)? {
                    self.sink.take(&payload);
                    continue;
                }
                // Behind a header that was taken the rest stays in place, 8 bytes on.
                let in_place = place.wrapping_add(len - received.len());
                if place != received.as_ptr() && in_place != received.as_ptr() {
                    self.counters.copied += received.len() as u64;
                }
                break;
            }
        }
    }

    async fn header_first(&mut self, largest_record: usize) -> io::Result<()> {
        let (mut header, mut payload) = (Vec::with_capacity(HEADER_LEN), Vec::with_capacity(largest_record));
        loop {
            header.clear();
            payload.clear();
            while header.len() < HEADER_LEN {
                let missing = HEADER_LEN - header.len();
                if self.read(&mut header, missing).await? == 0 {
                    return Ok(());
                }
            }
            let len = declared_len(&header).unwrap_or(0);
            while payload.len() < len {
                let missing = len - payload.len();
                if self.read(&mut payload, missing).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            self.sink.take(&payload);
        }
    }

    async fn vectored(&mut self, largest_record: usize) -> io::Result<()> {
        let mut payload = vec![0; largest_record];
        // What waits is in `ahead[..end]`; so much of it is lent to a read.
        let (mut ahead, mut end, mut lent) = (vec![0; UNKNOWN], 0, UNKNOWN);
        loop {
            let used = self.take_complete(&ahead[..end]);
            let rest = end - used;
            let Some(len) = declared_len(&ahead[used..end]) else {
                ahead.copy_within(used..end, 0);
                let into = &mut ahead[rest..lent.max(HEADER_LEN)];
                let len = self.source.read_vectored(&mut [IoSliceMut::new(self.read_size.cut(into))]).await?;
                self.counters.copied += rest as u64;
                self.counters.reads += u64::from(len > 0);
                end = rest + len;
                lent = UNKNOWN;
                if len == 0 {
                    return Ok(());
                }
                continue;
            };
            let mut filled = rest - HEADER_LEN;
            payload[..filled].copy_from_slice(&ahead[used + HEADER_LEN..end]);
            self.counters.copied += filled as u64;
            lent = if len > SMALL { READ_AHEAD } else { UNKNOWN };
            while filled < len {
                let first = self.read_size.cut(&mut payload[filled..len]);
                let room = self.read_size.limit(usize::MAX) - first.len();
                let second = &mut ahead[..lent.min(room)];
                let mut parts = [IoSliceMut::new(first), IoSliceMut::new(second)];
                let got = self.source.read_vectored(&mut parts).await?;
                if got == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.counters.reads += 1;
                filled += got;
            }
            end = filled - len;
            self.sink.take(&payload[..len]);
        }
    }

    async fn farpane(&mut self) -> io::Result<()> {
        let limits = Limits::with_max_record(MAX_RECORD);
        let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
        loop {
            let space = reassembler.buffer();
            let room = space.remaining_mut();
            if self.read(space, room).await? == 0 {
                return Ok(());
            }
            reassembler.received(clock::now());
            self.take_packets(&mut reassembler).map_err(io::Error::other)?;
        }
    }

    /// Hands on the complete packets.
    fn take_packets(&mut self, reassembler: &mut Reassembler) -> Result<(), RecordError> {
        while let Some(packet) = reassembler.next_packet()? {
            if let Some(ledger) = packet.ledger {
                self.counters.copied += ledger.copied_bytes();
            }
            for (_, chunk) in packet.chunks {
                self.sink.take(&chunk.payload);
            }
            self.sink.take(&packet.main);
        }
        Ok(())
    }
}
