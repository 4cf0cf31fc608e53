//! The copy ledger, and the only functions in Farpane that copy bytes in bulk.
//!
//! `clippy.toml` bans the raw methods (`copy_from_slice`, `extend_from_slice`, …) everywhere
//! else, so a copy that is not counted does not pass the lints.
#![expect(clippy::disallowed_methods, reason = "this is the one place where bulk copies happen")]

/// Where bytes are copied in user space, after the kernel's own copy out of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum CopySite {
    /// The start of a large payload that arrived in the receive buffer together with the
    /// packets before it: moved to the payload's own buffer. At most the receive buffer's size.
    ReceivePrefix,
    /// An incomplete small record, moved to the start of the receive buffer before the next read; or
    /// what came in one read with a large payload's end, moved there.
    ReceiveCompact,
    /// Bytes moved by a transport layer (a WebSocket frame's left-over, TLS plaintext).
    Transport,
    /// A draw's bytes joined or moved between the record and the decoder. The goal is never.
    Splice,
    /// Pixels moved into memory that the GPU driver reads (`write_texture`, a staging buffer).
    Staging,
    /// Pixels moved within memory by the CPU renderer: a scroll, a resize.
    Backing,
    /// Pixels moved into the buffer that the CPU presenter shows.
    Present,
    /// Small payloads that are kept for a while, should somebody want to see them again.
    Replay,
}

impl CopySite {
    /// Every site, in the order in which statistics list them.
    pub const ALL: [Self; 8] = [
        Self::ReceivePrefix,
        Self::ReceiveCompact,
        Self::Transport,
        Self::Splice,
        Self::Staging,
        Self::Backing,
        Self::Present,
        Self::Replay,
    ];

    /// The name shown in the overlay and in `--stats-json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReceivePrefix => "receive prefix",
            Self::ReceiveCompact => "receive compact",
            Self::Transport => "transport",
            Self::Splice => "splice",
            Self::Staging => "staging",
            Self::Backing => "backing",
            Self::Present => "present",
            Self::Replay => "replay",
        }
    }
}

/// Work that makes other bytes out of bytes; counted apart from copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Transform {
    /// Record or pixel decompression (lz4, zlib, zstd, brotli). Counts bytes written.
    Decompress,
    /// Picture and video decoding. Counts bytes written.
    Decode,
    /// Colour conversion on the CPU. Counts bytes written.
    Convert,
}

impl Transform {
    /// Every transform, in the order in which statistics list them.
    pub const ALL: [Self; 3] = [Self::Decompress, Self::Decode, Self::Convert];

    /// The name shown in the overlay and in `--stats-json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decompress => "decompress",
            Self::Decode => "decode",
            Self::Convert => "convert",
        }
    }
}

/// Bytes and calls, by [`CopySite`] and [`Transform`], plus buffer allocations.
///
/// A plain value: each stage owns one, or it rides in a [`super::DrawTrace`], and they are
/// merged at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyLedger {
    copied_bytes: [u64; CopySite::ALL.len()],
    copies: [u64; CopySite::ALL.len()],
    transformed_bytes: [u64; Transform::ALL.len()],
    /// Heap buffers that had to be allocated because no recycled one fitted.
    pub allocations: u64,
    /// Bytes of those buffers.
    pub allocated_bytes: u64,
    /// All allocations of the stage that was counted, of whatever size (see [`super::alloc`]).
    pub heap_allocations: u64,
}

impl CopyLedger {
    /// Notes a copy that a library makes on our behalf (for example `Queue::write_texture`).
    pub fn note_copy(&mut self, site: CopySite, bytes: usize) {
        self.copied_bytes[site as usize] += bytes as u64;
        self.copies[site as usize] += 1;
    }

    /// Notes `bytes` written by a transform.
    pub fn note_transform(&mut self, transform: Transform, bytes: usize) {
        self.transformed_bytes[transform as usize] += bytes as u64;
    }

