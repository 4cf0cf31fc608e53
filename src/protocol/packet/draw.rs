//! `window-draw`, both ways. Its options are read straight from the tape.

use crate::buffers::Payload;
use crate::protocol::tape::Node;

use super::args::{ArgError, Args, Item, List};
use super::encode::Encoder;
use super::server::{DrawOptions, Encoding, PixelCompression, RgbFormatName, ScrollRect, WindowDraw};
use super::server_parse::wid;
use super::{DrawSequence, ShortName};

/// Rectangles of one `scroll` draw. Servers give up above 20 or so.
pub const MAX_SCROLLS: usize = 1000;

/// Compressors that Xpra, or libraries that it uses, know and that Farpane does not offer for pixels: what
/// they made is no pixels.
const OTHER_COMPRESSORS: &[&str] = &[
    "lzo",
    "brotli",
    "snappy",
    "lzma",
    "xz",
    "bz2",
    "bzip2",
    "gzip",
    "gz",
    "deflate",
    "lz4hc",
    "lz4f",
    "zopfli",
    "lzf",
    "compress",
    "compression",
    "compressor",
];

/// Reads a draw.
pub fn parse(args: &mut Args<'_>) -> Result<WindowDraw, ArgError> {
    let wid = wid(args)?;
    let (x, y) = (args.i32("x")?, args.i32("y")?);
    let (width, height) = (args.size("w")?, args.size("h")?);
    let encoding = Encoding::from_name(args.str("encoding")?);
    // Released servers put the rectangles of a scroll here, 6.6 in the options.
    let mut scroll = Vec::new();
    let data = if matches!(args.peek(), Some(Node::List { .. })) {
        let list = args.list("data")?;
        if encoding == Encoding::Scroll {
            scroll =
                scrolls(list).ok_or_else(|| args.error("data", "rectangles of six integers", "a list"))?;
        }
        Payload::default()
    } else {
        args.bytes("data")?
    };
    let sequence = DrawSequence(args.u64("sequence")?);
    let rowstride = args.u32("rowstride")?;
    let mut options = if args.left() > 0 { options(args)? } else { DrawOptions::default() };
    if options.scroll.is_empty() {
        options.scroll = scroll;
    }
    Ok(WindowDraw { wid, x, y, width, height, encoding, data, sequence, rowstride, options })
}

/// Reads the options; keys that Farpane does not know are skipped, wrong values refused.
fn options(args: &mut Args<'_>) -> Result<DrawOptions, ArgError> {
    let mut options = DrawOptions::default();
    let map = args.map("options")?;
    for (key, item) in map.entries() {
        option(&mut options, key, item)
            .ok_or_else(|| args.error("options", "valid draw options", "another value"))?;
    }
    Ok(options)
}

fn option(options: &mut DrawOptions, key: &str, item: Item<'_>) -> Option<()> {
    match key {
        "flush" => options.flush = item.int()?,
        "rgb_format" => options.rgb_format = Some(format_from_name(item.str()?)),
        "lz4" if item.int::<i64>()? > 0 => options.pixel_compression = PixelCompression::Lz4,
        "zlib" if item.int::<i64>()? > 0 => options.pixel_compression = PixelCompression::Zlib,
        "zstd" if item.int::<i64>()? > 0 => options.pixel_compression = PixelCompression::Zstd,
        name if OTHER_COMPRESSORS.contains(&name) && item.int::<i64>().is_none_or(|level| level > 0) => {
            options.pixel_compression = PixelCompression::Other;
        }
        "scaled_size" => options.scaled_size = Some(pair(item)?),
        // nvenc of some 6.5 sends a map
        "csc" => options.csc = item.str().and_then(ShortName::new),
        "frame" => options.frame = item.int(),
        "type" => options.frame_type = item.str().and_then(ShortName::new),
        "full-range" => options.full_range = Some(item.int::<i64>()? != 0),
        "delayed" => options.delayed = item.int()?,
        "paint" => options.paint = Some(item.int::<i64>()? != 0),
        "quality" => options.quality = item.int(),
        "window-size" => options.window_size = Some(pair(item)?),
        "scroll" => {
            if let Some(list) = item.list() {
                options.scroll = scrolls(list)?;
            }
        }
        _ => {}
    }
    Some(())
}

fn pair(item: Item<'_>) -> Option<(u32, u32)> {
    let [width, height] = item.list()?.ints::<u16, 2>()?;
    Some((u32::from(width), u32::from(height)))
}

fn scrolls(list: List<'_>) -> Option<Vec<ScrollRect>> {
    let mut rects = Vec::new();
    for item in list.items() {
        let [x, y, width, height, dx, dy] = item.list()?.ints::<i32, 6>()?;
        let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        rects.push(ScrollRect { x, y, width, height, dx, dy });
        // One too many is enough for the draw to be refused.
        if rects.len() > MAX_SCROLLS {
            break;
        }
    }
    Some(rects)
}

