//! LZ4 blocks, as records and pixels hold them.
//!
//! With the feature `lz4-c` (the default) the C library decodes them: faster than lz4_flex on every
//! picture that was tried (`docs/receive-path.md`). Without it everything is Rust.
#![cfg_attr(feature = "lz4-c", expect(unsafe_code, reason = "the lz4 library has a C interface"))]

use crate::buffers::{BufferMut, BufferPool};
use crate::stats::CopyLedger;

/// A block that is damaged, or longer than was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of {block} bytes is damaged, or gives more than {size} bytes")]
pub struct Lz4Error {
    pub block: usize,
    pub size: usize,
}

/// Decompresses `block` to the start of `to` and says how long it was.
///
/// # Errors
/// If the block is no LZ4 block, or gives more than there is room. What `to` holds then is undefined.
pub fn decompress_into(block: &[u8], to: &mut [u8]) -> Result<usize, Lz4Error> {
    decoder::into_slice(block, to).ok_or(Lz4Error { block: block.len(), size: to.len() })
}

/// Decompresses `block`, which gives at most `size` bytes, into a buffer of `pool`. The caller has
/// bounded `size`.
///
/// # Errors
/// If the block is no LZ4 block, or gives more.
pub fn decompress(
    block: &[u8],
    size: usize,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<BufferMut, Lz4Error> {
    decoder::into_buffer(block, size, pool, ledger).ok_or(Lz4Error { block: block.len(), size })
}

#[cfg(feature = "lz4-c")]
mod decoder {
    use std::mem::MaybeUninit;

    use super::{BufferMut, BufferPool, CopyLedger};

    pub fn into_slice(block: &[u8], to: &mut [u8]) -> Option<usize> {
        // SAFETY: the bytes are initialised, and `decode` writes initialised ones only.
        let to = unsafe { &mut *(std::ptr::from_mut(to) as *mut [MaybeUninit<u8>]) };
        decode(block, to)
    }

    /// What the buffer's memory held before is neither cleared nor read.
    pub fn into_buffer(
        block: &[u8],
        size: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Option<BufferMut> {
        let mut buffer = pool.take(size, ledger);
        let out = buffer.vec();
        let got = decode(block, out.spare_capacity_mut().get_mut(..size)?)?;
        // SAFETY: the vector was empty, and its first `got` bytes were just written.
        unsafe { out.set_len(got) };
        Some(buffer)
    }

    /// Decompresses to the start of `to`; the bytes before the returned length are then initialised.
    fn decode(block: &[u8], to: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let (block_len, room) = (i32::try_from(block.len()).ok()?, i32::try_from(to.len()).ok()?);
        // SAFETY: the library reads `block_len` bytes of `block` and writes at most `room` bytes to
        // `to`; both outlive the call.
        let got = unsafe {
            lz4_sys::LZ4_decompress_safe(block.as_ptr().cast(), to.as_mut_ptr().cast(), block_len, room)
        };
        usize::try_from(got).ok().filter(|got| *got <= to.len())
    }
}

#[cfg(not(feature = "lz4-c"))]
mod decoder {
    use super::{BufferMut, BufferPool, CopyLedger};

    pub fn into_slice(block: &[u8], to: &mut [u8]) -> Option<usize> {
        lz4_flex::block::decompress_into(block, to).ok()
    }

    pub fn into_buffer(
        block: &[u8],
        size: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Option<BufferMut> {
        // What a recycled buffer held before is overwritten, not cleared.
        let mut buffer = pool.take_filled(size, ledger);
        let got = into_slice(block, buffer.vec())?;
        buffer.vec().truncate(got);
        Some(buffer)
    }
}
