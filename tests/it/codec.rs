//! Tests of codec.
#![expect(clippy::disallowed_methods, reason = "test data is not network or pixel traffic")]

mod h264;

use farpane::buffers::{BufferPool, Payload};
use farpane::codec::{
    Coded, DecodeError, MAX_SCROLL_RECTS, Picture, PictureRef, PixelFormat, Pixels, StillDecoder,
    VideoDecoder, YuvFormat, YuvMatrix, alpha, check_scroll, icon, reference,
};
use farpane::geometry::Size;
use farpane::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, RgbFormatName, ScrollRect};
use farpane::stats::{CopyLedger, Transform};
use png::{BitDepth, ColorType};
use proptest::prelude::*;
use turbojpeg::Subsamp;

use self::h264::video_options;
use crate::support::samples::{self, opaque, payload, photo, psnr};

const SIZE: Size = Size { width: 62, height: 45 };

fn still(
    encoding: Encoding,
    size: Size,
    rowstride: u32,
    options: &DrawOptions,
    data: &Payload,
) -> (Result<Picture, DecodeError>, CopyLedger) {
    let mut ledger = CopyLedger::default();
    let coded = Coded { encoding, data, size, rowstride, options };
    let picture = StillDecoder::new(BufferPool::default()).decode(&coded, &mut ledger);
    (picture, ledger)
}

fn decode(encoding: Encoding, size: Size, data: Vec<u8>) -> Result<Picture, DecodeError> {
    still(encoding, size, 0, &DrawOptions::default(), &payload(data)).0
}

fn rgb(format: RgbFormatName, compression: PixelCompression) -> DrawOptions {
    DrawOptions { rgb_format: Some(format), pixel_compression: compression, ..DrawOptions::default() }
}

/// The bytes of one pixel in the format, for a red, green, blue, alpha.
fn pixel_bytes(format: RgbFormatName, [r, g, b, a]: [u8; 4]) -> Vec<u8> {
    let wide = |v: u8, bits: u32| (u32::from(v) * ((1 << bits) - 1) + 127) / 255;
    match format {
        RgbFormatName::Bgr => vec![b, g, r],
        RgbFormatName::Rgb => vec![r, g, b],
        RgbFormatName::Bgra => vec![b, g, r, a],
        RgbFormatName::Bgrx => vec![b, g, r, 7],
        RgbFormatName::Rgba => vec![r, g, b, a],
        RgbFormatName::Rgbx => vec![r, g, b, 7],
        RgbFormatName::Xrgb => vec![7, r, g, b],
        RgbFormatName::Argb => vec![a, r, g, b],
        RgbFormatName::Xbgr => vec![7, b, g, r],
        RgbFormatName::Abgr => vec![a, b, g, r],
        RgbFormatName::Bgr565 => {
            ((wide(r, 5) << 11 | wide(g, 6) << 5 | wide(b, 5)) as u16).to_le_bytes().to_vec()
        }
        RgbFormatName::R210 => (wide(r, 10) << 20 | wide(g, 10) << 10 | wide(b, 10)).to_le_bytes().to_vec(),
        RgbFormatName::Other => Vec::new(),
    }
}

#[test]
fn every_rgb_order_shows_the_same_colours() {
    let colours = [[255, 0, 0, 10], [0, 255, 0, 20], [0, 0, 255, 30], [255, 255, 255, 40], [0, 0, 0, 50]];
    let size = Size { width: 5, height: 1 };
    for (format, alpha) in [
        (RgbFormatName::Bgr, false),
        (RgbFormatName::Rgb, false),
        (RgbFormatName::Bgra, true),
        (RgbFormatName::Bgrx, false),
        (RgbFormatName::Rgba, true),
        (RgbFormatName::Rgbx, false),
        (RgbFormatName::Xrgb, false),
        (RgbFormatName::Argb, true),
        (RgbFormatName::Xbgr, false),
        (RgbFormatName::Abgr, true),
        (RgbFormatName::Bgr565, false),
        (RgbFormatName::R210, false),
    ] {
        let data: Vec<u8> = colours.iter().flat_map(|c| pixel_bytes(format, *c)).collect();
        let options = rgb(format, PixelCompression::None);
        let picture = still(Encoding::Rgb32, size, 0, &options, &payload(data)).0.expect("a valid picture");
        let expected: Vec<u8> =
            colours.iter().flat_map(|c| [c[0], c[1], c[2], if alpha { c[3] } else { 255 }]).collect();
        assert_eq!(reference::to_rgba(&picture), expected, "{format:?}");
    }
}