const FORMATS: [(RgbFormatName, &str); 12] = [
    (RgbFormatName::Bgrx, "BGRX"),
    (RgbFormatName::Bgra, "BGRA"),
    (RgbFormatName::Rgb, "RGB"),
    (RgbFormatName::Rgbx, "RGBX"),
    (RgbFormatName::Rgba, "RGBA"),
    (RgbFormatName::Bgr, "BGR"),
    (RgbFormatName::Bgr565, "BGR565"),
    (RgbFormatName::R210, "r210"),
    (RgbFormatName::Xrgb, "XRGB"),
    (RgbFormatName::Argb, "ARGB"),
    (RgbFormatName::Xbgr, "XBGR"),
    (RgbFormatName::Abgr, "ABGR"),
];

fn format_from_name(name: &str) -> RgbFormatName {
    FORMATS.iter().find(|(_, known)| *known == name).map_or(RgbFormatName::Other, |(format, _)| *format)
}

/// The name of a pixel format on the wire.
fn format_name(format: RgbFormatName) -> &'static str {
    FORMATS.iter().find(|(known, _)| *known == format).map_or("", |(_, name)| *name)
}

/// Number of arguments of a draw.
pub const ARGUMENTS: usize = 10;
/// Position of the pixels in the packet.
pub const DATA_POSITION: u8 = 7;

/// Writes a draw's arguments; the pixels only if they are `inline`, else an empty placeholder.
pub fn encode(draw: &WindowDraw, inline: bool, packet: &mut Encoder<'_>) {
    packet.uint(draw.wid.0);
    packet.int(draw.x);
    packet.int(draw.y);
    packet.int(draw.width);
    packet.int(draw.height);
    packet.str(draw.encoding.name());
    if draw.encoding == Encoding::Scroll {
        let rects = &draw.options.scroll;
        packet.list(rects.len(), |list| rects.iter().for_each(|rect| encode_scroll(*rect, list)));
    } else {
        packet.bytes(if inline { &draw.data } else { &[] });
    }
    packet.uint(draw.sequence.0);
    packet.int(draw.rowstride);
    encode_options(&draw.options, packet);
}

fn encode_scroll(rect: ScrollRect, packet: &mut Encoder<'_>) {
    let ScrollRect { x, y, width, height, dx, dy } = rect;
    packet.ints(&[
        i64::from(x),
        i64::from(y),
        i64::from(width),
        i64::from(height),
        i64::from(dx),
        i64::from(dy),
    ]);
}

fn encode_options(options: &DrawOptions, packet: &mut Encoder<'_>) {
    let compression = match options.pixel_compression {
        PixelCompression::Lz4 => Some("lz4"),
        PixelCompression::Zlib => Some("zlib"),
        PixelCompression::Zstd => Some("zstd"),
        PixelCompression::None | PixelCompression::Other => None,
    };
    let given = [
        options.flush > 0,
        options.rgb_format.is_some(),
        compression.is_some(),
        options.scaled_size.is_some(),
        options.csc.is_some(),
        options.frame.is_some(),
        options.frame_type.is_some(),
        options.full_range.is_some(),
        options.delayed > 0,
        options.paint.is_some(),
        options.quality.is_some(),
        options.window_size.is_some(),
    ];
    packet.map(given.iter().filter(|given| **given).count(), |map| {
        if options.flush > 0 {
            map.str("flush");
            map.int(options.flush);
        }
        if let Some(format) = options.rgb_format {
            map.str("rgb_format");
            map.str(format_name(format));
        }
        if let Some(name) = compression {
            map.str(name);
            map.int(1);
        }
        if let Some((width, height)) = options.scaled_size {
            map.str("scaled_size");
            map.ints(&[width, height]);
        }
        if let Some(csc) = &options.csc {
            map.str("csc");
            map.str(csc);
        }
        if let Some(frame) = options.frame {
            map.str("frame");
            map.uint(frame);
        }
        if let Some(frame_type) = &options.frame_type {
            map.str("type");
            map.str(frame_type);
        }
        if let Some(full_range) = options.full_range {
            map.str("full-range");
            map.bool(full_range);
        }
        if options.delayed > 0 {
            map.str("delayed");
            map.int(options.delayed);
        }
        if let Some(paint) = options.paint {
            map.str("paint");
            map.bool(paint);
        }
        if let Some(quality) = options.quality {
            map.str("quality");
            map.int(quality);
        }
        if let Some((width, height)) = options.window_size {
            map.str("window-size");
            map.ints(&[width, height]);
        }
    });
}
