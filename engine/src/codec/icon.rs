//! Small pictures outside the draw path: window icons and cursors.

use crate::buffers::{BufferPool, Payload};
use crate::protocol::packet::draw::{DrawOptions, Encoding, RgbFormatName};
use crate::stats::CopyLedger;

use crate::geometry::Size;

use super::{Coded, DecodeError, StillDecoder, reference};

/// Width and height at most.
const MAX_ICON: u32 = 2048;

/// Decodes an icon or a cursor to RGBA rows without padding. `encoding` is the packet's: `png`,
/// `BGRA`, `raw` or `premult_argb32` (both BGRA in memory), `jpeg`, `webp`.
///
/// # Errors
/// If the encoding is another, the size is out of bounds or the data does not fit it.
pub fn to_rgba(
    encoding: &str,
    size: Size,
    rowstride: u32,
    data: &Payload,
) -> Result<(Size, Vec<u8>), DecodeError> {
    if size.width > MAX_ICON || size.height > MAX_ICON {
        return Err(DecodeError::Dimensions { width: size.width, height: size.height, limit: MAX_ICON });
    }
    let (encoding, rgb_format) = match encoding {
        "BGRA" | "raw" | "premult_argb32" => (Encoding::Rgb32, Some(RgbFormatName::Bgra)),
        "RGBA" => (Encoding::Rgb32, Some(RgbFormatName::Rgba)),
        "default" => (Encoding::Png, None),
        name => (Encoding::from_name(name), None),
    };
    let options = DrawOptions { rgb_format, ..DrawOptions::default() };
    let coded = Coded { encoding, data, size, rowstride, options: &options };
    let picture = StillDecoder::new(BufferPool::new(0)).decode(&coded, &mut CopyLedger::default())?;
    let size = Size { width: picture.width, height: picture.height };
    Ok((size, reference::to_rgba(&picture)))
}
