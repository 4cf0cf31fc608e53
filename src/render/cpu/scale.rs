//! Bilinear scaling, as `shaders/unpack.wgsl` does it, in fixed point.

use crate::codec::Rect;

/// Scales a picture to a rectangle of the window.
pub(super) struct Scaler {
    rect: Rect,
    width: u32,
    height: u32,
    /// For each column that is asked for, where it lies in the picture.
    columns: Vec<Between>,
    /// A row of the picture between two of its rows: channels with 8 fraction bits.
    row: Vec<[u16; 4]>,
}

/// Two neighbours and how much of the second one counts, 0..1.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    part: f32,
}

impl Scaler {
    /// From a picture of this size to `rect`, of which `visible` is wanted; none is empty.
    pub(super) fn new(rect: Rect, visible: Rect, (width, height): (u32, u32)) -> Self {
        let first = i64::from(visible.x) - i64::from(rect.x);
        let columns = (first..).take(visible.width as usize);
        let columns = columns.map(|column| between(column, rect.width, width)).collect();
        Self { rect, width, height, columns, row: vec![[0; 4]; width as usize] }
    }

    /// Makes the visible pixels of the window's row `y`, which must lie in the rectangle.
    pub(super) fn row(&mut self, picture: &[u32], y: u32, to: &mut [u32]) {
        let vertical = between(i64::from(y) - i64::from(self.rect.y), self.rect.height, self.height);
        let stride = self.width as usize;
        let top = &picture[vertical.low * stride..][..stride];
        let bottom = &picture[vertical.high * stride..][..stride];
        let lower = (vertical.part * 256.0).round() as u16;
        let upper = 256 - lower;
        for ((mixed, top), bottom) in self.row.iter_mut().zip(top).zip(bottom) {
            let (top, bottom) = (top.to_le_bytes(), bottom.to_le_bytes());
            // At most 255 · 256.
            *mixed = std::array::from_fn(|channel| {
                u16::from(top[channel]) * upper + u16::from(bottom[channel]) * lower
            });
        }
        for (to, column) in to.iter_mut().zip(&self.columns) {
            let (left, right) = (self.row[column.low], self.row[column.high]);
            let right_part = (column.part * 32_768.0).round() as u32;
            let left_part = 32_768 - right_part;
            *to = u32::from_le_bytes(std::array::from_fn(|channel| {
                // At most 255 · 2²³, and half of 2²³ for rounding.
                let sum = u32::from(left[channel]) * left_part + u32::from(right[channel]) * right_part;
                ((sum + (1 << 22)) >> 23) as u8
            }));
        }
    }
}

fn between(in_rect: i64, rect_len: u32, picture_len: u32) -> Between {
    let scale = f64::from(picture_len) / f64::from(rect_len);
    let at = ((in_rect as f64 + 0.5) * scale - 0.5).clamp(0.0, f64::from(picture_len - 1));
    let low = at as usize;
    Between { low, high: (low + 1).min(picture_len as usize - 1), part: at.fract() as f32 }
}
