//! Ways to receive records, from the ticket's first to Farpane's.
#![expect(
    clippy::disallowed_methods,
    reason = "the baselines copy, which is what is measured: each copy is counted in Counters"
)]

use std::io;

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::limits::Limits;
use crate::protocol::reassembly::{RawPacket, Reassembler};
use crate::protocol::record::{Dialect, HEADER_LEN};

use super::ReadSize;
use super::stream::sample;

/// What a strategy reads at most where it does not know what is missing.
const UNKNOWN: usize = 256 << 10;
/// Larger than any record here.
const MAX_RECORD: usize = 64 << 20;

/// A way to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// Reads into one reused buffer and looks at nothing: what the kernel and the runtime cost.
    /// The others are compared to it.
    BareReads,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sink {
    pub payload_bytes: u64,
    pub records: u64,
    /// Over a few bytes of every payload.
    pub checksum: u64,
}

impl Sink {
    fn take(&mut self, payload: &[u8]) {
        self.payload_bytes += payload.len() as u64;
        self.records += 1;
        self.checksum = self.checksum.wrapping_add(sample(payload));
    }
}

impl Strategy {
    /// Every strategy, the baseline first.
    pub const ALL: [Self; 7] = [
        Self::BareReads,
        Self::Append,
        Self::ZeroedSlices,
        Self::JoinedList,
        Self::Doubling,
        Self::LengthDelimited,
        Self::Farpane,
    ];

    /// The name in tables and charts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BareReads => "bare reads",
            Self::Append => "(a) append",
            Self::ZeroedSlices => "(b) zeroed slices",
            Self::JoinedList => "(c) joined list",
            Self::Doubling => "(d) doubling",
            Self::LengthDelimited => "(e) LengthDelimited",
            Self::Farpane => "(f) Farpane",
        }
    }

    /// Receives `source` to its end.
    ///
    /// # Errors
    /// If reading fails, or the bytes are no records.
    pub async fn receive<S: AsyncRead + Unpin>(
        self,
        source: &mut S,
        read_size: ReadSize,
    ) -> io::Result<(Sink, Counters)> {
        let mut sink = Sink::default();
        let mut counters = Counters::default();
        match self {
            Self::BareReads => bare_reads(source, read_size, &mut sink, &mut counters).await,
            Self::Append => append(source, read_size, &mut sink, &mut counters).await,
            Self::ZeroedSlices => zeroed_slices(source, read_size, &mut sink, &mut counters).await,
            Self::JoinedList => joined_list(source, read_size, &mut sink, &mut counters).await,
            Self::Doubling => doubling(source, read_size, &mut sink, &mut counters).await,
            Self::LengthDelimited => length_delimited(source, read_size, &mut sink, &mut counters).await,
            Self::Farpane => farpane(source, read_size, &mut sink, &mut counters).await,
        }?;
        Ok((sink, counters))
    }
}

async fn bare_reads<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(read_size.limit(UNKNOWN));
    loop {
        buffer.clear();
        let room = buffer.capacity();
        let len = source.read_buf(&mut (&mut buffer).limit(room)).await?;
        if len == 0 {
            return Ok(());
        }
        counters.reads += 1;
        sink.payload_bytes += len as u64;
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

async fn append<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut received: Vec<u8> = Vec::new();
    loop {
        let limit = read_size.limit(missing(&received));
        let mut part = Vec::with_capacity(limit);
        if source.read_buf(&mut (&mut part).limit(limit)).await? == 0 {
            return Ok(());
        }
        counters.reads += 1;
        // An immutable string cannot grow: `received + part` is a third one.
        let mut joined = Vec::with_capacity(received.len() + part.len());
        joined.extend_from_slice(&received);
        joined.extend_from_slice(&part);
        counters.copied += joined.len() as u64;
        received = joined;
        while let Some(len) = complete_record(&received) {
            sink.take(&received[HEADER_LEN..len]);
            received = received[len..].to_vec();
            counters.copied += received.len() as u64;
        }
    }
}

async fn zeroed_slices<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut part = Vec::new();
    loop {
        let mut header = [0; HEADER_LEN];
        if !fill(source, read_size, &mut part, &mut header, counters).await? {
            return Ok(());
        }
        let len = declared_len(&header).unwrap_or(0);
        let mut payload = vec![0; len];
        counters.zeroed += len as u64;
        if !fill(source, read_size, &mut part, &mut payload, counters).await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sink.take(&payload);
    }
}