#[test]
fn raw_rgb_is_the_payload_itself() {
    let rowstride = SIZE.width * 4 + 8;
    let data = payload(vec![9; (rowstride * SIZE.height) as usize]);
    let options = rgb(RgbFormatName::Bgrx, PixelCompression::None);
    let (picture, ledger) = still(Encoding::Rgb32, SIZE, rowstride, &options, &data);
    match picture.expect("a valid picture").pixels {
        Pixels::Packed { format: PixelFormat::Bgrx, data: pixels, .. } => {
            assert_eq!(pixels.as_ptr(), data.as_ptr());
        }
        other => panic!("unexpected {other:?}"),
    }
    assert_eq!(ledger, CopyLedger::default());
}

#[test]
fn rgb_rows_must_fit() {
    let (row, height) = (SIZE.width as usize * 4, SIZE.height as usize);
    let check = |rowstride: u32, bytes: usize| {
        let options = rgb(RgbFormatName::Rgba, PixelCompression::None);
        still(Encoding::Rgb32, SIZE, rowstride, &options, &payload(vec![0; bytes])).0
    };
    let padded = row as u32 + 8;
    assert!(check(0, row * height).is_ok());
    assert!(check(padded, (row + 8) * height).is_ok());
    assert!(check(padded, (row + 8) * height - 8).is_ok(), "the last row's padding may be missing");
    let short = (row + 8) * height - 9;
    assert!(matches!(check(padded, short), Err(DecodeError::PixelBytes { got, .. }) if got == short));
    assert!(matches!(check(0, row * height + 1), Err(DecodeError::PixelBytes { .. })));
    assert!(matches!(check(row as u32 - 1, row * height), Err(DecodeError::Rowstride { .. })));
    assert!(check(row as u32 + 4096, (row + 4096) * height).is_ok());
    for rowstride in [row as u32 + 4097, u32::MAX] {
        assert!(matches!(check(rowstride, row * height), Err(DecodeError::RowPadding { .. })));
    }
}

#[test]
fn rgb_without_a_format_follows_the_encoding() {
    let size = Size { width: 1, height: 1 };
    let rgb24 = decode(Encoding::Rgb24, size, vec![1, 2, 3]).expect("a valid picture");
    let rgb32 = decode(Encoding::Rgb32, size, vec![1, 2, 3, 4]).expect("a valid picture");
    assert_eq!(reference::to_rgba(&rgb24), [1, 2, 3, 255]);
    assert_eq!(reference::to_rgba(&rgb32), [1, 2, 3, 255]);
    let options = rgb(RgbFormatName::Other, PixelCompression::None);
    let unknown = still(Encoding::Rgb32, size, 0, &options, &payload(vec![0; 4])).0;
    assert!(matches!(unknown, Err(DecodeError::PixelFormat)));
}

/// A zstd frame that does not say its size.
fn streamed(pixels: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(pixels, 1).expect("writing to memory")
}

#[test]
fn compressed_rgb_is_written_once() {
    let pixels = photo(SIZE, 0);
    for (compression, data) in [
        (PixelCompression::Lz4, samples::lz4(&pixels)),
        (PixelCompression::Zlib, samples::zlib(&pixels)),
        (PixelCompression::Zstd, samples::zstd(&pixels)),
        // A frame that does not say its size.
        (PixelCompression::Zstd, streamed(&pixels)),
    ] {
        let options = rgb(RgbFormatName::Rgba, compression);
        let (picture, ledger) = still(Encoding::Rgb32, SIZE, SIZE.width * 4, &options, &payload(data));
        assert_eq!(reference::to_rgba(&picture.expect("a valid picture")), pixels);
        assert_eq!(ledger.copied_bytes(), 0);
        assert_eq!(ledger.transformed_by(Transform::Decompress), pixels.len() as u64);
        assert_eq!(ledger.transformed_bytes(), pixels.len() as u64);
    }
}

