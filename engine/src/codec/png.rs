//! `png`, `png/P` and `png/L`.

use std::io::Cursor;

use png::{ColorType, Limits, Transformations};

use crate::buffers::{BufferMut, BufferPool};
use crate::stats::{CopyLedger, Transform};

use super::decode::picture_bytes;
use crate::geometry::Size;

use super::{Coded, DecodeError, Picture, PixelFormat, alpha};

/// What the library may allocate for itself: rows, the inflate window, a palette.
const LIBRARY_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn decode(
    coded: &Coded,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(&coded.data[..]), Limits { bytes: LIBRARY_BYTES });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info()?;
    let size = Size { width: header.width, height: header.height };
    coded.check_coded(size)?;

    let mut reader = decoder.read_info()?;
    let colours = reader.output_color_type().0;
    let row = size.width as usize * colours.samples();
    let mut pixels = pool.take_filled(picture_bytes(row, size.height)?, ledger);
    let frame = reader.next_frame(pixels.vec())?;
    let got = Size { width: frame.width, height: frame.height };
    if got != size {
        // The first frame of an animation that does not cover the picture.
        return Err(DecodeError::LargerThanDraw { got: size, limit: got });
    }
    ledger.note_transform(Transform::Decode, pixels.len());
    let (format, row, pixels) = match colours {
        ColorType::Rgb => (PixelFormat::Rgb, row, pixels),
        ColorType::Rgba => (PixelFormat::Rgba, row, pixels),
        ColorType::GrayscaleAlpha => {
            (PixelFormat::Rgba, row * 2, grey_alpha_to_rgba(&pixels, size, pool, ledger)?)
        }
        // The palette was expanded above.
        ColorType::Grayscale | ColorType::Indexed => (PixelFormat::Grey, row, pixels),
    };
    let mut pixels = pixels;
    if coded.options.straight_alpha && format == PixelFormat::Rgba {
        alpha::multiply(pixels.vec());
        ledger.note_transform(Transform::Convert, pixels.len());
    }
    let bytes = pixels.len();
    Picture::packed(size, format, row, pixels.freeze()).ok_or(DecodeError::PixelBytes {
        got: bytes,
        min: bytes,
        max: bytes,
    })
}

/// No pixel format has two samples: servers send grey with alpha only in their `grayscale` mode.
fn grey_alpha_to_rgba(
    pixels: &[u8],
    size: Size,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<BufferMut, DecodeError> {
    let bytes = picture_bytes(size.width as usize * 4, size.height)?;
    let mut rgba = pool.take_filled(bytes, ledger);
    for (to, from) in rgba.vec().chunks_exact_mut(4).zip(pixels.chunks_exact(2)) {
        if let (&[grey, alpha], [red, green, blue, opacity]) = (from, to) {
            (*red, *green, *blue, *opacity) = (grey, grey, grey, alpha);
        }
    }
    ledger.note_transform(Transform::Convert, bytes);
    Ok(rgba)
}
