//! Bilinear scaling, as `shaders/unpack.wgsl` does it.

use crate::codec::Rect;

/// Scales a picture to a rectangle of the window.
pub(super) struct Scaler {
    rect: Rect,
    width: u32,
    height: u32,
}

/// Two neighbours and how much of the second one counts.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    part: f32,
}

impl Scaler {
    /// From a picture of this size to `rect`; neither is empty.
    pub(super) fn new(rect: Rect, (width, height): (u32, u32)) -> Self {
        Self { rect, width, height }
    }

    /// Makes the pixels of the window's row `y` from `x` on, which must lie in the rectangle.
    pub(super) fn row(&self, picture: &[u32], x: u32, y: u32, to: &mut [u32]) {
        let stride = self.width as usize;
        let first = i64::from(x) - i64::from(self.rect.x);
        let vertical = between(i64::from(y) - i64::from(self.rect.y), self.rect.height, self.height);
        let top = &picture[vertical.low * stride..][..stride];
        let bottom = &picture[vertical.high * stride..][..stride];
        for (in_rect, to) in (first..).zip(to) {
            let across = between(in_rect, self.rect.width, self.width);
            let top = mix(top[across.low], top[across.high], across.part);
            let bottom = mix(bottom[across.low], bottom[across.high], across.part);
            *to = (0..3).fold(0, |pixel, channel| {
                let value = top[channel] + (bottom[channel] - top[channel]) * vertical.part;
                pixel | ((value + 0.5) as u32) << (8 * channel)
            });
        }
    }
}

fn between(in_rect: i64, rect_len: u32, picture_len: u32) -> Between {
    let scale = f64::from(picture_len) / f64::from(rect_len);
    let at = ((in_rect as f64 + 0.5) * scale - 0.5).clamp(0.0, f64::from(picture_len - 1));
    let low = at as usize;
    Between { low, high: (low + 1).min(picture_len as usize - 1), part: at.fract() as f32 }
}

/// Between two pixels: blue, green, red.
fn mix(a: u32, b: u32, part: f32) -> [f32; 3] {
    [0, 8, 16].map(|shift| {
        let (a, b) = ((a >> shift & 255) as f32, (b >> shift & 255) as f32);
        a + (b - a) * part
    })
}