#[test]
fn compressed_rgb_of_another_size_is_refused_before_it_is_written() {
    let pixels = photo(Size { width: 62, height: 46 }, 0);
    let lz4 = rgb(RgbFormatName::Rgba, PixelCompression::Lz4);
    let check = |options: &DrawOptions, data: Vec<u8>| {
        let (picture, ledger) = still(Encoding::Rgb32, SIZE, 0, options, &payload(data));
        (picture.expect_err("a picture of another size"), ledger.allocated_bytes)
    };
    let (error, allocated) = check(&lz4, samples::lz4(&pixels));
    assert!(matches!(error, DecodeError::PixelBytes { got: 11408, min: 11160, max: 11160 }), "{error}");
    assert_eq!(allocated, 0);
    let mut bomb = u32::MAX.to_le_bytes().to_vec();
    bomb.extend_from_slice(&[0x1f; 100]);
    assert_eq!(check(&lz4, bomb).1, 0);
    assert_eq!(check(&lz4, vec![1, 2]).1, 0);
    let zlib = rgb(RgbFormatName::Rgba, PixelCompression::Zlib);
    let (error, allocated) = check(&zlib, samples::zlib(&pixels));
    assert!(matches!(error, DecodeError::ZlibEnd { got: 11160 }), "{error}");
    assert!(allocated < 16 * 1024, "{allocated} bytes");
    let zstd = rgb(RgbFormatName::Rgba, PixelCompression::Zstd);
    let (error, allocated) = check(&zstd, samples::zstd(&pixels));
    assert!(matches!(error, DecodeError::PixelBytes { got: 11408, min: 11160, max: 11160 }), "{error}");
    assert_eq!(allocated, 0);
    assert_eq!(check(&zstd, vec![1, 2, 3]).1, 0);
    // Frames that do not say their size.
    let (error, allocated) = check(&zstd, streamed(&vec![0; 10_000_000]));
    assert!(error.to_string().contains("allowed are"), "{error}");
    assert!(allocated < 64 * 1024, "{allocated} bytes");
    let (error, _) = check(&zstd, streamed(&pixels[..11_100]));
    assert!(matches!(error, DecodeError::PixelBytes { got: 11_100, .. }), "{error}");
    let (error, _) = check(&rgb(RgbFormatName::Rgba, PixelCompression::Other), pixels);
    assert!(matches!(error, DecodeError::PixelCompression));
}

#[test]
fn png_of_every_colour_type() {
    let rgba = photo(SIZE, 0);
    let pixels = (SIZE.width * SIZE.height) as usize;
    let rgb = samples::without_alpha(&rgba);
    let grey: Vec<u8> = rgba.chunks_exact(4).map(|p| p[0]).collect();
    let grey_alpha: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[3]]).collect();
    let wide: Vec<u8> = rgb.iter().flat_map(|v| [*v, 0x55]).collect();
    let palette: Vec<u8> = (0..=255).flat_map(|v: u8| [v, 255 - v, v / 2]).collect();
    let bits: Vec<u8> = (0..SIZE.height).flat_map(|_| [0xaa_u8; 8]).collect();

    let check = |encoding, colours, depth, palette: &[u8], samples: &[u8], expected: Vec<u8>| {
        let file = samples::png(SIZE, colours, depth, palette, samples);
        let picture = decode(encoding, SIZE, file).expect("a valid picture");
        assert_eq!(reference::to_rgba(&picture), expected, "{colours:?} {depth:?}");
    };
    let from_grey = |grey: &[u8]| grey.iter().flat_map(|v| [*v, *v, *v, 255]).collect::<Vec<u8>>();
    check(Encoding::Png, ColorType::Rgba, BitDepth::Eight, &[], &rgba, rgba.clone());
    check(Encoding::Png, ColorType::Rgb, BitDepth::Eight, &[], &rgb, opaque(rgba.clone()));
    check(Encoding::Png, ColorType::Rgb, BitDepth::Sixteen, &[], &wide, opaque(rgba.clone()));
    check(Encoding::PngGrey, ColorType::Grayscale, BitDepth::Eight, &[], &grey, from_grey(&grey));
    let expected = rgba.chunks_exact(4).flat_map(|p| [p[0], p[0], p[0], p[3]]).collect();
    check(Encoding::PngGrey, ColorType::GrayscaleAlpha, BitDepth::Eight, &[], &grey_alpha, expected);
    let expected = grey.iter().flat_map(|v| [*v, 255 - *v, *v / 2, 255]).collect();
    check(Encoding::PngPalette, ColorType::Indexed, BitDepth::Eight, &palette, &grey, expected);
    let stripes: Vec<u8> =
        (0..pixels).map(|i| if (i % SIZE.width as usize).is_multiple_of(2) { 255 } else { 0 }).collect();
    check(Encoding::PngGrey, ColorType::Grayscale, BitDepth::One, &[], &bits, from_grey(&stripes));
}

