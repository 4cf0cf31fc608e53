//! `rgb24` and `rgb32`: pixels as they are, or compressed with lz4, (3.1) zlib or (6.6) zstd.

use flate2::{Decompress, FlushDecompress, Status};

use crate::buffers::{BufferPool, Payload};
use crate::protocol::compression::Decompressor;
use crate::protocol::lz4;
use crate::protocol::packet::draw::{Encoding, PixelCompression, RgbFormatName};
use crate::protocol::record::Compressor;
use crate::stats::{CopyLedger, Transform};

use super::decode::{check_dimensions, picture_bytes};
use super::pixels::span;
use crate::geometry::Size;

use super::{Coded, DecodeError, Picture, PixelFormat};

/// Bytes that a row may be longer than its pixels: servers pad rows to 4, 8 or 64 bytes, and those of a part of
/// a larger picture are sent without the rest of it.
const MAX_ROW_PADDING: usize = 4096;

/// Keeps what zlib and zstd need between pictures.
#[derive(Default)]
pub(super) struct RgbDecoder {
    zlib: Option<Decompress>,
    zstd: Decompressor,
}

/// Pixels that are still compressed with lz4. Their declared size fits the draw.
#[derive(Clone, Debug)]
pub struct CompressedPixels {
    size: Size,
    format: PixelFormat,
    rowstride: usize,
    unpacked_len: usize,
    /// A u32 little-endian size, then one LZ4 block.
    data: Payload,
}

impl CompressedPixels {
    /// Whether a draw is of this kind.
    pub fn is(coded: &Coded) -> bool {
        matches!(coded.encoding, Encoding::Rgb24 | Encoding::Rgb32)
            && coded.options.pixel_compression == PixelCompression::Lz4
    }

    /// The pixels of such a draw.
    ///
    /// # Errors
    /// If they do not fit the draw.
    pub fn new(coded: &Coded) -> Result<Self, DecodeError> {
        check_dimensions(coded.size)?;
        let layout = Layout::of(coded)?;
        let declared = coded.data.first_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
        let unpacked_len = layout.check(declared)?;
        let Layout { format, rowstride, .. } = layout;
        Ok(Self { size: coded.size, format, rowstride, unpacked_len, data: coded.data.clone() })
    }

    /// Format and bytes from one row to the next, once unpacked.
    pub fn layout(&self) -> (PixelFormat, usize) {
        (self.format, self.rowstride)
    }

    /// Bytes of all rows together, once unpacked.
    pub fn unpacked_len(&self) -> usize {
        self.unpacked_len
    }

    /// Unpacks into `to`, which must be [`Self::unpacked_len`] bytes long.
    ///
    /// # Errors
    /// If the data is damaged or the length another one. What `to` holds then is undefined.
    pub fn unpack_into(&self, to: &mut [u8], ledger: &mut CopyLedger) -> Result<(), DecodeError> {
        let (min, max) = (self.unpacked_len, self.unpacked_len);
        let block = self.data.get(4..).unwrap_or_default();
        let got = lz4::decompress_into(block, to)?;
        ledger.note_transform(Transform::Decompress, got);
        if got == max { Ok(()) } else { Err(DecodeError::PixelBytes { got, min, max }) }
    }

    /// The picture, in a buffer of `pool`.
    ///
    /// # Errors
    /// If the data is damaged.
    pub fn unpack(&self, pool: &BufferPool, ledger: &mut CopyLedger) -> Result<Picture, DecodeError> {
        let (min, max) = (self.unpacked_len, self.unpacked_len);
        let block = self.data.get(4..).unwrap_or_default();
        let pixels = lz4::decompress(block, self.unpacked_len, pool, ledger)?;
        let got = pixels.len();
        ledger.note_transform(Transform::Decompress, got);
        let pixels = (got == max).then(|| pixels.freeze());
        pixels
            .and_then(|pixels| Picture::packed(self.size, self.format, self.rowstride, pixels))
            .ok_or(DecodeError::PixelBytes { got, min, max })
    }
}

/// How the pixels of a draw lie in memory, and how many bytes there may be.
struct Layout {
    format: PixelFormat,
    rowstride: usize,
    min: usize,
    max: usize,
}

impl Layout {
    fn of(coded: &Coded) -> Result<Self, DecodeError> {
        let format = pixel_format(coded)?;
        let row = coded.size.width as usize * format.bytes_per_pixel();
        let rowstride = if coded.rowstride == 0 { row } else { coded.rowstride as usize };
        if rowstride > row + MAX_ROW_PADDING {
            return Err(DecodeError::RowPadding { got: rowstride, row, limit: MAX_ROW_PADDING });
        }
        // Servers send all rows with their padding, but the last row's may be missing.
        let max = picture_bytes(rowstride, coded.size.height)?;
        let min = span(row, rowstride, coded.size.height)
            .ok_or(DecodeError::Rowstride { got: rowstride, expected: row })?;
        Ok(Self { format, rowstride, min, max })
    }

    /// `got`, if there may be as many bytes.
    fn check(&self, got: usize) -> Result<usize, DecodeError> {
        let Self { min, max, .. } = *self;
        if (min..=max).contains(&got) { Ok(got) } else { Err(DecodeError::PixelBytes { got, min, max }) }
    }
}

impl RgbDecoder {
    pub(super) fn decode(
        &mut self,
        coded: &Coded,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Picture, DecodeError> {
        let layout = Layout::of(coded)?;
        let Layout { format, rowstride, min, max } = layout;
        let data = match coded.options.pixel_compression {
            PixelCompression::None => coded.data.clone(),
            PixelCompression::Lz4 => return CompressedPixels::new(coded)?.unpack(pool, ledger),
            PixelCompression::Zlib => self.zlib(coded.data, max, pool, ledger)?,
            PixelCompression::Zstd => match zstd_size(coded.data) {
                Some(size) => {
                    layout.check(size)?;
                    self.zstd.decompress(Compressor::Zstd, coded.data, max, pool, ledger)?
                }
                // What comes is bounded while it is unpacked; what that takes beside it, up to 16 MiB, is not kept.
                None => {
                    Decompressor::default().decompress(Compressor::Zstd, coded.data, max, pool, ledger)?
                }
            },
            PixelCompression::Other => return Err(DecodeError::PixelCompression),
        };
        let got = layout.check(data.len())?;
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

/// The size that a zstd frame declares, which it need not (RFC 8878, section 3.1.1.1.4).
fn zstd_size(data: &[u8]) -> Option<usize> {
    let declared = zstd::zstd_safe::get_frame_content_size(data).ok().flatten()?;
    Some(usize::try_from(declared).unwrap_or(usize::MAX))
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
