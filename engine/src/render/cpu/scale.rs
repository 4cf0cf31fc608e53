//! Scaling, as the shaders do it (`unpack.wgsl`, `present.wgsl`), in fixed point.

use std::ops::Range;

use super::frame::{bytes, bytes_mut};
use crate::geometry::Size;

/// Scales a picture to another size.
pub(super) struct Scaler {
    from: Size,
    to: Size,
    nearest: bool,
    /// For each column that is asked for, where it lies in the picture.
    columns: Vec<Between>,
    /// The row of the picture with which its pixels begin.
    first_row: usize,
    /// Columns of the picture that matter.
    used: Range<usize>,
    /// Those of a row of the picture, between two of its rows: channels with 8 fraction bits.
    row: Vec<[u16; 4]>,
    /// For each column its neighbours in that row, and how much of the right one counts, in 1/65536.
    left: Vec<[u16; 4]>,
    right: Vec<[u16; 4]>,
    right_part: Vec<[u16; 4]>,
}

/// Two neighbours and how much of the second one counts, in 1/65536.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    part: u16,
}

impl Scaler {
    /// From a picture of the size `from` to one of the size `to`, of which `columns` are wanted; none is
    /// empty. `nearest` takes the nearest pixels as they are, else they are mixed (bilinear).
    pub(super) fn new(from: Size, to: Size, columns: Range<u32>, nearest: bool) -> Self {
        let columns = columns.map(|column| between(column, to.width, from.width, nearest));
        let columns: Vec<Between> = columns.collect();
        let used =
            columns.first().map_or(0, |first| first.low)..columns.last().map_or(0, |last| last.high + 1);
        let mixed = |len: usize| vec![[0; 4]; if nearest { 0 } else { len }];
        Self {
            row: mixed(used.len()),
            left: mixed(columns.len()),
            right: mixed(columns.len()),
            right_part: columns.iter().map(|column| [column.part; 4]).collect(),
            from,
            to,
            nearest,
            columns,
            first_row: 0,
            used,
        }
    }

    /// The rows of the picture that matter for these rows of what is made of it, of which there is at least one.
    pub(super) fn rows(&self, rows: Range<u32>) -> Range<usize> {
        let between = |y| between(y, self.to.height, self.from.height, self.nearest);
        between(rows.start).low..between(rows.end - 1).high + 1
    }

    /// The picture's pixels that [`Self::row`] is given begin with this row.
    pub(super) fn starting_at(mut self, row: usize) -> Self {
        self.first_row = row;
        self
    }

    /// Makes the wanted columns of the row `y` out of the picture's pixels.
    pub(super) fn row(&mut self, picture: &[u32], y: u32, to: &mut [u32]) {
        let vertical = between(y, self.to.height, self.from.height, self.nearest);
        let line = |index: usize| {
            let start = (index - self.first_row) * self.from.width as usize;
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
        // Each loop does one thing, so that vector instructions can do it.
        let (top, bottom) = (bytes(line(vertical.low)), bytes(line(vertical.high)));
        // 256 is all of it.
        let lower = vertical.part.saturating_add(128) >> 8;
        let upper = 256 - lower;
        for ((mixed, top), bottom) in self.row.as_flattened_mut().iter_mut().zip(top).zip(bottom) {
            // At most 255 · 256.
            *mixed = u16::from(*top) * upper + u16::from(*bottom) * lower;
        }
        for ((left, right), column) in self.left.iter_mut().zip(&mut self.right).zip(&self.columns) {
            (*left, *right) = (self.row[column.low - first], self.row[column.high - first]);
        }
        let sides = self.left.as_flattened().iter().zip(self.right.as_flattened());
        let sides = sides.zip(self.right_part.as_flattened());
        for (to, ((left, right), part)) in bytes_mut(to).iter_mut().zip(sides) {
            // At most 255 · 256, and half of 256 for rounding.
            let sum = high_product(*left, u16::MAX - part) + high_product(*right, *part);
            *to = ((sum + 128) >> 8) as u8;
        }
    }
}

/// The high half of the product: one instruction on vectors.
#[inline(always)]
fn high_product(a: u16, b: u16) -> u16 {
    // 32 bits shifted right by 16 fit.
    ((u32::from(a) * u32::from(b)) >> 16) as u16
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
    Between { low, high: (low + 1).min(last), part: (at.fract() * 65_536.0) as u16 }
}
