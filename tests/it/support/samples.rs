//! Pictures to decode: made by the encoders of the very libraries or of others.
#![expect(clippy::disallowed_methods, reason = "test data is not network or pixel traffic")]

use farpane::buffers::Payload;
use farpane::geometry::Size;
use openh264::OpenH264API;
use openh264::encoder::{Encoder, EncoderConfig, VuiConfig};
use openh264::formats::{RgbSliceU8, YUVBuffer};

/// A picture like a photograph, smooth with some texture, as RGBA. `shift` moves it, as in a film.
pub fn photo(size: Size, shift: u32) -> Vec<u8> {
    let mut rgba = Vec::with_capacity(size.width as usize * size.height as usize * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let (fx, fy) = (f64::from(x + shift) / 37.0, f64::from(y) / 29.0);
            let wave =
                |phase: f64| (127.5 + 90.0 * (fx + phase).sin() + 30.0 * (fy * 1.7 - phase).cos()) as u8;
            rgba.extend_from_slice(&[wave(0.0), wave(1.0), wave(2.0), (x * 3 + y * 5) as u8 | 1]);
        }
    }
    rgba
}

/// The picture with alpha 255.
pub fn opaque(mut rgba: Vec<u8>) -> Vec<u8> {
    rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    rgba
}

/// RGBA without its alpha.
pub fn without_alpha(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// What rgb draws carry when the server compresses them with lz4.
pub fn lz4(pixels: &[u8]) -> Vec<u8> {
    lz4_flex::block::compress_prepend_size(pixels)
}

/// What 3.1 sends where lz4 is off.
pub fn zlib(pixels: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(pixels).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// What 6.6 sends where it may.
pub fn zstd(pixels: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(pixels, 1).expect("writing to memory")
}

/// A PNG file of samples as they are.
pub fn png(
    size: Size,
    colours: png::ColorType,
    depth: png::BitDepth,
    palette: &[u8],
    samples: &[u8],
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(colours);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    let mut writer = encoder.write_header().expect("a valid header");
    writer.write_image_data(samples).expect("enough samples");
    writer.finish().expect("writing to memory");
    file
}

/// A JPEG file.
pub fn jpeg(size: Size, rgba: &[u8], subsampling: turbojpeg::Subsamp) -> Vec<u8> {
    let image = turbojpeg::Image {
        pixels: rgba,
        width: size.width as usize,
        pitch: size.width as usize * 4,
        height: size.height as usize,
        format: turbojpeg::PixelFormat::RGBA,
    };
    turbojpeg::compress(image, 90, subsampling).expect("a valid picture").to_vec()
}

/// A WebP file: lossless, or lossy without alpha.
pub fn webp(size: Size, rgba: &[u8], lossless: bool) -> Vec<u8> {
    let (width, height) = (size.width as i32, size.height as i32);
    let mut file = std::ptr::null_mut();
    #[expect(unsafe_code, reason = "libwebp's encoder has only a C interface")]
    // SAFETY: the picture has `height` rows of `stride` bytes; libwebp allocates `file`, and it is
    // copied before it is freed.
    unsafe {
        let len = if lossless {
            assert_eq!(rgba.len(), size.width as usize * size.height as usize * 4);
            libwebp_sys::WebPEncodeLosslessRGBA(rgba.as_ptr(), width, height, width * 4, &raw mut file)
        } else {
            let rgb = without_alpha(rgba);
            libwebp_sys::WebPEncodeRGB(rgb.as_ptr(), width, height, width * 3, 90.0, &raw mut file)
        };
        assert!(len > 0, "libwebp refused the picture");
        let copied = std::slice::from_raw_parts(file, len).to_vec();
        libwebp_sys::WebPFree(file.cast());
        copied
    }
}

/// A WebP file, lossy with alpha.
pub fn webp_alpha(size: Size, rgba: &[u8]) -> Vec<u8> {
    let (width, height) = (size.width as i32, size.height as i32);
    assert_eq!(rgba.len(), size.width as usize * size.height as usize * 4);
    let mut file = std::ptr::null_mut();
    #[expect(unsafe_code, reason = "libwebp's encoder has only a C interface")]
    // SAFETY: as in `webp`.
    unsafe {
        let len = libwebp_sys::WebPEncodeRGBA(rgba.as_ptr(), width, height, width * 4, 90.0, &raw mut file);
        assert!(len > 0, "libwebp refused the picture");
        let copied = std::slice::from_raw_parts(file, len).to_vec();
        libwebp_sys::WebPFree(file.cast());
        copied
    }
}

/// Access units of a film of [`photo`]s; the first is a key frame, the others refer to it.
pub fn h264(size: Size, frames: u32) -> Vec<Vec<u8>> {
    h264_with(size, frames, EncoderConfig::new())
}

/// The same, with colours described in the stream.
pub fn h264_described(size: Size, frames: u32, colours: VuiConfig) -> Vec<Vec<u8>> {
    h264_with(size, frames, EncoderConfig::new().vui(colours))
}

fn h264_with(size: Size, frames: u32, config: EncoderConfig) -> Vec<Vec<u8>> {
    let config = config
        .bitrate(openh264::encoder::BitRate::from_bps(8_000_000))
        .skip_frames(false)
        .rate_control_mode(openh264::encoder::RateControlMode::Off);
    let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).expect("an encoder");
    (0..frames)
        .map(|frame| {
            let rgb = without_alpha(&photo(size, frame));
            let source = RgbSliceU8::new(&rgb, (size.width as usize, size.height as usize));
            let yuv = YUVBuffer::from_rgb8_source(source);
            encoder.encode(&yuv).expect("a valid frame").to_vec()
        })
        .collect()
}

/// Peak signal-to-noise ratio in dB between the colours of two RGBA pictures.
pub fn psnr(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len(), "pictures of different sizes");
    let (mut sum, mut samples) = (0.0, 0.0);
    for (one, other) in one.chunks_exact(4).zip(other.chunks_exact(4)) {
        for channel in 0..3 {
            sum += (f64::from(one[channel]) - f64::from(other[channel])).powi(2);
            samples += 1.0;
        }
    }
    if sum == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 * samples / sum).log10() }
}

/// The bytes as a payload.
pub fn payload(bytes: Vec<u8>) -> Payload {
    Payload::from(bytes)
}