#[test]
fn png_interlaced() {
    // convert -size 9x7 gradient:red-blue -interlace PNG -define png:color-type=2 -strip (ImageMagick 6.9.11)
    const FILE: &str = "89504e470d0a1a0a0000000d49484452000000090000000708020000012\
        2fec0a10000004849444154 08d76d8dc10d80300c03cf12d3c03c65c8b20ecc631ea1522c9157cecac5320018349805\
        aaf00b341 9b4113 8b8d376b5e380d0f4b0ff3e2beb5cbb41d175701b29a54a5effec140d245b61a70000000049454e44ae426082";
    const FIRST_OF_ROW: [[u8; 3]; 7] =
        [[255, 0, 0], [213, 0, 42], [170, 0, 85], [128, 0, 128], [85, 0, 170], [43, 0, 212], [0, 0, 255]];
    let size = Size { width: 9, height: 7 };
    let picture = decode(Encoding::Png, size, bytes_of(FILE)).expect("a valid picture");
    for (row, first) in reference::to_rgba(&picture).chunks_exact(9 * 4).zip(FIRST_OF_ROW) {
        assert_eq!(row[..3], first);
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).expect("a digit")).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn jpeg_leaves_as_planes() {
    // Odd sizes: the chroma planes are rounded up.
    let size = Size { width: 161, height: 99 };
    let original = opaque(photo(size, 0));
    for (subsampling, expected) in [
        (Subsamp::Sub2x2, Some(YuvFormat::I420)),
        (Subsamp::Sub2x1, Some(YuvFormat::I422)),
        (Subsamp::None, Some(YuvFormat::I444)),
        (Subsamp::Sub1x2, None),
        (Subsamp::Sub4x1, None),
    ] {
        let file = payload(samples::jpeg(size, &original, subsampling));
        let (picture, ledger) = still(Encoding::Jpeg, size, 0, &DrawOptions::default(), &file);
        let picture = picture.expect("a valid picture");
        match (&picture.pixels, expected) {
            (Pixels::Yuv(yuv), Some(format)) => {
                assert_eq!((yuv.format, yuv.matrix, yuv.full_range), (format, YuvMatrix::Bt601, true));
            }
            (Pixels::Packed { format: PixelFormat::Rgbx, .. }, None) => {}
            (pixels, _) => panic!("{subsampling:?} gave {pixels:?}"),
        }
        let quality = psnr(&reference::to_rgba(&picture), &original);
        assert!(quality > 33.0, "{subsampling:?}: {quality} dB");
        assert_eq!(ledger.copied_bytes(), 0);
        assert_eq!(ledger.transformed_by(Transform::Decode), picture.data_len() as u64);
    }
}

#[test]
fn jpeg_grey() {
    let original: Vec<u8> = photo(SIZE, 0).chunks_exact(4).flat_map(|p| [p[0], p[0], p[0], 255]).collect();
    let picture = decode(Encoding::Jpeg, SIZE, samples::jpeg(SIZE, &original, Subsamp::Gray));
    let picture = picture.expect("a valid picture");
    assert!(matches!(picture.pixels, Pixels::Packed { format: PixelFormat::Grey, .. }));
    assert!(psnr(&reference::to_rgba(&picture), &original) > 33.0);
}

