//! The overlay as a picture of its own: made once a frame, laid over whatever is presented.

use super::triangle::{Canvas, Texture};
use crate::geometry::{Rect, Size};
use crate::render::overlay::Overlay;
use crate::stats::{CopyLedger, Transform};

/// The pixels of a window's overlay, premultiplied, `0xAARRGGBB`.
#[derive(Default)]
pub(super) struct Layer {
    pixels: Vec<u32>,
    /// Where they are in the window; `None`: nothing is to be seen.
    bounds: Option<Rect>,
    /// For which size of the window they were made.
    made_for: Option<Size>,
    /// What it covered before, until [`Self::take_changed`].
    covered: Option<Rect>,
    changed: bool,
}

impl Layer {
    /// The overlay's frame or textures are no longer those that the pixels were made of.
    pub(super) fn outdate(&mut self) {
        self.made_for = None;
    }

    /// Makes the pixels anew if that is needed. Returns whether the layer matters to the present:
    /// it covers something, or no longer covers what it did.
    pub(super) fn update(
        &mut self,
        overlay: Option<&Overlay>,
        window: Size,
        ledger: &mut CopyLedger,
    ) -> bool {
        match overlay {
            Some(overlay) if self.made_for != Some(window) => {
                self.cover_changes();
                self.make(overlay, window, ledger);
                self.made_for = Some(window);
            }
            Some(_) => {}
            None if self.bounds.is_some() => {
                self.cover_changes();
                *self = Self { covered: self.covered, changed: true, ..Self::default() };
            }
            None => {}
        }
        self.bounds.is_some() || self.changed
    }

    /// The part of the window that looks different since the last call.
    pub(super) fn take_changed(&mut self) -> Option<Rect> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        match (self.covered.take(), self.bounds) {
            (Some(before), Some(now)) => Some(before.union(now)),
            (before, now) => before.or(now),
        }
    }

    /// Lays the overlay over the pixels of the window's row `y` from `x` on.
    pub(super) fn blend(&self, x: u32, y: u32, row: &mut [u32]) {
        let Some(bounds) = self.bounds else { return };
        // The bounds lie in a window, so their coordinates are not negative.
        let (left, top) = (bounds.x.unsigned_abs(), bounds.y.unsigned_abs());
        if y < top || y - top >= bounds.height {
            return;
        }
        let layer = (y - top) as usize * bounds.width as usize;
        let layer = &self.pixels[layer..layer + bounds.width as usize];
        let (layer, row) = if x < left {
            (layer, row.get_mut((left - x) as usize..).unwrap_or_default())
        } else {
            (layer.get((x - left) as usize..).unwrap_or_default(), row)
        };
        for (over, pixel) in layer.iter().zip(row) {
            *pixel = blend(*over, *pixel);
        }
    }

    fn cover_changes(&mut self) {
        self.covered = match (self.covered, self.bounds) {
            (Some(a), Some(b)) => Some(a.union(b)),
            (a, b) => a.or(b),
        };
        self.changed = true;
    }

    fn make(&mut self, overlay: &Overlay, window: Size, ledger: &mut CopyLedger) {
        let scale = overlay.pixels_per_point();
        let meshes = || {
            overlay.primitives().iter().filter_map(|primitive| match &primitive.primitive {
                egui::epaint::Primitive::Mesh(mesh) => Some((primitive.clip_rect, mesh)),
                egui::epaint::Primitive::Callback(_) => None,
            })
        };
        let visible = |(clip, mesh): (egui::Rect, &egui::Mesh)| {
            pixels_of(mesh.calc_bounds(), scale, f32::floor, f32::ceil)
                .and_then(|bounds| intersect(bounds, pixels_of(clip, scale, f32::round, f32::round)?))
                .and_then(|bounds| bounds.clip(window))
        };
        self.bounds = meshes().filter_map(visible).reduce(Rect::union);
        let Some(bounds) = self.bounds else { return };
        let len = bounds.width as usize * bounds.height as usize;
        self.pixels.clear();
        self.pixels.resize(len, 0);
        ledger.note_transform(Transform::Convert, len * 4);
        for (clip, mesh) in meshes() {
            let Some(visible) = visible((clip, mesh)) else { continue };
            let Some((image, options)) = overlay.texture(mesh.texture_id) else { continue };
            let texture = Texture::new(image, options);
            let mut canvas = Canvas::new(&mut self.pixels, bounds, visible);
            for [a, b, c] in mesh.indices.as_chunks::<3>().0 {
                let corner = |index: u32| mesh.vertices.get(index as usize);
                if let (Some(a), Some(b), Some(c)) = (corner(*a), corner(*b), corner(*c)) {
                    canvas.triangle([a, b, c], scale, &texture);
                }
            }
        }
    }
}

/// A rectangle in points as pixels.
fn pixels_of(rect: egui::Rect, scale: f32, low: fn(f32) -> f32, high: fn(f32) -> f32) -> Option<Rect> {
    // Window coordinates are small; casts of what is not saturate.
    let (x0, y0) = (low(rect.min.x * scale) as i32, low(rect.min.y * scale) as i32);
    let (x1, y1) = (high(rect.max.x * scale) as i32, high(rect.max.y * scale) as i32);
    let width = u32::try_from(i64::from(x1) - i64::from(x0)).ok()?;
    let height = u32::try_from(i64::from(y1) - i64::from(y0)).ok()?;
    Some(Rect { x: x0, y: y0, width, height })
}

fn intersect(a: Rect, b: Rect) -> Option<Rect> {
    let size = Size { width: b.width, height: b.height };
    let in_b = Rect { x: a.x.checked_sub(b.x)?, y: a.y.checked_sub(b.y)?, ..a }.clip(size)?;
    Some(Rect { x: in_b.x.checked_add(b.x)?, y: in_b.y.checked_add(b.y)?, ..in_b })
}

/// A premultiplied pixel over another one.
pub(super) fn blend(over: u32, under: u32) -> u32 {
    if over == 0 {
        return under;
    }
    let left = 255 - (over >> 24);
    // Nothing is left of it, or nothing was there: the panel, over a new layer.
    if left == 0 || under == 0 {
        return over;
    }
    // Two channels at once; (x · left + 127) / 255, exactly, as (v + 1 + (v >> 8)) >> 8.
    let scale = |pair: u32| {
        let v = pair * left + 0x007f_007f;
        ((v + 0x0001_0001 + ((v >> 8) & 0x00ff_00ff)) >> 8) & 0x00ff_00ff
    };
    let even = scale(under & 0x00ff_00ff);
    let odd = scale((under >> 8) & 0x00ff_00ff) << 8;
    // A premultiplied colour is at most its alpha, except for egui's additive ones.
    add_saturating(over, even | odd)
}

fn add_saturating(a: u32, b: u32) -> u32 {
    let add = |index: usize| a.to_le_bytes()[index].saturating_add(b.to_le_bytes()[index]);
    u32::from_le_bytes([add(0), add(1), add(2), add(3)])
}
