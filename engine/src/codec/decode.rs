//! What every decoder is handed, the bounds that hold for all of them, and the choice of one.

use crate::buffers::{BufferPool, Payload};
use crate::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, ScrollRect};
use crate::stats::CopyLedger;

use super::jpeg::JpegDecoder;
use super::rgb::RgbDecoder;
use crate::geometry::Size;

use super::{DecodeError, Picture, jpeg, png, webp};

/// Width and height of a picture at most.
pub const MAX_DIMENSION: u32 = 16384;
/// Bytes of a decoded picture at most (Protocol.md's limit for decompressed data).
pub const MAX_PICTURE_BYTES: usize = 256 * 1024 * 1024;

/// A picture as it came from the server.
#[derive(Clone, Copy, Debug)]
pub struct Coded<'a> {
    pub encoding: Encoding,
    pub data: &'a Payload,
    /// Size of the rectangle that is painted.
    pub size: Size,
    /// Bytes from one row to the next of rgb data; 0: rows without padding.
    pub rowstride: u32,
    pub options: &'a DrawOptions,
}

impl Coded<'_> {
    /// Bytes of memory that decoding takes besides the data as it came: the pixels, and what the libraries keep
    /// meanwhile. Video decoders that rest are counted apart (`VideoDecoder::memory_bytes`).
    pub fn memory_bytes(&self) -> u64 {
        let pixels = u64::from(self.size.width) * u64::from(self.size.height);
        match self.encoding {
            // The data become the pixels.
            Encoding::Rgb24 | Encoding::Rgb32 if self.options.pixel_compression == PixelCompression::None => {
                0
            }
            Encoding::Rgb24 | Encoding::Rgb32 => {
                (pixels * 4).max(u64::from(self.rowstride) * u64::from(self.size.height))
            }
            // Coefficients of 2 bytes, three a pixel.
            Encoding::Jpeg if jpeg::is_kept_whole(self.data) => pixels * 10,
            Encoding::Webp if webp::is_lossless(self.data) => pixels * 8,
            Encoding::Png | Encoding::PngPalette | Encoding::PngGrey | Encoding::Jpeg | Encoding::Webp => {
                pixels * 4
            }
            // The decoder rides with its frame until that was painted: pictures with their motion vectors.
            Encoding::H264 => pixels * 14,
            Encoding::Scroll => self.options.scroll.len() as u64 * size_of::<ScrollRect>() as u64,
            Encoding::Void | Encoding::Other => 0,
        }
    }

    /// The size that the coded picture should have.
    pub(super) fn picture_size(&self) -> Size {
        self.options.scaled_size.map_or(self.size, |(width, height)| Size { width, height })
    }

    /// Refuses a coded picture of size `got` that is empty or larger than the draw: a server only ever scales
    /// down, whatever it says of the coded size.
    pub(super) fn check_coded(&self, got: Size) -> Result<(), DecodeError> {
        check_dimensions(got)?;
        let limit = self.size;
        if got.width > limit.width || got.height > limit.height {
            return Err(DecodeError::LargerThanDraw { got, limit });
        }
        Ok(())
    }
}

/// Refuses empty and over-large pictures.
pub(super) fn check_dimensions(size: Size) -> Result<(), DecodeError> {
    let valid = 1..=MAX_DIMENSION;
    if valid.contains(&size.width) && valid.contains(&size.height) {
        return Ok(());
    }
    Err(DecodeError::Dimensions { width: size.width, height: size.height, limit: MAX_DIMENSION })
}

/// `row` × `rows` bytes, if that is an acceptable size.
pub(super) fn picture_bytes(row: usize, rows: u32) -> Result<usize, DecodeError> {
    let got = row.saturating_mul(rows as usize);
    if got > MAX_PICTURE_BYTES {
        return Err(DecodeError::TooLarge { got, limit: MAX_PICTURE_BYTES });
    }
    Ok(got)
}

/// Decodes the encodings whose pictures stand alone. One per thread: it keeps the libraries' own
/// state between pictures.
pub struct StillDecoder {
    pool: BufferPool,
    rgb: RgbDecoder,
    jpeg: JpegDecoder,
}

impl StillDecoder {
    /// A decoder that writes into buffers of `pool`.
    pub fn new(pool: BufferPool) -> Self {
        Self { pool, rgb: RgbDecoder::default(), jpeg: JpegDecoder::default() }
    }

    /// Decodes one picture. Raw rgb is not touched: the payload itself becomes the pixels.
    ///
    /// # Errors
    /// If the data is not a picture of that encoding that fits the draw. The decoder stays usable.
    pub fn decode(&mut self, coded: &Coded, ledger: &mut CopyLedger) -> Result<Picture, DecodeError> {
        check_dimensions(coded.size)?;
        match coded.encoding {
            Encoding::Rgb24 | Encoding::Rgb32 => self.rgb.decode(coded, &self.pool, ledger),
            Encoding::Png | Encoding::PngPalette | Encoding::PngGrey => {
                png::decode(coded, &self.pool, ledger)
            }
            Encoding::Jpeg => self.jpeg.decode(coded, &self.pool, ledger),
            Encoding::Webp => webp::decode(coded, &self.pool, ledger),
            Encoding::H264 | Encoding::Scroll | Encoding::Void => {
                Err(DecodeError::NotStill { encoding: coded.encoding.name() })
            }
            Encoding::Other => Err(DecodeError::Encoding { encoding: coded.encoding.name() }),
        }
    }
}
