//! The times and costs of one draw, riding with it from the socket to the screen.

use std::time::Instant;

use super::CopyLedger;

/// What one draw cost: filled in by each stage as the draw passes through it.
///
/// The stage times are contiguous: arrived → reassembled → decode_started → decoded → uploaded
/// → presented, so their differences add up to the total.
#[derive(Clone, Copy, Debug)]
pub struct DrawTrace {
    /// When the draw's first byte was in user space.
    pub arrived: Instant,
    /// When its last byte was, and its packet was decoded.
    pub reassembled: Instant,
    /// When a decode thread took it.
    pub decode_started: Option<Instant>,
    /// When its pixels were ready for upload.
    pub decoded: Option<Instant>,
    /// When they were handed to the GPU (or to the CPU presenter's backing).
    pub uploaded: Option<Instant>,
    /// The connection that it came over, counted from 0: servers number the draws of each anew.
    pub connection: u32,
    /// Bytes on the wire, record headers included.
    pub wire_bytes: u64,
    /// Bytes of pixels after decoding.
    pub decoded_bytes: u64,
    /// Pixels of the damaged rectangle.
    pub pixels: u64,
    /// Copies and transforms made for this draw after its record was reassembled.
    pub ledger: CopyLedger,
}

impl DrawTrace {
    /// A trace for a draw whose first byte came at `arrived` and whose packet was complete at
    /// `reassembled`.
    pub fn new(arrived: Instant, reassembled: Instant, wire_bytes: u64) -> Self {
        Self {
            arrived,
            reassembled,
            decode_started: None,
            decoded: None,
            uploaded: None,
            connection: 0,
            wire_bytes,
            decoded_bytes: 0,
            pixels: 0,
            ledger: CopyLedger::default(),
        }
    }
}
