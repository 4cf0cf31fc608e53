//! The options of a draw, read straight from the tape.

use crate::protocol::packet::ShortName;
use crate::protocol::packet::args::{ArgError, Args, Item, List};
use crate::protocol::packet::encode::Encoder;

use super::encoding::{PixelCompression, RgbFormatName, format_from_name, format_name};

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

/// What Farpane uses of a draw's options map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrawOptions {
    /// Draws of the same screen update that still follow; 0 ends the update.
    pub flush: u32,
    /// Byte order of rgb data: `BGRX`, `RGB`, …; absent means the encoding's default.
    pub rgb_format: Option<RgbFormatName>,
    /// Compression of the pixel data itself (not of the record).
    pub pixel_compression: PixelCompression,
    /// Size of the coded picture where it differs from the rectangle (`scaled_size`).
    pub scaled_size: Option<(u32, u32)>,
    /// Chroma sub-sampling of video: `YUV420P`, … (`csc`).
    pub csc: Option<ShortName>,
    /// Frame number within a video stream (`frame`).
    pub frame: Option<u64>,
    /// `IDR`, `I`, `P`, `B` where the server says (`type`).
    pub frame_type: Option<ShortName>,
    /// YUV uses 0..=255 (`full-range`).
    pub full_range: Option<bool>,
    /// Frames that the server's video encoder holds back (`delayed`): while it is not 0, the
    /// picture of this draw may come out of the decoder only with a later one.
    pub delayed: u32,
    /// `Some(false)`: decode, so that later video frames can refer to it, but do not show it
    /// (`paint`).
    pub paint: Option<bool>,
    /// Quality 0..=100 that the server encoded with.
    pub quality: Option<u32>,
    /// The server's window size at the time of the draw (`window-size`).
    pub window_size: Option<(u32, u32)>,
    /// Rectangles of a `scroll` draw.
    pub scroll: Vec<ScrollRect>,
    /// The colours of a png picture are not multiplied by alpha yet, and have to be. Not on the wire: the
    /// session knows.
    pub straight_alpha: bool,
}

/// One part of a `scroll` draw: the rectangle at (`x`, `y`) moves by (`dx`, `dy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrollRect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub dx: i32,
    pub dy: i32,
}

/// Reads the options; keys that Farpane does not know are skipped, wrong values refused.
///
/// # Errors
/// If a value of a known key is wrong.
pub fn parse(args: &mut Args<'_>) -> Result<DrawOptions, ArgError> {
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

/// The rectangles of a `scroll` draw; `None` if one is none.
pub fn scrolls(list: List<'_>) -> Option<Vec<ScrollRect>> {
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

/// Writes the options.
pub fn encode(options: &DrawOptions, packet: &mut Encoder<'_>) {
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

/// Writes one rectangle of a `scroll` draw.
pub fn encode_scroll(rect: ScrollRect, packet: &mut Encoder<'_>) {
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