    /// Notes one buffer allocation of `bytes`.
    pub fn note_allocation(&mut self, bytes: usize) {
        self.allocations += 1;
        self.allocated_bytes += bytes as u64;
    }

    /// Bytes copied at `site`.
    pub fn copied_at(&self, site: CopySite) -> u64 {
        self.copied_bytes[site as usize]
    }

    /// Number of copies made at `site`.
    pub fn copies_at(&self, site: CopySite) -> u64 {
        self.copies[site as usize]
    }

    /// Bytes copied at all sites.
    pub fn copied_bytes(&self) -> u64 {
        self.copied_bytes.iter().sum()
    }

    /// Bytes written by `transform`.
    pub fn transformed_by(&self, transform: Transform) -> u64 {
        self.transformed_bytes[transform as usize]
    }

    /// Bytes written by all transforms.
    pub fn transformed_bytes(&self) -> u64 {
        self.transformed_bytes.iter().sum()
    }

    /// Adds everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.copied_bytes.iter_mut().zip(other.copied_bytes) {
            *mine += theirs;
        }
        for (mine, theirs) in self.copies.iter_mut().zip(other.copies) {
            *mine += theirs;
        }
        for (mine, theirs) in self.transformed_bytes.iter_mut().zip(other.transformed_bytes) {
            *mine += theirs;
        }
        self.allocations += other.allocations;
        self.allocated_bytes += other.allocated_bytes;
        self.heap_allocations += other.heap_allocations;
    }
}

/// Copies `from` over `to`, which must have the same length, and counts it.
///
/// # Panics
/// If the lengths differ: callers slice both sides to one length.
pub fn copy(ledger: &mut CopyLedger, site: CopySite, from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
    ledger.note_copy(site, from.len());
}

/// Appends `from` to `to`, whose spare capacity must already hold it, and counts it.
pub fn append(ledger: &mut CopyLedger, site: CopySite, from: &[u8], to: &mut Vec<u8>) {
    debug_assert!(to.capacity() - to.len() >= from.len(), "append must not reallocate");
    to.extend_from_slice(from);
    ledger.note_copy(site, from.len());
}

/// Copies rows of `row_len` bytes, which start `from_stride` bytes apart in `from`, over rows that
/// start `to_stride` bytes apart in `to`, until one of the two ends; counts it as one copy.
pub fn copy_rows(
    ledger: &mut CopyLedger,
    site: CopySite,
    row_len: usize,
    (from, from_stride): (&[u8], usize),
    (to, to_stride): (&mut [u8], usize),
) {
    if row_len == 0 {
        return;
    }
    let mut copied = 0;
    for (from, to) in from.chunks(from_stride.max(1)).zip(to.chunks_mut(to_stride.max(1))) {
        if let (Some(from), Some(to)) = (from.get(..row_len), to.get_mut(..row_len)) {
            to.copy_from_slice(from);
            copied += row_len;
        }
    }
    ledger.note_copy(site, copied);
}

/// Moves `buffer[from..from + len]` to the buffer's start and counts it.
pub fn move_to_start(ledger: &mut CopyLedger, site: CopySite, buffer: &mut [u8], from: usize, len: usize) {
    buffer.copy_within(from..from + len, 0);
    ledger.note_copy(site, len);
}

/// Moves `count` rows of `row_len` bytes, which start `stride` bytes apart, from offset `from` to
/// offset `to` of the buffer; counts it as one copy. The two places may overlap.
///
/// # Panics
/// If one of them does not lie within the buffer.
pub fn move_rows(
    ledger: &mut CopyLedger,
    site: CopySite,
    buffer: &mut [u8],
    (row_len, count, stride): (usize, usize, usize),
    from: usize,
    to: usize,
) {
    if row_len == stride {
        buffer.copy_within(from..from + row_len * count, to);
    } else {
        // In the order in which no row is overwritten before it moved.
        for row in 0..count {
            let row = if to > from { count - 1 - row } else { row };
            let start = from + row * stride;
            buffer.copy_within(start..start + row_len, to + row * stride);
        }
    }
    ledger.note_copy(site, row_len * count);
}
