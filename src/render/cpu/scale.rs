//! Scaling, as the shaders do it (`unpack.wgsl`, `present.wgsl`), in fixed point.

use std::ops::Range;

use crate::codec::Size;

/// Scales a picture to another size.
pub(super) struct Scaler {
    from: Size,
    to: Size,
    nearest: bool,
    /// For each column that is asked for, where it lies in the picture.
    columns: Vec<Between>,
    /// Columns of the picture that matter.
    used: Range<usize>,
    /// Those of a row of the picture, between two of its rows: channels with 8 fraction bits.
    row: Vec<[u16; 4]>,
}

/// Two neighbours and how much of the second one counts, in 1/32768.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    part: u32,
}

impl Scaler {
    /// From a picture of the size `from` to one of the size `to`, of which `columns` are wanted; none is
    /// empty. `nearest` takes the nearest pixels as they are, else they are mixed (bilinear).
    pub(super) fn new(from: Size, to: Size, columns: Range<u32>, nearest: bool) -> Self {
        let columns = columns.map(|column| between(column, to.width, from.width, nearest));
        let columns: Vec<Between> = columns.collect();
        let used =
            columns.first().map_or(0, |first| first.low)..columns.last().map_or(0, |last| last.high + 1);
        let row = if nearest { Vec::new() } else { vec![[0; 4]; used.len()] };
        Self { from, to, nearest, columns, used, row }
    }

    /// Makes the wanted columns of the row `y` out of the picture's pixels.
    pub(super) fn row(&mut self, picture: &[u32], y: u32, to: &mut [u32]) {
        let vertical = between(y, self.to.height, self.from.height, self.nearest);
        let line = |index: usize| {
            let start = index * self.from.width as usize;
            &picture[start + self.used.start..start + self.used.end]
        };
        let first = self.used.start;
        if self.nearest {
            let line = line(vertical.low);
            for (to, column) in to.iter_mut().zip(&self.columns) {
                *to = line[column.low - first];
            }
            return;
        }
        let (top, bottom) = (line(vertical.low), line(vertical.high));
        // 256 is all of it.
        let lower = ((vertical.part + 64) >> 7) as u16;
        let upper = 256 - lower;
        for ((mixed, top), bottom) in self.row.iter_mut().zip(top).zip(bottom) {
            let (top, bottom) = (top.to_le_bytes(), bottom.to_le_bytes());
            // At most 255 · 256.
            *mixed = std::array::from_fn(|channel| {
                u16::from(top[channel]) * upper + u16::from(bottom[channel]) * lower
            });
        }
        for (to, column) in to.iter_mut().zip(&self.columns) {
            let (left, right) = (self.row[column.low - first], self.row[column.high - first]);
            let (left_part, right_part) = (32_768 - column.part, column.part);
            *to = u32::from_le_bytes(std::array::from_fn(|channel| {
                // At most 255 · 2²³, and half of 2²³ for rounding.
                let sum = u32::from(left[channel]) * left_part + u32::from(right[channel]) * right_part;
                ((sum + (1 << 22)) >> 23) as u8
            }));
        }
    }
}

/// Where pixel `at` of `to_len` ones lies among `from_len` ones.
fn between(at: u32, to_len: u32, from_len: u32, nearest: bool) -> Between {
    let last = from_len as usize - 1;
    if nearest {
        let middle = (2 * u64::from(at) + 1) * u64::from(from_len) / (2 * u64::from(to_len));
        let low = (middle as usize).min(last);
        return Between { low, high: low, part: 0 };
    }
    let scale = f64::from(from_len) / f64::from(to_len);
    let at = ((f64::from(at) + 0.5) * scale - 0.5).clamp(0.0, last as f64);
    let low = at as usize;
    Between { low, high: (low + 1).min(last), part: (at.fract() * 32_768.0).round() as u32 }
}
