//! What a peer may ask of us (Protocol.md §3.4), and bounds of our own for the packet decoders.
//!
//! Every length, count and index from the wire is compared with one of these before anything is
//! allocated for it.

/// Largest declared payload before the peer's hello was accepted.
pub const MAX_RECORD_BEFORE_HELLO: usize = 4 * 1024 * 1024;
/// Largest declared payload after it, unless the display needs more.
pub const MAX_RECORD: usize = 16 * 1024 * 1024;
/// Largest declared payload, and largest decompressed record, whatever was negotiated.
pub const MAX_PAYLOAD: usize = 256 * 1024 * 1024;
/// Raw chunks that may precede a main record.
pub const MAX_CHUNKS: usize = 3;
/// Highest chunk index.
pub const MAX_CHUNK_INDEX: u8 = 15;
/// Containers in containers in a packet. Real packets reach about 8 (a server's info).
pub const MAX_DEPTH: usize = 32;
/// Values of all kinds in one packet: bounds the memory of a decoded packet (16 bytes each).
pub const MAX_NODES: usize = 1 << 20;
/// Hello packets that servers accept before authentication, when they are strict: 16 KiB.
pub const MAX_HELLO: usize = 16 * 1024;

/// Room beside the pixels in a record that holds a whole desktop.
const RECORD_SLACK: usize = 4096;

/// The limits that change during a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest declared payload of a record, in bytes.
    pub max_record: usize,
    /// Largest record after decompression, in bytes.
    pub max_decompressed: usize,
}

impl Limits {
    /// The limits until the peer's hello is accepted. Decompression may reach the record limit
    /// of an established connection, since a compressed hello carries keymaps and icons.
    pub const BEFORE_HELLO: Self = Self { max_record: MAX_RECORD_BEFORE_HELLO, max_decompressed: MAX_RECORD };

    /// The limits of an established connection whose largest picture is `width` × `height`
    /// pixels of 4 bytes.
    pub fn established(width: u32, height: u32) -> Self {
        let pixels = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(4);
        let bytes = usize::try_from(pixels).unwrap_or(MAX_PAYLOAD).saturating_add(RECORD_SLACK);
        Self::with_max_record(bytes)
    }

    /// The limits of an established connection that allows records of `bytes` (kept between
    /// 16 MiB and 256 MiB).
    pub fn with_max_record(bytes: usize) -> Self {
        Self { max_record: bytes.clamp(MAX_RECORD, MAX_PAYLOAD), max_decompressed: MAX_PAYLOAD }
    }
}
