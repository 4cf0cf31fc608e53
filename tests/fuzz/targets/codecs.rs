//! The decoders' entry: whatever the data and the draw, there is an error or a picture that fits the draw and whose
//! pixels are all there.

use farpane::buffers::{BufferPool, Payload};
use farpane::codec::{
    Coded, CompressedPixels, DecodeError, MAX_SCROLL_RECTS, PictureRef, PixelsRef, StillDecoder,
    VideoDecoder, check_scroll, icon as icons, reference,
};
use farpane::geometry::Size;
use farpane::protocol::packet::ShortName;
use farpane::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, RgbFormatName, ScrollRect};
use farpane::stats::CopyLedger;

use super::Input;

/// Pixels of a picture that is converted as a whole, which takes long.
const CONVERTED: usize = 4096;
/// Frames of one film at most.
const MAX_FRAMES: u64 = 8;

const FORMATS: [RgbFormatName; 13] = [
    RgbFormatName::Bgr,
    RgbFormatName::Bgr565,
    RgbFormatName::Bgra,
    RgbFormatName::Bgrx,
    RgbFormatName::R210,
    RgbFormatName::Rgb,
    RgbFormatName::Rgba,
    RgbFormatName::Rgbx,
    RgbFormatName::Xrgb,
    RgbFormatName::Argb,
    RgbFormatName::Xbgr,
    RgbFormatName::Abgr,
    RgbFormatName::Other,
];
const COMPRESSIONS: [PixelCompression; 5] = [
    PixelCompression::None,
    PixelCompression::Lz4,
    PixelCompression::Zlib,
    PixelCompression::Zstd,
    PixelCompression::Other,
];

/// Width and height up to 255, one in four of them 8 times that.
fn size(input: &mut Input<'_>) -> Size {
    let (width, height, choice) = (u32::from(input.u8()), u32::from(input.u8()), input.u8());
    let factor = |bit: u8| if choice & (3 << bit) == 3 << bit { 8 } else { 1 };
    Size { width: width * factor(0), height: height * factor(2) }
}

/// A picture that a decoder gave is no larger than the draw, and all of it is there.
fn check(picture: PictureRef<'_>, limit: Size) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    assert!(picture.width <= limit.width && picture.height <= limit.height, "{width} x {height}: {limit:?}");
    assert!(width > 0 && height > 0);
    let rows = |data: &[u8], rowstride: usize, row: usize, rows: usize| {
        assert!(row <= rowstride || rows == 1, "rows of {row} bytes, {rowstride} apart");
        assert!((rows - 1) * rowstride + row <= data.len(), "{rows} rows of {row} in {}", data.len());
    };
    match picture.pixels {
        PixelsRef::Packed { format, rowstride, data } => {
            rows(data, rowstride, width * format.bytes_per_pixel(), height);
        }
        PixelsRef::Yuv(yuv) => {
            let (chroma_width, chroma_height) = yuv.format.chroma_size(picture.width, picture.height);
            let chroma = (chroma_width as usize, chroma_height as usize);
            for (plane, (width, height)) in yuv.planes.iter().zip([(width, height), chroma, chroma]) {
                rows(plane.data, plane.rowstride, width, height);
            }
        }
    }
    if width * height <= CONVERTED {
        assert_eq!(reference::to_rgba(picture).len(), width * height * 4);
    }
}

/// Decodes twice with the same decoder: what the first time left behind changes nothing.
fn still(encoding: Encoding, size: Size, rowstride: u32, options: &DrawOptions, data: &[u8]) {
    let data = Payload::from(data.to_vec());
    let coded = Coded { encoding, data: &data, size, rowstride, options };
    let mut decoder = StillDecoder::new(BufferPool::default());
    let mut decode = || decoder.decode(&coded, &mut CopyLedger::default());
    let first = decode();
    if let Ok(picture) = &first {
        check(picture.into(), size);
    }
    assert_eq!(decode().is_ok(), first.is_ok());
    assert!(coded.memory_bytes() < 1 << 32);
    if CompressedPixels::is(&coded)
        && let Ok(pixels) = CompressedPixels::new(&coded)
    {
        let mut unpacked = vec![0; pixels.unpacked_len()];
        let result = pixels.unpack_into(&mut unpacked, &mut CopyLedger::default());
        assert_eq!(result.is_ok(), first.is_ok(), "{result:?}, {first:?}");
    }
}

/// Plain pixels, compressed or not.
pub fn rgb(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    let encoding = input.one_of(&[Encoding::Rgb24, Encoding::Rgb32]);
    let options = DrawOptions {
        rgb_format: Some(input.one_of(&FORMATS)).filter(|_| encoding == Encoding::Rgb32 || bytes.len() > 64),
        pixel_compression: input.one_of(&COMPRESSIONS),
        ..DrawOptions::default()
    };
    let rowstride = u32::from(input.u16());
    still(encoding, size, rowstride, &options, input.0);
}

/// PNG files.
pub fn png(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    let options = DrawOptions { straight_alpha: input.u8() & 1 == 1, ..DrawOptions::default() };
    still(Encoding::Png, size, 0, &options, input.0);
}

/// JPEG files.
pub fn jpeg(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    still(Encoding::Jpeg, size, 0, &DrawOptions::default(), input.0);
}

/// WebP files.
pub fn webp(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    still(Encoding::Webp, size, 0, &DrawOptions::default(), input.0);
}

/// Films: access units, each with its length.
pub fn h264(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    let mut decoder = VideoDecoder::default();
    for number in 0..MAX_FRAMES {
        if input.0.is_empty() {
            break;
        }
        let (choice, len) = (input.u8(), usize::from(input.u16()));
        let data = Payload::from(input.bytes(len).to_vec());
        let options = DrawOptions {
            frame: Some(if choice & 1 == 1 { 0 } else { number }),
            csc: ShortName::new("YUV420P"),
            delayed: u32::from(choice >> 1 & 3),
            ..DrawOptions::default()
        };
        let coded = Coded { encoding: Encoding::H264, data: &data, size, rowstride: 0, options: &options };
        let expected = VideoDecoder::expected_bytes(&coded);
        assert!(expected < 1 << 30, "{expected} bytes for {size:?}");
        if let Ok(Some(picture)) = decoder.decode(&coded, &mut CopyLedger::default()) {
            check(picture, size);
        }
    }
}

/// Rectangles to move.
pub fn scroll(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut rects = Vec::new();
    while !input.0.is_empty() {
        let mut number = || i32::from_le_bytes(input.array());
        let (x, y, width, height) = (number(), number(), number().cast_unsigned(), number().cast_unsigned());
        rects.push(ScrollRect { x, y, width, height, dx: number(), dy: number() });
    }
    let valid = |rect: &ScrollRect| (1..=16384).contains(&rect.width) && (1..=16384).contains(&rect.height);
    let result: Result<(), DecodeError> = check_scroll(&rects);
    assert_eq!(
        result.is_ok(),
        !rects.is_empty() && rects.iter().all(valid) && rects.len() <= MAX_SCROLL_RECTS
    );
}

/// Icons and cursors.
pub fn icon(bytes: &[u8]) {
    let mut input = Input(bytes);
    let size = size(&mut input);
    let names = ["BGRA", "raw", "premult_argb32", "RGBA", "default", "png", "jpeg", "webp", "h264", "none"];
    let (name, rowstride) = (input.one_of(&names), u32::from(input.u16()));
    if let Ok((size, rgba)) = icons::to_rgba(name, size, rowstride, &Payload::from(input.0.to_vec())) {
        assert_eq!(rgba.len(), size.width as usize * size.height as usize * 4);
    }
}
