//! Packed pixels of any order and depth to `0x00RRGGBB`.

use crate::codec::PixelFormat;

/// Converts as many pixels as `to` has and `from` holds.
pub(super) fn row(format: PixelFormat, from: &[u8], to: &mut [u32]) {
    match format {
        PixelFormat::Bgrx | PixelFormat::Bgra => words(from, to, |word| word),
        PixelFormat::Rgbx | PixelFormat::Rgba => words(from, to, |word| word.swap_bytes() >> 8),
        PixelFormat::Xrgb | PixelFormat::Argb => words(from, to, u32::swap_bytes),
        PixelFormat::Xbgr | PixelFormat::Abgr => words(from, to, |word| word >> 8),
        PixelFormat::Rgb => triples(from, to, |word| word.swap_bytes() >> 8),
        PixelFormat::Bgr => triples(from, to, |word| word & 0x00ff_ffff),
        PixelFormat::Bgr565 => {
            for (pixel, to) in from.as_chunks::<2>().0.iter().zip(to) {
                let word = u32::from(u16::from_le_bytes(*pixel));
                *to = to_8_bits(word >> 11, 5) << 16 | to_8_bits(word >> 5, 6) << 8 | to_8_bits(word, 5);
            }
        }
        PixelFormat::R210 => words(from, to, |word| {
            to_8_bits(word >> 20, 10) << 16 | to_8_bits(word >> 10, 10) << 8 | to_8_bits(word, 10)
        }),
        PixelFormat::Grey => {
            for (grey, to) in from.iter().zip(to) {
                *to = u32::from(*grey) * 0x01_0101;
            }
        }
    }
}

fn words(from: &[u8], to: &mut [u32], convert: impl Fn(u32) -> u32) {
    for (pixel, to) in from.as_chunks::<4>().0.iter().zip(to) {
        *to = convert(u32::from_le_bytes(*pixel));
    }
}

/// Pixels of three bytes; `convert` gets them in the low bytes, with anything in the highest.
fn triples(from: &[u8], to: &mut [u32], convert: impl Fn(u32) -> u32) {
    // Four pixels are twelve bytes: read as three overlapping words and a last one.
    let (from, from_rest) = from.as_chunks::<12>();
    let (to, to_rest) = to.as_chunks_mut::<4>();
    for ([a, b, c, d, e, f, g, h, i, j, k, l], to) in from.iter().zip(&mut *to) {
        *to = [[*a, *b, *c, *d], [*d, *e, *f, *g], [*g, *h, *i, *j], [*j, *k, *l, 0]]
            .map(|pixel| convert(u32::from_le_bytes(pixel)));
    }
    // INVARIANT of the callers: `from` holds as many pixels as `to`, so the rests belong together.
    for ([a, b, c], to) in from_rest.as_chunks::<3>().0.iter().zip(to_rest) {
        *to = convert(u32::from_le_bytes([*a, *b, *c, 0]));
    }
}

/// The lowest `bits` bits of `value`, scaled to 0..=255.
fn to_8_bits(value: u32, bits: u32) -> u32 {
    let max = (1 << bits) - 1;
    ((value & max) * 255 + max / 2) / max
}
