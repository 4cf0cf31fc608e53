//! Record compression (Protocol.md §3.3): every size is bounded before memory is taken for it,
//! and the output goes straight into a recycled buffer.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe;

use crate::buffers::{BufferMut, BufferPool, Payload};
use crate::stats::{CopyLedger, CopySite, Transform};

use super::lz4;
use super::record::Compressor;

/// LZ4 cannot expand more than this (a run of 255s in a match length adds 255 bytes a byte).
const MAX_LZ4_RATIO: usize = 255;
/// The largest window of a zstd frame that does not say its size, as a power of two: 16 MiB, which no level below
/// the "ultra" ones needs. Without it a few bytes could take 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 24;
/// First guess of the output size for formats that do not say it.
const FIRST_GUESS: usize = 64 * 1024;

/// Why a compressed record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    #[error("the {compressor} data is damaged: {what}")]
    Damaged { compressor: &'static str, what: String },
    #[error("the {compressor} data would take {got} bytes, allowed are {limit}")]
    TooLarge { compressor: &'static str, got: usize, limit: usize },
}

/// Decompresses records. Keeps the state of the decoders, so that a record allocates nothing.
#[derive(Debug, Default)]
pub struct Decompressor {
    zlib: Option<Box<Decompress>>,
    zstd: Option<ZstdContext>,
}

struct ZstdContext(zstd_safe::DCtx<'static>);

impl std::fmt::Debug for ZstdContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ZstdContext")
    }
}