#[test]
fn webp_lossless_is_exact() {
    let with_alpha = photo(SIZE, 0);
    let picture = decode(Encoding::Webp, SIZE, samples::webp(SIZE, &with_alpha, true));
    let picture = reference::to_rgba(&picture.expect("a valid picture"));
    // The encoder clears the colours of transparent pixels; there are none here.
    assert_eq!(with_alpha.chunks_exact(4).filter(|p| p[3] == 0).count(), 0);
    assert_eq!(picture, with_alpha);
    let solid = opaque(with_alpha);
    let picture = decode(Encoding::Webp, SIZE, samples::webp(SIZE, &solid, true)).expect("a valid picture");
    assert!(matches!(picture.pixels, Pixels::Packed { format: PixelFormat::Rgbx, .. }));
    assert_eq!(reference::to_rgba(&picture), solid);
}

#[test]
fn webp_lossy_leaves_as_planes() {
    let size = Size { width: 161, height: 99 };
    let original = photo(size, 0);
    let picture =
        decode(Encoding::Webp, size, samples::webp(size, &original, false)).expect("a valid picture");
    match &picture.pixels {
        Pixels::Yuv(yuv) => assert_eq!((yuv.format, yuv.full_range), (YuvFormat::I420, false)),
        other => panic!("unexpected {other:?}"),
    }
    let quality = psnr(&reference::to_rgba(&picture), &original);
    assert!(quality > 33.0, "{quality} dB");

    let picture =
        decode(Encoding::Webp, size, samples::webp_alpha(size, &original)).expect("a valid picture");
    assert!(matches!(picture.pixels, Pixels::Packed { format: PixelFormat::Rgba, .. }));
    assert!(psnr(&reference::to_rgba(&picture), &original) > 30.0);
}

#[test]
fn a_picture_may_be_smaller_than_its_draw_but_not_larger() {
    let small = photo(SIZE, 0);
    let file = |encoding| match encoding {
        Encoding::Png => samples::png(SIZE, ColorType::Rgba, BitDepth::Eight, &[], &small),
        Encoding::Jpeg => samples::jpeg(SIZE, &small, Subsamp::Sub2x2),
        _ => samples::webp(SIZE, &small, true),
    };
    for encoding in [Encoding::Png, Encoding::Jpeg, Encoding::Webp] {
        let picture =
            decode(encoding, Size { width: 120, height: 90 }, file(encoding)).expect("a scaled picture");
        assert_eq!((picture.width, picture.height), (SIZE.width, SIZE.height));
        for too_small in [Size { width: 61, height: 45 }, Size { width: 62, height: 44 }] {
            let error = decode(encoding, too_small, file(encoding)).expect_err("a larger picture");
            assert!(matches!(error, DecodeError::LargerThanDraw { .. }), "{error}");
        }
    }
}

#[test]
fn other_encodings_are_refused() {
    for (encoding, name) in [(Encoding::Other, "other"), (Encoding::H264, "h264")] {
        let error = decode(encoding, SIZE, Vec::new()).expect_err("no still picture");
        assert!(error.to_string().starts_with(name), "{error}");
    }
    for size in [Size { width: 0, height: 5 }, Size { width: 16385, height: 5 }] {
        assert!(matches!(decode(Encoding::Png, size, Vec::new()), Err(DecodeError::Dimensions { .. })));
    }
}

#[test]
fn scroll_rectangles_are_bounded() {
    let rect = ScrollRect { x: -5, y: 0, width: 10, height: 10, dx: 0, dy: -30_000 };
    assert!(check_scroll(&[rect]).is_ok());
    assert!(check_scroll(&[]).is_err());
    assert!(check_scroll(&vec![rect; MAX_SCROLL_RECTS]).is_ok());
    assert!(check_scroll(&vec![rect; MAX_SCROLL_RECTS + 1]).is_err());
    assert!(matches!(
        check_scroll(&[rect, ScrollRect { width: 0, ..rect }]),
        Err(DecodeError::ScrollRect { index: 1, .. })
    ));
}

