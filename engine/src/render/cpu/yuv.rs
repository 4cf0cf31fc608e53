//! Planar YUV to `0x00RRGGBB`, in 16-bit fixed point: at most 1 from the exact value.
//!
//! Terms have 5 fraction bits, so that their sums stay within an `i16`. On x86-64 machines with AVX2,
//! [`super::yuv_avx2`] does the same work for halved chroma, 32 pixels at once; the compiler makes 16-bit vector
//! code of the rest.

use std::ops::Range;

use crate::codec::{PlaneRef, YuvFormat, YuvMatrix, YuvRef};
use crate::render::RenderError;

/// Chroma samples that are converted at once.
const BLOCK: usize = 64;

/// Factors in fixed point: luma with 14 fraction bits, the others with 13.
pub(super) struct Matrix {
    pub(super) luma_zero: i16,
    pub(super) luma: i16,
    pub(super) red_of_v: i16,
    pub(super) green_of_u: i16,
    pub(super) green_of_v: i16,
    pub(super) blue_of_u: i16,
}

/// What a block of chroma samples adds to red, green and blue.
struct Chroma {
    red: [i16; BLOCK],
    green: [i16; BLOCK],
    blue: [i16; BLOCK],
}

/// Converts these rows of a picture that is `width` wide to rows of pixels, `stride` pixels apart.
///
/// # Errors
/// If a plane or `to` is too short.
pub(super) fn convert<'a>(
    yuv: &YuvRef<'a>,
    width: u32,
    rows: Range<usize>,
    to: &mut [u32],
    stride: usize,
) -> Result<(), RenderError> {
    let matrix = Matrix::new(yuv);
    let (chroma_width, _) = yuv.format.chroma_size(width, 1);
    let (width, chroma_width) = (width as usize, chroma_width as usize);
    let row_of = |plane: &PlaneRef<'a>, row: usize, len: usize| {
        let start = row * plane.rowstride;
        let too_short = RenderError::PictureData { got: plane.data.len(), expected: start + len };
        plane.data.get(start..start + len).ok_or(too_short)
    };
    let [y_plane, u_plane, v_plane] = &yuv.planes;
    for (row, to) in rows.zip(to.chunks_mut(stride)) {
        let chroma_row = if yuv.format == YuvFormat::I420 { row / 2 } else { row };
        let y = row_of(y_plane, row, width)?;
        let u = row_of(u_plane, chroma_row, chroma_width)?;
        let v = row_of(v_plane, chroma_row, chroma_width)?;
        let len = to.len();
        let to = to.get_mut(..width).ok_or(RenderError::PictureData { got: len, expected: width })?;
        convert_row(&matrix, yuv.format == YuvFormat::I444, (y, u, v), to);
    }
    Ok(())
}

impl Matrix {
    /// ITU-R BT.601 and BT.709.
    fn new(yuv: &YuvRef) -> Self {
        let (red, blue) = match yuv.matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        let (luma_zero, luma, chroma) =
            if yuv.full_range { (0, 1.0, 1.0) } else { (16, 255.0 / 219.0, 255.0 / 224.0) };
        // The largest factor is 2.12: all fit.
        let fixed = |factor: f64, bits: i32| (factor * 2f64.powi(bits)).round() as i16;
        let (red_of_v, blue_of_u) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        Self {
            luma_zero,
            luma: fixed(luma, 14),
            red_of_v: fixed(red_of_v, 13),
            green_of_u: fixed(-blue_of_u * blue / green, 13),
            green_of_v: fixed(-red_of_v * red / green, 13),
            blue_of_u: fixed(blue_of_u, 13),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn convert_row(matrix: &Matrix, full_chroma: bool, planes: (&[u8], &[u8], &[u8]), to: &mut [u32]) {
    if std::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "calling code made for AVX2, which was just found to be there")]
        // SAFETY: the machine has AVX2.
        unsafe {
            convert_row_avx2(matrix, full_chroma, planes, to);
        }
    } else {
        convert_row_anywhere(matrix, full_chroma, planes, to);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn convert_row(matrix: &Matrix, full_chroma: bool, planes: (&[u8], &[u8], &[u8]), to: &mut [u32]) {
    convert_row_anywhere(matrix, full_chroma, planes, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn convert_row_avx2(matrix: &Matrix, full_chroma: bool, (y, u, v): (&[u8], &[u8], &[u8]), to: &mut [u32]) {
    let done = if full_chroma { 0 } else { super::yuv_avx2::convert_row(matrix, (y, u, v), to) };
    let chroma = done / 2;
    let rest = (
        y.get(done..).unwrap_or_default(),
        u.get(chroma..).unwrap_or_default(),
        v.get(chroma..).unwrap_or_default(),
    );
    convert_row_anywhere(matrix, full_chroma, rest, to.get_mut(done..).unwrap_or_default());
}

#[inline(always)]
fn convert_row_anywhere(
    matrix: &Matrix,
    full_chroma: bool,
    (y, u, v): (&[u8], &[u8], &[u8]),
    to: &mut [u32],
) {
    let luma_block = if full_chroma { BLOCK } else { 2 * BLOCK };
    let luma = y.chunks(luma_block).zip(to.chunks_mut(luma_block));
    for ((y, to), (u, v)) in luma.zip(u.chunks(BLOCK).zip(v.chunks(BLOCK))) {
        let Chroma { red, green, blue } = chroma_block(matrix, u, v);
        let chroma = red.iter().zip(&green).zip(&blue);
        if full_chroma {
            for ((y, to), ((red, green), blue)) in y.iter().zip(to).zip(chroma) {
                *to = pixel(matrix, *y, (*red, *green, *blue));
            }
            continue;
        }
        let ((pairs, last_y), (to_pairs, last_to)) = (y.as_chunks::<2>(), to.as_chunks_mut::<2>());
        for (([left, right], to), ((red, green), blue)) in pairs.iter().zip(to_pairs).zip(chroma) {
            let chroma = (*red, *green, *blue);
            *to = [pixel(matrix, *left, chroma), pixel(matrix, *right, chroma)];
        }
        let last = pairs.len();
        if let ([y], [to], true) = (last_y, last_to, last < BLOCK) {
            *to = pixel(matrix, *y, (red[last], green[last], blue[last]));
        }
    }
}

#[inline(always)]
fn chroma_block(matrix: &Matrix, u: &[u8], v: &[u8]) -> Chroma {
    let mut block = Chroma { red: [0; BLOCK], green: [0; BLOCK], blue: [0; BLOCK] };
    let to = block.red.iter_mut().zip(&mut block.green).zip(&mut block.blue);
    for ((u, v), ((red, green), blue)) in u.iter().zip(v).zip(to) {
        let (u, v) = ((i16::from(*u) - 128) << 8, (i16::from(*v) - 128) << 8);
        *red = high_product(v, matrix.red_of_v);
        *green = high_product(u, matrix.green_of_u) + high_product(v, matrix.green_of_v);
        *blue = high_product(u, matrix.blue_of_u);
    }
    block
}

#[inline(always)]
fn pixel(matrix: &Matrix, y: u8, (red, green, blue): (i16, i16, i16)) -> u32 {
    let luma = high_product((i16::from(y) - matrix.luma_zero) << 7, matrix.luma);
    let channel = |term: i16| ((luma + term + 16) >> 5).clamp(0, 255) as u16;
    u32::from(channel(blue) | channel(green) << 8) | u32::from(channel(red)) << 16
}

/// The high half of the product: one instruction on vectors.
#[inline(always)]
fn high_product(a: i16, b: i16) -> i16 {
    // 32 bits shifted right by 16 fit.
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}
