//! The conversion of [`super::yuv`] for chroma that is halved across, in AVX2: the very same numbers.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_and_si256, _mm256_cvtepu8_epi16, _mm256_mulhi_epi16,
    _mm256_packus_epi16, _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_srai_epi16, _mm256_srli_epi16, _mm256_sub_epi16, _mm256_unpackhi_epi8,
    _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
    _mm256_unpacklo_epi32,
};

use super::yuv::Matrix;

/// Pixels that are converted at once.
const BLOCK: usize = 32;

/// Converts the first pixels of a row, and returns how many: all but a rest of less than
/// [`BLOCK`].
#[target_feature(enable = "avx2")]
pub(super) fn convert_row(matrix: &Matrix, (y, u, v): (&[u8], &[u8], &[u8]), to: &mut [u32]) -> usize {
    let splat = _mm256_set1_epi16;
    let (luma_zero, luma_factor) = (splat(matrix.luma_zero), splat(matrix.luma));
    let (red_of_v, green_of_u) = (splat(matrix.red_of_v), splat(matrix.green_of_u));
    let (green_of_v, blue_of_u) = (splat(matrix.green_of_v), splat(matrix.blue_of_u));
    let (middle, half, zero) = (splat(128), splat(16), _mm256_setzero_si256());
    let chroma = |samples: &[u8; BLOCK / 2]| {
        let samples = _mm256_cvtepu8_epi16(bytemuck::cast(*samples));
        _mm256_slli_epi16::<8>(_mm256_sub_epi16(samples, middle))
    };
    let luma = |samples: __m256i| {
        let samples = _mm256_slli_epi16::<7>(_mm256_sub_epi16(samples, luma_zero));
        _mm256_add_epi16(_mm256_mulhi_epi16(samples, luma_factor), half)
    };
    let (u_blocks, v_blocks) = (u.as_chunks::<{ BLOCK / 2 }>().0, v.as_chunks::<{ BLOCK / 2 }>().0);
    let blocks = y.as_chunks::<BLOCK>().0.iter().zip(u_blocks).zip(v_blocks);
    let mut done = 0;
    for (((y, u), v), to) in blocks.zip(to.as_chunks_mut::<BLOCK>().0) {
        let (u, v) = (chroma(u), chroma(v));
        let red = _mm256_mulhi_epi16(v, red_of_v);
        let green = _mm256_add_epi16(_mm256_mulhi_epi16(u, green_of_u), _mm256_mulhi_epi16(v, green_of_v));
        let blue = _mm256_mulhi_epi16(u, blue_of_u);
        // Pixels of even and of odd columns share their chroma: one vector each.
        let y: __m256i = bytemuck::cast(*y);
        let even = luma(_mm256_and_si256(y, splat(0xff)));
        let odd = luma(_mm256_srli_epi16::<8>(y));
        // In each half of the result: 8 even pixels, then 8 odd ones.
        let channel = |chroma: __m256i| {
            let even = _mm256_srai_epi16::<5>(_mm256_add_epi16(even, chroma));
            let odd = _mm256_srai_epi16::<5>(_mm256_add_epi16(odd, chroma));
            _mm256_packus_epi16(even, odd)
        };
        let (red, green, blue) = (channel(red), channel(green), channel(blue));
        // The channels side by side, then even and odd pixels in turn, then the halves in order.
        let (even_low, odd_low) = (_mm256_unpacklo_epi8(blue, green), _mm256_unpackhi_epi8(blue, green));
        let (even_high, odd_high) = (_mm256_unpacklo_epi8(red, zero), _mm256_unpackhi_epi8(red, zero));
        let even = (_mm256_unpacklo_epi16(even_low, even_high), _mm256_unpackhi_epi16(even_low, even_high));
        let odd = (_mm256_unpacklo_epi16(odd_low, odd_high), _mm256_unpackhi_epi16(odd_low, odd_high));
        let first = (_mm256_unpacklo_epi32(even.0, odd.0), _mm256_unpackhi_epi32(even.0, odd.0));
        let second = (_mm256_unpacklo_epi32(even.1, odd.1), _mm256_unpackhi_epi32(even.1, odd.1));
        let pixels: [[u32; 8]; 4] = bytemuck::cast([
            _mm256_permute2x128_si256::<0x20>(first.0, first.1),
            _mm256_permute2x128_si256::<0x20>(second.0, second.1),
            _mm256_permute2x128_si256::<0x31>(first.0, first.1),
            _mm256_permute2x128_si256::<0x31>(second.0, second.1),
        ]);
        *to = bytemuck::cast(pixels);
        done += BLOCK;
    }
    done
}