#[test]
fn icons_become_rgba() {
    let size = Size { width: 2, height: 1 };
    let bgra = payload(vec![3, 2, 1, 4, 7, 6, 5, 8]);
    let expected = (size, vec![1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(icon::to_rgba("BGRA", size, 8, &bgra).expect("a valid icon"), expected);
    let file = payload(samples::png(size, ColorType::Rgba, BitDepth::Eight, &[], &expected.1));
    assert_eq!(icon::to_rgba("png", size, 0, &file).expect("a valid icon"), expected);
    assert!(icon::to_rgba("BGRA", size, 8, &payload(vec![0; 7])).is_err());
    assert!(icon::to_rgba("tiff", size, 8, &bgra).is_err());
    assert!(icon::to_rgba("BGRA", Size { width: 4000, height: 1 }, 0, &bgra).is_err());
}

#[test]
fn yuv_conversion_hits_the_corners() {
    for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709] {
        assert_eq!(reference::yuv_to_rgb(16, 128, 128, matrix, false), [0, 0, 0]);
        assert_eq!(reference::yuv_to_rgb(235, 128, 128, matrix, false), [255, 255, 255]);
        assert_eq!(reference::yuv_to_rgb(0, 128, 128, matrix, true), [0, 0, 0]);
        assert_eq!(reference::yuv_to_rgb(255, 128, 128, matrix, true), [255, 255, 255]);
    }
    // Red in each system, from the standards' tables.
    assert_eq!(reference::yuv_to_rgb(81, 90, 240, YuvMatrix::Bt601, false), [254, 0, 0]);
    assert_eq!(reference::yuv_to_rgb(63, 102, 240, YuvMatrix::Bt709, false), [255, 1, 0]);
    assert_eq!(reference::yuv_to_rgb(76, 85, 255, YuvMatrix::Bt601, true), [254, 0, 0]);
}

/// One valid draw of each encoding, to be damaged.
fn samples() -> Vec<(Encoding, DrawOptions, Vec<u8>)> {
    let rgba = photo(SIZE, 0);
    let grey: Vec<u8> = rgba.chunks_exact(4).map(|p| p[0]).collect();
    let palette: Vec<u8> = (0..=255).flat_map(|v: u8| [v, 255 - v, v / 2]).collect();
    let plain = DrawOptions::default();
    vec![
        (Encoding::Rgb32, rgb(RgbFormatName::Rgba, PixelCompression::None), rgba.clone()),
        (Encoding::Rgb32, rgb(RgbFormatName::Rgba, PixelCompression::Lz4), samples::lz4(&rgba)),
        (Encoding::Rgb32, rgb(RgbFormatName::Rgba, PixelCompression::Zlib), samples::zlib(&rgba)),
        (Encoding::Png, plain.clone(), samples::png(SIZE, ColorType::Rgba, BitDepth::Eight, &[], &rgba)),
        (
            Encoding::PngPalette,
            plain.clone(),
            samples::png(SIZE, ColorType::Indexed, BitDepth::Eight, &palette, &grey),
        ),
        (Encoding::Jpeg, plain.clone(), samples::jpeg(SIZE, &rgba, Subsamp::Sub2x2)),
        (Encoding::Webp, plain.clone(), samples::webp(SIZE, &rgba, false)),
        (Encoding::Webp, plain.clone(), samples::webp(SIZE, &rgba, true)),
        (Encoding::H264, video_options(0), samples::h264(SIZE_EVEN, 1).remove(0)),
    ]
}

const SIZE_EVEN: Size = Size { width: 62, height: 44 };

/// Decodes damaged data: whatever comes out, it must be a picture that fits.
fn survive(still: &mut StillDecoder, encoding: Encoding, options: &DrawOptions, data: Vec<u8>) {
    let data = payload(data);
    let size = if encoding == Encoding::H264 { SIZE_EVEN } else { SIZE };
    let coded = Coded { encoding, data: &data, size, rowstride: 0, options };
    let mut ledger = CopyLedger::default();
    let (mut video, still_picture);
    let picture = if encoding == Encoding::H264 {
        video = VideoDecoder::default();
        video.decode(&coded, &mut ledger).ok().flatten()
    } else {
        still_picture = still.decode(&coded, &mut ledger).ok();
        still_picture.as_ref().map(PictureRef::from)
    };
    if let Some(picture) = picture {
        assert!(picture.width <= size.width && picture.height <= size.height);
        reference::to_rgba(picture);
    }
    assert!(ledger.allocated_bytes <= 2 * u64::from(SIZE.width * SIZE.height) * 4);
}

#[test]
fn truncated_pictures_are_refused() {
    let mut still = StillDecoder::new(BufferPool::default());
    for (encoding, options, data) in samples() {
        for len in (0..data.len()).step_by(data.len() / 64 + 1) {
            survive(&mut still, encoding, &options, data[..len].to_vec());
        }
        // Half a picture is none. (libjpeg fills the rest with grey but says so; so do we.)
        if encoding != Encoding::H264 {
            let half = payload(data[..data.len() / 2].to_vec());
            let coded = Coded { encoding, data: &half, size: SIZE, rowstride: 0, options: &options };
            let error = still.decode(&coded, &mut CopyLedger::default());
            assert!(error.is_err(), "half a {encoding:?} was accepted");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn damaged_pictures_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut still = StillDecoder::new(BufferPool::default());
        for (encoding, options, mut data) in samples() {
            for (index, value) in &changes {
                let index = index.index(data.len());
                data[index] = *value;
            }
            survive(&mut still, encoding, &options, data);
        }
    }

    #[test]
    fn noise_does_no_harm(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut still = StillDecoder::new(BufferPool::default());
        for encoding in Encoding::ALL {
            survive(&mut still, encoding, &DrawOptions::default(), noise.clone());
        }
    }
}

/// 6.x sends png alone with its colours as they are, and everything else multiplied by alpha.
#[test]
fn straight_colours_are_multiplied_where_that_is_wanted() {
    let size = Size { width: 4, height: 1 };
    let rgba = [255, 255, 255, 128, 200, 100, 0, 255, 9, 8, 7, 0, 255, 0, 3, 1];
    let multiplied = [128, 128, 128, 128, 200, 100, 0, 255, 0, 0, 0, 0, 1, 0, 0, 1];
    let png = payload(samples::png(size, ColorType::Rgba, BitDepth::Eight, &[], &rgba));
    for (straight_alpha, expected) in [(false, rgba), (true, multiplied)] {
        let options = DrawOptions { straight_alpha, ..DrawOptions::default() };
        let (picture, ledger) = still(Encoding::Png, size, 0, &options, &png);
        assert_eq!(reference::to_rgba(&picture.expect("a valid picture")), expected);
        assert_eq!(ledger.transformed_by(Transform::Convert), if straight_alpha { 16 } else { 0 });
    }
}

#[test]
fn divided_colours_are_those_that_were_multiplied() {
    for alpha in 0..=255_u8 {
        let pixels: Vec<u8> = (0..=255).flat_map(|colour| [colour, 255 - colour, 0, alpha]).collect();
        let mut multiplied = pixels.clone();
        alpha::multiply(&mut multiplied);
        let mut divided = multiplied.clone();
        alpha::divide(&mut divided);
        // Fewer steps are left of darker ones; multiplied again they are the same.
        let step = if alpha == 0 { 255 } else { 128_u8.div_ceil(alpha) };
        let near = |(got, want): (&u8, &u8)| got.abs_diff(*want) <= step;
        assert!(divided.iter().zip(&pixels).all(near), "{alpha}");
        alpha::multiply(&mut divided);
        assert_eq!(divided, multiplied, "{alpha}");
    }
    let straight = [250, 0, 0, 100, 50, 50, 50, 100];
    let mut same = straight;
    alpha::divide_if_multiplied(&mut same);
    assert_eq!(same, straight, "a colour is brighter than its alpha lets it be");
    let mut divided = [50, 0, 0, 100, 100, 50, 50, 100];
    alpha::divide_if_multiplied(&mut divided);
    assert_eq!(divided, [128, 0, 0, 100, 255, 128, 128, 100]);
}