/// Fills `target` by slices. `false`: the stream ended before.
async fn fill<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    part: &mut Vec<u8>,
    target: &mut [u8],
    counters: &mut Counters,
) -> io::Result<bool> {
    let mut at = 0;
    while at < target.len() {
        let limit = read_size.limit(target.len() - at);
        part.clear();
        part.reserve(limit);
        let len = source.read_buf(&mut (&mut *part).limit(limit)).await?;
        if len == 0 {
            return Ok(false);
        }
        counters.reads += 1;
        target[at..at + len].copy_from_slice(part);
        counters.copied += len as u64;
        at += len;
    }
    Ok(true)
}

async fn joined_list<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut reads: Vec<Vec<u8>> = Vec::new();
    let mut received = 0;
    let mut wanted = HEADER_LEN;
    loop {
        let limit = read_size.limit(if wanted == HEADER_LEN { UNKNOWN } else { wanted - received });
        let mut part = Vec::with_capacity(limit);
        let len = source.read_buf(&mut (&mut part).limit(limit)).await?;
        if len == 0 {
            return Ok(());
        }
        counters.reads += 1;
        received += len;
        reads.push(part);
        if received < wanted {
            continue;
        }
        let mut joined = if reads.len() == 1 {
            reads.pop().unwrap_or_default()
        } else {
            counters.copied += received as u64;
            reads.concat()
        };
        reads.clear();
        let mut used = 0;
        while let Some(len) = complete_record(&joined[used..]) {
            sink.take(&joined[used + HEADER_LEN..used + len]);
            used += len;
        }
        if used > 0 {
            joined = joined[used..].to_vec();
            counters.copied += joined.len() as u64;
        }
        wanted = declared_len(&joined).map_or(HEADER_LEN, |len| len + HEADER_LEN);
        received = joined.len();
        if received > 0 {
            reads.push(joined);
        }
    }
}

async fn doubling<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut received: Vec<u8> = Vec::new();
    loop {
        let limit = read_size.limit(missing(&received));
        let capacity = received.capacity();
        received.reserve(limit);
        if received.capacity() != capacity {
            // The allocator may move all of it; large blocks it may remap instead.
            counters.copied += received.len() as u64;
        }
        if source.read_buf(&mut (&mut received).limit(limit)).await? == 0 {
            return Ok(());
        }
        counters.reads += 1;
        let mut used = 0;
        while let Some(len) = complete_record(&received[used..]) {
            sink.take(&received[used + HEADER_LEN..used + len]);
            used += len;
        }
        if used > 0 {
            counters.copied += (received.len() - used) as u64;
            received.drain(..used);
        }
    }
}

async fn length_delimited<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let mut codec = LengthDelimitedCodec::builder()
        .length_field_offset(4)
        .length_field_length(4)
        .length_adjustment(0)
        .num_skip(HEADER_LEN)
        .max_frame_length(MAX_RECORD)
        .new_codec();
    let mut received = BytesMut::with_capacity(UNKNOWN.min(8 << 10));
    loop {
        // Where the codec or the reserve below moves the buffer, everything in it is copied.
        let place = received.as_ptr();
        received.reserve(1);
        let limit = read_size.limit(received.capacity() - received.len());
        if place != received.as_ptr() {
            counters.copied += received.len() as u64;
        }
        if source.read_buf(&mut (&mut received).limit(limit)).await? == 0 {
            return Ok(());
        }
        counters.reads += 1;
        loop {
            let (place, len) = (received.as_ptr(), received.len());
            let frame = codec.decode(&mut received)?;
            match frame {
                Some(payload) => sink.take(&payload),
                None => {
                    // Behind a header that was taken the rest stays in place, 8 bytes on.
                    let moved = place != received.as_ptr()
                        && place.wrapping_add(len - received.len()) != received.as_ptr();
                    if moved {
                        counters.copied += received.len() as u64;
                    }
                    break;
                }
            }
        }
    }
}

async fn farpane<S: AsyncRead + Unpin>(
    source: &mut S,
    read_size: ReadSize,
    sink: &mut Sink,
    counters: &mut Counters,
) -> io::Result<()> {
    let limits = Limits::with_max_record(MAX_RECORD);
    let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
    loop {
        let mut space = reassembler.buffer();
        let room = space.remaining_mut();
        space.set_limit(read_size.limit(room));
        if source.read_buf(&mut space).await? == 0 {
            return Ok(());
        }
        counters.reads += 1;
        reassembler.received(clock::now());
        while let Some(packet) = reassembler.next_packet().map_err(io::Error::other)? {
            counters.copied += packet.ledger.copied_bytes();
            take_packet(&packet, sink);
        }
    }
}

fn take_packet(packet: &RawPacket, sink: &mut Sink) {
    for (_, chunk) in packet.chunks.iter().flatten() {
        sink.take(&chunk.payload);
    }
    sink.take(&packet.main.payload);
}
