//! `rgb24` and `rgb32`: pixels as they are, or compressed with lz4 or (3.1) zlib.

use flate2::{Decompress, FlushDecompress, Status};

use crate::buffers::{BufferPool, Payload};
use crate::protocol::packet::server::{Encoding, PixelCompression, RgbFormatName};
use crate::stats::{CopyLedger, Transform};

use super::decode::picture_bytes;
use super::pixels::span;
use super::{Coded, DecodeError, Picture, PixelFormat};

/// Keeps zlib's window between pictures.
#[derive(Default)]
pub(super) struct RgbDecoder {
    zlib: Option<Decompress>,
}

impl RgbDecoder {
    pub(super) fn decode(
        &mut self,
        coded: &Coded,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Picture, DecodeError> {
        let format = pixel_format(coded)?;
        let row = coded.size.width as usize * format.bytes_per_pixel();
        let rowstride = if coded.rowstride == 0 { row } else { coded.rowstride as usize };
        // Servers send all rows with their padding, but the last row's may be missing.
        let max = picture_bytes(rowstride, coded.size.height)?;
        let min = span(row, rowstride, coded.size.height)
            .ok_or(DecodeError::Rowstride { got: rowstride, expected: row })?;
        let check = |got: usize| {
            if (min..=max).contains(&got) { Ok(got) } else { Err(DecodeError::PixelBytes { got, min, max }) }
        };
        let data = match coded.options.pixel_compression {
            PixelCompression::None => coded.data.clone(),
            PixelCompression::Lz4 => lz4(coded.data, check, pool, ledger)?,
            PixelCompression::Zlib => self.zlib(coded.data, max, pool, ledger)?,
            PixelCompression::Other => return Err(DecodeError::PixelCompression),
        };
        let got = check(data.len())?;
        Picture::packed(coded.size, format, rowstride, data).ok_or(DecodeError::PixelBytes { got, min, max })
    }

    fn zlib(
        &mut self,
        data: &[u8],
        max: usize,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Payload, DecodeError> {
        let zlib = self.zlib.get_or_insert_with(|| Decompress::new(true));
        zlib.reset(true);
        let mut pixels = pool.take_filled(max, ledger);
        let status = zlib.decompress(data, pixels.vec(), FlushDecompress::Finish)?;
        let got = usize::try_from(zlib.total_out()).unwrap_or(usize::MAX);
        if status != Status::StreamEnd {
            return Err(DecodeError::ZlibEnd { got });
        }
        pixels.vec().truncate(got);
        ledger.note_transform(Transform::Decompress, got);
        Ok(pixels.freeze())
    }
}

/// A u32 little-endian size, then one LZ4 block.
fn lz4(
    data: &[u8],
    check: impl Fn(usize) -> Result<usize, DecodeError>,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Payload, DecodeError> {
    let Some((size, block)) = data.split_first_chunk::<4>() else {
        check(0)?;
        return Ok(Payload::default());
    };
    let size = check(u32::from_le_bytes(*size) as usize)?;
    let mut pixels = pool.take_filled(size, ledger);
    let got = lz4_flex::block::decompress_into(block, pixels.vec())?;
    pixels.vec().truncate(got);
    ledger.note_transform(Transform::Decompress, got);
    Ok(pixels.freeze())
}

/// The format that the server names, which alone counts: 3.1 sends 4-byte pixels as `rgb24` too.
fn pixel_format(coded: &Coded) -> Result<PixelFormat, DecodeError> {
    Ok(match coded.options.rgb_format {
        None if coded.encoding == Encoding::Rgb24 => PixelFormat::Rgb,
        None => PixelFormat::Rgbx,
        Some(RgbFormatName::Bgr) => PixelFormat::Bgr,
        Some(RgbFormatName::Bgr565) => PixelFormat::Bgr565,
        Some(RgbFormatName::Bgra) => PixelFormat::Bgra,
        Some(RgbFormatName::Bgrx) => PixelFormat::Bgrx,
        Some(RgbFormatName::R210) => PixelFormat::R210,
        Some(RgbFormatName::Rgb) => PixelFormat::Rgb,
        Some(RgbFormatName::Rgba) => PixelFormat::Rgba,
        Some(RgbFormatName::Rgbx) => PixelFormat::Rgbx,
        Some(RgbFormatName::Xrgb) => PixelFormat::Xrgb,
        Some(RgbFormatName::Argb) => PixelFormat::Argb,
        Some(RgbFormatName::Xbgr) => PixelFormat::Xbgr,
        Some(RgbFormatName::Abgr) => PixelFormat::Abgr,
        Some(RgbFormatName::Other) => return Err(DecodeError::PixelFormat),
    })
}
