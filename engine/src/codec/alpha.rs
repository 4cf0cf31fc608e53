//! Colours multiplied by alpha, and back. Windows are shown opaque, over black: there, colours that are
//! multiplied by alpha are those to show.

/// Multiplies the colours of RGBA (or BGRA) pixels by their alpha, rounded to the nearest.
pub fn multiply(pixels: &mut [u8]) {
    for [a, b, c, alpha] in pixels.as_chunks_mut::<4>().0 {
        for channel in [a, b, c] {
            let product = u32::from(*channel) * u32::from(*alpha);
            // INVARIANT: the product of two bytes, so at most 255 * 255.
            #[expect(clippy::cast_possible_truncation, reason = "a loop over all pixels")]
            let rounded = ((product + 127) / 255) as u8;
            *channel = rounded;
        }
    }
}

/// Divides the colours of RGBA (or BGRA) pixels by their alpha, rounded to the nearest. Colours that are
/// more than their alpha become the brightest.
pub fn divide(pixels: &mut [u8]) {
    for [a, b, c, alpha] in pixels.as_chunks_mut::<4>().0 {
        let whole = u32::from(*alpha);
        for channel in [a, b, c] {
            let part = (u32::from(*channel) * 255 + whole / 2).checked_div(whole).unwrap_or(0);
            *channel = u8::try_from(part).unwrap_or(u8::MAX);
        }
    }
}

/// The same, if the pixels look multiplied: no colour is more than its alpha.
pub fn divide_if_multiplied(pixels: &mut [u8]) {
    let is_multiplied = |[a, b, c, alpha]: &[u8; 4]| a.max(b).max(c) <= alpha;
    if pixels.as_chunks().0.iter().all(is_multiplied) {
        divide(pixels);
    }
}