impl Decompressor {
    /// Decompresses `data` into a buffer of `pool`, at most `limit` bytes.
    ///
    /// # Errors
    /// If `data` is damaged, or would give more than `limit`.
    pub fn decompress(
        &mut self,
        compressor: Compressor,
        data: &[u8],
        limit: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Payload, DecompressError> {
        let buffer = match compressor {
            Compressor::Lz4 => lz4_record(data, limit, pool, ledger),
            Compressor::Zlib => self.zlib(data, limit, pool, ledger),
            Compressor::Zstd => self.zstd(data, limit, pool, ledger),
            Compressor::Brotli => brotli(data, limit, pool, ledger),
        }?;
        ledger.note_transform(Transform::Decompress, buffer.len());
        Ok(buffer.freeze())
    }

    fn zlib(
        &mut self,
        data: &[u8],
        limit: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<BufferMut, DecompressError> {
        let state = self.zlib.get_or_insert_with(|| Box::new(Decompress::new(true)));
        state.reset(true);
        let mut output = Growing::new("zlib", limit, pool, ledger);
        loop {
            let rest =
                usize::try_from(state.total_in()).ok().and_then(|used| data.get(used..)).unwrap_or_default();
            let before = (state.total_in(), state.total_out());
            let status = state.decompress_vec(rest, output.buffer.vec(), FlushDecompress::Finish);
            match status.map_err(|error| damaged("zlib", &error))? {
                Status::StreamEnd => return output.finish(),
                _ if output.is_full() => output.grow()?,
                _ if before == (state.total_in(), state.total_out()) => {
                    return Err(damaged("zlib", &"cut short"));
                }
                _ => {}
            }
        }
    }

    fn zstd(
        &mut self,
        data: &[u8],
        limit: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<BufferMut, DecompressError> {
        let failed = |code| damaged("zstd", &zstd_safe::get_error_name(code));
        let context = self.zstd.get_or_insert_with(|| ZstdContext(zstd_safe::DCtx::create()));
        let declared = zstd_safe::get_frame_content_size(data).map_err(|_| damaged("zstd", &"no frame"))?;
        if let Some(size) = declared {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > limit {
                return Err(DecompressError::TooLarge { compressor: "zstd", got: size, limit });
            }
            let mut buffer = pool.take(size, ledger);
            context.0.decompress(buffer.vec(), data).map_err(failed)?;
            return Ok(buffer);
        }
        context.0.reset(zstd_safe::ResetDirective::SessionOnly).map_err(failed)?;
        context.0.set_parameter(zstd_safe::DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map_err(failed)?;
        let mut output = Growing::new("zstd", limit, pool, ledger);
        let mut input = zstd_safe::InBuffer::around(data);
        loop {
            let len = output.buffer.len();
            let mut out = zstd_safe::OutBuffer::around_pos(output.buffer.vec(), len);
            let hint = context.0.decompress_stream(&mut out, &mut input).map_err(failed)?;
            if hint == 0 {
                return output.finish();
            } else if output.is_full() {
                output.grow()?;
            } else if input.pos() == data.len() {
                return Err(damaged("zstd", &"cut short"));
            }
        }
    }
}

/// A u32 in little-endian with the size, then one block.
fn lz4_record(
    data: &[u8],
    limit: usize,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<BufferMut, DecompressError> {
    let (size, block) = data.split_first_chunk().ok_or_else(|| damaged("lz4", &"the size is missing"))?;
    let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
    let limit = limit.min(block.len().saturating_mul(MAX_LZ4_RATIO));
    if size > limit {
        return Err(DecompressError::TooLarge { compressor: "lz4", got: size, limit });
    }
    match lz4::decompress(block, size, pool, ledger) {
        Ok(buffer) if buffer.len() == size => Ok(buffer),
        Ok(buffer) => Err(damaged("lz4", &format_args!("{} bytes instead of {size}", buffer.len()))),
        Err(error) => Err(damaged("lz4", &error)),
    }
}

/// Only the standard form, whose window is at most 16 MiB: the "large window" one would let a few
/// bytes take a gigabyte.
fn brotli(
    data: &[u8],
    limit: usize,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<BufferMut, DecompressError> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut output = Growing::new("brotli", limit, pool, ledger);
    let (mut unread, mut read, mut written, mut total) = (data.len(), 0, 0, 0);
    loop {
        let bytes = output.buffer.vec();
        bytes.resize(bytes.capacity(), 0);
        let mut free = bytes.len() - written;
        let step = BrotliDecompressStream(
            &mut unread,
            &mut read,
            data,
            &mut free,
            &mut written,
            bytes,
            &mut total,
            &mut state,
        );
        match step {
            BrotliResult::ResultSuccess => {
                output.buffer.vec().truncate(written);
                return output.finish();
            }
            BrotliResult::NeedsMoreOutput => output.grow()?,
            BrotliResult::NeedsMoreInput => return Err(damaged("brotli", &"cut short")),
            BrotliResult::ResultFailure => return Err(damaged("brotli", &"not valid")),
        }
    }
}

/// Compresses with LZ4 as a record holds it: the size as a u32 in little-endian, then one block.
/// Appends to `out` and says how many bytes that were, or leaves it alone and says `None` if
/// that would not save anything.
pub fn lz4_append(data: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let size = u32::try_from(data.len()).ok()?;
    let start = out.len();
    out.resize(start + 4 + lz4_flex::block::get_maximum_output_size(data.len()), 0);
    let (prefix, block) = out.get_mut(start..)?.split_first_chunk_mut()?;
    *prefix = size.to_le_bytes();
    let written = lz4_flex::block::compress_into(data, block).ok().filter(|written| written + 4 < data.len());
    out.truncate(start + written.map_or(0, |written| written + 4));
    written.map(|written| written + 4)
}

/// An output buffer whose final size is not known.
struct Growing<'a> {
    compressor: &'static str,
    limit: usize,
    buffer: BufferMut,
    ledger: &'a mut CopyLedger,
}

impl<'a> Growing<'a> {
    fn new(compressor: &'static str, limit: usize, pool: &BufferPool, ledger: &'a mut CopyLedger) -> Self {
        let buffer = pool.take(FIRST_GUESS.min(limit.saturating_add(1)), ledger);
        Self { compressor, limit, buffer, ledger }
    }

    fn is_full(&mut self) -> bool {
        let bytes = self.buffer.vec();
        bytes.len() == bytes.capacity()
    }

    /// Makes room for as much again, but for one byte more than the limit at most. The move is counted.
    fn grow(&mut self) -> Result<(), DecompressError> {
        self.check()?;
        let len = self.buffer.len();
        let up_to_limit = self.limit.saturating_sub(len).saturating_add(1);
        self.buffer.vec().reserve_exact(len.max(FIRST_GUESS).min(up_to_limit));
        self.ledger.note_allocation(len);
        self.ledger.note_copy(CopySite::Splice, len);
        Ok(())
    }

    fn check(&self) -> Result<(), DecompressError> {
        let (compressor, limit, got) = (self.compressor, self.limit, self.buffer.len());
        if got > limit { Err(DecompressError::TooLarge { compressor, got, limit }) } else { Ok(()) }
    }

    fn finish(self) -> Result<BufferMut, DecompressError> {
        self.check().map(|()| self.buffer)
    }
}

fn damaged(compressor: &'static str, what: &dyn std::fmt::Display) -> DecompressError {
    DecompressError::Damaged { compressor, what: what.to_string() }
}
