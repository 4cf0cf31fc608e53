//! Pictures to RGBA on the CPU, exactly and slowly: what the shaders are compared with.

use super::pixels::{PictureRef, PixelFormat, PixelsRef, PlaneRef, YuvFormat, YuvMatrix, YuvRef};

/// The picture as RGBA, 8 bits a channel, rows without padding.
///
/// Alpha is kept as it came; formats without alpha become opaque. A chroma sample is used for all
/// pixels that share it, without interpolation.
pub fn to_rgba<'a>(picture: impl Into<PictureRef<'a>>) -> Vec<u8> {
    let picture = picture.into();
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut rgba = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            rgba.extend(match picture.pixels {
                PixelsRef::Packed { format, rowstride, data } => {
                    packed_pixel(format, bytes_at(data, y * rowstride + x * format.bytes_per_pixel()))
                }
                PixelsRef::Yuv(yuv) => yuv_pixel(&yuv, x, y),
            });
        }
    }
    rgba
}

/// YUV to RGB in floating point, rounded at the end.
pub fn yuv_to_rgb(y: u8, u: u8, v: u8, matrix: YuvMatrix, full_range: bool) -> [u8; 3] {
    let (red_weight, blue_weight) = match matrix {
        YuvMatrix::Bt601 => (0.299, 0.114),
        YuvMatrix::Bt709 => (0.2126, 0.0722),
    };
    let green_weight = 1.0 - red_weight - blue_weight;
    let (luma_zero, luma_span, chroma_span) =
        if full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
    let luma = (f64::from(y) - luma_zero) / luma_span;
    let blue_difference = (f64::from(u) - 128.0) / chroma_span * 2.0 * (1.0 - blue_weight);
    let red_difference = (f64::from(v) - 128.0) / chroma_span * 2.0 * (1.0 - red_weight);
    let green = luma - (blue_weight * blue_difference + red_weight * red_difference) / green_weight;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range becomes the nearest, as in a shader"
    )]
    let rounded = |value: f64| (value * 255.0).round() as u8;
    [luma + red_difference, green, luma + blue_difference].map(rounded)
}

fn yuv_pixel(yuv: &YuvRef, x: usize, y: usize) -> [u8; 4] {
    let (chroma_x, chroma_y) = match yuv.format {
        YuvFormat::I420 => (x / 2, y / 2),
        YuvFormat::I422 => (x / 2, y),
        YuvFormat::I444 => (x, y),
    };
    let sample = |plane: PlaneRef<'_>, x: usize, y: usize| {
        let [sample] = bytes_at(plane.data, y * plane.rowstride + x);
        sample
    };
    let [luma, u, v] = yuv.planes;
    let (luma, u, v) = (sample(luma, x, y), sample(u, chroma_x, chroma_y), sample(v, chroma_x, chroma_y));
    let [red, green, blue] = yuv_to_rgb(luma, u, v, yuv.matrix, yuv.full_range);
    [red, green, blue, 255]
}

/// `bytes` are the pixel's, in memory order; for formats of fewer than four bytes others follow.
fn packed_pixel(format: PixelFormat, bytes: [u8; 4]) -> [u8; 4] {
    let [a, b, c, d] = bytes;
    let word = u32::from_le_bytes(bytes);
    match format {
        PixelFormat::Bgrx | PixelFormat::Bgr => [c, b, a, 255],
        PixelFormat::Bgra => [c, b, a, d],
        PixelFormat::Rgbx | PixelFormat::Rgb => [a, b, c, 255],
        PixelFormat::Rgba => [a, b, c, d],
        PixelFormat::Xrgb => [b, c, d, 255],
        PixelFormat::Argb => [b, c, d, a],
        PixelFormat::Xbgr => [d, c, b, 255],
        PixelFormat::Abgr => [d, c, b, a],
        PixelFormat::Bgr565 => [to_8_bits(word >> 11, 5), to_8_bits(word >> 5, 6), to_8_bits(word, 5), 255],
        PixelFormat::R210 => [to_8_bits(word >> 20, 10), to_8_bits(word >> 10, 10), to_8_bits(word, 10), 255],
        PixelFormat::Grey => [a, a, a, 255],
    }
}

/// The lowest `bits` bits of `value`, scaled to 0..=255.
fn to_8_bits(value: u32, bits: u32) -> u8 {
    let max = (1 << bits) - 1;
    u8::try_from(((value & max) * 255 + max / 2) / max).unwrap_or(u8::MAX)
}

/// The `N` bytes from `offset`, with 0 for those behind the end.
fn bytes_at<const N: usize>(data: &[u8], offset: usize) -> [u8; N] {
    std::array::from_fn(|index| data.get(offset + index).copied().unwrap_or(0))
}
